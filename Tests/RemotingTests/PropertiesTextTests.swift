// Java's .properties syntax (protocol.md 5.4; checklist 107 to 111).

import Remoting
import Testing

@Suite struct PropertiesTextTests {
    /// A text and its properties, `key=value` joined by `|`.
    @Test(arguments: [
        ("", ""), ("\n\n \t\n", ""), ("# a=b\n! c=d\n  # e\n", ""),
        ("a=b", "a=b"), ("a=b\n", "a=b"), ("a:b\r\nc=d\re=f", "a=b|c=d|e=f"), ("a b", "a=b"), ("a\tb", "a=b"),
        ("a   =   b  ", "a=b  "), ("a = : b", "a=: b"), ("a==b", "a==b"), ("a", "a="), ("a\nb", "a=|b="), ("=b", "=b"),
        ("  a=b", "a=b"), ("a=#b", "a=#b"), ("a=b=c", "a=b=c"), ("productEnvName : x\\u0041y", "productEnvName=xAy"),
        ("a=\\t\\n\\r\\f\\q\\\\", "a=\t\n\r\u{C}q\\"), ("a\\ b\\=c\\:d=e", "a b=c:d=e"), ("a=\\ b", "a= b"),
        ("a=b\\\n   c", "a=bc"), ("a=b\\\r\n\tc", "a=bc"), ("a=b\\\rc", "a=bc"), ("a=b\\\\\nc=d", "a=b\\|c=d"),
        ("a\\\n  =b", "a=b"), ("a=\\\n  b", "a=b"), ("a=b\\", "a=b"), ("a=b\\\n# c\nd", "a=b# c|d="),
        ("# c\\\na=b", "a=b"),  // a comment cannot be continued
        ("a=1\nb=2\na=3", "a=3|b=2"), ("a=\\u00e9", "a=é"), ("a=\\uD83D\\uDE00", "a=😀"), ("a=\\uD83D", "a=\u{FFFD}"),
        ("a=é", "a=Ã©"),  // each byte is a character
        ("\u{C}a=b", "a=b"),
    ])
    func parse(_ text: String, _ expected: String) throws {
        let properties = try PropertiesText(decoding: Array(text.utf8))
        #expect(properties.entries.map { "\($0.key)=\($0.value)" }.joined(separator: "|") == expected)
    }

    @Test(arguments: ["a=\\uZZZZ", "a=\\u12", "a=\\u", "\\u00g0=b", "a=b\nc=\\u 041"])
    func badEscape(_ text: String) {
        #expect(code { try PropertiesText(decoding: Array(text.utf8)) } == .properties)
    }

    /// The body of 318: invalid UTF-8 becomes U+FFFD, whose three bytes are read one by one.
    @Test func request() throws {
        let decode = { (bytes: [UInt8]) in try bytes.withUnsafeBytes { try PropertiesText(decodingRequest: $0) } }
        #expect(try decode([0x61, 0x3D, 0xFF])["a"] == "\u{EF}\u{BF}\u{BD}")
        #expect(try decode(Array("a=é".utf8))["a"] == "Ã©")
        #expect(try PropertiesText(decoding: [0x61, 0x3D, 0xFF])["a"] == "ÿ")
    }

    @Test func print() {
        var properties = PropertiesText()
        properties["b"] = "x=\n é"
        properties["a"] = ""
        properties["B"] = "1"
        properties["a"] = "2"
        #expect(String(decoding: properties.encoded(), as: UTF8.self) == "B=1\na=2\nb=x=\n é\n")
        #expect(properties["a"] == "2" && properties["c"] == nil)
    }
}
