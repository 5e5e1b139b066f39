// protocol.md §8, "KV and configuration": items 104 to 112.

import TestSupport
import Testing

@Suite struct ConfigurationTests {
    @Test func item104_keysAndValues() throws {
        let connection = try fresh()
        try connection.call(100, ["namespace": "N", "key": "K", "value": "v集"]).expectOK()
        let found = try connection.call(101, ["namespace": "N", "key": "K"])
        #expect(found.code == 0)
        #expect(found.fields == ["value": "v集"])
        let missing = try connection.call(101, ["namespace": "N", "key": "L"])
        #expect(missing.code == 22)
        #expect(missing.remark == "No config item, Namespace: N Key: L")
        #expect(missing.fields == [:])
        for answer in [try connection.call(100, ["namespace": "N", "value": "v"]), try connection.call(100)] {
            #expect(answer.code == 1)
            #expect(answer.remark == "namespace or key is null")
        }
    }

    @Test func item105_namespaces() throws {
        let connection = try fresh()
        try connection.call(102, ["namespace": "N", "key": "K"]).expectOK()
        let unknown = try connection.call(219, ["namespace": "N"])
        #expect(unknown.code == 22)
        #expect(unknown.remark == "No config item, Namespace: N")
        try connection.call(100, ["namespace": "N", "key": "K", "value": "v"]).expectOK()
        #expect(try connection.call(219, ["namespace": "N"]).bodyText == #"{"table":{"K":"v"}}"#)
        try connection.call(102, ["namespace": "N", "key": "K"]).expectOK()
        #expect(try connection.call(219, ["namespace": "N"]).bodyText == #"{"table":{}}"#)
    }

    @Test func item106_kvFile() throws {
        let directory = TemporaryDirectory()
        let path = directory.file("kvConfig.json")
        let first = #"{"configTable":{"ORDER_TOPIC_CONFIG":{"T1":"broker-a:8"}}}"#
        do {
            let server = try NameServerProcess(["orderMessageEnable": "true"], directory: directory)
            let connection = try server.connect()
            try connection.call(
                100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1", "value": "broker-a:8"]
            ).expectOK()
            // The file follows the answer within a moment.
            #expect(poll { text(of: path) == first })
            #expect(try server.process.terminate() == .exit(0))
        }
        let connection = try NameServerProcess(["orderMessageEnable": "true"], directory: directory).connect()
        let found = try connection.call(101, ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1"])
        #expect(found.fields == ["value": "broker-a:8"])
        try connection.call(100, ["namespace": "N2", "key": "k", "value": "v"]).expectOK()
        let second = try JSONMeaning(
            #"{"configTable":{"ORDER_TOPIC_CONFIG":{"T1":"broker-a:8"},"N2":{"k":"v"}}}"#)
        #expect(poll { (try? JSONMeaning(contents(of: path) ?? [])) == second })
        #expect(poll { text(of: path + ".bak") == first })
    }

    /// The body of 319 by key.
    private func configuration(_ connection: RawConnection) throws -> [String: String] {
        let lines = try connection.call(319).bodyText.split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: try lines.map { line in
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                try #require(parts.count == 2, "\(line)")
                return (String(parts[0]), String(parts[1]))
            })
    }

    @Test func item107_configurationListing() throws {
        let answer = try fresh().call(319)
        #expect(answer.code == 0)
        #expect(answer.bodyText.hasSuffix("\n"))
        let lines = answer.bodyText.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        let keys = lines.map { $0.prefix { $0 != "=" } }
        #expect(keys.map { Array($0.utf8) } == keys.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) })
        #expect(lines.allSatisfy { $0.contains("=") })
        #expect(lines.contains("enableTopicList=true"))
        #expect(lines.contains("configBlackList=configBlackList;configStorePath;kvConfigPath"))
        #expect(lines.contains { $0.wholeMatch(of: /listenPort=\d+/) != nil })
    }

    @Test(arguments: ["kvConfigPath=/x", "configStorePath=/x", "configBlackList=x", "rocketmqHome=/x"])
    func item108_blackList(line: String) throws {
        let connection = try fresh()
        let before = try connection.call(319).bodyText
        for body in [line, "waitSecondsForService=7\n\(line)\norderMessageEnable=true\n"] {
            let answer = try connection.call(318, body: body)
            #expect(answer.code == 16, "\(body)")
            #expect(answer.remark == "Can not update config in black list.")
        }
        #expect(try connection.call(319).bodyText == before)
    }

    @Test func item109_updateThatIsNoPropertiesText() throws {
        let connection = try fresh()
        let broken = try connection.call(318, body: #"a=\uZZZZ"#)
        #expect(broken.code == 1)
        #expect(broken.remark == "string2Properties error")
        #expect(try connection.call(318).code == 0)
    }

    @Test func item110_update() throws {
        let directory = TemporaryDirectory()
        let stored = directory.file("namesrv.properties")
        let connection = try NameServerProcess(["configStorePath": stored], directory: directory).connect()
        let before = try configuration(connection)
        // RocketMQ stores into the `-c` file in any case; ours only where it is told to.
        let path = try #require(before["configStorePath"])
        try #require(path.hasPrefix(directory.path + "/"), "it would write \(path)")
        let original = text(of: path)
        let body = "# a comment\nwaitSecondsForService=7\nfoo=bar\n"
        // RocketMQ leaves out the value that does not convert; ours says so, and changes nothing.
        let refused = try connection.call(318, body: body + "listenPort=abc\n")
        #expect(refused.code == 1)
        #expect(refused.remark == "listenPort=abc is no whole number of 32 bits; nothing changed")
        #expect(try configuration(connection) == before)
        try connection.call(318, body: body).expectOK()
        let after = try configuration(connection)
        #expect(after["waitSecondsForService"] == "7")
        #expect(after["listenPort"] == before["listenPort"])
        #expect(after["foo"] == nil)
        let first = try connection.call(319).bodyText
        #expect(poll { text(of: path) == first })
        #expect(text(of: path + ".bak") == original)
        try connection.call(318, body: "waitSecondsForService=8").expectOK()
        let second = try connection.call(319).bodyText
        #expect(second.contains("waitSecondsForService=8\n"))
        #expect(poll { text(of: path) == second && text(of: path + ".bak") == first })
    }

    @Test func item111_updateConvertsValues() throws {
        let connection = try fresh()
        try connection.call(
            318, body: "orderMessageEnable=TRUE\nbindAddress=  9.9.9.9  \nproductEnvName : x\\u0041y\n"
        ).expectOK()
        let after = try configuration(connection)
        #expect(after["orderMessageEnable"] == "true")
        #expect(after["bindAddress"] == "9.9.9.9")
        #expect(after["productEnvName"] == "xAy")
    }

    /// The NameServer's side of the story a producer and a push consumer make; the end-to-end tests tell all of it with
    /// Apache's C++ client.
    @Test func item112_rawFramesOfAProducerAndAConsumer() throws {
        let broker = try fresh()
        let defaultTopic = RegisteredTopic("TBW102", perm: 7)
        try broker.register(Registration { $0.topics = [defaultTopic, .b] }).expectOK()
        // A producer asks for its topic, then for the one that lends it a route (7.4).
        let producer = try another(broker)
        #expect(try producer.route("Fresh", version: 333).code == 17)
        let lent = try producer.route("TBW102", version: 333)
        #expect(lent.bodyText.contains(#""brokerAddrs":{0:"10.0.0.1:10911"}"#))
        #expect(RouteQueue.byBroker(try lent.json()) == ["broker-a": RouteQueue(perm: 7)])
        // The broker creates the topic on the first send and registers it alone, as 5.3.3 does.
        try broker.register(
            Registration {
                $0.topics = [RegisteredTopic("Fresh", read: 4, write: 4)]
                $0.dataVersion = RegisteredDataVersion(2, 0, 1_700_000_000_002)
            }
        ).expectOK()
        #expect(try producer.queues("Fresh") == ["broker-a": RouteQueue(read: 4, write: 4)])
        // A consumer looks for its retry topic, which exists once the broker has heard its heartbeat.
        let consumer = try another(broker)
        #expect(try consumer.route("%RETRY%group", version: 479).remark == noRoute("%RETRY%group"))
        try broker.register(
            Registration {
                $0.topics = [RegisteredTopic("%RETRY%group", read: 1, write: 1)]
                $0.dataVersion = RegisteredDataVersion(3, 0, 1_700_000_000_003)
            }
        ).expectOK()
        #expect(try consumer.queues("%RETRY%group") == ["broker-a": RouteQueue(read: 1, write: 1)])
        #expect(try consumer.topicList(206) == ["%RETRY%group", "B", "Fresh", "TBW102"])
    }
}
