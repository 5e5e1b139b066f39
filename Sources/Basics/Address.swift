/// A host and a TCP port, as operators write them: `10.0.0.1:9876`, `ns1.example:9876`, `[::1]:9876`.
public struct Address: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address in text, or a DNS name; never empty, without brackets.
    public var host: String
    /// 0 asks the system to choose (listening only).
    public var port: UInt16

    /// Puts the two parts together without looking at them.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port` or `[v6]:port`; nil when the host is empty or the port is no number up to 65535.
    public init?(_ text: some StringProtocol, defaultPort: UInt16? = nil) {
        guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") else {
            guard let defaultPort, let host = Address.unbracketed(text) else { return nil }
            self.init(host: host, port: defaultPort)
            return
        }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(digits),
            let host = Address.unbracketed(text[..<colon])
        else { return nil }
        self.init(host: host, port: port)
    }

    private static func unbracketed(_ text: some StringProtocol) -> String? {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            return inner.isEmpty ? nil : String(inner)
        }
        if text.isEmpty || text.contains(":") || text.contains(" ") { return nil }
        return String(text)
    }

    /// Whether the host is this machine's own loopback: `localhost`, an address in 127.0.0.0/8, or `::1`.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && isIPv4)
    }

    /// Whether the host is an address in digits, not a name that must be looked up.
    public var isNumeric: Bool { isIPv4 || host.contains(":") }

    private var isIPv4: Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil && $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }
    }

    /// As it is read: `127.0.0.1:9876`, `[::1]:9876`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
