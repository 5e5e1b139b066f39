// The output rules of protocol.md 3.2.

import Basics
import Remoting
import Testing

@Suite struct JSONWritingTests {
    /// Text, legacy form, standard form (rules 7 and 8, string escapes).
    @Test(arguments: [
        ("", #""""#, #""""#),
        ("plain A~ 1", #""plain A~ 1""#, #""plain A~ 1""#),
        ("\"\\/", #""\"\\/""#, #""\"\\\/""#),
        ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#, #""\b\t\n\f\r""#),
        ("\u{0}\u{1}\u{B}\u{1F}", #""\u0000\u0001\u000B\u001F""#, #""\u0000\u0001\u000B\u001F""#),
        ("\u{7F}\u{80}\u{9F}", #""\u007F\u0080\u009F""#, #""\u007F\u0080\u009F""#),
        ("\u{A0}é", "\"\u{A0}é\"", #""\u00A0\u00E9""#),
        ("\u{2028}\u{2029}\u{202A}", "\"\\u2028\\u2029\u{202A}\"", #""\u2028\u2029\u202A""#),
        ("集", "\"集\"", #""\u96C6""#),
        ("😀", "\"😀\"", #""\uD83D\uDE00""#),
        ("c集\"\\/\u{1}", #""c集\"\\/\u0001""#, #""c\u96C6\"\\\/\u0001""#),  // 3.4, last example
        ("bré", #""bré""#, #""br\u00E9""#),
    ])
    func strings(_ text: String, _ legacy: String, _ standard: String) {
        #expect(ByteWriter.text { $0.appendJSON(string: text, dialect: .legacy) } == legacy)
        #expect(ByteWriter.text { $0.appendJSON(string: text, dialect: .standard) } == standard)
        #expect(ByteWriter.text { $0.appendJSON(string: text[...], dialect: .standard) } == standard)
    }

    @Test func invalidUTF8() {
        let bytes: [UInt8] = [0x61, 0xFF, 0xC3]
        let legacy = ByteWriter.text { writer in
            bytes.withUnsafeBytes { writer.appendJSON(string: $0, dialect: .legacy) }
        }
        #expect(legacy == "\"a\u{FFFD}\u{FFFD}\"")
        let standard = ByteWriter.text { writer in
            bytes.withUnsafeBytes { writer.appendJSON(string: $0, dialect: .standard) }
        }
        #expect(standard == #""a\uFFFD\uFFFD""#)
    }

    /// Rule 9: standard quotes what a double cannot hold.
    @Test(
        arguments: [
            (0, false), (-1, false), (9_007_199_254_740_991, false), (-9_007_199_254_740_991, false),
            (9_007_199_254_740_992, true), (-9_007_199_254_740_992, true), (9_007_199_254_740_993, true),
            (Int64.max, true), (Int64.min, true),
        ] as [(Int64, Bool)])
    func integers(_ value: Int64, _ isQuoted: Bool) {
        #expect(ByteWriter.text { $0.appendJSON(integer: value, dialect: .legacy) } == "\(value)")
        #expect(
            ByteWriter.text { $0.appendJSON(integer: value, dialect: .standard) }
                == (isQuoted ? "\"\(value)\"" : "\(value)"))
    }

    /// Rules 5 and 6: integer keys, ascending by number.
    @Test func integerKeys() {
        let addresses: [Int64: String] = [10: "e", 2: "d", 0: "b", -1: "a", 1: "c"]
        let group = BrokerMemberGroup(cluster: nil, brokerName: nil, brokerAddrs: addresses)
        #expect(
            String(decoding: group.encoded(.legacy), as: UTF8.self)
                == #"{"brokerMemberGroup":{"brokerAddrs":{-1:"a",0:"b",1:"c",2:"d",10:"e"}}}"#)
        #expect(
            String(decoding: group.encoded(.standard), as: UTF8.self)
                == #"{"brokerMemberGroup":{"brokerAddrs":{"-1":"a","0":"b","1":"c","2":"d","10":"e"}}}"#)
    }

    /// The dialect of a route (2.6 step 7, checklist 77).
    @Test(arguments: [
        (0, false, JSONDialect.legacy), (333, false, .legacy), (400, false, .legacy), (401, false, .standard),
        (479, false, .standard), (0, true, .standard), (-1, false, .legacy),
    ])
    func dialect(_ version: Int32, _ acceptsStandardOnly: Bool, _ expected: JSONDialect) {
        #expect(JSONDialect(version: version, acceptsStandardOnly: acceptsStandardOnly) == expected)
    }
}
