// protocol.md 2.4, 3.3, 3.7.

import Basics
import Remoting
import Testing

/// The registration of 3.7.
private enum Sample {
    static let json =
        #"{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":3,"stateVersion":0,"#
        + #""timestamp":1700000000000},"mappingDataVersion":{"counter":0,"stateVersion":0,"timestamp":1700000000001},"#
        + #""topicConfigTable":{"TopicTest":{"attributes":{},"order":false,"perm":6,"readQueueNums":8,"#
        + #""topicFilterType":"SINGLE_TAG","topicName":"TopicTest","topicSysFlag":0,"writeQueueNums":8},"#
        + #""Fifo":{"attributes":{"message.type":"FIFO"},"order":true,"perm":6,"readQueueNums":4,"#
        + #""topicFilterType":"SINGLE_TAG","topicName":"Fifo","topicSysFlag":2,"writeQueueNums":4}},"#
        + #""topicQueueMappingDetailMap":{},"topicQueueMappingInfoMap":{}}}"#
    static let compressed = hex(
        """
        78da636060b0a8564ace2fcd2b492d52b232d6512a2e492c490d4b2d2acecccf53b232d0512ac9cc4d050ae6162859199a1b20402d0303031310cb86
        e41764268700d5285800a19942b0a79fbb8f6b7c88a3bb42354891ae5b665abe820910a2ca2901cd2d4e4c4fd52ba92c4855b25272f374f357029b1a
        1d0b2419002b44290b
        """)
    static let version = DataVersion(counter: 3, timestamp: 1_700_000_000_000)
    static var topics: [TopicConfig] {
        var fifo = TopicConfig(topicName: "Fifo", readQueueNums: 4, writeQueueNums: 4)
        fifo.attributes = ["message.type": "FIFO"]
        fifo.order = true
        fifo.topicSysFlag = 2
        return [TopicConfig(topicName: "TopicTest", readQueueNums: 8, writeQueueNums: 8), fifo]
    }
}

/// A compressed body of these blocks.
private func deflated(
    version: String = "{}", entries: [String] = [], count: Int32? = nil, filterServers: String = "[]",
    mappings: [String]? = []
) -> [UInt8] {
    func block(_ text: String) -> [UInt8] { bigEndian(Int32(text.utf8.count)) + Array(text.utf8) }
    var bytes =
        block(version) + bigEndian(count ?? Int32(entries.count)) + entries.flatMap(block) + block(filterServers)
    if let mappings { bytes += bigEndian(Int32(mappings.count)) + mappings.flatMap(block) }
    return bytes.withUnsafeBytes { Zlib.deflate($0) }
}

private func table(_ entries: String) -> String {
    #"{"topicConfigSerializeWrapper":{"topicConfigTable":{"# + entries + "}}}"
}

@Suite struct RegistrationBodyTests {
    // MARK: The sample of 3.7

    @Test func json() throws {
        #expect(Sample.json.utf8.count == 621)
        #expect(Array(Sample.json.utf8).withUnsafeBytes { Checksum.bodyCRC32($0) } == 1_003_115_195)
        let body = try registration(Sample.json)
        #expect(body.dataVersion == Sample.version && body.filterServers == [] && body.mappingInfos.isEmpty)
        #expect(!body.hasForeignKeys && body.topics.map { body.name(of: $0) } == ["TopicTest", "Fifo"])
        let fifo = body.topics[1]
        #expect(fifo.readQueueNums == 4 && fifo.writeQueueNums == 4 && fifo.perm == 6 && fifo.topicSysFlag == 2)
        #expect(fifo.order && !body.topics[0].order && body.topics[0].isUnderItsName)
    }

    @Test func encodedJSON() throws {
        let encoded = RegistrationBody.encode(
            topics: Sample.topics, dataVersion: Sample.version,
            mappingDataVersion: DataVersion(counter: 0, timestamp: 1_700_000_000_001))
        #expect(String(decoding: encoded, as: UTF8.self) == Sample.json)
    }

    @Test func compressed() throws {
        #expect(Sample.compressed.count == 129)
        #expect(Sample.compressed.withUnsafeBytes { Checksum.bodyCRC32($0) } == 718_714_941)
        let body = try registration(Sample.compressed, compressed: true)
        #expect(body.dataVersion == Sample.version && body.filterServers == [])
        #expect(body.topicConfigs.map(\.topicName) == ["TopicTest", "Fifo"])
        // The compressed form carries neither.
        #expect(body.topicConfigs.allSatisfy { $0.topicSysFlag == 0 && !$0.order })
        // A 5.3.3 broker forgets to say that its body is compressed.
        #expect(try registration(Sample.compressed, compressed: false) == body)
    }

    @Test func encodedCompressed() throws {
        let ours = RegistrationBody.encode(topics: Sample.topics, dataVersion: Sample.version, compressed: true)
        #expect(ours.prefix(2) == [0x78, 0xDA])
        let inflate = { (bytes: [UInt8]) in try bytes.withUnsafeBytes { try Zlib.inflate($0) } }
        #expect(try inflate(ours) == inflate(Sample.compressed))
    }

    /// A v4 broker's form lacks the members of v5; below 37 the bare wrapper is all.
    @Test func olderForms() throws {
        let v4 = String(
            decoding: RegistrationBody.encode(
                topics: [TopicConfig(topicName: "T")], dataVersion: Sample.version, version: 409), as: UTF8.self)
        let wrapper =
            #"{"dataVersion":{"counter":3,"timestamp":1700000000000},"topicConfigTable":{"T":{"order":false,"perm":6,"#
            + #""readQueueNums":16,"topicFilterType":"SINGLE_TAG","topicName":"T","topicSysFlag":0,"writeQueueNums":16}}}"#
        #expect(v4 == #"{"filterServerList":[],"topicConfigSerializeWrapper":"# + wrapper + "}")
        let old = RegistrationBody.encode(
            topics: [TopicConfig(topicName: "T")], dataVersion: Sample.version, version: 36)
        #expect(String(decoding: old, as: UTF8.self) == wrapper)
        let body = try registration(old, version: 36)
        #expect(body.topics.count == 1 && body.filterServers == nil && body.dataVersion == Sample.version)
        // `compressed` is ignored there; at version 37 the same bytes name no topics.
        #expect(try registration(old, version: 0, compressed: true) == body)
        #expect(try registration(old, version: 37).topics.isEmpty)
    }

    // MARK: Layout by version

    @Test func noBody() throws {
        for version: Int32 in [0, 36, 37, 409, 479] {
            let body = try registration([], version: version, compressed: true)
            #expect(body == RegistrationBody() && body.dataVersion == .zero && body.filterServers == [])
        }
        #expect(code { try registration([], version: -1) } == .body)
    }

    /// The mapping count must be there from version 413 on (checklist 57).
    @Test func mappingSection() throws {
        let without = deflated(entries: ["T 1 2 3 SINGLE_TAG"], mappings: nil)
        #expect(try registration(without, version: 409, compressed: true).topics.count == 1)
        #expect(code { try registration(without, version: 413, compressed: true) } == .body)
        let mapping = #"{"bname":"broker-a","currIdMap":{0:0,1:1},"epoch":5,"topic":"S","totalQueues":2}"#
        let with = deflated(mappings: [mapping, "null", #"{"bname":"x"}"#])
        let infos = try registration(with, compressed: true).mappingInfos
        #expect(infos.map(\.topic) == ["S"] && infos[0].info.currIdMap == [0: 0, 1: 1] && infos[0].info.epoch == 5)
        #expect(try registration(with, version: 412, compressed: true).mappingInfos.isEmpty)
        #expect(code { try registration(deflated(mappings: ["{"]), compressed: true) } == .body)
    }

    // MARK: Compressed entries (checklist 58)

    @Test(arguments: [
        ("T 8 9 6 SINGLE_TAG", true), ("T 8 9 6 MULTI_TAG {oops", true), ("T 8 9 6 SINGLE_TAG {} more fields", true),
        ("T +8 09 6 SINGLE_TAG ", true), ("T 8 9 6", false), ("T 8 9 6 XX", false), ("T 8 9 6 single_tag", false),
        ("T  8 9 6 SINGLE_TAG", false), ("T 8 9 x SINGLE_TAG", false), ("T 8 9 2147483648 SINGLE_TAG", false),
        ("T 8 9 6 SINGLE_TA", false), ("", false), ("T\t8 9 6 SINGLE_TAG", false),
    ])
    func entry(_ text: String, _ isGood: Bool) throws {
        let bytes = deflated(entries: [text])
        guard isGood else {
            #expect(code { try registration(bytes, compressed: true) } == .body)
            return
        }
        let body = try registration(bytes, compressed: true)
        let config = try #require(body.topicConfigs.first)
        #expect(config.topicName == "T" && config.readQueueNums == 8 && config.writeQueueNums == 9 && config.perm == 6)
    }

    @Test func compressedDetails() throws {
        // A filter-server text that cannot be read is an empty list; a negative count is none.
        #expect(try registration(deflated(filterServers: "nope"), compressed: true).filterServers == [])
        #expect(
            try registration(deflated(filterServers: #"["f:1",null,'f:2']"#), compressed: true).filterServers == [
                "f:1", "f:2",
            ])
        #expect(try registration(deflated(count: -3), compressed: true).topics.isEmpty)
        // The last of a repeated topic counts, in the place of the first.
        let twice = try registration(
            deflated(entries: ["A 1 1 6 SINGLE_TAG", "B 2 2 6 SINGLE_TAG", "A 3 3 6 SINGLE_TAG"]), compressed: true)
        #expect(twice.topicConfigs.map(\.topicName) == ["A", "B"] && twice.topics[0].readQueueNums == 3)
        // A version without a timestamp is of now.
        #expect(try registration(deflated(), compressed: true).dataVersion == DataVersion(counter: 0, timestamp: 42))
        #expect(code { try registration(deflated(version: "null"), compressed: true) } == .missingValue)
        #expect(code { try registration(deflated(version: "{"), compressed: true) } == .body)
        #expect(code { try registration(deflated(count: 1), compressed: true) } == .body)
        #expect(code { try registration(deflated(count: 262_144), compressed: true) } == .body)
    }

    @Test func damagedStreams() throws {
        var wrongSum = Sample.compressed
        wrongSum[wrongSum.count - 1] ^= 1
        let cases: [[UInt8]] = [
            wrongSum, Array(Sample.compressed.dropLast(20)), [0x78, 0xDA], Array("{}".utf8), [0x78, 0x9C, 0xFF, 0xFF],
        ]
        for bytes in cases { #expect(code { try registration(bytes, compressed: true) } == .body) }
        // Behind the stream anything may follow.
        #expect(try registration(Sample.compressed + [1, 2, 3], compressed: true).topics.count == 2)
        // Every cut of the inflated bytes is refused, none crashes.
        let inflated = try Sample.compressed.withUnsafeBytes { try Zlib.inflate($0) }
        for count in 0..<inflated.count {
            let cut = inflated[..<count].withUnsafeBytes { Zlib.deflate($0) }
            #expect(code { try registration(cut, compressed: true) } == .body, "\(count) bytes")
        }
    }

    // MARK: JSON input (3.3)

    @Test func defaults() throws {
        let empty = try registration("{}")
        #expect(empty.topics.isEmpty && empty.filterServers == [])
        #expect(empty.dataVersion == DataVersion(counter: 0, timestamp: 42))
        let body = try registration(table(#""k1":{"topicName":"N1"},"k2":{},"k3":{"topicName":null}"#))
        // Without a name an entry is taken for absent (2.24); the name decides, not the key (checklist 42).
        #expect(body.topics.map { body.name(of: $0) } == ["N1"] && body.topics.map { body.key(of: $0) } == ["k1"])
        #expect(body.hasForeignKeys && !body.topics[0].isUnderItsName)
        let topic = body.topics[0]
        #expect(topic.readQueueNums == 16 && topic.writeQueueNums == 16 && topic.perm == 6 && topic.topicSysFlag == 0)
        #expect(!topic.order)
    }

    @Test func leniency() throws {
        let text = """
            {topicconfigserializewrapper:{"topicQueueMappingInfoMap":{"S":{"currIdMap":{0:0,"1":1},'x':[]},"N":null},
             /* any order */ TopicConfigTable:{
             'T\\u00e91' : {"topicName":"T\\u00e91","perm":"4","order":"true","readQueueNums":"8",
              "writeQueueNums":8.0,"attributes":{"$ref":"$"},"topicFilterType":5,"Topic_Sys_Flag":null},
             "U":{"order":null,"order":1,"topicName":"U","topicName":"U","unknown":{"a":[1,2,{}]}},},},
             "filterServerList":null}
            """
        let body = try registration(text)
        #expect(body.filterServers == nil && body.topicConfigs.map(\.topicName) == ["Té1", "U"])
        #expect(!body.hasForeignKeys && body.topicConfigs.allSatisfy(\.order))
        #expect(body.topics[0].perm == 4 && body.topics[0].readQueueNums == 8 && body.topics[0].writeQueueNums == 8)
        #expect(body.mappingInfos.map(\.topic) == ["S"] && body.mappingInfos[0].info.currIdMap == [0: 0, 1: 1])
    }

    @Test(arguments: [
        ("{nope", RemotingError.Code.body), ("{}x", .body), ("null", .missingValue), ("[]", .missingValue),
        ("  ", .missingValue), (#"{"topicConfigSerializeWrapper":null}"#, .missingValue),
        (#"{"topicConfigSerializeWrapper":{"topicConfigTable":null}}"#, .missingValue),
        (#"{"topicConfigSerializeWrapper":{"dataVersion":null}}"#, .missingValue),
        (table(#""A":null"#), .missingValue), (table(#""A":[]"#), .body), (table(#""A":{"perm":"x"}"#), .body),
        (table(#""A":{"perm":2147483648}"#), .body), (table(#""A":{"order":"maybe"}"#), .body),
        (table(#""A":{"topicFilterType":"SING"#), .body), (#"{"filterServerList":{}}"#, .body),
    ])
    func malformed(_ text: String, _ expected: RemotingError.Code) {
        #expect(code { try registration(text) } == expected)
    }

    @Test func invalidUTF8() {
        let bytes = Array(#"{"x":""#.utf8) + [0xC0] + Array(#""}"#.utf8)
        #expect(code { try registration(bytes) } == .missingValue)
        #expect(code { try registration(bytes, version: 3) } == .missingValue)
    }

    /// Every cut of the JSON sample is refused.
    @Test func cuts() {
        let bytes = Array(Sample.json.utf8)
        for count in 1..<bytes.count { #expect(code { try registration(Array(bytes[..<count])) } == .body, "\(count)") }
    }

    // MARK: Many topics

    /// The last of a repeated key counts, whatever its name; 30,000 repetitions of few keys take no longer than others.
    @Test func duplicates() throws {
        let entries = (0..<30_000).map { #""k\#($0 % 7)":{"topicName":"n\#($0 % 7)","perm":\#($0)}"# }
        let body = try registration(table(entries.joined(separator: ",")))
        let lastPerms = (0..<7).map { key in (0..<30_000).last { $0 % 7 == key } }
        #expect(body.topics.map { Int($0.perm) } == lastPerms)
        let renamed = try registration(table(#""k":{"topicName":"A"},"k":{"topicName":"B"}"#))
        #expect(renamed.topicConfigs.map(\.topicName) == ["B"])
    }

    @Test func manyTopics() throws {
        let topics = (0..<20_000).map { TopicConfig(topicName: "topic-\($0)", readQueueNums: Int32($0)) }
        for compressed in [false, true] {
            let body = try registration(
                RegistrationBody.encode(topics: topics, dataVersion: Sample.version, compressed: compressed),
                compressed: compressed)
            #expect(body.topicConfigs == topics)
        }
    }
}
