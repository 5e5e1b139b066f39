import Glibc
import Platform

/// The file of a recording. Its calls block: they belong on a worker thread.
public final class RecordingFile: Sendable {
    /// Where it is.
    public let path: String
    private let descriptor: Int32

    /// Makes a new file that only its owner may read: it will hold addresses, names and KV values.
    ///
    /// - Throws: when there is such a file already, or it cannot be made.
    public init(creating path: String) throws(PlatformError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("make \(path)") }
    }

    /// Opens one to be read.
    public init(reading path: String) throws(PlatformError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("read \(path)") }
    }

    deinit { close(descriptor) }

    /// Writes all bytes behind the others; when that fails, the file ends where it ended before.
    func append(_ bytes: [UInt8]) -> PlatformError? {
        let size = lseek(descriptor, 0, SEEK_END)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let failure = Self.failure("write \(path)")
                if size >= 0 { ftruncate(descriptor, size) }
                return failure
            }
            written += count
        }
        return nil
    }

    /// Makes it last through a power failure.
    func sync() { fsync(descriptor) }

    /// The next bytes, at most `count`; empty at the end.
    func read(_ count: Int) throws(PlatformError) -> [UInt8] {
        var status = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            repeat { status = Glibc.read(descriptor, buffer.baseAddress, count) } while status < 0 && errno == EINTR
            filled = max(status, 0)
        }
        guard status >= 0 else { throw Self.failure("read \(path)") }
        return bytes
    }

    private static func failure(_ operation: String) -> PlatformError {
        let code = errno
        return PlatformError(
            operation: operation, name: "errno \(code)", message: String(cString: strerror(code)))
    }
}

extension RecordingReader {
    /// Bytes read from a file at a time.
    private static let chunkBytes = 1 << 20

    /// Reads a file from its beginning.
    public init(_ file: RecordingFile) throws(RecordingError) {
        try self.init { () throws(RecordingError) in
            do throws(PlatformError) {
                return try file.read(Self.chunkBytes)
            } catch {
                throw RecordingError(records: 0, offset: 0, reason: error.description)
            }
        }
    }
}
