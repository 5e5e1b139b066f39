// Byte comparison and scanning in machine words; libc calls cost more than the short names of this protocol are worth.

/// Whether `count` bytes at two places are equal. With a constant `count` only the loads and compares remain.
@inline(__always)
func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    if count >= 8 {
        var offset = 0
        while offset <= count - 8 {
            if word(left, offset) != word(right, offset) { return false }
            offset += 8
        }
        return word(left, count - 8) == word(right, count - 8)
    }
    for offset in 0..<count
    where left.load(fromByteOffset: offset, as: UInt8.self) != right.load(fromByteOffset: offset, as: UInt8.self) {
        return false
    }
    return true
}

@inline(__always)
func word(_ base: UnsafeRawPointer, _ offset: Int = 0) -> UInt64 {
    base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
}

extension UInt64 {
    /// Eight copies of one byte.
    @inline(__always)
    init(repeating byte: UInt8) { self = UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// The top bit of each byte that is zero, exact up to and including the lowest one.
    @inline(__always)
    var zeroBytes: UInt64 { (self &- UInt64(repeating: 0x01)) & ~self & UInt64(repeating: 0x80) }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are those of a literal.
    @inline(__always)
    static func == (bytes: UnsafeRawBufferPointer, text: StaticString) -> Bool {
        text.withUTF8Buffer { literal in
            guard bytes.count == literal.count else { return false }
            guard let left = bytes.baseAddress, let right = literal.baseAddress else { return true }
            return areEqual(left, UnsafeRawPointer(right), literal.count)
        }
    }

    /// Whether every byte is below 0x80.
    var isASCII: Bool {
        guard let base = baseAddress else { return true }
        var (offset, seen) = (0, UInt64(0))
        while offset <= count - 32 {
            seen |= word(base, offset) | word(base, offset + 8) | word(base, offset + 16) | word(base, offset + 24)
            offset += 32
        }
        while offset < count {
            seen |= UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
            offset += 1
        }
        return seen & UInt64(repeating: 0x80) == 0
    }

    /// Whether the bytes are well-formed UTF-8.
    var isUTF8: Bool {
        if isASCII { return true }
        return (try? UTF8Span(validating: Span(_unsafeBytes: self))) != nil
    }
}
