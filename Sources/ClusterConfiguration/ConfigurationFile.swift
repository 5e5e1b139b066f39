import Glibc

/// A file of ours, read with plain system calls: a node loads no Foundation for it.
package enum ConfigurationFile {
    /// All bytes of a file of at most 1 MiB.
    package static func read(_ path: String) throws(ConfigurationErrors) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(path, errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        let chunk = 64 << 10
        while true {
            let filled = bytes.count
            bytes.append(contentsOf: repeatElement(0, count: chunk))
            let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + filled, chunk) }
            let error = errno
            bytes.removeLast(chunk - max(count, 0))
            if count == 0 { return bytes }
            if count < 0, error != EINTR { throw fault(path, error) }
            // One byte more is enough for the parser to refuse it; a pipe without end is not read to its end.
            if bytes.count > YAMLLimits.fileBytes { return bytes }
        }
    }

    /// The file's one document, nil when it holds nothing but comments; `name` is what messages call the file.
    package static func document(in bytes: [UInt8], name: String) throws(ConfigurationErrors) -> YAMLNode? {
        do {
            return try YAMLParser.document(in: bytes)
        } catch {
            throw ConfigurationErrors(errors: [.init(file: name, line: error.line, message: error.message)])
        }
    }

    /// The folder part of a path: empty, or ending in `/`.
    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    private static func fault(_ path: String, _ error: Int32) -> ConfigurationErrors {
        let words = String(cString: strerror(error))
        return ConfigurationErrors(errors: [
            ConfigurationError(file: path, line: nil, message: words.prefix(1).lowercased() + words.dropFirst())
        ])
    }
}

/// Where the paths inside a configuration file start.
struct RelativePaths {
    /// The file's folder: empty or ending in `/`.
    let folder: String

    /// The path to open; absolute ones stay.
    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : folder + path }
}
