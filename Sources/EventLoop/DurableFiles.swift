import Basics
import Platform

/// The loop's `FileStore`: replacements run on worker threads, those of one path one after another.
final class DurableFiles: FileStore {
    private struct Replacement {
        let content: [UInt8]
        let backup: Bool
        let completion: (PlatformError?) -> Void
    }

    private unowned let loop: EventLoop
    /// By path: what waits for the replacement that is under way.
    private var waiting: [String: [Replacement]] = [:]

    init(loop: EventLoop) { self.loop = loop }

    func read(_ path: String, limit: Int) throws(PlatformError) -> [UInt8]? {
        try DurableFile(path).read(limit: limit)
    }

    func replace(
        _ path: String, with content: [UInt8], backup: Bool, completion: @escaping (PlatformError?) -> Void
    ) {
        let replacement = Replacement(content: content, backup: backup, completion: completion)
        if waiting[path] != nil {
            waiting[path]?.append(replacement)
        } else {
            waiting[path] = []
            start(replacement, path)
        }
    }

    func rename(_ path: String, to newPath: String) throws(PlatformError) { try DurableFile(path).rename(to: newPath) }

    private func start(_ replacement: Replacement, _ path: String) {
        let (content, backup) = (replacement.content, replacement.backup)
        loop.offload {
            do throws(PlatformError) {
                try DurableFile(path).replace(with: content, backup: backup)
                return PlatformError?.none
            } catch {
                return error
            }
        } completion: { [self] error in
            // Starts the next before the callback, which may ask for more.
            if waiting[path]!.isEmpty {
                waiting[path] = nil
            } else {
                start(waiting[path]!.removeFirst(), path)
            }
            replacement.completion(error)
        }
    }
}
