// Blocking file operations that survive a crash at any byte. A reader, and a restart, sees a file's whole old content or
// its whole new content: the new one is written and synced under another name first, and a rename is atomic.

import Glibc
import Platform

/// One file, by its path.
struct DurableFile: Sendable {
    /// A previous content above this is no configuration of ours, and is not copied to the backup.
    private static let backupLimit = 64 << 20

    let path: String

    init(_ path: String) { self.path = path }

    private var directory: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// All bytes; nil when there is no such file; an error when there are more than `limit`.
    func read(limit: Int) throws(PlatformError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw PlatformError("read \(path)") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw PlatformError("read \(path)") }
        // One more than there should be, so that the end is seen, or that there are too many.
        var room = min(Int(status.st_size), limit) + 1
        while true {
            let content = try read(descriptor, atMost: room)
            if content.count > limit { throw PlatformError("read \(path)", errno: EFBIG) }
            if content.count < room { return content }
            // It has grown, or did not tell its size.
            room = min(2 * room + 4096, limit) + 1
        }
    }

    /// The first bytes of the file, fewer than `count` only at its end.
    private func read(_ descriptor: Int32, atMost count: Int) throws(PlatformError) -> [UInt8] {
        var status = 0
        let content = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat {
                status = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(filled))
                filled += max(status, 0)
            } while filled < count && (status > 0 || (status < 0 && errno == EINTR))
        }
        guard status >= 0 else { throw PlatformError("read \(path)") }
        return content
    }

    /// Makes `content` the file's content; with `backup`, the old one is first made the content of `path`.bak.
    func replace(with content: [UInt8], backup: Bool) throws(PlatformError) {
        try makeDirectory(directory)
        if backup, let old = try read(limit: DurableFile.backupLimit) {
            try DurableFile(path + ".bak").put(old, like: path)
        }
        try put(content, like: path)
    }

    /// Appends to the file, or leaves it as it was; nothing is synced. A new file can be read by its owner and group.
    func append(_ content: [UInt8]) throws(PlatformError) {
        try makeDirectory(directory)
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw PlatformError("append to \(path)") }
        defer { close(descriptor) }
        // Other processes may append to it, too. Where there are no locks nothing is lost but by a full disk.
        flock(descriptor, LOCK_EX)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw PlatformError("append to \(path)") }
        do throws(PlatformError) {
            try write(content, to: descriptor, "append to \(path)")
        } catch {
            // A line cut in two would spoil the next one, too. A pipe or a device cannot be cut, and does not matter.
            ftruncate(descriptor, status.st_size)
            throw error
        }
    }

    private func write(_ content: [UInt8], to descriptor: Int32, _ operation: String) throws(PlatformError) {
        var written = 0
        while written < content.count {
            let count = content.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw PlatformError(operation) }
            written += count
        }
    }

    /// Renames the file, and makes the new name durable.
    func rename(to newPath: String) throws(PlatformError) {
        guard Glibc.rename(path, newPath) == 0 else { throw PlatformError("rename \(path) to \(newPath)") }
        try sync(directory)
        let newDirectory = DurableFile(newPath).directory
        if newDirectory != directory { try sync(newDirectory) }
    }

    /// Temporary file in the same directory, all bytes, fsync, rename, fsync of the directory. Permissions are those of
    /// the file at `model`, if there is one.
    private func put(_ content: [UInt8], like model: String) throws(PlatformError) {
        // One writer per path, so one name: what a crash leaves behind is overwritten by the next write.
        let temporary = path + ".tmp"
        var status = stat()
        let mode = stat(model, &status) == 0 ? status.st_mode & 0o777 : 0o644
        do throws(PlatformError) {
            try writeDurably(content, to: temporary, mode: mode)
            guard Glibc.rename(temporary, path) == 0 else { throw PlatformError("replace \(path)") }
        } catch {
            unlink(temporary)
            throw error
        }
        try sync(directory)
    }

    private func writeDurably(_ content: [UInt8], to temporary: String, mode: mode_t) throws(PlatformError) {
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw PlatformError("write \(temporary)") }
        defer { close(descriptor) }
        guard fchmod(descriptor, mode) == 0 else { throw PlatformError("write \(temporary)") }
        try write(content, to: descriptor, "write \(temporary)")
        guard fsync(descriptor) == 0 else { throw PlatformError("sync \(temporary)") }
    }

    /// Makes a directory and the missing ones above it, each durable in its parent.
    private func makeDirectory(_ directory: String) throws(PlatformError) {
        if access(directory, F_OK) == 0 { return }
        let parent = DurableFile(directory).directory
        try makeDirectory(parent)
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST else {
            throw PlatformError("make directory \(directory)")
        }
        try sync(parent)
    }

    private func sync(_ directory: String) throws(PlatformError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PlatformError("sync \(directory)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw PlatformError("sync \(directory)") }
    }
}
