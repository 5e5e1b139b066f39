import Glibc

/// The inputs of one target in one file, so that a repository keeps twenty files and not thousands: for each input its
/// length (4 bytes, big-endian) and its bytes.
public enum CorpusFile {
    /// The inputs in a file's bytes; what is cut off at its end is left out.
    public static func inputs(_ bytes: [UInt8]) -> [[UInt8]] {
        var inputs: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { break }
            inputs.append([UInt8](rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return inputs
    }

    /// Writes the inputs of a file into a directory, one file each, as libFuzzer wants them.
    public static func unpack(_ file: String, into directory: String) -> Bool {
        guard let bytes = read(file) else { return false }
        for (index, input) in inputs(bytes).enumerated() where !write(input, to: "\(directory)/kept-\(index)") {
            return false
        }
        return true
    }

    /// Writes all files of a directory into one, the shortest first.
    public static func pack(_ directory: String, into file: String) -> Bool {
        guard let stream = opendir(directory) else { return false }
        defer { closedir(stream) }
        var inputs: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            guard let input = read("\(directory)/\(name)") else { return false }
            inputs.append(input)
        }
        inputs.sort { $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count }
        let bytes = inputs.flatMap { input in
            (0..<4).map { UInt8(truncatingIfNeeded: input.count >> (24 - 8 * $0)) } + input
        }
        return write(bytes, to: file)
    }

    /// All bytes of a file, at most 16 MiB; nil when it cannot be read.
    public static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        return [UInt8](unsafeUninitializedCapacity: 16 << 20) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) -> Bool {
        guard let file = fopen(path, "wb") else { return false }
        defer { fclose(file) }
        return fwrite(bytes, 1, bytes.count, file) == bytes.count
    }
}
