// protocol.md 1.4.

import Remoting
import Testing

@Suite struct BinaryHeaderTests {
    /// A header with a remark and fields as they stand here, and lengths that need not fit them.
    private func binary(
        remark: [UInt8] = [], remarkLength: Int32? = nil, fields: [UInt8] = [], fieldsLength: Int32? = nil,
        language: UInt8 = 0
    ) -> [UInt8] {
        let start =
            bigEndian(Int16(206)) + [language] + bigEndian(Int16(479)) + bigEndian(Int32(5)) + bigEndian(Int32(0))
        let text = bigEndian(remarkLength ?? Int32(remark.count)) + remark
        return frame(start + text + bigEndian(fieldsLength ?? Int32(fields.count)) + fields, type: 1)
    }

    private func field(_ name: String, _ value: String, nameLength: Int16? = nil, valueLength: Int32? = nil) -> [UInt8]
    {
        bigEndian(nameLength ?? Int16(name.utf8.count)) + Array(name.utf8)
            + bigEndian(valueLength ?? Int32(value.utf8.count)) + Array(value.utf8)
    }

    @Test func plain() throws {
        let decoded = try command(
            binary(remark: Array("ré".utf8), fields: field("a", "1") + field("b", "2"), language: 99))
        #expect(decoded.code == 206 && decoded.version == 479 && decoded.opaque == 5 && decoded.language == 99)
        #expect(decoded.remark == "ré" && decoded["a"] == "1" && decoded["b"] == "2" && decoded.fields?.count == 2)
    }

    /// Negative numbers stay negative: code and version have 16 bits.
    @Test func signs() throws {
        var bytes = binary()
        bytes.replaceSubrange(8..<10, with: [0xFF, 0xFE])
        bytes.replaceSubrange(11..<13, with: [0xFF, 0xFF])
        #expect(try command(bytes).code == -2)
        #expect(try command(bytes).version == -1)
    }

    /// Empty names and values are null; the last of a name counts, also when it is empty.
    @Test func nulls() throws {
        let decoded = try command(
            binary(fields: field("a", "1") + field("a", "") + field("", "x") + field("b", "1") + field("b", "2")))
        #expect(decoded["a"] == nil && decoded["b"] == "2" && decoded.fields?.count == 1)
        #expect(try command(binary(remark: [])).remark == nil)
    }

    @Test func noFields() throws {
        #expect(try command(binary()).fields == nil)
        #expect(try command(binary(fieldsLength: -3)).fields == nil)
    }

    /// Bytes behind the fields but inside the header are no error, and the body stands behind the header.
    @Test func leftOver() throws {
        var bytes = binary(fields: field("a", "1"))
        bytes.replaceSubrange(4..<8, with: bigEndian(Int32(1) << 24 | Int32(bytes.count - 8 + 3)))
        bytes += [1, 2, 3, 0x62]
        bytes.replaceSubrange(0..<4, with: bigEndian(Int32(bytes.count - 4)))
        let decoded = try command(bytes)
        #expect(decoded["a"] == "1" && decoded.body == [0x62])
    }

    @Test func invalidUTF8() throws {
        let decoded = try command(
            binary(remark: [0x61, 0xFF], fields: field("k", "v") + [0, 1, 0xC3, 0, 0, 0, 1, 0x80]))
        #expect(decoded.remark == "a\u{FFFD}" && decoded["k"] == "v" && decoded["\u{FFFD}"] == "\u{FFFD}")
    }

    /// Each closes the connection.
    @Test func malformed() {
        let good = field("a", "1")
        let cases: [(String, [UInt8])] = [
            ("negative remark", binary(remarkLength: -5)),
            ("remark beyond the header", binary(remarkLength: 100)),
            ("fields beyond the header", binary(fieldsLength: 500)),
            ("cut after the flag", frame(Array(binary()[8..<21]), type: 1)),
            ("cut inside the code", frame([0], type: 1)),
            ("negative name", binary(fields: field("a", "1", nameLength: -1))),
            ("long name", binary(fields: field("a", "1", nameLength: 9))),
            ("negative value", binary(fields: field("a", "1", valueLength: -1))),
            ("long value", binary(fields: field("a", "1", valueLength: 2))),
            ("half an entry", binary(fields: good + [0])),
            ("a name only", binary(fields: good + [0, 1, 0x62])),
        ]
        for (what, bytes) in cases { #expect(code { try command(bytes) } == .header, "\(what)") }
    }
}
