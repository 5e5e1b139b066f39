import Basics

/// A string, name or number of a JSON text, still as it is written there: no memory of its own.
///
/// Valid as long as the text it was read from.
public struct JSONText {
    let start: UnsafePointer<UInt8>
    let count: Int
    /// Whether it holds backslash escapes, which have been checked and still stand for other characters.
    let isEscaped: Bool

    /// The bytes between the quotes.
    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Whether a text is exactly a literal, in the usual spelling: what `switch` uses. An escaped name never matches.
    @inline(__always)
    static func ~= (literal: StaticString, text: JSONText) -> Bool {
        literal.withUTF8Buffer { literal in
            text.count == literal.count && areEqual(text.start, literal.baseAddress.unsafelyUnwrapped, literal.count)
        }
    }

    /// The characters it stands for.
    public var string: String {
        guard isEscaped else { return String(decoding: raw, as: UTF8.self) }
        var plain = ByteWriter(capacity: count)
        unescape(into: &plain)
        return String(decoding: plain.bytes, as: UTF8.self)
    }

    /// Appends the characters it stands for, as UTF-8. Half a surrogate pair becomes U+FFFD.
    func unescape(into output: inout ByteWriter) {
        guard isEscaped else { return output.append(raw) }
        var reader = EscapeReader(raw)
        while let scalar = reader.next() { output.append(scalar) }
    }

    /// Which of `names` this one means to fastjson, which takes names that differ in case, `_` and `-`; nil for none.
    func spelling(among names: [StaticString]) -> JSONText? {
        isEscaped ? JSONText.match(Array(string.utf8), names) : JSONText.match(raw, names)
    }

    private static func match(_ name: some Sequence<UInt8>, _ names: [StaticString]) -> JSONText? {
        let letters = name.lazy.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }.map(\.lowercasedASCII)
        return names.lazy.map { JSONText($0) }.first { $0.raw.lazy.map(\.lowercasedASCII).elementsEqual(letters) }
    }

    init(start: UnsafePointer<UInt8>, count: Int, isEscaped: Bool) {
        self.start = start
        self.count = count
        self.isEscaped = isEscaped
    }

    /// A literal of more than one character, in static memory.
    init(_ literal: StaticString) {
        self.init(start: literal.utf8Start, count: literal.utf8CodeUnitCount, isEscaped: false)
    }
}

extension UInt8 {
    /// The same letter in lower case.
    var lowercasedASCII: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexadecimalValue: UInt32? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    @inline(__always)
    var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}

extension ByteWriter {
    /// Appends a character as UTF-8.
    mutating func append(_ scalar: Unicode.Scalar) {
        for byte in UTF8.encode(scalar).unsafelyUnwrapped { append(byte) }
    }
}
