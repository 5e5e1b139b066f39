import Glibc

/// What a result must say about where it was measured.
public struct MachineFacts: Hashable, Codable, Sendable {
    /// `AMD EPYC`.
    public var processor: String
    /// Cores that this process may use.
    public var cores: Int
    /// `Linux 6.18.44 x86_64`.
    public var system: String
    /// Of one, five and fifteen minutes when the measurement began.
    public var loadAverage: String
    /// `2026-11-25T23:00:00Z`.
    public var date: String

    /// Reads this machine's.
    public static func read() -> MachineFacts {
        var name = utsname()
        uname(&name)
        return MachineFacts(
            processor: processorName, cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            system: "\(text(&name.sysname)) \(text(&name.release)) \(text(&name.machine))", loadAverage: loadAverage,
            date: now)
    }

    /// `0.42 1.40 2.44`.
    public static var loadAverage: String {
        TextFile.read("/proc/loadavg", limit: 256).split(separator: " ").prefix(3).joined(separator: " ")
    }

    private static var processorName: String {
        let line = TextFile.read("/proc/cpuinfo", limit: 65_536).split(separator: "\n").first {
            $0.hasPrefix("model name")
        }
        return line?.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? "unknown"
    }

    private static var now: String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return text(&buffer)
    }

    private static func text<Characters>(_ characters: inout Characters) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func text(_ characters: inout [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
