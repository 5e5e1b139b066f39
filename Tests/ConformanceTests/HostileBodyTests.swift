// Bodies and headers made to hurt: they inflate, nest, repeat and lie. Each is refused by name or served, and costs what
// the limits allow.

import Remoting
import TestSupport
import Testing

@Suite(.serialized, .ownThread) struct HostileBodyTests {
    private func registration(_ name: String, body: [UInt8], compressed: Bool = false) -> Registration {
        Registration {
            $0.broker = name
            $0.address = "10.1.1.1:1\(name.utf8.count)"
            $0.explicitBody = body
            $0.compressed = compressed ? "true" : "false"
            $0.checksum = .absent
        }
    }

    private func deflated(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { Zlib.deflate($0) } }

    /// 64 MiB of zeros in 64 KiB, at the same time over many connections.
    @Test func decompressionBomb() throws {
        let stage = try HostileStage()
        var bomb = registration("bomb", body: deflated([UInt8](repeating: 0, count: 64 << 20)), compressed: true)
        let connections = try (0..<32).map { _ in try stage.connect() }
        for (index, connection) in connections.enumerated() {
            bomb.address = "10.1.1.1:\(index)"
            try connection.send(bomb.request.frame(opaque: 1))
        }
        for connection in connections {
            let answer = try connection.receiveFrame()
            #expect(answer.code == 1)
            #expect(answer.remark?.contains("inflates to more than") == true, "\(answer.headerText)")
        }
        try stage.expectUnharmed(peak: 96)
    }

    /// A count of topics that the body does not hold is not believed.
    @Test(arguments: [Int32.max, 262_145, 262_144, -1])
    func announcedTopics(count: Int32) throws {
        let stage = try HostileStage()
        let version = Array(RegisteredDataVersion().json.utf8)
        let body = deflated(bigEndian(Int32(version.count)) + version + bigEndian(count))
        let answer = try stage.connect().register(registration("liar", body: body, compressed: true))
        #expect(answer.code == 1)
        #expect(answer.remark?.contains("Failed to decode RegisterBrokerBody") == true, "\(answer.headerText)")
        try stage.expectUnharmed(peak: 32)
    }

    @Test(arguments: ["[", "{\"a\":", "{\"topicConfigSerializeWrapper\":", "[{\"a\":"])
    func deeplyNestedBody(opening: String) throws {
        let stage = try HostileStage()
        let body = Array(String(repeating: opening, count: 200_000).utf8)
        let prefix = Array("{\"x\":".utf8)
        let connection = try stage.connect()
        for body in [body, prefix + body] {
            let answer = try connection.register(registration("deep", body: body))
            #expect(answer.code == 1)
            #expect(answer.remark?.contains("at byte") == true, "\(answer.headerText)")
        }
        #expect(try connection.call(318, body: String(repeating: opening, count: 20_000)).code != nil)
        #expect(try connection.call(217, ["topic": "deep"], body: String(repeating: opening, count: 200_000)).code == 1)
        try stage.expectUnharmed(peak: 48)
    }

    @Test(arguments: ["[", "{\"a\":", "{\"extFields\":", "{\"extFields\":{\"a\":"])
    func deeplyNestedHeader(opening: String) throws {
        let stage = try HostileStage()
        let nested = String(repeating: opening, count: 200_000 / opening.utf8.count)
        for header in [nested, "{\"code\":105,\"x\":" + nested, "{\"code\":105,\"extFields\":{\"topic\":" + nested] {
            let connection = try stage.connect()
            try connection.send(rawFrame(header: header))
            try connection.expectClose()
        }
        try stage.expectUnharmed(peak: 32)
    }

    /// A header within the limit of bytes, with more fields than any request has.
    @Test func manyFields() throws {
        let stage = try HostileStage()
        let fields = (0..<20_000).map { "\"f\($0)\":\"\"" }.joined(separator: ",")
        let connection = try stage.connect()
        try connection.send(rawFrame(header: "{\"code\":105,\"extFields\":{\(fields)}}"))
        try connection.expectClose()
        try stage.expectUnharmed(peak: 32)
    }

    @Test(arguments: [false, true])
    func aHundredThousandTopics(compressed: Bool) throws {
        let stage = try HostileStage()
        var body = manyTopics(100_000)
        if compressed {
            var content = bigEndian(Int32(56)) + Array(RegisteredDataVersion().json.utf8) + bigEndian(Int32(100_000))
            for index in 0..<100_000 {
                let entry = "t\(index) 4 4 6 SINGLE_TAG {}"
                content += bigEndian(Int32(entry.utf8.count)) + Array(entry.utf8)
            }
            body = deflated(content + bigEndian(Int32(2)) + Array("[]".utf8) + bigEndian(Int32(0)))
        }
        let connection = try stage.connect()
        try connection.send(registration("wide", body: body, compressed: compressed).request.frame(opaque: 1))
        #expect(try connection.receiveFrame(within: .seconds(60)).code == 0)
        for name in ["t0", "t50000", "t99999"] {
            #expect(try connection.queues(name) == ["wide": RouteQueue(read: 4, write: 4)])
        }
        #expect(try connection.route("t100000").code == 17)
        try stage.expectUnharmed(peak: 128)
    }

    @Test(arguments: [false, true])
    func tooLongTopicName(compressed: Bool) throws {
        let stage = try HostileStage()
        let name = String(repeating: "n", count: 1_025)
        let entries = ["short 4 4 6 SINGLE_TAG {}", "\(name) 4 4 6 SINGLE_TAG {}"]
        let connection = try stage.connect()
        let answer = try connection.register(
            Registration {
                $0.topics = [.a, RegisteredTopic(name)]
                if compressed {
                    $0.explicitBody = compressedRegistrationBody(topicEntries: entries)
                    $0.compressed = "true"
                }
            })
        #expect(answer.code == 1)
        #expect(answer.remark == "a topic name of 1025 bytes is above the limit of 1024")
        #expect(try connection.group().isEmpty)
        // The longest allowed one is served.
        let longest = String(name.dropLast())
        #expect(try connection.register(Registration { $0.topics = [.a, RegisteredTopic(longest)] }).code == 0)
        #expect(try connection.queues(longest) == ["broker-a": RouteQueue()])
        try stage.expectUnharmed(peak: 32)
    }

    @Test func moreTopicsThanAllowed() throws {
        let stage = try HostileStage(limits: ["topics: 10"])
        let connection = try stage.connect()
        let refused = try connection.register(registration("wide", body: manyTopics(9)))
        #expect(refused.code == 1)
        #expect(refused.remark == "9 new topics would exceed the limit of 10")
        #expect(try connection.group("wide").isEmpty)
        #expect(try connection.topicList(206) == ["Steady", "SteadyToo"])
        #expect(try connection.register(registration("wide", body: manyTopics(8))).code == 0)
        let queue = #"{"brokerName":"wide","perm":6,"readQueueNums":4,"writeQueueNums":4,"topicSysFlag":0}"#
        let oneMore = try connection.call(217, ["topic": "more"], body: "{\"queueDatas\":[\(queue)]}")
        #expect(oneMore.code == 1)
        #expect(oneMore.remark == "the limit of 10 topics is reached")
        #expect(try connection.topicList(206).count == 10)
        // A broker whose topics are all known needs no room.
        let known = Registration { $0.topics = [RegisteredTopic("t1"), RegisteredTopic("t2")] }
        #expect(try connection.register(known).code == 0)
        try stage.expectUnharmed(peak: 32)
    }

    @Test func moreBrokersThanAllowed() throws {
        let stage = try HostileStage(limits: ["brokers: 3"])
        let connection = try stage.connect()
        func replica(_ id: Int) -> Registration { Registration.replica(id, "10.0.0.\(id + 1):10911") }
        #expect(try connection.register(replica(0)).code == 0)
        #expect(try connection.register(replica(1)).code == 0)
        let refused = try connection.register(replica(2))
        #expect(refused.code == 1)
        #expect(refused.remark == "the limit of 3 brokers is reached")
        #expect(try connection.group().keys.sorted() == ["0", "1"])
        // Who is there may go on, and whose place becomes free is taken.
        #expect(try connection.register(replica(1)).code == 0)
        try connection.unregister(id: "1", address: "10.0.0.2:10911")
        #expect(try connection.register(replica(2)).code == 0)
        try stage.expectUnharmed(peak: 32)
    }
}
