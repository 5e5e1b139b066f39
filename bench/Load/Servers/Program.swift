import Glibc

/// An executable file.
public struct Program: Hashable, Sendable {
    /// An absolute or relative path.
    public let path: String

    /// Names a file that must be there and executable.
    public init(_ path: String) throws(LoadError) {
        guard access(path, X_OK) == 0 else {
            throw LoadError(.usage, "\(path): \(String(cString: strerror(errno))); build it, or say where it is")
        }
        self.path = path
    }

    /// A program that was built together with this one.
    public static func sibling(_ name: String) throws(LoadError) -> Program {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        return try Program(folder + name)
    }
}
