import Basics
import Remoting
import Testing

@testable import BrokerAgent

@Suite("Stand-in broker: sending and pulling") struct BrokerCoreTests {
    @Test("a send to a new topic creates it as RocketMQ does and registers it at once")
    func autoCreation() throws {
        var script = BrokerScript()
        let answer = try found(script.send("hello", queue: 3, properties: "UNIQ_KEY\u{1}K1\u{2}TAGS\u{1}A\u{2}"))
        #expect(answer.code == 0 && answer.isResponse)
        #expect(answer["queueId"] == "3" && answer["queueOffset"] == "0")
        #expect(answer["msgId"] == "7F00000100002A9F0000000000000000")
        #expect(answer["transactionId"] == "K1")
        #expect(script.registered == [["T"]])
        let topic = try #require(script.core.topics["T"])
        #expect(topic.readQueueNums == 4 && topic.writeQueueNums == 4 && topic.perm == 6)
        #expect(script.core.topics.dataVersion.counter == 1)
        _ = script.send("again")
        #expect(script.registered.count == 1)
    }

    @Test("the long names of SEND_MESSAGE mean the same")
    func longNames() throws {
        var script = BrokerScript()
        let answer = try found(
            script.ask(
                10,
                [
                    "producerGroup": "P", "topic": "T", "defaultTopic": "TBW102", "defaultTopicQueueNums": "2",
                    "queueId": "1", "sysFlag": "0", "bornTimestamp": "5", "flag": "7",
                    "properties": "TAGS\u{1}A\u{2}", "batch": "0", "unitMode": "0", "reconsumeTimes": "0",
                ], body: [1]))
        #expect(answer.code == 0 && answer["queueId"] == "1")
        let message = try found(script.pull(queue: 1, from: 0)?.messages.first)
        #expect(message.flag == 7 && message.bornTimestamp.milliseconds == 5 && message.body == [1])
        #expect(message.bornHost == Address(host: "10.0.0.9", port: 40_000))
        #expect(MessageProperties(message.properties)["CLUSTER"] == "DefaultCluster")
    }

    @Test(
        "refused sends",
        arguments: [
            // topic, queue, properties, body bytes, code, what
            ("bad topic", 0, "", 1, 1), ("", 0, "", 1, 1), (String(repeating: "x", count: 128), 0, "", 1, 1),
            ("T", 4, "", 1, 1), ("T", 0, "", 5 << 20, 13), ("T", 0, "P\u{1}a\u{1}b\u{2}", 1, 13),
            ("T", 0, "P\u{1}" + String(repeating: "x", count: 32_000) + "\u{2}", 1, 13),
            ("rmq_sys_SYNC_BROKER_MEMBER_broker-a", 0, "", 1, 16),
        ] as [(String, Int32, String, Int, Int32)])
    func refusedSends(topic: String, queue: Int32, properties: String, bytes: Int, code: Int32) {
        var script = BrokerScript()
        let answer = script.send(
            String(repeating: "b", count: bytes), to: topic, queue: queue, properties: properties)
        #expect(answer?.code == code)
        #expect(answer?.remark?.isEmpty == false)
        #expect(script.core.messages.count == 0)
    }

    @Test("a topic whose default topic does not let it inherit must be created by an administrator")
    func noInheritance() {
        var script = BrokerScript()
        let fields: KeyValuePairs = ["a": "P", "b": "T", "c": "BenchmarkTest", "d": "4", "e": "0", "f": "0", "i": ""]
        #expect(script.ask(310, fields)?.code == 17)
        #expect(script.registered.isEmpty)
    }

    @Test("a slave refuses sends but serves pulls")
    func slave() {
        var script = BrokerScript(id: 1)
        #expect(script.send("x")?.code == 16)
        #expect(script.pull("SELF_TEST_TOPIC", from: 0)?.code == 19)
        #expect(script.pull("SELF_TEST_TOPIC", from: 99)?.code == 19, "it may not have copied that far yet")
        let queue: KeyValuePairs = ["consumerGroup": "new", "topic": "SELF_TEST_TOPIC", "queueId": "0"]
        #expect(script.ask(14, queue)?["offset"] == "0", "or the C++ client hangs when the master is gone")
    }

    @Test("oneway sends store and answer nothing")
    func onewaySend() {
        var script = BrokerScript()
        _ = script.ask(310, ["a": "P", "b": "T", "c": "TBW102", "d": "4", "e": "0", "f": "0", "i": ""], oneway: true)
        #expect(script.sent.isEmpty && script.core.messages.count == 1)
    }

    @Test(
        "pull answers",
        arguments: [
            // topic, queue, offset; code, next, texts
            ("T", 0, 0, 0, "2", ["m0", "m1"]), ("T", 0, 1, 0, "2", ["m1"]), ("T", 0, 2, 19, "2", []),
            ("T", 0, 3, 21, "2", []), ("T", 1, 0, 19, "0", []), ("T", 1, 7, 21, "0", []), ("Nope", 0, 0, 17, nil, []),
            ("T", 4, 0, 1, nil, []), ("T", -1, 0, 1, nil, []),
        ] as [(String, Int32, Int64, Int32, String?, [String])])
    func pullAnswers(topic: String, queue: Int32, offset: Int64, code: Int32, next: String?, texts: [String]) {
        var script = BrokerScript()
        _ = script.send("m0")
        _ = script.send("m1")
        let answer = script.pull(topic, queue: queue, from: offset)
        #expect(answer?.code == code)
        #expect(answer?["nextBeginOffset"] == next)
        #expect(answer?.texts == texts)
        if next != nil {
            #expect(answer?["suggestWhichBrokerId"] == "0" && answer?["minOffset"] == "0")
            #expect(answer?["maxOffset"] == (queue == 0 ? "2" : "0"))
        }
    }

    @Test("a pull at the end waits for the next message of its queue")
    func longPolling() throws {
        var script = BrokerScript()
        _ = script.send("m0")
        #expect(script.pull(from: 1, suspend: 15_000) == nil)
        _ = script.send("elsewhere", queue: 1)
        #expect(script.sent.filter { $0.connection == 2 }.isEmpty)
        _ = script.send("m1")
        let answer = try #require(script.sent.last { $0.connection == 2 }?.command)
        #expect(answer.code == 0 && answer.texts == ["m1"] && answer["nextBeginOffset"] == "2")
        script.pass(.seconds(60))
        #expect(script.sent.filter { $0.connection == 2 }.count == 1, "answered once")
    }

    @Test("a pull that waited in vain is answered with 19 after its own time")
    func longPollingTimeout() throws {
        var script = BrokerScript()
        _ = script.send("m0")
        #expect(script.pull(from: 1, suspend: 15_000) == nil)
        script.pass(.milliseconds(14_999))
        #expect(script.sent.filter { $0.connection == 2 }.isEmpty)
        script.pass(.milliseconds(1))
        let answer = try #require(script.sent.last?.command)
        #expect(answer.code == 19 && answer["nextBeginOffset"] == "1")
    }

    @Test("messages with other tags do not wake a pull, and are not looked at twice")
    func tagsAndWaiting() throws {
        var script = BrokerScript()
        _ = script.send("m0", properties: "TAGS\u{1}B\u{2}")
        #expect(script.pull(from: 0, suspend: 15_000, tags: "A") == nil)
        _ = script.send("m1", properties: "TAGS\u{1}B\u{2}")
        #expect(script.sent.filter { $0.connection == 2 }.isEmpty)
        _ = script.send("m2", properties: "TAGS\u{1}A\u{2}")
        let answer = try #require(script.sent.last { $0.connection == 2 }?.command)
        #expect(answer.texts == ["m2"] && answer["nextBeginOffset"] == "3")
    }

    @Test("a closed connection's pulls are forgotten")
    func closedPull() {
        var script = BrokerScript()
        _ = script.send("m0")
        #expect(script.pull(from: 1, suspend: 15_000) == nil)
        script.close(2)
        _ = script.send("m1")
        #expect(script.sent.filter { $0.connection == 2 }.isEmpty)
    }

    @Test("too many waiting pulls are answered at once")
    func heldLimit() {
        var limits = BrokerLimits()
        limits.heldPulls = 1
        var script = BrokerScript(limits: limits)
        _ = script.send("m0")
        #expect(script.pull(from: 1, suspend: 15_000) == nil)
        #expect(script.pull(from: 1, suspend: 15_000)?.code == 19)
    }

    @Test("a batch is split into its messages")
    func batch() throws {
        var body = ByteWriter()
        for text in ["a", "bc"] {
            let properties = "TAGS\u{1}\(text)\u{2}"
            body.append(bigEndian: Int32(4 + 8 + 4 + 4 + text.utf8.count + 2 + properties.utf8.count))
            body.append(bigEndian: Int32(0))
            body.append(bigEndian: Int32(0))
            body.append(bigEndian: Int32(text.utf8.count))  // flag
            body.append(bigEndian: Int32(text.utf8.count))
            body.append(utf8: text)
            body.append(bigEndian: Int16(properties.utf8.count))
            body.append(utf8: properties)
        }
        var script = BrokerScript()
        let fields: KeyValuePairs = [
            "a": "P", "b": "T", "c": "TBW102", "d": "4", "e": "1", "f": "0", "i": "", "m": "true",
        ]
        let answer = try found(script.ask(320, fields, body: body.array()))
        #expect(answer.code == 0 && answer["queueOffset"] == "0")
        #expect(answer["msgId"]?.split(separator: ",").count == 2)
        let messages = try found(script.pull(queue: 1, from: 0)?.messages)
        #expect(messages.map { String(decoding: $0.body, as: UTF8.self) } == ["a", "bc"])
        #expect(messages.map(\.flag) == [1, 2])
        #expect(script.ask(320, fields, body: [0, 0, 0, 1])?.code == 13)
    }

    @Test("a delayed message arrives when its level says")
    func delay() throws {
        var script = BrokerScript()
        let answer = script.send("late", properties: "DELAY\u{1}3\u{2}")
        #expect(answer?.code == 0)
        #expect(script.pull(queue: 0, from: 0)?.code == 19)
        script.pass(.milliseconds(9_999))
        #expect(script.pull(queue: 0, from: 0)?.code == 19)
        script.pass(.milliseconds(1))
        let message = try found(script.pull(queue: 0, from: 0)?.messages.first)
        #expect(message.topic == "T" && MessageProperties(message.properties)["DELAY"] == nil)
    }

    @Test("a message sent back comes again in the retry topic, and ends in the dead letters")
    func sendBack() throws {
        var script = BrokerScript()
        _ = script.send("fails")
        let original = try found(script.pull(from: 0)?.messages.first)
        func back(_ message: StoredMessage, level: String = "0") -> KeyValuePairs<String, String> {
            [
                "offset": "\(message.commitLogOffset)", "group": "CG", "delayLevel": level, "originTopic": "T",
                "maxReconsumeTimes": "1",
            ]
        }
        #expect(script.ask(36, back(original))?.code == 0)
        #expect(script.core.topics["%RETRY%CG"]?.readQueueNums == 1)
        script.pass(.seconds(10))
        let again = try found(script.pull("%RETRY%CG", from: 0)?.messages.first)
        #expect(again.reconsumeTimes == 1 && again.body == original.body)
        let properties = MessageProperties(again.properties)
        #expect(properties["RETRY_TOPIC"] == "T" && properties["ORIGIN_MESSAGE_ID"] == original.messageID)
        #expect(script.ask(36, back(again))?.code == 0)
        #expect(script.pull("%DLQ%CG", from: 0)?.texts == ["fails"])
        #expect(script.ask(36, ["offset": "12345", "group": "CG"])?.code == 1)
    }

    @Test("a half message shows after its commit only", arguments: [(8, ["half"]), (12, [])] as [(Int, [String])])
    func transaction(decision: Int, texts: [String]) throws {
        var script = BrokerScript()
        _ = script.send("make the topic", queue: 1)
        let answer = try found(script.send("half", properties: "TRAN_MSG\u{1}true\u{2}", sysFlag: 4))
        #expect(script.pull(queue: 0, from: 0)?.code == 19)
        let position = try #require(Int64((answer["msgId"] ?? "").suffix(16), radix: 16))
        let end: KeyValuePairs = ["commitLogOffset": "\(position)", "commitOrRollback": "\(decision)"]
        #expect(script.ask(37, end)?.code == 0)
        #expect(script.pull(queue: 0, from: 0)?.texts == texts)
        #expect(script.ask(37, end)?.code == 1, "it is over")
    }

    @Test("administrators create and delete topics")
    func administration() {
        var script = BrokerScript()
        let create: KeyValuePairs = [
            "topic": "Orders", "readQueueNums": "2", "writeQueueNums": "3", "perm": "4", "order": "true",
            "topicSysFlag": "1", "topicFilterType": "SINGLE_TAG",
        ]
        #expect(script.ask(17, create)?.code == 0)
        let topic = script.core.topics["Orders"]
        #expect(topic?.readQueueNums == 2 && topic?.writeQueueNums == 3 && topic?.perm == 4 && topic?.order == true)
        #expect(script.registered == [["Orders"]])
        #expect(script.send("x", to: "Orders")?.code == 16, "not writable")
        #expect(script.ask(215, ["topic": "Orders"])?.code == 0)
        #expect(script.core.topics["Orders"] == nil)
        #expect(script.registered == [["Orders"]], "admin tools tell the NameServers")
        #expect(script.ask(215, ["topic": "TBW102"])?.code == 1)
        #expect(script.ask(17, ["topic": "TBW102"])?.code == 1)
        #expect(script.ask(17, ["topic": "T", "readQueueNums": "2000"])?.code == 1)
        #expect(script.ask(999)?.code == 3)
    }

    @Test("offsets: a new group begins at 0 while the first message is there, else where the client says")
    func offsets() {
        var limits = BrokerLimits()
        limits.messages = 2
        var script = BrokerScript(limits: limits)
        for _ in 0..<2 { _ = script.send("x") }
        let queue: KeyValuePairs = ["consumerGroup": "CG", "topic": "T", "queueId": "0"]
        #expect(script.ask(14, queue)?["offset"] == "0")
        _ = script.send("x")
        #expect(script.ask(14, queue)?.code == 22)
        #expect(script.ask(15, ["consumerGroup": "CG", "topic": "T", "queueId": "0", "commitOffset": "2"])?.code == 0)
        #expect(script.ask(14, queue)?["offset"] == "2")
        #expect(script.ask(30, queue)?["offset"] == "3")
        #expect(script.ask(31, queue)?["offset"] == "1")
        #expect(script.ask(29, ["topic": "T", "queueId": "0", "timestamp": "0"])?["offset"] == "1")
        #expect(script.ask(14, ["consumerGroup": "CG", "topic": "Nope", "queueId": "0"])?.code == 22)
    }
}

@Suite("Stand-in broker: groups, locks, administration") struct BrokerClientTests {
    private let heartbeat = Array(
        #"""
        {"clientID":"c1","consumerDataSet":[{"consumeFromWhere":0,"groupName":"CG","subscriptionDataSet":[{"subString":
        "A","subVersion":"7","topic":"T"}]}],"producerDataSet":[{"groupName":"PG"}],"unknown":{"x":[1,{}]}}
        """#.utf8)

    @Test("a consumer's heartbeat makes it a member, creates its retry topic and tells the group")
    func heartbeats() {
        var script = BrokerScript()
        let answer = script.ask(34, body: heartbeat, from: 5)
        #expect(answer?.code == 0)
        #expect(script.registered == [["%RETRY%CG"]])
        let told = script.sent.filter { $0.command.code == 40 && !$0.command.isResponse }
        #expect(told.map(\.connection) == [5])
        #expect(told.first?.command.isOneway == true && told.first?.command["consumerGroup"] == "CG")
        let list = script.ask(38, ["consumerGroup": "CG"])
        #expect(list.map { String(decoding: $0.body, as: UTF8.self) } == #"{"consumerIdList":["c1"]}"#)
        script.close(5)
        #expect(script.ask(38, ["consumerGroup": "CG"])?.code == 1)
        #expect(script.ask(34, body: Array("{".utf8))?.code == 1)
        #expect(script.ask(34, body: Array("{}".utf8))?.code == 1)
    }

    @Test("the group's subscription filters pulls that carry none")
    func subscriptionFilter() {
        var script = BrokerScript()
        _ = script.ask(34, body: heartbeat)
        _ = script.send("b", properties: "TAGS\u{1}B\u{2}")
        _ = script.send("a", properties: "TAGS\u{1}A\u{2}")
        #expect(script.pull(from: 0)?.texts == ["a"])
        #expect(script.pull(from: 0, group: "another")?.texts == ["b", "a"])
    }

    @Test("silent members expire")
    func silence() {
        var script = BrokerScript()
        _ = script.ask(34, body: heartbeat)
        script.pass(.seconds(120))
        #expect(script.ask(38, ["consumerGroup": "CG"])?.code == 0)
        script.pass(.seconds(20))
        #expect(script.ask(38, ["consumerGroup": "CG"])?.code == 1)
    }

    @Test("orderly consumers lock queues")
    func locks() {
        var script = BrokerScript()
        func body(_ client: String) -> [UInt8] {
            let queues =
                #"[{"brokerName":"broker-a","queueId":0,"topic":"T"},{"brokerName":"broker-a","queueId":1,"topic":"T"}]"#
            return Array(
                #"{"clientId":"\#(client)","consumerGroup":"CG","mqSet":\#(queues),"onlyThisBroker":false}"#.utf8)
        }
        let both =
            #"{"lockOKMQSet":[{"brokerName":"broker-a","queueId":0,"topic":"T"},{"brokerName":"broker-a","queueId":1,"topic":"T"}]}"#
        func text(_ command: RemotingCommand?) -> String { String(decoding: command?.body ?? [], as: UTF8.self) }
        #expect(text(script.ask(41, body: body("a"))) == both)
        #expect(text(script.ask(41, body: body("b"))) == #"{"lockOKMQSet":[]}"#)
        #expect(script.ask(42, body: body("a"))?.code == 0)
        #expect(text(script.ask(41, body: body("b"))) == both)
    }

    @Test("tables for administrators are what fastjson writes")
    func tables() {
        var script = BrokerScript()
        _ = script.ask(17, ["topic": "T", "readQueueNums": "1", "writeQueueNums": "1", "perm": "6"])
        _ = script.send("x")
        _ = script.ask(15, ["consumerGroup": "G", "topic": "T", "queueId": "0", "commitOffset": "1"])
        func text(_ code: Int32, _ fields: KeyValuePairs<String, String>) -> String {
            String(decoding: script.ask(code, fields)?.body ?? [], as: UTF8.self)
        }
        let queue = #"{"brokerName":"broker-a","queueId":0,"topic":"T"}"#
        #expect(
            text(202, ["topic": "T"])
                == #"{"offsetTable":{\#(queue):{"lastUpdateTimestamp":1700000000000,"maxOffset":1,"minOffset":0}}}"#)
        #expect(
            text(208, ["consumerGroup": "G"])
                == #"{"consumeTps":0,"offsetTable":{\#(queue):{"brokerOffset":1,"consumerOffset":1,"#
                + #""lastTimestamp":1700000000000,"pullOffset":1}}}"#)
        #expect(
            text(43, [:]).hasSuffix(#""groupTopicMap":{},"offsetTable":{"T@G":{0:1}}}"#),
            "bare integer keys, as fastjson")
        #expect(text(300, ["topic": "T"]) == #"{"groupList":["G"]}"#)
        #expect(text(28, [:]).contains(#""brokerActive":"true""#))
        #expect(script.ask(203, ["consumerGroup": "G"])?.code == 206)
        #expect(script.ask(33, ["offset": "0"])?.texts == ["x"])
    }

    @Test("a slave learns topics from the answer to 21")
    func topicTable() throws {
        var script = BrokerScript()
        _ = script.ask(
            17, ["topic": "T", "readQueueNums": "1", "writeQueueNums": "2", "perm": "4", "order": "true"])
        let answer = try found(script.ask(21, ["hearsaySlave": "1"]))
        let table = try #require(TopicTableBody(answer.body, receivedAt: script.wallTime))
        #expect(table.topics == script.core.topics.all)
        #expect(table.dataVersion == script.core.topics.dataVersion)
        #expect(answer["hearsayIncarnation"] == "1700000000000")
        #expect(TopicTableBody(Array("[]".utf8), receivedAt: script.wallTime) == nil)
    }
}
