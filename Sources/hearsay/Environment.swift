import Basics
import Glibc
import Platform

/// An environment variable, nil when it is not set.
func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    return String(cString: value)
}

/// The path of this very program.
func ownExecutable() -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    guard length > 0 else { return CommandLine.arguments[0] }
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Makes a directory and those above it.
func makeDirectories(_ path: String) throws(PlatformError) {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
        prefix += part
        if mkdir(prefix, 0o755) != 0, errno != EEXIST {
            throw PlatformError(
                operation: "make directory \(prefix)", name: "errno \(errno)", message: String(cString: strerror(errno))
            )
        }
        prefix += "/"
    }
}

/// Raises the limit of open files to `count`, or as far as the system lets us.
func allowOpenFiles(_ count: Int) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < count else { return }
    limit.rlim_cur = min(limit.rlim_max, rlim_t(count))
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// The wall clock as `2026-11-24T20:54:19.123Z`.
func utcTimestamp() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
    let millis = String(time.tv_nsec / 1_000_000 + 1000).dropFirst()
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(millis)Z"
}

/// All bytes of a file, at most `limit`.
func readFile(_ path: String, limit: Int) throws(PlatformError) -> [UInt8] {
    func failure(_ operation: String) -> PlatformError {
        PlatformError(
            operation: "\(operation) \(path)", name: "errno \(errno)", message: String(cString: strerror(errno)))
    }
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw failure("open") }
    defer { close(descriptor) }
    var content = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count <= limit {
        let more = content.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
        if more < 0, errno == EINTR { continue }
        guard more >= 0 else { throw failure("read") }
        if more == 0 { break }
        count += more
    }
    guard count <= limit else {
        throw PlatformError(operation: "read \(path)", name: "EFBIG", message: "longer than \(limit) bytes")
    }
    content.removeLast(content.count - count)
    return content
}
