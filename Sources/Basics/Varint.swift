// Variable-length integers: seven bits a byte, least significant first, the top bit set on all but the last (LEB128).

/// Why the next bytes are no variable-length integer.
public enum VarintError: Error, Hashable, Sendable {
    /// The bytes end inside it.
    case truncated
    /// It is written in more bytes than it needs, or does not fit 64 bits.
    case malformed
}

extension ByteWriter {
    /// Appends 1 to 10 bytes.
    public mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Appends a signed number so that small magnitudes stay short (zigzag: 0, -1, 1, -2, ... as 0, 1, 2, 3, ...).
    public mutating func append(zigzag value: Int64) {
        append(varint: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }
}

extension ByteReader {
    /// The next number. Only its shortest form is one, so that equal values have equal bytes.
    public mutating func readVarint() throws(VarintError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = readInteger(UInt8.self) else { throw .truncated }
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || bits <= 1 else { throw .malformed }
            value |= bits << shift
            if byte < 0x80 {
                guard byte > 0 || shift == 0 else { throw .malformed }
                return value
            }
        }
        throw .malformed
    }

    /// The next signed number.
    public mutating func readZigzag() throws(VarintError) -> Int64 {
        let value = try readVarint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
