import Basics

// Variable-length integers: seven bits a byte, least significant first, the top bit set on all but the last (LEB128).

extension ByteWriter {
    /// Appends 1 to 10 bytes.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed number so that small magnitudes stay short (zigzag: 0, -1, 1, -2, ... as 0, 1, 2, 3, ...).
    mutating func append(zigzag value: Int) {
        append(varint: UInt64(bitPattern: Int64((value << 1) ^ (value >> (Int.bitWidth - 1)))))
    }
}

extension ByteReader {
    /// The next number; throws `.truncated`, or `.number` when it is not in its shortest form or passes 64 bits.
    mutating func readVarint(_ context: String) throws(GossipFormatError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = readInteger(UInt8.self) else { throw GossipFormatError(.truncated, context) }
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || bits <= 1 else { throw GossipFormatError(.number, context) }
            value |= bits << shift
            if byte < 0x80 {
                guard byte > 0 || shift == 0 else { throw GossipFormatError(.number, context) }
                return value
            }
        }
        throw GossipFormatError(.number, context)
    }

    /// The next number, at most `limit`; throws `.limit` above it.
    mutating func readVarint(atMost limit: Int, _ context: String) throws(GossipFormatError) -> Int {
        let value = try readVarint(context)
        guard value <= UInt64(limit) else { throw GossipFormatError(.limit, context) }
        return Int(value)
    }

    /// The next signed number.
    mutating func readZigzag(_ context: String) throws(GossipFormatError) -> Int {
        let value = try readVarint(context)
        return Int(truncatingIfNeeded: Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1))
    }
}
