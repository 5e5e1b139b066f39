/// What is wrong in a JSON text, and where.
struct JSONFault: Error, Hashable {
    /// From 1.
    var line: Int
    /// Without a full stop.
    var reason: String
}

/// Reads one JSON text (RFC 8259), whose length its caller has bounded.
struct JSONReader {
    /// More nesting than any file of ours has, and little enough for every stack.
    static let maximumDepth = 32
    /// More members than any object of ours has; keys are compared with each other.
    static let maximumMembers = 1000

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    private var line: Int

    /// Reads `bytes[range]`, which begins on line `firstLine` of its file.
    static func read(_ bytes: [UInt8], in range: Range<Int>, firstLine: Int = 1) throws(JSONFault) -> JSONNode {
        var reader = JSONReader(bytes: bytes, position: range.lowerBound, end: range.upperBound, line: firstLine)
        reader.skipSpace()
        let node = try reader.value(depth: 0)
        reader.skipSpace()
        if reader.position < reader.end { throw reader.fault("there is more after the end of the value") }
        return node
    }

    private var current: UInt8? { position < end ? bytes[position] : nil }

    private func fault(_ reason: String) -> JSONFault { JSONFault(line: line, reason: reason) }

    private func unexpected(wanted: String) -> JSONFault {
        guard let current else { return fault("the text ends where \(wanted) should be") }
        let seen = (0x21...0x7E).contains(current) ? "'\(Character(UnicodeScalar(current)))'" : "byte \(current)"
        return fault("\(seen) where \(wanted) should be")
    }

    private mutating func skipSpace() {
        while let byte = current {
            if byte == 0x0A { line += 1 } else if byte != 0x20 && byte != 0x09 && byte != 0x0D { return }
            position += 1
        }
    }

    private mutating func take(_ byte: UInt8, wanted: String) throws(JSONFault) {
        guard current == byte else { throw unexpected(wanted: wanted) }
        position += 1
    }

    private mutating func takes(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSONNode {
        let start = line
        switch current {
        case UInt8(ascii: "{"): return JSONNode(.object(try members(depth: depth + 1)), line: start)
        case UInt8(ascii: "["): return JSONNode(.array(try elements(depth: depth + 1)), line: start)
        case UInt8(ascii: "\""): return JSONNode(.string(try string()), line: start)
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")), UInt8(ascii: "-"):
            return JSONNode(.number(try number()), line: start)
        default: throw unexpected(wanted: "a value")
        }
    }

    private mutating func word(_ word: String, _ content: JSONNode.Content) throws(JSONFault) -> JSONNode {
        let length = word.utf8.count
        guard position + length <= end, bytes[position..<position + length].elementsEqual(word.utf8) else {
            throw fault("no value begins like this; \(word)?")
        }
        position += length
        return JSONNode(content, line: line)
    }

    private mutating func elements(depth: Int) throws(JSONFault) -> [JSONNode] {
        if depth > Self.maximumDepth { throw fault("nested more than \(Self.maximumDepth) deep") }
        position += 1
        skipSpace()
        var elements: [JSONNode] = []
        if takes(UInt8(ascii: "]")) { return elements }
        while true {
            skipSpace()
            elements.append(try value(depth: depth))
            skipSpace()
            if takes(UInt8(ascii: "]")) { return elements }
            try take(UInt8(ascii: ","), wanted: "a comma or ]")
        }
    }

    private mutating func members(depth: Int) throws(JSONFault) -> [JSONNode.Member] {
        if depth > Self.maximumDepth { throw fault("nested more than \(Self.maximumDepth) deep") }
        position += 1
        skipSpace()
        var members: [JSONNode.Member] = []
        if takes(UInt8(ascii: "}")) { return members }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw unexpected(wanted: "a key in quotes") }
            let key = try string()
            if members.count == Self.maximumMembers { throw fault("more than \(Self.maximumMembers) members") }
            if members.contains(where: { $0.key == key }) { throw fault("the key \"\(key)\" is there twice") }
            skipSpace()
            try take(UInt8(ascii: ":"), wanted: "a colon")
            skipSpace()
            members.append(JSONNode.Member(key: key, value: try value(depth: depth)))
            skipSpace()
            if takes(UInt8(ascii: "}")) { return members }
            try take(UInt8(ascii: ","), wanted: "a comma or }")
        }
    }

    private mutating func number() throws(JSONFault) -> String {
        let start = position
        _ = takes(UInt8(ascii: "-"))
        if !takes(UInt8(ascii: "0")) { try digits() }
        if takes(UInt8(ascii: ".")) { try digits() }
        if takes(UInt8(ascii: "e")) || takes(UInt8(ascii: "E")) {
            if !takes(UInt8(ascii: "+")) { _ = takes(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(JSONFault) {
        let start = position
        while let byte = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw unexpected(wanted: "a digit") }
    }

    private mutating func string() throws(JSONFault) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw fault("a string is no UTF-8") }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw fault("a string holds a control character; it must be escaped")
            default: text.append(byte)
            }
        }
        throw fault("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONFault) {
        let byte = current
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte!)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourDigits()
            if (0xD800..<0xDC00).contains(code) {
                try take(UInt8(ascii: "\\"), wanted: "the other half of a surrogate pair")
                try take(UInt8(ascii: "u"), wanted: "the other half of a surrogate pair")
                let low = try fourDigits()
                guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { throw fault("half a surrogate pair") }
            text.append(contentsOf: Character(scalar).utf8)
        default: throw fault("no such escape in a string")
        }
    }

    private mutating func fourDigits() throws(JSONFault) -> UInt32 {
        guard position + 4 <= end,
            bytes[position..<position + 4].allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw fault("\\u needs four hexadecimal digits") }
        position += 4
        return code
    }
}

// MARK: - Taking apart

extension JSONNode {
    func fault(_ reason: String) -> JSONFault { JSONFault(line: line, reason: reason) }

    /// The member, which must be there; null counts as there.
    subscript(key: String) -> JSONNode {
        get throws(JSONFault) {
            guard case .object(let members) = content else { throw fault("an object with \"\(key)\" should be here") }
            guard let member = members.first(where: { $0.key == key }) else { throw fault("\"\(key)\" is missing") }
            return member.value
        }
    }

    /// The member; nil when it is not there or null.
    func optional(_ key: String) -> JSONNode? {
        guard case .object(let members) = content, let member = members.first(where: { $0.key == key }) else {
            return nil
        }
        if case .null = member.value.content { return nil }
        return member.value
    }

    var text: String {
        get throws(JSONFault) {
            guard case .string(let text) = content else { throw fault("a text should be here") }
            return text
        }
    }

    var flag: Bool {
        get throws(JSONFault) {
            guard case .boolean(let flag) = content else { throw fault("true or false should be here") }
            return flag
        }
    }

    /// Finite.
    var double: Double {
        get throws(JSONFault) {
            guard case .number(let digits) = content, let double = Double(digits), double.isFinite else {
                throw fault("a number should be here")
            }
            return double
        }
    }

    var elements: [JSONNode] {
        get throws(JSONFault) {
            guard case .array(let elements) = content else { throw fault("a list should be here") }
            return elements
        }
    }

    var members: [Member] {
        get throws(JSONFault) {
            guard case .object(let members) = content else { throw fault("an object should be here") }
            return members
        }
    }

    /// A whole number within the type and `range`.
    func integer<Number: FixedWidthInteger>(
        in range: ClosedRange<Number> = .min ... .max
    ) throws(JSONFault) -> Number {
        guard case .number(let digits) = content, let number = Number(digits), range.contains(number) else {
            throw fault("a whole number from \(range.lowerBound) to \(range.upperBound) should be here")
        }
        return number
    }

    /// One of an enumeration's words.
    func word<Word: RawRepresentable<String>>(
        _ what: String
    ) throws(JSONFault) -> Word {
        guard let word = Word(rawValue: try text) else { throw fault("\"\(try text)\" is no \(what)") }
        return word
    }

    func list<Element>(_ element: (JSONNode) throws(JSONFault) -> Element) throws(JSONFault) -> [Element] {
        var list: [Element] = []
        for node in try elements { list.append(try element(node)) }
        return list
    }
}

// MARK: - Durations, as seconds, exact to the nanosecond

extension JSONNode {
    static func seconds(_ duration: Duration) -> JSONNode {
        let nanoseconds = Int64(duration / .nanoseconds(1))
        let (whole, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text = (nanoseconds < 0 ? "-" : "") + String(whole)
        if rest > 0 {
            var digits = String(rest)
            digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
            while digits.hasSuffix("0") { digits.removeLast() }
            text += "." + digits
        }
        return JSONNode(.number(text))
    }

    /// No more than a hundred years to either side.
    var duration: Duration {
        get throws(JSONFault) {
            let seconds = try double
            guard abs(seconds) < 3.2e9 else { throw fault("more than a hundred years") }
            return .nanoseconds(Int64((seconds * 1e9).rounded()))
        }
    }
}
