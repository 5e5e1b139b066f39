import Basics
import NameServerCore
import Remoting
import Testing

/// GET_ROUTEINFO_BY_TOPIC, protocol.md section 8, items 76 to 87, and the route cache.
@Suite struct RouteTests {
    @Test("76: a missing route") func missesRoute() {
        let node = CoreNode()
        let answer = node.route("T1")
        #expect(answer.code == 17)
        #expect(answer.fields == nil)
        #expect(
            answer.remark == """
                No topic route info in name server for the topic: T1
                See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.
                """)
        #expect(node.call(RequestCode.getRouteInfoByTopic).remark?.contains("topic: null\n") == true)
        #expect(node.core.counters.lookupMisses == 2)
    }

    @Test("77: the dialect", arguments: [(0 as Int32, false), (333, false), (400, false), (401, true), (479, true)])
    func choosesDialect(_ version: Int32, _ isStandard: Bool) {
        let node = CoreNode()
        node.register()
        #expect(node.route("A", version: version).text.contains(#"{"0":"#) == isStandard)
        let asked = node.call(
            RequestCode.getRouteInfoByTopic, ["topic": "A", "acceptStandardJsonOnly": "true"], version: version)
        #expect(asked.text.contains(#"{"0":"#))
    }

    @Test("78: the bytes of protocol.md 3.4") func matchesSpecifiedBytes() {
        let node = CoreNode()
        let cluster = { (registration: inout Registration) in registration.cluster = "DefaultCluster" }
        node.register(Registration().with(cluster))
        node.register(Registration.slave().with(cluster))
        #expect(
            node.route("A").text == """
                {"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},"brokerName":"broker-a",\
                "cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{\
                "brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}
                """)
        #expect(node.route("A").body.count == 282)
        #expect(node.route("A", version: 0).body.count == 278)
    }

    @Test("79: escapes") func escapes() {
        let node = CoreNode()
        node.register(Registration().with { $0.cluster = "c集\"\\/\u{1}" })
        #expect(node.route("A").text.contains(#""cluster":"c\u96C6\"\\\/\u0001""#))
        #expect(node.route("A", version: 0).text.contains(#""cluster":"c集\"\\/\u0001""#))
    }

    @Test("80: the start-up wait, switched off while it lasts") func waitsAfterStart() {
        var properties = NamesrvProperties()
        (properties.needWaitForService, properties.waitSecondsForService) = (true, 5)
        let node = CoreNode(properties: properties)
        node.register()
        #expect(node.route("A").remark == "name server not ready")
        #expect(node.topicList() == #"{"topicList":["A","B"]}"#)
        node.pass(.milliseconds(4_999))
        #expect(node.route("A").code == 1)
        node.pass(.milliseconds(1))
        #expect(node.route("A").code == 0)
        _ = node.call(RequestCode.updateNameServerConfig, body: "waitSecondsForService=50")
        #expect(node.route("A").code == 1)
        _ = node.call(RequestCode.updateNameServerConfig, body: "needWaitForService=false")
        #expect(node.route("A").code == 0)
    }

    @Test("81: order configuration in routes") func showsOrderTopics() {
        let node = CoreNode()
        node.register()
        #expect(!node.route("A").text.contains("orderTopicConf"))
        _ = node.call(
            RequestCode.putKVConfig,
            ["namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:4;broker-b:2"])
        #expect(node.routeData("A")?.orderTopicConf == nil)
        _ = node.call(RequestCode.updateNameServerConfig, body: "orderMessageEnable=true")
        #expect(node.routeData("A")?.orderTopicConf == "broker-a:4;broker-b:2")
        #expect(node.routeData("B")?.orderTopicConf == nil)
        _ = node.call(RequestCode.deleteKVConfig, ["namespace": "ORDER_TOPIC_CONFIG", "key": "A"])
        #expect(node.routeData("A")?.orderTopicConf == nil)
    }

    private func actingGroup(_ node: CoreNode) {
        let topic = Registration.topic("rmq_sys_SYNC_BROKER_MEMBER_broker-a", 1, 1, perm: 1)
        for replica in 0...2 {
            node.register(
                Registration.slave(Int64(replica), "10.0.0.\(replica + 1):10911", acting: "true").with {
                    $0.topics.append(topic)
                }, from: UInt64(replica + 1))
        }
    }

    @Test("82 to 84: the smallest slave acts as master") func promotesInRoute() {
        var properties = NamesrvProperties()
        properties.supportActingMaster = true
        let node = CoreNode(properties: properties)
        actingGroup(node)
        node.unregister(from: 1)
        #expect(node.routeData("A")?.queueDatas[0].perm == 4)
        #expect(node.routeData("A")?.brokerDatas[0].brokerAddrs == [0: "10.0.0.2:10911", 2: "10.0.0.3:10911"])
        #expect(node.group() == [1: "10.0.0.2:10911", 2: "10.0.0.3:10911"])
        let members = node.call(RequestCode.getBrokerMemberGroup, ["clusterName": "C", "brokerName": "broker-a"])
        #expect(members.text.contains(#""brokerAddrs":{1:"10.0.0.2:10911",2:"10.0.0.3:10911"}"#))
        let sync = node.routeData("rmq_sys_SYNC_BROKER_MEMBER_broker-a")
        #expect(sync?.brokerDatas[0].brokerAddrs == [1: "10.0.0.2:10911", 2: "10.0.0.3:10911"])
        actingGroup(node)
        #expect(node.routeData("A")?.queueDatas[0].perm == 6)
        #expect(node.routeData("A")?.brokerDatas[0].brokerAddrs.count == 3)
    }

    @Test("85: a writable topic is left alone") func leavesWritableAlone() {
        var properties = NamesrvProperties()
        properties.supportActingMaster = true
        let node = CoreNode(properties: properties)
        actingGroup(node)
        node.unregister(from: 1)
        _ = node.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"])
        #expect(node.routeData("A")?.brokerDatas[0].brokerAddrs == [1: "10.0.0.2:10911", 2: "10.0.0.3:10911"])
    }

    @Test("86, 87: zones") func filtersZones() throws {
        let node = CoreNode()
        node.register(Registration().with { $0.zone = "z1" })
        node.register(
            Registration().with { ($0.name, $0.address, $0.zone) = ("broker-b", "10.0.1.1:1", "z2") }, from: 2)
        func brokers(_ zone: String, _ mode: String = "true") throws -> [String] {
            let answer = node.call(
                RequestCode.getRouteInfoByTopic, ["topic": "A", "__ZONE_MODE": mode, "__ZONE_NAME": zone])
            let route = try #require(try TopicRouteData.decode(answer.body))
            #expect(route.queueDatas.map(\.brokerName) == route.brokerDatas.map(\.brokerName))
            return route.queueDatas.map(\.brokerName)
        }
        #expect(try brokers("Z1") == ["broker-a"])
        #expect(try brokers("z9") == [])
        #expect(try brokers(" ") == ["broker-a", "broker-b"])
        #expect(try brokers("z1", "no") == ["broker-a", "broker-b"])
        let empty = node.call(
            RequestCode.getRouteInfoByTopic, ["topic": "A", "__ZONE_MODE": "TRUE", "__ZONE_NAME": "z9"])
        #expect(empty.text == #"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#)
        node.register(
            Registration.slave(1, "10.0.1.2:1").with { ($0.name, $0.zone) = ("broker-b", "z2") }, from: 3)
        node.unregister("10.0.1.1:1", name: "broker-b", from: 2)
        #expect(try brokers("z1") == ["broker-a", "broker-b"], "without a master any zone may read")
    }

    // MARK: Cache

    @Test("A route is encoded once per dialect while nothing changes") func cachesRoutes() {
        let node = CoreNode()
        node.register()
        for _ in 0..<5 {
            _ = node.route("A")
            _ = node.route("A", version: 0)
            node.register()
        }
        #expect(node.core.counters.encodedRoutes == 2)
    }

    @Test("A change of another topic or group leaves a cached route alone") func invalidatesPrecisely() {
        let node = CoreNode()
        node.register()
        _ = node.route("A")
        node.register(
            Registration().with { ($0.name, $0.address, $0.topics) = ("broker-b", "10.0.1.1:1", []) }, from: 2)
        node.register(
            Registration().with {
                $0.topics[1].perm = 4
                $0.version.counter = 2
            })
        _ = node.route("A")
        #expect(node.core.counters.encodedRoutes == 1)
        node.register(Registration.slave())
        _ = node.route("A")
        #expect(node.core.counters.encodedRoutes == 2)
    }

    @Test("The cache keeps within its bytes and still answers right", arguments: [0, 1_000, 5_000, 1 << 20])
    func boundsCache(_ bytes: Int) {
        var limits = NameServerLimits()
        limits.routeCacheBytes = bytes
        let node = CoreNode(limits: limits)
        let topics = (0..<50).map { Registration.topic("topic-\($0)", Int32($0 + 1)) }
        node.register(Registration().with { $0.topics = topics })
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<500 {
            let index = Int.random(in: 0..<50, using: &generator)
            #expect(node.routeData("topic-\(index)")?.queueDatas[0].readQueueNums == Int32(index + 1))
        }
    }
}
