// JSON headers (protocol.md 1.3), with what fastjson lets pass.

import Basics

extension CommandHeader {
    private static let members: [StaticString] = [
        "code", "extFields", "flag", "language", "opaque", "remark", "serializeTypeCurrentRPC", "version",
    ]

    mutating func decodeJSON() throws(RemotingError) {
        guard frame.isUTF8 else { throw RemotingError(.header, "invalid UTF-8") }
        var reader = JSONReader(frame, reporting: .header)
        guard try reader.beginObject() else { throw RemotingError(.header, "null instead of an object") }
        while let key = try reader.nextKey() { try decodeMember(key, &reader) }
        try reader.finish()
    }

    private mutating func decodeMember(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "code": code = try reader.readInt32() ?? code
        case "extFields": try decodeFields(&reader)
        case "flag": flag = try reader.readInt32() ?? flag
        case "language": try decodeLanguage(&reader)
        case "opaque": opaque = try reader.readInt32() ?? opaque
        case "remark": remarkSpan = try readSpan(&reader)
        case "serializeTypeCurrentRPC": try reader.skipValue()
        case "version": version = try reader.readInt32() ?? version
        case "@type": throw reader.fault("a member @type")
        default:
            guard let known = key.spelling(among: CommandHeader.members) else { return try reader.skipValue() }
            try decodeMember(known, &reader)
        }
    }

    private mutating func decodeLanguage(_ reader: inout JSONReader) throws(RemotingError) {
        switch try reader.readScalar() {
        case .string(let name) where name.count == 0: break
        case .string(let name): language = LanguageCode.code(named: name)
        case .number(let number):
            guard let value = IntegerText.strict(number.raw),
                let known = LanguageCode.allCases.first(where: { $0.rawValue == value })
            else { throw reader.fault("no language has this number") }
            language = known.rawValue
        case .boolean: throw reader.fault("a boolean for a language")
        case .null: break
        }
    }

    private mutating func decodeFields(_ reader: inout JSONReader) throws(RemotingError) {
        if try reader.peek() == UInt8(ascii: "\"") {
            guard try reader.readQuoted().count == 0 else { throw reader.fault("text for extFields") }
            return
        }
        guard try reader.beginObject() else { return }
        hasFields = true
        reader.takesIntegerNames = false
        while let key = try reader.nextKey() {
            if case "@type" = key { throw reader.fault("a member @type") }
            let name = key.isEscaped ? unescaped(key) : span(key.raw)
            try append(name: name, value: try readSpan(&reader))
        }
        reader.takesIntegerNames = true
    }

    /// Reads a value as text: numbers, booleans, objects and arrays become theirs, null becomes absent.
    private mutating func readSpan(_ reader: inout JSONReader) throws(RemotingError) -> TextSpan {
        switch try reader.peek() {
        case UInt8(ascii: "\""):
            let text = try reader.readQuoted()
            return text.isEscaped ? unescaped(text) : span(text.raw)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let begin = reader.cursor
            try reader.skipValue()
            return compact(UnsafeRawBufferPointer(start: begin, count: reader.cursor - begin))
        default:
            return try spanOfUnusualScalar(&reader)
        }
    }

    private mutating func spanOfUnusualScalar(_ reader: inout JSONReader) throws(RemotingError) -> TextSpan {
        let begin = reader.cursor
        switch try reader.readScalar() {
        case .string(let text): return text.isEscaped ? unescaped(text) : span(text.raw)
        case .number(let text):
            guard let value = IntegerText.strict(text.raw) else { return span(text.raw) }
            return inScratch { $0.append(decimal: value) }
        case .boolean: return span(UnsafeRawBufferPointer(start: begin, count: reader.cursor - begin))
        case .null: return .absent
        }
    }

    private mutating func unescaped(_ text: JSONText) -> TextSpan { inScratch { text.unescape(into: &$0) } }

    private mutating func compact(_ value: UnsafeRawBufferPointer) -> TextSpan {
        inScratch { JSONCompaction.append(value, to: &$0) }
    }

    /// The place of what `write` appends to the scratch memory.
    mutating func inScratch(_ write: (inout ByteWriter) -> Void) -> TextSpan {
        let offset = scratch.count
        write(&scratch)
        return TextSpan(place: .scratch, offset: offset, count: scratch.count - offset)
    }
}
