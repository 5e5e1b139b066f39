import Glibc

/// A block of IP addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3): `10.0.0.0/8`, `fd00::/8`, `10.0.0.5/32`.
public struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    private let first: IPAddress
    private let prefix: Int

    /// Reads `address/prefix`, the prefix 0 to 32 for IPv4 and 0 to 128 for IPv6.
    ///
    /// Nil for anything else, also when bits are set beyond the prefix, for then it is not clear which part was meant,
    /// and for IPv4 addresses in IPv6 notation.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let prefix = Int(parts[1]), String(prefix) == parts[1],
            let first = IPAddress(parts[0]), (0...first.width).contains(prefix),
            first.masked(to: prefix) == first, first.isIPv4 != parts[0].contains(":")
        else { return nil }
        self.first = first
        self.prefix = prefix
    }

    /// Whether the block has this address, given in digits as `Address.host` has it; false for anything else.
    public func contains(_ host: String) -> Bool { IPAddress(host: host).map(contains) ?? false }

    /// Whether the block has this address.
    public func contains(_ address: IPAddress) -> Bool { address.masked(to: prefix) == first }

    /// Whether the block has all addresses of the other one.
    public func contains(_ other: AddressBlock) -> Bool { other.prefix >= prefix && contains(other.first) }

    /// This machine's own addresses: 127.0.0.0/8 and ::1/128.
    public static let loopback = blocks("127.0.0.0/8", "::1/128")

    /// Every address: 0.0.0.0/0 and ::/0.
    public static let everywhere = blocks("0.0.0.0/0", "::/0")

    private static func blocks(_ texts: String...) -> [AddressBlock] { texts.compactMap { AddressBlock($0) } }

    /// As it is read, the address in its canonical spelling.
    public var description: String { "\(first.text)/\(prefix)" }
}

/// An IP address as bits.
public struct IPAddress: Hashable, Sendable {
    /// The first 64 bits; of IPv4, all 32 and then zeros.
    private var high: UInt64
    /// The last 64 bits.
    private var low: UInt64
    fileprivate private(set) var isIPv4: Bool

    fileprivate var width: Int { isIPv4 ? 32 : 128 }

    /// Reads digits, as `Address.host` has them; nil for anything else.
    ///
    /// An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`) is IPv4, and a zone (`%eth0`) does not count.
    public init?(host: String) { self.init(host.prefix { $0 != "%" }) }

    fileprivate init?(_ text: Substring) {
        // A zero byte would end the C string before the text's end.
        guard !text.utf8.contains(0) else { return nil }
        let text = String(text)
        var bytes: (high: UInt64, low: UInt64) = (0, 0)
        isIPv4 = inet_pton(AF_INET, text, &bytes) == 1
        if !isIPv4, inet_pton(AF_INET6, text, &bytes) != 1 { return nil }
        (high, low) = (UInt64(bigEndian: bytes.high), UInt64(bigEndian: bytes.low))
        if !isIPv4, high == 0, low >> 32 == 0xFFFF { (high, low, isIPv4) = (low << 32, 0, true) }
    }

    /// The same with all bits beyond the first `prefix` cleared. A shift by 64 leaves nothing.
    fileprivate func masked(to prefix: Int) -> IPAddress {
        var masked = self
        masked.high &= UInt64.max << (64 - min(prefix, 64))
        masked.low &= UInt64.max << (128 - max(prefix, 64))
        return masked
    }

    fileprivate var text: String {
        var bytes = (high.bigEndian, low.bigEndian)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            inet_ntop(isIPv4 ? AF_INET : AF_INET6, &bytes, buffer.baseAddress, socklen_t(buffer.count))
                .map { String(cString: $0) } ?? "?"
        }
    }
}
