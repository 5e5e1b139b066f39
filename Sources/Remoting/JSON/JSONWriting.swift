// JSON as fastjson writes it, byte for byte (protocol.md 3.2).

import Basics

extension ByteWriter {
    /// Appends a string in quotes. Bytes that are no UTF-8 become U+FFFD.
    public mutating func appendJSON(string bytes: UnsafeRawBufferPointer, dialect: JSONDialect) {
        reserve(bytes.count + 2)
        append(UInt8(ascii: "\""))
        var (plain, position) = (0, 0)
        while position < bytes.count {
            let byte = bytes[position]
            if !needsCare(byte, dialect) {
                position += 1
                continue
            }
            append(UnsafeRawBufferPointer(rebasing: bytes[plain..<position]))
            position += byte < 0x80 ? appendEscape(ofASCII: byte) : appendBeyondASCII(bytes, position, dialect)
            plain = position
        }
        append(UnsafeRawBufferPointer(rebasing: bytes[plain...]))
        append(UInt8(ascii: "\""))
    }

    /// Appends a string in quotes.
    public mutating func appendJSON(string: some StringProtocol, dialect: JSONDialect) {
        let done: Void? = string.utf8.withContiguousStorageIfAvailable {
            appendJSON(string: UnsafeRawBufferPointer($0), dialect: dialect)
        }
        if done == nil { appendJSON(string: String(string), dialect: dialect) }
    }

    /// Appends a number; in the standard dialect one beyond ±(2^53 − 1) goes into quotes (rule 9).
    public mutating func appendJSON(integer value: Int64, dialect: JSONDialect) {
        let isExact = value.magnitude < 1 << 53
        if dialect == .legacy || isExact { return append(decimal: value) }
        append(UInt8(ascii: "\""))
        append(decimal: value)
        append(UInt8(ascii: "\""))
    }

    /// Appends the key of an integer-keyed map: bare in the legacy dialect, quoted in the standard one (rule 5).
    public mutating func appendJSON(integerKey key: Int64, dialect: JSONDialect) {
        if dialect == .legacy { return append(decimal: key) }
        append(UInt8(ascii: "\""))
        append(decimal: key)
        append(UInt8(ascii: "\""))
    }

    /// Appends `true` or `false`.
    public mutating func appendJSON(boolean value: Bool) {
        if value { append("true") } else { append("false") }
    }

    /// Whether a byte is not simply copied.
    @inline(__always)
    private func needsCare(_ byte: UInt8, _ dialect: JSONDialect) -> Bool {
        byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
            || (byte == UInt8(ascii: "/") && dialect == .standard)
    }

    private mutating func appendEscape(ofASCII byte: UInt8) -> Int {
        let letter: UInt8
        switch byte {
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0A: letter = UInt8(ascii: "n")
        case 0x0C: letter = UInt8(ascii: "f")
        case 0x0D: letter = UInt8(ascii: "r")
        case 0..<0x20, 0x7F:
            appendEscape(unit: UInt16(byte))
            return 1
        default: letter = byte
        }
        append(UInt8(ascii: "\\"))
        append(letter)
        return 1
    }

    /// Appends the character at `position`; answers its length in bytes.
    private mutating func appendBeyondASCII(
        _ bytes: UnsafeRawBufferPointer, _ position: Int, _ dialect: JSONDialect
    ) -> Int {
        var (scalar, length) = (Unicode.Scalar(0xFFFD as UInt16).unsafelyUnwrapped, 1)
        var decoder = UTF8()
        var rest = bytes[position...].makeIterator()
        if case .scalarValue(let decoded) = decoder.decode(&rest) { (scalar, length) = (decoded, UTF8.width(decoded)) }
        // Legacy leaves characters alone but for C1 controls and the two separators that JavaScript trips over.
        let isRaw = dialect == .legacy && scalar.value > 0x9F && scalar != "\u{2028}" && scalar != "\u{2029}"
        if isRaw {
            append(scalar)
        } else {
            for unit in UTF16.encode(scalar).unsafelyUnwrapped { appendEscape(unit: unit) }
        }
        return length
    }

    private mutating func appendEscape(unit: UInt16) {
        append(UInt8(ascii: "\\"))
        append(UInt8(ascii: "u"))
        for shift in [12, 8, 4, 0] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift) & 15
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
        }
    }
}
