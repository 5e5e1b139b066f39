// Numbers, booleans, null, and fastjson's conversions between them (protocol.md 1.3, 3.3).

import Basics

/// A value that is neither object nor array.
enum JSONScalar {
    case string(JSONText)
    case number(JSONText)
    case boolean(Bool)
    case null
}

extension JSONReader {
    /// Reads a string, number, boolean or null.
    mutating func readScalar() throws(RemotingError) -> JSONScalar {
        switch try peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return .string(try readQuoted())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
        default:
            if try isLiteral("true") { return take(4, .boolean(true)) }
            if try isLiteral("false") { return take(5, .boolean(false)) }
            if try isLiteral("null") { return take(4, .null) }
            throw fault("expected a value")
        }
    }

    private mutating func take(_ count: Int, _ scalar: JSONScalar) -> JSONScalar {
        cursor += count
        return scalar
    }

    /// Whether a word of letters comes next, and not just the beginning of a longer one.
    mutating func isLiteral(_ literal: StaticString) throws(RemotingError) -> Bool {
        _ = try peek()
        let count = literal.utf8CodeUnitCount
        guard end - cursor >= count, areEqual(cursor, literal.utf8Start, count) else { return false }
        guard end - cursor > count else { return true }
        let next = cursor[count].lowercasedASCII
        return !(next.isDigit || next == UInt8(ascii: "_") || (next >= UInt8(ascii: "a") && next <= UInt8(ascii: "z")))
    }

    /// Reads a number; the cursor stands at its sign or first digit.
    private mutating func readNumber() throws(RemotingError) -> JSONText {
        let first = cursor
        if cursor.pointee == UInt8(ascii: "-") { cursor += 1 }
        try readDigits()
        if cursor < end, cursor.pointee == UInt8(ascii: ".") {
            cursor += 1
            try readDigits()
        }
        if cursor < end, cursor.pointee.lowercasedASCII == UInt8(ascii: "e") {
            cursor += 1
            if cursor < end, cursor.pointee == UInt8(ascii: "+") || cursor.pointee == UInt8(ascii: "-") { cursor += 1 }
            try readDigits()
        }
        return JSONText(start: first, count: cursor - first, isEscaped: false)
    }

    private mutating func readDigits() throws(RemotingError) {
        guard cursor < end, cursor.pointee.isDigit else { throw fault("expected a digit") }
        repeat { cursor += 1 } while cursor < end && cursor.pointee.isDigit
    }

    // MARK: Integers

    /// Reads an integer; nil for `null`, `""` and `"null"`, which leave a member's default.
    ///
    /// Takes booleans (1, 0), numbers in quotes (with a sign, or commas between digits), and cuts off a fraction.
    @inline(__always)
    public mutating func readInt64() throws(RemotingError) -> Int64? {
        // At most 9 digits, which cannot overflow, and then neither fraction nor exponent.
        var (value, scan) = (Int64(0), cursor)
        let limit = min(scan + 9, end)
        while scan < limit, scan.pointee.isDigit {
            value = value &* 10 &+ Int64(scan.pointee &- UInt8(ascii: "0"))
            scan += 1
        }
        if scan > cursor, scan < end, scan.pointee == UInt8(ascii: ",") || scan.pointee == UInt8(ascii: "}") {
            cursor = scan
            return value
        }
        return try readUnusualInteger()
    }

    /// As `readInt64`; a number beyond 32 bits is an error.
    @inline(__always)
    public mutating func readInt32() throws(RemotingError) -> Int32? {
        guard let wide = try readInt64() else { return nil }
        guard let value = Int32(exactly: wide) else { throw fault("a number beyond 32 bits") }
        return value
    }

    @inline(never)
    private mutating func readUnusualInteger() throws(RemotingError) -> Int64? {
        let integer: Int64?
        switch try readScalar() {
        case .null: return nil
        case .boolean(let value): return value ? 1 : 0
        case .number(let text): integer = IntegerText.truncating(text.raw)
        case .string(let text):
            let characters = Array(text.string.utf8)
            if characters.isEmpty || characters == Array("null".utf8) { return nil }
            integer = characters.filter { $0 != UInt8(ascii: ",") }.withUnsafeBytes { IntegerText.quoted($0) }
        }
        guard let integer else { throw fault("expected an integer") }
        return integer
    }

    // MARK: Booleans

    /// Reads a boolean; nil for `null`, `""` and `"null"`. Takes 0 and 1 and the words in quotes.
    public mutating func readBoolean() throws(RemotingError) -> Bool? {
        switch try readScalar() {
        case .null: return nil
        case .boolean(let value): return value
        case .number(let text): return IntegerText.truncating(text.raw) == 1
        case .string(let text):
            switch text.string.lowercased() {
            case "true", "1", "y", "t": return true
            case "false", "0", "n", "f": return false
            case "", "null": return nil
            default: throw fault("expected a boolean")
            }
        }
    }

    // MARK: Strings

    /// Reads a string; nil for `null`. Numbers and booleans become their text, objects and arrays an error.
    public mutating func readString() throws(RemotingError) -> String? { try readText()?.string }

    /// As `readString`, without making one.
    @inline(__always)
    mutating func readText() throws(RemotingError) -> JSONText? {
        if try peek() == UInt8(ascii: "\"") { return try readQuoted() }
        switch try readScalar() {
        case .null: return nil
        case .boolean(let value): return JSONText(value ? "true" : "false")
        case .number(let text), .string(let text): return text
        }
    }
}
