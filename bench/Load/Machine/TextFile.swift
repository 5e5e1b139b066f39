import Glibc

/// Small files, whole.
public enum TextFile {
    /// At most `limit` bytes of a file as text; empty when it cannot be read.
    public static func read(_ path: String, limit: Int = 64 << 20) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: min(limit, 65_536))
        while bytes.count < limit {
            let count = fread(&part, 1, min(part.count, limit - bytes.count), file)
            if count == 0 { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Replaces a file.
    public static func write(_ path: String, _ bytes: [UInt8]) throws(LoadError) {
        guard let file = fopen(path, "w") else {
            throw LoadError(.machine, "write \(path): \(String(cString: strerror(errno)))")
        }
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else {
            throw LoadError(.machine, "write \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Replaces a file.
    public static func write(_ path: String, _ text: String) throws(LoadError) { try write(path, Array(text.utf8)) }
}

extension TextFile {
    /// Removes a folder of ours and the files and folders in it; one level of folders deep.
    static func removeFolder(_ path: String) {
        guard let folder = opendir(path) else { return }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        closedir(folder)
        for name in names where unlink("\(path)/\(name)") != 0 { removeFolder("\(path)/\(name)") }
        rmdir(path)
    }
}
