/// Walks over the characters of a string with backslash escapes; fastjson's list of escapes (protocol.md 1.3).
struct EscapeReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// How many bytes the escape that begins `bytes` with a backslash takes; nil when there is no such escape.
    static func length(of bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 2 else { return nil }
        let length: Int
        switch bytes[1] {
        case UInt8(ascii: "u"): length = 6
        case UInt8(ascii: "x"): length = 4
        default: return simple(bytes[1]) == nil ? nil : 2
        }
        guard bytes.count >= length, bytes[2..<length].allSatisfy({ $0.hexadecimalValue != nil }) else { return nil }
        return length
    }

    /// The next character; nil at the end. Escapes must have been checked with `length(of:)`, the rest be UTF-8.
    mutating func next() -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        guard bytes[position] == UInt8(ascii: "\\") else { return plain() }
        let letter = bytes[position + 1]
        if let value = EscapeReader.simple(letter) {
            position += 2
            return Unicode.Scalar(value)
        }
        let unit = hexadecimal(digits: letter == UInt8(ascii: "x") ? 2 : 4)
        guard unit >= 0xD800, unit < 0xDC00, isEscape("u") else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
        let start = position
        let low = hexadecimal(digits: 4)
        if low >= 0xDC00, low < 0xE000 { return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)) }
        position = start
        return "\u{FFFD}"
    }

    /// What a two-character escape stands for.
    private static func simple(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "'"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "v"): 0x0B
        case UInt8(ascii: "f"), UInt8(ascii: "F"): 0x0C
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "0")...UInt8(ascii: "7"): letter - UInt8(ascii: "0")
        default: nil
        }
    }

    private func isEscape(_ letter: Unicode.Scalar) -> Bool {
        position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
            && bytes[position + 1] == UInt8(ascii: letter)
    }

    private mutating func hexadecimal(digits: Int) -> UInt32 {
        let value = bytes[position + 2..<position + 2 + digits].reduce(0) { $0 << 4 | ($1.hexadecimalValue ?? 0) }
        position += 2 + digits
        return value
    }

    private mutating func plain() -> Unicode.Scalar {
        var decoder = UTF8()
        var rest = bytes[position...].makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&rest) else {
            position += 1
            return "\u{FFFD}"
        }
        position += UTF8.width(scalar)
        return scalar
    }
}
