import Basics
import Remoting

/// Writes the JSON body of an answer, compact, members in the order of the calls.
struct JSONBody: ~Copyable {
    private var writer = ByteWriter(capacity: 1_024)
    private var needsComma = false

    /// The bytes of one object.
    static func object(_ fill: (inout JSONBody) -> Void) -> [UInt8] {
        var body = JSONBody()
        body.object(fill)
        return body.writer.array()
    }

    mutating func object(_ fill: (inout JSONBody) -> Void) {
        separate()
        open(UInt8(ascii: "{"))
        fill(&self)
        close(UInt8(ascii: "}"))
    }

    mutating func string(_ value: String) {
        separate()
        writer.appendJSON(string: value, dialect: .legacy)
        needsComma = true
    }

    mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    mutating func member(_ name: String, _ value: Int64) {
        key(name)
        writer.append(decimal: value)
        needsComma = true
    }

    mutating func member(_ name: String, _ value: Bool) {
        key(name)
        writer.append(utf8: value ? "true" : "false")
        needsComma = true
    }

    mutating func member(_ name: String, _ fill: (inout JSONBody) -> Void) {
        key(name)
        object(fill)
    }

    mutating func array<Element>(
        _ name: String, _ elements: [Element], _ each: (inout JSONBody, Element) -> Void
    ) {
        key(name)
        open(UInt8(ascii: "["))
        for element in elements { each(&self, element) }
        close(UInt8(ascii: "]"))
    }

    /// A member whose key is a bare integer, as fastjson writes maps with integer keys.
    mutating func member(_ number: Int32, _ value: Int64) {
        separate()
        writer.append(decimal: number)
        writer.append(UInt8(ascii: ":"))
        writer.append(decimal: value)
        needsComma = true
    }

    /// A member whose key is an object, as fastjson writes maps keyed by a MessageQueue.
    mutating func member(objectKey: (inout JSONBody) -> Void, _ fill: (inout JSONBody) -> Void) {
        object(objectKey)
        writer.append(UInt8(ascii: ":"))
        needsComma = false
        object(fill)
    }

    private mutating func key(_ name: String) {
        separate()
        writer.appendJSON(string: name, dialect: .legacy)
        writer.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { writer.append(UInt8(ascii: ",")) }
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        writer.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        writer.append(bracket)
        needsComma = true
    }
}
