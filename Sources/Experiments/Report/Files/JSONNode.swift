/// JSON as the report's files hold it: members keep their order, numbers their digits, and what was read knows its line.
struct JSONNode: Sendable {
    /// A member of an object.
    struct Member: Sendable {
        var key: String
        var value: JSONNode
    }

    enum Content: Sendable {
        case null
        case boolean(Bool)
        /// Digits as JSON has them.
        case number(String)
        case string(String)
        case array([JSONNode])
        case object([Member])
    }

    var content: Content
    /// Where it begins in the text it was read from, from 1; 0 when it was made.
    var line = 0

    init(_ content: Content, line: Int = 0) { (self.content, self.line) = (content, line) }

    static let null = JSONNode(.null)
    static func boolean(_ value: Bool) -> JSONNode { JSONNode(.boolean(value)) }
    static func string(_ text: String) -> JSONNode { JSONNode(.string(text)) }
    static func integer(_ value: some BinaryInteger) -> JSONNode { JSONNode(.number(String(value))) }
    static func strings(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }
    static func array(_ elements: [JSONNode]) -> JSONNode { JSONNode(.array(elements)) }

    /// The shortest digits that read back as the same number; it must be finite.
    static func number(_ value: Double) -> JSONNode {
        precondition(value.isFinite, "JSON has no \(value)")
        if let whole = Int(exactly: value), abs(whole) < 1 << 53 { return .integer(whole) }
        return JSONNode(.number(value.description))
    }

}

extension JSONNode: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral {
    init(dictionaryLiteral elements: (String, JSONNode)...) {
        self.init(.object(elements.map { Member(key: $0.0, value: $0.1) }))
    }

    init(stringLiteral text: String) { self.init(.string(text)) }
}

// MARK: - Writing

extension JSONNode {
    /// All on one line.
    var compact: String {
        var text = ""
        write(to: &text)
        return text
    }

    /// For people: indented by two, but what fits on a line stays on one.
    var readable: String {
        var text = ""
        write(to: &text, indentation: 0)
        return text + "\n"
    }

    /// What a line of `readable` may hold, in bytes.
    private static let readableWidth = 110

    private func write(to text: inout String, indentation: Int) {
        let line = compact
        if indentation + line.utf8.count <= Self.readableWidth {
            text += line
            return
        }
        let outer = String(repeating: " ", count: indentation)
        switch content {
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? "\n\(outer)  " : ",\n\(outer)  "
                element.write(to: &text, indentation: indentation + 2)
            }
            text += "\n\(outer)]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                text += index == 0 ? "\n\(outer)  " : ",\n\(outer)  "
                Self.write(member.key, to: &text)
                text += ": "
                member.value.write(to: &text, indentation: indentation + 2)
            }
            text += "\n\(outer)}"
        default: text += line
        }
    }

    private func write(to text: inout String) {
        switch content {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let value): Self.write(value, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += ", " }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += ", " }
                Self.write(member.key, to: &text)
                text += ": "
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        defer { text += "\"" }
        let isPlain = string.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x22 && $0 != 0x5C }
        if isPlain {
            text += string
            return
        }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
