// A JSON reader of the tests' own, so that a bug of the product's reader cannot hide itself: standard JSON plus the
// bare integer keys of RocketMQ's legacy dialect (protocol.md 3.2 rule 5).

/// A JSON value whose equality is meaning: members compare without order.
public enum JSONMeaning: Hashable, Sendable {
    case null
    case boolean(Bool)
    /// The digits as written.
    case number(String)
    case string(String)
    case array([JSONMeaning])
    case object([String: JSONMeaning])

    /// Reads a whole text.
    ///
    /// - Throws: `TestSupportError` with the offset when it is no JSON.
    public init(_ text: String) throws {
        try self.init(Array(text.utf8))
    }

    /// Reads a whole text of UTF-8 bytes.
    public init(_ bytes: [UInt8]) throws {
        var reader = Reader(bytes: bytes)
        self = try reader.value()
        reader.skipSpace()
        if reader.position != bytes.count { throw reader.failure("trailing bytes") }
    }

    /// The member called `name`, or nil when this is no object or has none.
    public subscript(name: String) -> JSONMeaning? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// The text of a string or the digits of a number.
    public var text: String? {
        switch self {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    /// The number as an integer.
    public var integer: Int64? {
        if case .number(let digits) = self { Int64(digits) } else { nil }
    }

    /// The elements of an array, else nothing.
    public var elements: [JSONMeaning] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The members of an object, else nothing.
    public var members: [String: JSONMeaning] {
        if case .object(let members) = self { members } else { [:] }
    }

    /// The same value with every array sorted: for bodies whose arrays are sets (topic lists, brokers, queues).
    public var withoutArrayOrder: JSONMeaning {
        switch self {
        case .array(let elements): .array(elements.map(\.withoutArrayOrder).sorted { $0.sortKey < $1.sortKey })
        case .object(let members): .object(members.mapValues(\.withoutArrayOrder))
        default: self
        }
    }

    private var sortKey: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number(let digits): digits
        case .string(let text): "\"" + text
        case .array(let elements): "[" + elements.map(\.sortKey).joined(separator: ",")
        case .object(let members):
            "{" + members.sorted { $0.key < $1.key }.map { $0.key + ":" + $0.value.sortKey }.joined(separator: ",")
        }
    }
}

/// One pass over the bytes.
private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    func failure(_ what: String) -> TestSupportError {
        TestSupportError("JSON: \(what) at \(position) of \(String(decoding: bytes.prefix(2000), as: UTF8.self))")
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { position += 1 }
    }

    mutating func take(_ character: Character) -> Bool {
        skipSpace()
        guard next == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func word(_ word: String, _ value: JSONMeaning) throws -> JSONMeaning {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("no value") }
        position += word.utf8.count
        return value
    }

    mutating func value() throws -> JSONMeaning {
        skipSpace()
        switch next.map({ Character(UnicodeScalar($0)) }) {
        case "{": return try object()
        case "[": return try array()
        case "\"": return .string(try string())
        case "t": return try word("true", .boolean(true))
        case "f": return try word("false", .boolean(false))
        case "n": return try word("null", .null)
        default: return .number(try number())
        }
    }

    mutating func number() throws -> String {
        let start = position
        while let byte = next, "+-.eE0123456789".utf8.contains(byte) { position += 1 }
        if position == start { throw failure("no value") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func array() throws -> JSONMeaning {
        position += 1
        var elements: [JSONMeaning] = []
        if take("]") { return .array([]) }
        repeat { elements.append(try value()) } while take(",")
        guard take("]") else { throw failure("no end of array") }
        return .array(elements)
    }

    mutating func object() throws -> JSONMeaning {
        position += 1
        var members: [String: JSONMeaning] = [:]
        if take("}") { return .object([:]) }
        repeat {
            skipSpace()
            let key = next == UInt8(ascii: "\"") ? try string() : try number()
            guard take(":") else { throw failure("no colon") }
            if members.updateValue(try value(), forKey: key) != nil { throw failure("\(key) twice") }
        } while take(",")
        guard take("}") else { throw failure("no end of object") }
        return .object(members)
    }

    mutating func string() throws -> String {
        position += 1
        var units: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
            case UInt8(ascii: "\\"): units += try escape()
            case ..<0x20: throw failure("a raw control character")
            default: units.append(byte)
            }
        }
        throw failure("no end of string")
    }

    mutating func escape() throws -> [UInt8] {
        guard let byte = next else { throw failure("no escape") }
        position += 1
        switch Character(UnicodeScalar(byte)) {
        case "n": return [0x0a]
        case "t": return [0x09]
        case "r": return [0x0d]
        case "b": return [0x08]
        case "f": return [0x0c]
        case "\"", "\\", "/": return [byte]
        case "u":
            var units = [try hexUnit()]
            if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                units.append(try hexUnit())
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        default: throw failure("an unknown escape")
        }
    }

    mutating func hexUnit() throws -> UInt16 {
        let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard digits.count == 4, let unit = UInt16(digits, radix: 16) else { throw failure("four hex digits missing") }
        position += 4
        return unit
    }
}
