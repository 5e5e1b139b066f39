import Glibc

/// IP addresses as bytes in network order, and back.
enum HostBytes {
    /// The length of an address in bytes.
    enum Family: Int { case v4 = 4, v6 = 16 }

    /// The 4 or 16 bytes of an IPv4 or IPv6 address in text; nil for a name.
    static func parse(_ text: String) -> [UInt8]? {
        for (family, length) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: length)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// The text of 4 or 16 bytes.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        precondition(bytes.count == 4 || bytes.count == 16, "address of \(bytes.count) bytes")
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        inet_ntop(family, bytes.baseAddress, &characters, socklen_t(characters.count))
        return String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
