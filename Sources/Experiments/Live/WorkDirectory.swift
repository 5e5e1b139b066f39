import Glibc

/// Files of an experiment.
enum WorkDirectory {
    /// The path from the root: cluster.yaml takes relative ones as seen from its own folder.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Makes an empty directory, and those above it.
    static func make(_ path: String) throws(ExperimentError) {
        remove(path)
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += part
            if mkdir(prefix, 0o755) != 0, errno != EEXIST { throw failure("make directory \(prefix)") }
            prefix += "/"
        }
    }

    /// Writes a file at once, in place: who reads it may hold it open.
    static func write(_ text: String, to path: String) throws(ExperimentError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("write \(path)") }
        defer { close(descriptor) }
        var text = text
        let count = text.utf8.count
        let written = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == count else { throw failure("write \(path)") }
    }

    /// Removes a file or a directory with all that is in it, not following links; what is not there is removed already.
    static func remove(_ path: String) {
        for name in names(in: path) {
            let inner = "\(path)/\(name)"
            var status = stat()
            let isDirectory = lstat(inner, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            if isDirectory { remove(inner) } else { unlink(inner) }
        }
        rmdir(path)
    }

    /// What is in a directory; nothing when there is none.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// The first four kilobytes of a file, in one line.
    static func text(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split(separator: "\n").joined(
            separator: "; ")
    }

    private static func failure(_ operation: String) -> ExperimentError {
        ExperimentError("\(operation): \(String(cString: strerror(errno)))")
    }
}
