import Basics
import CLibuv
import Glibc

/// An IPv4 or IPv6 address as the kernel wants it.
struct SocketAddress {
    private var storage: sockaddr_storage

    /// Wraps what the kernel filled in.
    init(_ storage: sockaddr_storage) { self.storage = storage }

    /// Reads an address in digits; nil when the host is a name.
    init?(numeric address: Address) {
        storage = sockaddr_storage()
        let port = Int32(address.port)
        let status = withUnsafeMutableBytes(of: &storage) { bytes in
            let start = bytes.baseAddress!
            let asV4 = uv_ip4_addr(address.host, port, start.assumingMemoryBound(to: sockaddr_in.self))
            return asV4 == 0
                ? asV4 : uv_ip6_addr(address.host, port, start.assumingMemoryBound(to: sockaddr_in6.self))
        }
        guard status == 0 else { return nil }
    }

    /// Copies one answer of a name lookup and gives it a port; nil for families other than IPv4 and IPv6.
    init?(_ answer: addrinfo, port: UInt16) {
        guard let source = answer.ai_addr, answer.ai_family == AF_INET || answer.ai_family == AF_INET6,
            Int(answer.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size
        else { return nil }
        storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.copyMemory(from: UnsafeRawBufferPointer(start: source, count: Int(answer.ai_addrlen)))
            // sin_port and sin6_port stand at the same place.
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// Calls `body` with the form that socket calls take.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let length = family == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        return withUnsafeBytes(of: storage) {
            body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }

    /// For people and for the protocol: an IPv4 peer of a dual-stack socket (`::ffff:10.0.0.1`) is an IPv4 address.
    var address: Address {
        withUnsafeBytes(of: storage) { bytes in
            let port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
            if family == AF_INET { return Address(host: Self.text(AF_INET, bytes.baseAddress! + 4), port: port) }
            let mapped = bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18] == 0xFF && bytes[19] == 0xFF
            let host =
                mapped ? Self.text(AF_INET, bytes.baseAddress! + 20) : Self.text(AF_INET6, bytes.baseAddress! + 8)
            return Address(host: host, port: port)
        }
    }

    /// At most 15 characters for IPv4, which Swift keeps without an allocation.
    private static func text(_ family: Int32, _ source: UnsafeRawPointer) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let start = buffer.baseAddress, uv_inet_ntop(family, source, start, buffer.count) == 0 else {
                return "?"
            }
            return String(cString: start)
        }
    }
}
