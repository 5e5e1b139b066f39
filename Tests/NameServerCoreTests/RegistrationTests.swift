import Basics
import NameServerCore
import Remoting
import Testing

/// REGISTER_BROKER, protocol.md section 8, items 29 to 62.
@Suite struct RegistrationTests {
    @Test("29: a registration gives a route") func registers() {
        let node = CoreNode()
        let answer = node.register()
        #expect(answer.code == 0)
        #expect(answer.fields == [])
        #expect(answer.body.isEmpty)
        #expect(
            node.route("A").text == """
                {"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"C",\
                "enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,\
                "readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}
                """)
    }

    struct Refusal: Sendable {
        var item: String
        var registration: Registration
        var remark: String?
        var fields: [RemotingCommand.Field]?
    }

    static let refusals: [Refusal] = [
        .init(
            item: "30 wrong CRC", registration: Registration().with { $0.crc = "123" }, remark: "crc32 not match",
            fields: []),
        .init(
            item: "32 CRC without a body", registration: Registration().with { ($0.body, $0.crc) = ([], "5") },
            remark: "crc32 not match", fields: []),
        .init(item: "33 broken body", registration: Registration().with { $0.body = [UInt8]("{nope".utf8) }),
        .init(
            item: "34 no id", registration: Registration().with { $0.id = nil },
            remark: "brokerId is missing or malformed"),
        .init(item: "34 id no number", registration: Registration().with { $0.id = "x" }),
        .init(item: "35 negative version", registration: Registration().with { $0.requestVersion = -1 }),
        .init(
            item: "36 one topic", registration: Registration().with { $0.topics.removeLast() },
            remark: "register broker failed", fields: []),
        .init(item: "2.24 no name", registration: Registration().with { $0.name = nil }),
        .init(item: "2.24 no address", registration: Registration().with { $0.address = nil }),
        .init(item: "2.24 no cluster", registration: Registration().with { $0.cluster = nil }),
        .init(
            item: "2.24 null topics",
            registration: Registration().with { $0.body = [UInt8](#"{"topicConfigSerializeWrapper":null}"#.utf8) }),
    ]

    @Test("A refused registration changes nothing", arguments: refusals) func refuses(_ refusal: Refusal) {
        let node = CoreNode()
        let answer = node.register(refusal.registration)
        #expect(answer.code == 1, "\(refusal.item)")
        if let remark = refusal.remark { #expect(answer.remark == remark) }
        #expect(answer.fields == refusal.fields)
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#)
        #expect(node.register().code == 0)
        #expect(node.routeData("A") != nil)
    }

    @Test("31: without a CRC, or with an unreadable one, nothing is checked", arguments: ["", "zz", "0"])
    func skipsChecksum(_ crc: String) {
        #expect(CoreNode().register(Registration().with { $0.crc = crc }).code == 0)
    }

    @Test("32, 38: no body, no topics") func registersWithoutTopics() {
        let node = CoreNode()
        #expect(node.register(Registration().with { ($0.body, $0.crc) = ([], nil) }).code == 0)
        #expect(node.group() == [0: "10.0.0.1:10911"])
        #expect(node.topicList() == #"{"topicList":[]}"#)
        let answer = node.call(
            RequestCode.queryDataVersion, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"],
            body: #"{"counter":0,"timestamp":0,"stateVersion":0}"#)
        #expect(answer["changed"] == "false")
    }

    @Test("37: one topic is an increment of a known replica") func increments() {
        let node = CoreNode()
        node.register()
        #expect(node.register(Registration().with { $0.topics = [Registration.topic("X")] }).code == 0)
        #expect(node.routeData("X") != nil)
        #expect(node.routeData("A") != nil)
    }

    @Test("36 with a known group: the unknown replica leaves no trace") func guardsKnownGroup() {
        let node = CoreNode()
        node.register(Registration().with { $0.zone = "z1" })
        let before = node.clusterInfo()
        let answer = node.register(
            Registration.slave().with {
                $0.cluster = "D"
                $0.topics.removeLast()
            })
        #expect(answer.code == 1)
        #expect(node.clusterInfo() == before)
    }

    @Test("39 to 41: the same DataVersion only brings missing topics back") func respectsDataVersion() {
        let node = CoreNode()
        node.register()
        let wider = Registration().with { $0.topics[0].readQueueNums = 16 }
        node.register(wider)
        #expect(node.routeData("A")?.queueDatas[0].readQueueNums == 8)
        node.register(wider.with { $0.version = DataVersion(counter: 2, timestamp: 1_700_000_000_001) })
        #expect(node.routeData("A")?.queueDatas[0].readQueueNums == 16)
        node.register(wider.with { $0.topics.append(Registration.topic("Z")) })
        #expect(node.routeData("Z") != nil)
        _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "B"])
        #expect(node.routeData("B") == nil)
        node.register(wider)
        #expect(node.routeData("B") != nil)
    }

    @Test("42: the topic's own name counts, not its key") func usesTopicName() {
        let node = CoreNode()
        let body = """
            {"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":1,"stateVersion":0},"topicConfigTable":{\
            "k1":{"topicName":"N1"},"A":{"topicName":"A"}}}}
            """
        node.register(Registration().with { $0.body = [UInt8](body.utf8) })
        #expect(node.topicList() == #"{"topicList":["A","N1"]}"#)
    }

    @Test("43: a slave learns its master") func tellsMaster() {
        let node = CoreNode()
        node.register()
        let answer = node.register(Registration.slave())
        #expect(
            answer.fields == [
                .init(name: "haServerAddr", value: "10.0.0.1:10912"),
                .init(name: "masterAddr", value: "10.0.0.1:10911"),
            ])
        #expect(node.register(Registration.slave()).fields?.count == 2, "also with each heartbeat")
    }

    struct LoneSlave: Sendable {
        var acting: String?
        var perm: Int32?
    }

    @Test(
        "44 to 46: what a slave without a master contributes",
        arguments: [LoneSlave(acting: nil, perm: nil), .init(acting: "false", perm: 6), .init(acting: "true", perm: 4)])
    func contributesAlone(_ slave: LoneSlave) {
        let node = CoreNode()
        #expect(node.register(Registration.slave(acting: slave.acting)).fields == [])
        #expect(node.group() == [1: "10.0.0.2:10911"])
        #expect(node.routeData("A")?.queueDatas[0].perm == slave.perm)
        if slave.perm != nil { #expect(node.routeData("A")?.brokerDatas[0].brokerAddrs == [1: "10.0.0.2:10911"]) }
    }

    @Test("47: a slave that is not the smallest contributes nothing") func ignoresOtherSlaves() {
        let node = CoreNode()
        node.register()
        node.register(Registration.slave())
        node.register(
            Registration.slave(2, "10.0.0.3:10911", acting: "true").with {
                $0.topics.append(Registration.topic("D"))
                $0.version.counter = 2
            })
        #expect(node.routeData("D") == nil)
    }

    @Test("48: one address, one id") func promotes() {
        let node = CoreNode()
        node.register()
        node.register(Registration.slave())
        node.register(
            Registration.slave(0).with { $0.version = DataVersion(counter: 2, timestamp: 5, stateVersion: 0) })
        #expect(node.group() == [0: "10.0.0.2:10911"])
    }

    @Test("49, 50: the newer stateVersion holds the id", arguments: [(4 as Int64, false), (5, true), (6, true)])
    func decidesConflict(_ stateVersion: Int64, _ wins: Bool) {
        let node = CoreNode()
        node.register(Registration().with { $0.version = DataVersion(counter: 1, timestamp: 5, stateVersion: 5) })
        let answer = node.register(
            Registration().with {
                $0.address = "10.0.0.9:10911"
                $0.version = DataVersion(counter: 9, timestamp: 9, stateVersion: stateVersion)
            })
        #expect(answer.code == 0)
        #expect(answer.fields == [])
        #expect(node.group() == [0: wins ? "10.0.0.9:10911" : "10.0.0.1:10911"])
        let version = node.call(
            RequestCode.queryDataVersion, ["clusterName": "C", "brokerAddr": "10.0.0.9:10911"], body: "{}")
        #expect(version.body.isEmpty == !wins)
    }

    @Test("51, 52: every registration sets acting master and zone anew") func overwritesFlags() {
        let node = CoreNode()
        node.register(Registration().with { ($0.actingMaster, $0.zone) = ("TRUE", "z1") })
        #expect(node.clusterInfo().contains(#""enableActingMaster":true,"zoneName":"z1""#))
        node.register()
        #expect(node.clusterInfo().contains(#""enableActingMaster":false}"#))
    }

    @Test("53: a group keeps the cluster of its first registration") func keepsCluster() {
        let node = CoreNode()
        node.register(Registration().with { $0.cluster = "C1" })
        node.register(Registration.slave(1, "10.0.0.2:1").with { $0.cluster = "C2" })
        #expect(
            node.clusterInfo() == """
                {"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:1"},\
                "brokerName":"broker-a","cluster":"C1","enableActingMaster":false}},\
                "clusterAddrTable":{"C1":["broker-a"],"C2":["broker-a"]}}
                """)
        // Each replica leaves under the cluster it registered with, and then nothing is left anywhere.
        node.unregister(cluster: "C1")
        node.unregister("10.0.0.2:1", cluster: "C2", id: 1)
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#)
    }

    @Test("54: a bare wrapper below version 37") func acceptsBareWrapper() {
        let wrapper =
            #"{"dataVersion":{"counter":1,"timestamp":1},"topicConfigTable":{"A":{"topicName":"A"},"B":{"topicName":"B"}}}"#
        for (version, list) in [(36 as Int32, #"{"topicList":["A","B"]}"#), (37, #"{"topicList":[]}"#)] {
            let node = CoreNode()
            let answer = node.register(
                Registration().with { ($0.body, $0.requestVersion) = ([UInt8](wrapper.utf8), version) })
            #expect(answer.code == 0)
            #expect(node.topicList() == list)
        }
    }

    @Test("59: mappings of static topics, which leave with their broker") func storesMappings() {
        let node = CoreNode()
        let registration = Registration().with {
            $0.body = [UInt8](
                """
                {"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":1,"stateVersion":0},\
                "topicConfigTable":{"S":{"topicName":"S"},"T":{"topicName":"T"}},"topicQueueMappingInfoMap":{"S":{\
                "bname":"broker-a","currIdMap":{0:0,1:1},"epoch":5,"topic":"S","totalQueues":2}}}}
                """.utf8)
        }
        node.register(registration)
        #expect(node.route("S").text.contains(#""currIdMap":{"0":0,"1":1}"#))
        #expect(node.route("S", version: 0).text.contains(#""currIdMap":{0:0,1:1}"#))
        #expect(!node.route("T").text.contains("topicQueueMappingByBroker"))
        node.unregister()
        node.register(Registration().with { $0.topics.append(Registration.topic("S")) })
        #expect(!node.route("S").text.contains("topicQueueMappingByBroker"))
    }

    @Test("60: the order configuration goes back to the broker") func returnsOrderTopics() {
        let node = CoreNode()
        let item: KeyValuePairs = ["namespace": "ORDER_TOPIC_CONFIG", "key": "T1", "value": "broker-a:8"]
        _ = node.call(RequestCode.putKVConfig, item)
        #expect(node.register().text == #"{"table":{"T1":"broker-a:8"}}"#)
        #expect(node.register().text == #"{"table":{"T1":"broker-a:8"}}"#, "also with a heartbeat")
        _ = node.call(RequestCode.deleteKVConfig, item)
        #expect(node.register().text == #"{"table":{}}"#)
        _ = node.call(RequestCode.updateNameServerConfig, body: "returnOrderTopicConfigToBroker=false")
        #expect(node.register().body.isEmpty)
    }

    @Test("61: filter servers") func showsFilterServers() {
        let node = CoreNode()
        node.register(Registration().with { $0.filterServers = ["f:1"] })
        #expect(node.route("A").text.contains(#""filterServerTable":{"10.0.0.1:10911":["f:1"]}"#))
        node.register()
        #expect(node.route("A").text.contains(#""filterServerTable":{}"#))
    }

    @Test("62: deleteTopicWithBrokerRegistration removes what is not named") func removesUnnamedTopics() {
        var properties = NamesrvProperties()
        properties.deleteTopicWithBrokerRegistration = true
        let node = CoreNode(properties: properties)
        node.register()
        node.register(
            Registration().with {
                $0.topics = [Registration.topic("B"), Registration.topic("D")]
                $0.version.counter = 2
            })
        #expect(node.topicList() == #"{"topicList":["B","D"]}"#)
    }

    @Test("A changed registration touches its difference, in whatever order the topics come") func findsDifference() {
        let node = CoreNode()
        var generator = SeededGenerator(seed: 5)
        let names = (0..<40).map { "topic-\($0)" }
        node.register(Registration().with { $0.topics = names.map { Registration.topic($0) } })
        let orders = [
            Array(names.reversed()), names.filter { $0 != "topic-7" }, ["new"] + names,
            names.shuffled(using: &generator),
        ]
        for (index, order) in orders.enumerated() {
            node.register(
                Registration().with {
                    $0.topics = order.map { Registration.topic($0, Int32(index + 5)) }
                    $0.version.counter = Int64(index + 2)
                })
            for name in order { #expect(node.routeData(name)?.queueDatas[0].readQueueNums == Int32(index + 5)) }
        }
        #expect(node.routeData("topic-7")?.queueDatas[0].readQueueNums == 8, "last order has it again")
    }
}
