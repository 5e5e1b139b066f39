import Basics
import Platform

/// A host's files: a replacement is durable when it is called back, and lost when the process ends before.
///
/// As on the real platform, at most one content waits for each path, and a later one takes its place.
final class SimulatedFiles: FileStore {
    private struct Replacement {
        var content: [UInt8]
        var backup: Bool
        var completions: [(PlatformError?) -> Void]
    }

    private unowned let platform: SimulatedPlatform
    /// By path under way: what comes next, if anything does.
    private var waiting: [String: Replacement?] = [:]

    init(_ platform: SimulatedPlatform) { self.platform = platform }

    func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8]? {
        guard let content = platform.host.files[key(path)] else { return nil }
        if content.count > limit {
            throw PlatformError(operation: "read \(path)", name: "EFBIG", message: "file too large")
        }
        return content
    }

    func replace(
        _ path: String, with content: [UInt8], backup: Bool, completion: @escaping (PlatformError?) -> Void
    ) {
        let replacement = Replacement(content: content, backup: backup, completions: [completion])
        guard let underWay = waiting.removeValue(forKey: path) else { return start(replacement, path) }
        guard var next = underWay else {
            waiting[path] = .some(replacement)
            return
        }
        next.content = content
        next.backup = next.backup || backup
        next.completions.append(completion)
        waiting[path] = .some(next)
    }

    func append(_ path: String, _ content: [UInt8], completion: @escaping (PlatformError?) -> Void) {
        platform.later(after: Int64.random(in: platform.fileTime, using: &platform.random)) { [self] in
            completion(
                put(
                    Replacement(
                        content: (platform.host.files[key(path)] ?? []) + content, backup: false, completions: []),
                    path))
        }
    }

    func rename(_ path: String, to newPath: String) throws(PlatformError) {
        guard let content = platform.host.files.removeValue(forKey: key(path)) else {
            throw PlatformError(
                operation: "rename \(path) to \(newPath)", name: "ENOENT", message: "no such file or directory")
        }
        platform.host.files[key(newPath)] = content
    }

    private func key(_ path: String) -> String { platform.filePrefix + path }

    private func start(_ replacement: Replacement, _ path: String) {
        waiting[path] = .some(nil)
        platform.later(after: Int64.random(in: platform.fileTime, using: &platform.random)) { [self] in
            let error = put(replacement, path)
            if let next = waiting.removeValue(forKey: path) ?? nil { start(next, path) }
            for completion in replacement.completions { completion(error) }
        }
    }

    private func put(_ replacement: Replacement, _ path: String) -> PlatformError? {
        if platform.failsFileWrites {
            return PlatformError(operation: "write \(path)", name: "ENOSPC", message: "no space left on device")
        }
        if replacement.backup, let old = platform.host.files[key(path)] {
            platform.host.files[key(path + ".bak")] = old
        }
        platform.host.files[key(path)] = replacement.content
        return nil
    }
}
