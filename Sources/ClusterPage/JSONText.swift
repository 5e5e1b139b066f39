import Basics
import Remoting

/// JSON that is written front to back, with its commas.
struct JSONText: ~Copyable {
    private(set) var output = ByteWriter(capacity: 4 << 10)
    private var needsComma = false

    /// What has been written.
    var bytes: [UInt8] { output.array() }

    private mutating func beginValue() {
        if needsComma { output.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    mutating func object(_ members: (inout JSONText) -> Void) {
        beginValue()
        output.append(UInt8(ascii: "{"))
        needsComma = false
        members(&self)
        output.append(UInt8(ascii: "}"))
        needsComma = true
    }

    mutating func array(_ elements: (inout JSONText) -> Void) {
        beginValue()
        output.append(UInt8(ascii: "["))
        needsComma = false
        elements(&self)
        output.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// The name of the member whose value comes next.
    mutating func name(_ name: StaticString) {
        beginValue()
        output.append(UInt8(ascii: "\""))
        output.append(name)
        output.append("\":")
        needsComma = false
    }

    mutating func add(_ text: some StringProtocol) {
        beginValue()
        output.appendJSON(string: text, dialect: .standard)
    }

    mutating func add(_ number: some BinaryInteger) {
        beginValue()
        output.append(decimal: Int64(clamping: number))
    }

    mutating func add(_ value: Bool) {
        beginValue()
        output.appendJSON(boolean: value)
    }

    mutating func addNull() {
        beginValue()
        output.append("null")
    }

    // A member that is not there says nothing.

    mutating func member(_ name: StaticString, _ text: (some StringProtocol)?) {
        guard let text else { return }
        self.name(name)
        add(text)
    }

    mutating func member(_ name: StaticString, _ number: (some BinaryInteger)?) {
        guard let number else { return }
        self.name(name)
        add(number)
    }

    mutating func member(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        self.name(name)
        add(value)
    }

    mutating func member(_ name: StaticString, _ texts: [String]) {
        self.name(name)
        array { json in for text in texts { json.add(text) } }
    }

    mutating func member<Element>(
        _ name: StaticString, _ elements: some Sequence<Element>, _ add: (inout JSONText, Element) -> Void
    ) {
        self.name(name)
        array { json in for element in elements { add(&json, element) } }
    }
}
