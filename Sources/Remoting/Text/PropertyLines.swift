import Basics

/// Walks over the logical lines of a properties text: comments and blank lines skipped, continued lines joined.
struct PropertyLines {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next property; nil at the end.
    mutating func next() throws(RemotingError) -> PropertiesText.Entry? {
        skipToProperty()
        guard position < bytes.count else { return nil }
        let key = try readText { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") || $0.isPropertyBlank }
        skipBlank()
        if let byte = current, byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") {
            position += 1
            skipBlank()
        }
        let value = try readText { _ in false }
        return PropertiesText.Entry(key: key, value: value)
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipToProperty() {
        while let byte = current {
            if byte.isPropertyBlank || byte.isLineEnd {
                position += 1
            } else if byte == UInt8(ascii: "#") || byte == UInt8(ascii: "!") {
                while let byte = current, !byte.isLineEnd { position += 1 }
            } else if !skipContinuation() {
                return
            }
        }
    }

    /// Skips blanks of the logical line.
    private mutating func skipBlank() {
        while let byte = current {
            if byte.isPropertyBlank {
                position += 1
            } else if !skipContinuation() {
                return
            }
        }
    }

    /// Skips a backslash at a line's end, the line end, and the blanks that begin the next line.
    private mutating func skipContinuation() -> Bool {
        guard current == UInt8(ascii: "\\") else { return false }
        guard position + 1 < bytes.count else {
            // A lone backslash at the very end of the text stands for nothing.
            position += 1
            return true
        }
        guard bytes[position + 1].isLineEnd else { return false }
        let isPair = bytes[position + 1] == 0x0D && position + 2 < bytes.count && bytes[position + 2] == 0x0A
        position += isPair ? 3 : 2
        while let byte = current, byte.isPropertyBlank { position += 1 }
        return true
    }

    /// Reads up to the end of the logical line, or up to an unescaped byte that `isEnd` names.
    private mutating func readText(until isEnd: (UInt8) -> Bool) throws(RemotingError) -> String {
        var units: [UInt16] = []
        while let byte = current, !byte.isLineEnd, !isEnd(byte) {
            if byte != UInt8(ascii: "\\") {
                units.append(UInt16(byte))
                position += 1
            } else if !skipContinuation() {
                units.append(try readEscape())
            }
        }
        return String(decoding: units, as: UTF16.self)
    }

    /// Reads a backslash and what follows it; the letter of an escape nobody knows stands for itself.
    private mutating func readEscape() throws(RemotingError) -> UInt16 {
        let letter = bytes[position + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "u"):
            let digits = bytes[position...].prefix(4)
            position += digits.count
            let values = digits.compactMap(\.hexadecimalValue)
            guard values.count == 4 else { throw RemotingError(.properties, "a \\u escape at byte \(position)") }
            return UInt16(values.reduce(0) { $0 << 4 | $1 })
        default: return UInt16(letter)
        }
    }
}

extension UInt8 {
    /// Space, tab, form feed.
    fileprivate var isPropertyBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0C }
    fileprivate var isLineEnd: Bool { self == 0x0A || self == 0x0D }
}
