import Basics

/// Writes the members of one object or the elements of one array, with commas between them.
struct JSONMembers {
    let dialect: JSONDialect
    private var isFirst = true

    init(_ dialect: JSONDialect) { self.dialect = dialect }

    /// Appends `,` unless this is the first.
    mutating func separate(_ output: inout ByteWriter) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    /// Appends `"name":`; `name` needs no escapes.
    mutating func name(_ name: StaticString, _ output: inout ByteWriter) {
        separate(&output)
        output.append(UInt8(ascii: "\""))
        output.append(name)
        output.append("\":")
    }

    mutating func string(_ name: StaticString, _ value: String?, _ output: inout ByteWriter) {
        guard let value else { return }
        self.name(name, &output)
        output.appendJSON(string: value, dialect: dialect)
    }

    mutating func integer(_ name: StaticString, _ value: Int64?, _ output: inout ByteWriter) {
        guard let value else { return }
        self.name(name, &output)
        output.appendJSON(integer: value, dialect: dialect)
    }

    mutating func boolean(_ name: StaticString, _ value: Bool?, _ output: inout ByteWriter) {
        guard let value else { return }
        self.name(name, &output)
        output.appendJSON(boolean: value)
    }

    mutating func object(_ name: StaticString, _ value: (some RemotingBody)?, _ output: inout ByteWriter) {
        guard let value else { return }
        self.name(name, &output)
        value.encode(dialect, into: &output)
    }

    mutating func array<Element>(
        _ name: StaticString, _ elements: [Element], _ output: inout ByteWriter,
        _ write: (Element, inout ByteWriter) -> Void
    ) {
        self.name(name, &output)
        JSONMembers.array(elements, dialect, &output, write)
    }

    static func array<Element>(
        _ elements: [Element], _ dialect: JSONDialect, _ output: inout ByteWriter,
        _ write: (Element, inout ByteWriter) -> Void
    ) {
        output.append(UInt8(ascii: "["))
        var inner = JSONMembers(dialect)
        for element in elements {
            inner.separate(&output)
            write(element, &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    mutating func strings(_ name: StaticString, _ values: [String], _ output: inout ByteWriter) {
        let dialect = dialect
        array(name, values, &output) { $1.appendJSON(string: $0, dialect: dialect) }
    }

    /// A map, its keys ascending by bytes (3.2 rule 6).
    mutating func map<Value>(
        _ name: StaticString, _ map: [String: Value], _ output: inout ByteWriter,
        _ write: (Value, inout ByteWriter) -> Void
    ) {
        self.name(name, &output)
        JSONMembers.map(map, dialect, &output, write)
    }

    static func map<Value>(
        _ map: [String: Value], _ dialect: JSONDialect, _ output: inout ByteWriter,
        _ write: (Value, inout ByteWriter) -> Void
    ) {
        output.append(UInt8(ascii: "{"))
        var inner = JSONMembers(dialect)
        for (key, value) in map.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            inner.separate(&output)
            output.appendJSON(string: key, dialect: dialect)
            output.append(UInt8(ascii: ":"))
            write(value, &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// An integer-keyed map, ascending (3.2 rules 5 and 6).
    mutating func integerMap<Value>(
        _ name: StaticString, _ map: [Int64: Value], _ output: inout ByteWriter,
        _ write: (Value, inout ByteWriter) -> Void
    ) {
        self.name(name, &output)
        output.append(UInt8(ascii: "{"))
        var inner = JSONMembers(dialect)
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            inner.separate(&output)
            output.appendJSON(integerKey: key, dialect: dialect)
            output.append(UInt8(ascii: ":"))
            write(value, &output)
        }
        output.append(UInt8(ascii: "}"))
    }
}

extension ByteWriter {
    /// Appends `{`, the members that `write` adds, and `}`.
    mutating func appendObject(
        _ dialect: JSONDialect, _ write: (inout JSONMembers, inout ByteWriter) -> Void
    ) {
        append(UInt8(ascii: "{"))
        var members = JSONMembers(dialect)
        write(&members, &self)
        append(UInt8(ascii: "}"))
    }
}
