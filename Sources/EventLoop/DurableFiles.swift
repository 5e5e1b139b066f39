import Basics
import Platform

/// The loop's `FileStore`: replacements run on worker threads, those of one path one after another.
///
/// At most one content waits for each path: a later one takes its place, and whoever waited for it waits for the later
/// one. A flood of changes costs no flood of copies, and no longer than two writes.
final class DurableFiles: FileStore {
    private struct Replacement {
        var content: [UInt8]
        var backup: Bool
        var completions: [(PlatformError?) -> Void]
    }

    private unowned let loop: EventLoop
    /// By path under way: what comes next, if anything does.
    private var waiting: [String: Replacement?] = [:]

    init(loop: EventLoop) { self.loop = loop }

    func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8]? {
        try DurableFile(path).read(limit: limit)
    }

    func replace(
        _ path: String, with content: [UInt8], backup: Bool, completion: @escaping (PlatformError?) -> Void
    ) {
        let replacement = Replacement(content: content, backup: backup, completions: [completion])
        // Taken out and put back, so that the list grows in place.
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
        loop.offload {
            do throws(PlatformError) {
                try DurableFile(path).append(content)
                return PlatformError?.none
            } catch {
                return error
            }
        } completion: {
            completion($0)
        }
    }

    func rename(_ path: String, to newPath: String) throws(PlatformError) { try DurableFile(path).rename(to: newPath) }

    private func start(_ replacement: Replacement, _ path: String) {
        waiting[path] = .some(nil)
        let (content, backup) = (replacement.content, replacement.backup)
        loop.offload {
            do throws(PlatformError) {
                try DurableFile(path).replace(with: content, backup: backup)
                return PlatformError?.none
            } catch {
                return error
            }
        } completion: { [self] error in
            // Starts the next before the callbacks, which may ask for more.
            if let next = waiting.removeValue(forKey: path) ?? nil { start(next, path) }
            for completion in replacement.completions { completion(error) }
        }
    }
}
