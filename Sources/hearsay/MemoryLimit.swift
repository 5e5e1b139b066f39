import Glibc

/// What this process may use of the machine's memory, as far as somebody has set a limit: RLIMIT_AS, or a control group's.
enum MemoryLimit {
    /// The part of such a limit that unread frames and unsent answers may take: tables, their copies while they change and
    /// a registration that is being inflated need the rest.
    private static let streamShare = 4

    /// Bytes that streams may own under the limits of this process; nil when there are none.
    static var streamBytes: Int? { bytes.map { $0 / streamShare } }

    private static var bytes: Int? { ([addressSpace] + controlGroups).compactMap { $0 }.min() }

    private static var addressSpace: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        return Int(exactly: limit.rlim_cur)
    }

    /// The groups this process is in, as it sees them: inside a container its own group is the root of what is mounted.
    private static var controlGroups: [Int?] {
        let root = "/sys/fs/cgroup"
        var files = ["\(root)/memory.max", "\(root)/memory/memory.limit_in_bytes"]
        for line in text("/proc/self/cgroup").split(separator: "\n") {
            // `0::/path` in version 2, `4:memory:/path` in version 1.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2] != "/" else { continue }
            if parts[1].isEmpty { files.append("\(root)\(parts[2])/memory.max") }
            if parts[1] == "memory" { files.append("\(root)/memory\(parts[2])/memory.limit_in_bytes") }
        }
        // "max" is no number, and version 1 says "none" by one that no machine has.
        return files.map { Int(text($0).prefix { $0.isNumber }) }
    }

    private static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
}
