// protocol.md §8, "Routes": items 76 to 87.

import TestSupport
import Testing

@Suite struct RouteTests {
    @Test func item076_missingTopic() throws {
        let connection = try fresh()
        let missing = try connection.route("missing")
        #expect(missing.code == 17)
        #expect(missing.remark == noRoute("missing"))
        #expect(missing.fields == nil)
        #expect(missing.body.isEmpty)
        let nameless = try connection.call(105)
        #expect(nameless.code == 17)
        #expect(nameless.remark == noRoute("null"))
    }

    @Test func item077_dialectByCaller() throws {
        let connection = try fresh()
        try connection.register()
        let legacy = #"{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"}"#
        let standard = #"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"}"#
        for version: Int32 in [0, 333, 399, 400] {
            #expect(try connection.route("A", version: version).bodyText.hasPrefix(legacy), "\(version)")
        }
        for version: Int32 in [401, 479] {
            #expect(try connection.route("A", version: version).bodyText.hasPrefix(standard), "\(version)")
        }
        let asked = RawRequest(105, ["topic": "A", "acceptStandardJsonOnly": "true"]).with(version: 0)
        #expect(try connection.call(asked).bodyText.hasPrefix(standard))
    }

    @Test func item078_masterAndSlaveByteForByte() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.cluster = "DefaultCluster" })
        try connection.register(.replica(1, "10.0.0.2:10911") { $0.cluster = "DefaultCluster" })
        let standard =
            #"{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911","1":"10.0.0.2:10911"},"brokerName":"broker-a","#
            + #""cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":["#
            + #"{"brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}"#
        #expect(try connection.route("A").bodyText == standard)
        let legacy = standard.replacing(#""0":"#, with: "0:").replacing(#""1":"#, with: "1:")
        #expect(standard.utf8.count == 282 && legacy.utf8.count == 278)
        #expect(try connection.route("A", version: 0).bodyText == legacy)
    }

    @Test func item079_escapes() throws {
        let connection = try fresh()
        try connection.register(
            Registration {
                $0.cluster = "c集\"\\/\u{1}"
                $0.broker = "bré"
            })
        let standard = try connection.route("A").bodyText
        #expect(standard.contains(#""cluster":"c\u96C6\"\\\/\u0001""#), "\(standard)")
        #expect(standard.contains(#""brokerName":"br\u00E9""#), "\(standard)")
        let legacy = try connection.route("A", version: 0).bodyText
        #expect(legacy.contains(#""cluster":"c集\"\\/\u0001""#), "\(legacy)")
        #expect(legacy.contains(#""brokerName":"bré""#), "\(legacy)")
    }

    @Test(.ownThread) func item080_startUpWait() throws {
        let start = ContinuousClock.now
        let connection = try fresh(["needWaitForService": "true", "waitSecondsForService": "5"])
        let served = ContinuousClock.now
        try connection.register().expectOK()
        let early = try connection.route("A")
        // Only a machine that lost five seconds since the start may have it otherwise.
        if ContinuousClock.now - start < .seconds(5) {
            #expect(early.code == 1)
            #expect(early.remark == "name server not ready")
        }
        #expect(try connection.topicList(206) == ["A", "B"])
        #expect(try poll(every: .milliseconds(50)) { try connection.route("A").code == 0 })
        #expect(ContinuousClock.now - start >= .seconds(5))
        #expect(ContinuousClock.now - served < .seconds(8))
    }

    @Test func item081_orderConfigurationInRoutes() throws {
        let connection = try fresh(["orderMessageEnable": "true"])
        try connection.call(
            100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:4;broker-b:2"]
        ).expectOK()
        try connection.register()
        #expect(try connection.route("A").json()["orderTopicConf"]?.text == "broker-a:4;broker-b:2")
        #expect(try connection.route("B").json()["orderTopicConf"] == nil)
    }

    private static let memberTopic = "rmq_sys_SYNC_BROKER_MEMBER_broker-a"

    private func actingReplica(_ id: Int) -> Registration {
        .replica(id, "10.0.0.\(id + 1):10911") {
            $0.enableActingMaster = "true"
            $0.topics.append(RegisteredTopic(Self.memberTopic))
        }
    }

    /// Line 82: three replicas of an acting-master group, of which the master has left.
    private func actingMasterGroup() throws -> RawConnection {
        let connection = try fresh(["supportActingMaster": "true"])
        for id in 0...2 { try connection.register(actingReplica(id)).expectOK() }
        try connection.unregister().expectOK()
        try #require(try poll { try connection.group().keys.sorted() == ["1", "2"] })
        try #require(try poll { try connection.queues("A") == ["broker-a": RouteQueue(perm: 4)] })
        return connection
    }

    @Test func item082_smallestSlaveActsAsMaster() throws {
        let connection = try actingMasterGroup()
        let addresses = RouteQueue.addresses(try connection.route("A").json())
        #expect(addresses == ["broker-a": ["0": "10.0.0.2:10911", "2": "10.0.0.3:10911"]])
        #expect(try connection.group() == ["1": "10.0.0.2:10911", "2": "10.0.0.3:10911"])
        let info = try JSONMeaning(try connection.clusterInfo())
        let stored = info["brokerAddrTable"]?["broker-a"]?["brokerAddrs"]?.members.keys.sorted()
        #expect(stored == ["1", "2"])
    }

    @Test func item083_theMasterReturns() throws {
        let connection = try actingMasterGroup()
        try connection.register(actingReplica(0)).expectOK()
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 6)])
        let addresses = RouteQueue.addresses(try connection.route("A").json())
        #expect(addresses["broker-a"]?.keys.sorted() == ["0", "1", "2"])
    }

    @Test func item084_memberTopicShowsTheTruth() throws {
        let connection = try actingMasterGroup()
        let addresses = RouteQueue.addresses(try connection.route(Self.memberTopic).json())
        #expect(addresses == ["broker-a": ["1": "10.0.0.2:10911", "2": "10.0.0.3:10911"]])
    }

    @Test func item085_writableQueuesNeedNoActingMaster() throws {
        let connection = try actingMasterGroup()
        try connection.call(327, ["brokerName": "broker-a"]).expectOK()
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 6)])
        let addresses = RouteQueue.addresses(try connection.route("A").json())
        #expect(addresses == ["broker-a": ["1": "10.0.0.2:10911", "2": "10.0.0.3:10911"]])
    }

    private let otherGroup = Registration.replica(0, "10.0.1.1:10911") {
        $0.broker = "broker-b"
        $0.zone = "z2"
        $0.enableActingMaster = "false"
    }

    private func zoneRoute(_ connection: RawConnection, _ zone: String) throws -> RawFrame {
        try connection.call(105, ["topic": "A", "__ZONE_MODE": "true", "__ZONE_NAME": zone])
    }

    @Test func item086_zoneFilter() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.zone = "z1" })
        try connection.register(otherGroup)
        let near = try zoneRoute(connection, "Z1").json()
        #expect(RouteQueue.addresses(near) == ["broker-a": ["0": "10.0.0.1:10911"]])
        #expect(RouteQueue.byBroker(near) == ["broker-a": RouteQueue()])
        let nowhere = try zoneRoute(connection, "z9")
        #expect(nowhere.code == 0)
        #expect(nowhere.bodyText == #"{"brokerDatas":[],"filterServerTable":{},"queueDatas":[]}"#)
        #expect(RouteQueue.byBroker(try connection.route("A").json()).keys.sorted() == ["broker-a", "broker-b"])
    }

    @Test func item087_masterlessGroupsPassEveryZone() throws {
        let connection = try fresh()
        try connection.register(Registration { $0.zone = "z1" })
        var slave = otherGroup
        slave.id = "1"
        try connection.register(slave)
        let route = try zoneRoute(connection, "z9").json()
        #expect(RouteQueue.addresses(route) == ["broker-b": ["1": "10.0.1.1:10911"]])
        #expect(RouteQueue.byBroker(route) == ["broker-b": RouteQueue()])
    }
}
