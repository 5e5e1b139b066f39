// The PROXY header a load balancer may put in front of a connection (protocol.md 5.7; HAProxy's proxy-protocol.txt).

import Basics

/// Recognises and measures a PROXY header, version 1 (a line of text) or 2 (binary).
public enum ProxyHeader {
    /// What stands at the front of a connection.
    public enum Recognition: Hashable, Sendable {
        /// No PROXY header: the bytes belong to the protocol behind it.
        case absent
        /// It may become one: look again when this many bytes are there, counted from the front.
        case incomplete(needed: Int)
        /// A header of this many bytes. The source is nil when the balancer speaks for itself or does not know it.
        case header(length: Int, source: Address?)
    }

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let word = [UInt8]("PROXY ".utf8)

    /// Looks at all bytes a connection has brought so far.
    ///
    /// A frame cannot be mistaken for either form: its first byte is 0 or 1.
    ///
    /// - Throws: `.proxyHeader`, `.limit`: the connection must be closed.
    public static func recognise(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> Recognition {
        if begins(bytes, with: word) {
            return bytes.count < word.count ? .incomplete(needed: word.count) : try recogniseLine(bytes)
        }
        if begins(bytes, with: signature) {
            return bytes.count < 16 ? .incomplete(needed: 16) : try recogniseBinary(bytes)
        }
        return .absent
    }

    /// Whether as many bytes as there are agree.
    private static func begins(_ bytes: UnsafeRawBufferPointer, with pattern: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.prefix(pattern.count).elementsEqual(pattern.prefix(bytes.count))
    }

    // MARK: Version 1

    /// `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n`
    private static func recogniseLine(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> Recognition {
        let front = bytes.prefix(ProxyLimits.lineBytes)
        guard let feed = front.firstIndex(of: 0x0A) else {
            guard bytes.count < ProxyLimits.lineBytes else { throw RemotingError(.proxyHeader, "a line without end") }
            return .incomplete(needed: bytes.count + 1)
        }
        let line = front[..<feed]
        guard line.last == 0x0D else { throw RemotingError(.proxyHeader, "a line that does not end in CR LF") }
        let text = String(decoding: line.dropLast(), as: UTF8.self)
        return .header(length: feed + 1, source: try source(of: text))
    }

    private static func source(of line: String) throws(RemotingError) -> Address? {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false).dropFirst()
        if parts.first == "UNKNOWN" { return nil }
        let fields = Array(parts)
        guard fields.count == 5, let isHost = hostRule(fields[0]), isHost(fields[1]), isHost(fields[2]),
            let port = self.port(fields[3]), self.port(fields[4]) != nil
        else { throw RemotingError(.proxyHeader, line) }
        return Address(host: String(fields[1]), port: port)
    }

    private static func hostRule(_ family: Substring) -> ((Substring) -> Bool)? {
        switch family {
        case "TCP4": isIPv4
        case "TCP6": isIPv6
        default: nil
        }
    }

    private static func port(_ digits: Substring) -> UInt16? {
        digits.utf8.allSatisfy(\.isDigit) ? UInt16(digits) : nil
    }

    private static func isIPv4(_ host: Substring) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.utf8.allSatisfy(\.isDigit) && UInt8($0) != nil }
    }

    /// Only the letters are checked: the address is shown to people and used for nothing.
    private static func isIPv6(_ host: Substring) -> Bool {
        host.contains(":") && host.utf8.allSatisfy { $0.hexadecimalValue != nil || $0 == 0x3A || $0 == 0x2E }
    }

    // MARK: Version 2

    /// | size | field |
    /// |---|---|
    /// | 12 | signature |
    /// | 1 | version 2, command: 0 local, 1 proxy |
    /// | 1 | family: 0 unknown, 1 IPv4, 2 IPv6, 3 Unix; transport: 0 unknown, 1 stream, 2 datagram |
    /// | 2 | length of what follows: source, destination, two ports, TLVs |
    private static func recogniseBinary(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> Recognition {
        var reader = ByteReader(bytes)
        guard reader.readBytes(signature.count) != nil, let versionAndCommand = reader.readInteger(UInt8.self),
            let kind = reader.readInteger(UInt8.self), let following = reader.readInteger(UInt16.self),
            versionAndCommand == 0x20 || versionAndCommand == 0x21, kind >> 4 <= 3, kind & 15 <= 2
        else { throw RemotingError(.proxyHeader, "version, command or family of a binary header") }
        let length = 16 + Int(following)
        guard length <= ProxyLimits.binaryBytes else { throw RemotingError(.limit, "PROXY header of \(length) bytes") }
        guard bytes.count >= length else { return .incomplete(needed: length) }
        if versionAndCommand == 0x20 { return .header(length: length, source: nil) }
        let addressBytes = [0, 4, 16, 108][Int(kind >> 4)]
        let portBytes = kind >> 4 == 3 ? 0 : 4
        guard kind >> 4 == 0 || Int(following) >= 2 * addressBytes + portBytes,
            let host = reader.readBytes(addressBytes),
            reader.readBytes(addressBytes) != nil
        else { throw RemotingError(.proxyHeader, "\(following) bytes are too few for the addresses") }
        return .header(length: length, source: source(host, port: reader.readInteger(UInt16.self)))
    }

    private static func source(_ host: UnsafeRawBufferPointer, port: UInt16?) -> Address? {
        guard let port else { return nil }
        switch host.count {
        case 4: return Address(host: host.map { "\($0)" }.joined(separator: "."), port: port)
        case 16:
            let groups = stride(from: 0, to: 16, by: 2).map { UInt16(host[$0]) << 8 | UInt16(host[$0 + 1]) }
            return Address(host: groups.map { String($0, radix: 16) }.joined(separator: ":"), port: port)
        default: return nil
        }
    }
}
