import Basics

/// Under which names a server may be asked (the Host field, RFC 9110 section 7.2).
///
/// A web page anywhere can point a name of its own at this machine and then read what a server here answers, as if it came from
/// that page's site (DNS rebinding). It cannot keep its name out of the Host field: so a server answers its own names only.
/// An address in digits is nobody's name.
public struct HTTPHosts: Hashable, Sendable {
    /// Names besides addresses in digits and `localhost`; compared without regard to case and a dot at the end.
    public var names: Set<String>
    /// Whether every name will do: for ports that only trusted networks reach.
    public var admitsAll: Bool

    /// The names, of which `*` is every name.
    public init(_ names: some Sequence<String> = []) {
        self.names = Set(names.map(Self.plain))
        admitsAll = self.names.contains("*")
    }

    /// Admits further names, of which `*` is every name.
    public mutating func add(_ more: some Sequence<String>) { self = HTTPHosts(Array(names) + more) }

    /// Whether a request may be answered whose Host field says this; one of HTTP/1.0 may have none, and comes from no browser.
    func admits(_ field: String?) -> Bool {
        if admitsAll { return true }
        guard let field else { return true }
        guard let address = Address(field, defaultPort: 80) else { return false }
        if address.host.contains(":") { return field.hasPrefix("[") && address.host.utf8.allSatisfy(\.isInIPv6) }
        let host = Self.plain(address.host)
        return address.isNumeric || host == "localhost" || names.contains(host)
    }

    private static func plain(_ name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}

extension UInt8 {
    fileprivate var isInIPv6: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: ":"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
