// The textbook forms of the checksums and of a zlib stream, as a second opinion on libdeflate.

/// CRC-32 with the zlib polynomial, by a table of 256 entries.
public func plainCRC32(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
        let index = (value ^ UInt32(byte)) & 0xff
        value = crcTable[Int(index)] ^ (value >> 8)
    }
    return ~value
}

private let crcTable: [UInt32] = (0..<256).map { index in
    var value = UInt32(index)
    for _ in 0..<8 {
        let shifted = value >> 1
        value = value & 1 == 1 ? shifted ^ 0xedb8_8320 : shifted
    }
    return value
}

/// Adler-32.
public func plainAdler32(_ bytes: [UInt8]) -> UInt32 {
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in bytes {
        low = (low + UInt32(byte)) % 65521
        high = (high + low) % 65521
    }
    return high << 16 | low
}

/// A valid zlib stream of `bytes` without any compression: stored blocks only (RFC 1950, 1951).
public func storedZlibStream(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    var rest = bytes[...]
    repeat {
        let block = rest.prefix(65535)
        rest = rest.dropFirst(block.count)
        let size = UInt16(block.count)
        stream += [rest.isEmpty ? 1 : 0]
        stream += bigEndian(size.byteSwapped) + bigEndian((~size).byteSwapped) + block
    } while !rest.isEmpty
    return stream + bigEndian(plainAdler32(bytes))
}

/// The bytes of a hexadecimal text; white space is skipped, anything else traps.
public func bytes(hex: String) -> [UInt8] {
    let digits = hex.filter { !$0.isWhitespace }.map { character -> UInt8 in
        guard let digit = character.hexDigitValue else { preconditionFailure("no hex digit: \(character)") }
        return UInt8(digit)
    }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
