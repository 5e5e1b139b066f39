// protocol.md 1.3, 1.10: what the reference parser takes for a header, and what it refuses.

import Basics
import Remoting
import Testing

@Suite struct JSONHeaderTests {
    /// All of these are the same header.
    @Test(arguments: [
        #"{"code":206,"opaque":5,"flag":0,"version":1}"#,
        #"{"version":1,"opaque":5,"code":206}"#,  // any order, flag absent
        #"{"code":"206","opaque":"5","version":"1","flag":"0"}"#,  // numbers as strings
        #"{"code":206.0,"opaque":5.0,"version":1.9,"flag":0}"#,  // a fraction is cut off
        #"{"code":2.06e2,"opaque":5E0,"version":10e-1}"#,  // exponents
        #"{"code":000206,"opaque":05,"version":01}"#,  // leading zeros
        #"{"code":"+206","opaque":"5","version":"1"}"#,
        #"{"code":"20,6","opaque":"5","version":"1"}"#,  // commas inside a string
        #"{"code":"206.0","opaque":"5.00","version":"1"}"#,
        #"{"code":206,"opaque":5,"version":true,"flag":false}"#,  // booleans are 1 and 0
        #"{"code":206,"opaque":5,"version":1,"flag":null,"remark":null,"extFields":null,"language":null}"#,
        #"{"code":206,"opaque":5,"version":1,"flag":"","language":"","extFields":""}"#,
        #"{"code":206,"opaque":5,"version":1,"flag":"null"}"#,
        "{ \"code\" : 206 ,\t\"opaque\":5 ,\r\n\"version\" :1 }\n",  // white space, the C++ client's line feed
        #"{code:206,opaque:5,version:1}"#,  // names without quotes
        #"{'code':'206','opaque':5,'version':1}"#,
        #"/* a */{"code":206,/*b*/"opaque"/**/:/***/5,"version":1}// c"#,
        "{\"code\":206,// c\n\"opaque\":5,\"version\":1}",
        #"{,"code":206,,"opaque":5,"version":1,}"#,
        #"{"code":1,"opaque":5,"version":1,"code":206}"#,  // the last one counts
        #"{"CODE":206,"op_aque":5,"_Version-":1}"#,  // case, underscores
        #"{"\u0063ode":206,"opaqu\x65":5,"version":1}"#,  // escapes in names
        "\u{FEFF}{\"code\":206,\"opaque\":5,\"version\":1}",  // byte order mark
        "{\"code\":206,\"opaque\":5,\"version\":1}\u{0}\u{0}",  // NULs behind
        #"{"code":206,"opaque":5,"version":1,"x":1,"y":{"z":[1,{"w":[]}]},"v":"}","u":null,"t":true,"s":-1.5e3}"#,
        #"{"code":206,"opaque":5,"version":1,"serializeTypeCurrentRPC":"ROCKETMQ"}"#,
        #"{"code":206,"opaque":5,"version":1,"language":"JAVA"}"#,
        #"{"code":206,"opaque":5,"version":1,"language":0}"#,
    ])
    func accepted(_ text: String) throws {
        var expected = RemotingCommand(request: 206)
        expected.opaque = 5
        expected.version = 1
        #expect(try header(text) == expected)
    }

    /// Each closes the connection (1.14).
    @Test(arguments: [
        "hello", "null", "[]", "123", #""x""#, "", " ", "{", "}", "{}xx", "{}{}", "{} x", "{},",
        #"{"code"}"#, #"{"code":}"#, #"{"code":1 "flag":0}"#, #"{"code":1"#, #"{"code":1]"#,
        #"{"code":2147483648}"#, #"{"opaque":-2147483649}"#, #"{"opaque":99999999999999999999}"#, #"{"version":1e10}"#,
        #"{"code":"x"}"#, #"{"code":"1 "}"#, #"{"code":" 1"}"#, #"{"code":"0x10"}"#, #"{"code":"1.5"}"#,
        #"{"code":[]}"#,
        #"{"code":{}}"#, #"{"code":1.}"#, #"{"code":1e}"#, #"{"code":-}"#, #"{"code":+1}"#, #"{"code":nul}"#,
        #"{"code":nulls}"#, #"{"code":tru}"#,
        #"{"language":14}"#, #"{"language":-1}"#, #"{"language":true}"#, #"{"language":[]}"#, #"{"language":{}}"#,
        #"{"extFields":[]}"#, #"{"extFields":1}"#, #"{"extFields":"x"}"#, #"{"extFields":true}"#,
        #"{"extFields":{1:"a"}}"#,  // bare integer names
        #"{"extFields":{"@type":"x"}}"#, #"{"@type":"x"}"#,
        #"{"remark":"\q"}"#, #"{"remark":"\u12"}"#, #"{"remark":"\xg0"}"#, #"{"remark":"a}"#, #"{"remark":'a"}"#,
        #"{"x":"\"#, "{/*}", "{/", #"{"a":1/}"#, #"{"x":[1}"#, #"{"x":{"y":1]}"#,
    ])
    func refused(_ text: String) {
        let expected: RemotingError.Code = text.isEmpty ? .headerSize : .header
        #expect(code { try header(text) } == expected)
    }

    @Test func invalidUTF8() {
        let bytes = Array(#"{"remark":""#.utf8) + [0xC3] + Array(#""}"#.utf8)
        #expect(code { try command(frame(bytes)) } == .header)
        // An overlong form, half a surrogate pair and a character beyond Unicode.
        for sequence in ["c080", "eda080", "f4908080", "80", "ff"] {
            let bytes = Array(#"{"remark":"a long text in front of it "#.utf8) + hex(sequence) + Array(#""}"#.utf8)
            #expect(code { try command(frame(bytes)) } == .header, "\(sequence)")
        }
    }

    /// `{}` is request code 0 with every default.
    @Test func empty() throws {
        var expected = RemotingCommand(request: 0)
        expected.version = 0
        #expect(try header("{}") == expected)
    }

    @Test(arguments: [
        (#""CPP""#, LanguageCode.cpp), ("9", .go), ("13", .nodeJS), (#""NODE_JS""#, .nodeJS), (#""KLINGON""#, .other),
        (#""java""#, .other), ("null", .java),
    ])
    func language(_ text: String, _ expected: LanguageCode) throws {
        #expect(try header("{\"language\":\(text)}").language == expected.rawValue)
    }

    /// Values inside extFields become their text; nil is absent.
    @Test(
        arguments: [
            (#""a""#, "a"), ("1", "1"), ("-7", "-7"), ("1.50", "1.50"), ("007", "7"), ("-0", "0"), ("true", "true"),
            ("false", "false"), ("null", nil), (#""""#, ""), (#"'a"b'"#, "a\"b"), (#"{"x":1}"#, #"{"x":1}"#),
            (#"{ "x" : [ 1 , "a b" ] /* c */ }"#, #"{"x":[1,"a b"]}"#), ("[]", "[]"), ("[1, // c\n2]", "[1,2]"),
            (#""\u0041\x41\n\t\b\f\r\v\0\7\/\\\"\'""#, "AA\n\t\u{8}\u{C}\r\u{B}\u{0}\u{7}/\\\"'"),
            (#""\uD83D\uDE00é\u00e9""#, "😀éé"),
            (#""\uD83Dx""#, "\u{FFFD}x"),  // half a pair
            (#""\uD83D\u0041""#, "\u{FFFD}A"), (#""\uDE00""#, "\u{FFFD}"), (#""\uD83D\n""#, "\u{FFFD}\n"),
            ("\"raw\u{1}control\n\"", "raw\u{1}control\n"),
            (#""  blanks stay  ""#, "  blanks stay  "),
        ] as [(String, String?)])
    func fieldText(_ text: String, _ expected: String?) throws {
        let bytes = frame(json: "{\"extFields\":{\"first\":\"x\",\"key\":\(text),\"last\":\"y\"}}")
        try withHeader(bytes) { header in
            #expect(header.string("key") == expected)
            #expect(header.string("first") == "x")
            #expect(header.string("last") == "y")
            #expect(header.string("other") == nil)
        }
        #expect(try command(bytes)["key"] == expected)
    }

    /// Names are exact; the last of a repeated name counts, also when it is null; other members may follow.
    @Test func fieldNames() throws {
        let text = #"{"extFields":{"a":"1","A":"2","a":"3","b":"4","b":null,"\u0063":"5"},"remark":"r\"","code":3}"#
        try withHeader(frame(json: text)) { header in
            #expect(header.string("a") == "3")
            #expect(header.string("A") == "2")
            #expect(header.string("b") == nil)
            #expect(header.string("c") == "5")
            #expect(header.remark.map { String(decoding: $0, as: UTF8.self) } == "r\"")
            #expect(header.hasFields && header.code == 3 && !header.isOneway && !header.isResponse)
        }
        let fields = try #require(try header(text).fields)
        #expect(fields.map(\.name) == ["A", "a", "c"])
        #expect(fields.map(\.value) == ["2", "3", "5"])
    }

    /// Typed parameters (1.10): long, int, boolean.
    @Test(
        arguments: [
            ("7", 7, 7, false), ("+7", 7, 7, false), ("007", 7, 7, false), ("-1", -1, -1, false),
            ("2147483648", 2_147_483_648, nil, false), ("-2147483648", -2_147_483_648, Int32.min, false),
            ("9223372036854775807", Int64.max, nil, false), ("-9223372036854775808", Int64.min, nil, false),
            ("9223372036854775808", nil, nil, false), ("", nil, nil, false), ("x", nil, nil, false),
            (" 1", nil, nil, false),
            ("1 ", nil, nil, false), ("1.0", nil, nil, false), ("0x1", nil, nil, false), ("+", nil, nil, false),
            ("--1", nil, nil, false), ("true", nil, nil, true), ("TRUE", nil, nil, true), ("True ", nil, nil, false),
            ("1", 1, 1, false), ("yes", nil, nil, false),
        ] as [(String, Int64?, Int32?, Bool)])
    func parameters(_ text: String, _ long: Int64?, _ int: Int32?, _ boolean: Bool) throws {
        for type in SerializeType.allCases where !text.isEmpty || type == .json {
            try withHeader(RemotingCommand(request: 1, fields: ["p": text]).encoded(as: type)) { header in
                #expect(header.integer("p") == long)
                #expect(header.int32("p") == int)
                #expect(header.boolean("p") == boolean)
                #expect(header.integer("q") == nil && header.int32("q") == nil && header.boolean("q") == nil)
            }
        }
    }

    /// A header is reused: nothing of the frame before shows.
    @Test func reuse() throws {
        var header = CommandHeader()
        let full = #"{"code":1,"flag":3,"language":"GO","opaque":9,"version":5,"remark":"r","extFields":{"a":"\n"}}"#
        for text in [full, "{}", full] {
            try frame(json: text).withUnsafeBytes { bytes in
                guard case .frame(let frame) = try Frame.first(in: bytes) else { return }
                try header.decode(frame)
                let isFull = text == full
                #expect(header.code == (isFull ? 1 : 0) && header.opaque == (isFull ? 9 : 0))
                #expect(header.isResponse == isFull && header.isOneway == isFull && header.hasFields == isFull)
                #expect(
                    header.language == (isFull ? LanguageCode.go : .java).rawValue && (header.remark != nil) == isFull)
                #expect(header.version == (isFull ? 5 : 0) && header.string("a") == (isFull ? "\n" : nil))
            }
        }
    }

    /// The subscript of the owning value.
    @Test func editing() {
        var command = RemotingCommand(request: 1)
        #expect(command.fields == nil && command["a"] == nil)
        command["a"] = "1"
        command["b"] = "2"
        command["a"] = "3"
        #expect(command.fields == [.init(name: "a", value: "3"), .init(name: "b", value: "2")])
        command["a"] = nil
        #expect(command.fields == [.init(name: "b", value: "2")])
    }
}
