// protocol.md §8, "Permissions and topics": items 92 to 101.

import TestSupport
import Testing

@Suite struct PermissionTests {
    /// A broker of cluster D beside the default one of cluster C, with the same topics.
    private let otherCluster = Registration.replica(0, "10.0.1.1:10911") {
        $0.cluster = "D"
        $0.broker = "broker-b"
    }

    @Test func item092_wipedPermissionsLastUntilTheNextChange() throws {
        let connection = try fresh()
        try connection.register()
        let answer = try connection.call(205, ["brokerName": "broker-a"])
        #expect(answer.code == 0)
        #expect(answer.fields == ["wipeTopicCount": "2"])
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 4)])
        try connection.register()
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 4)])
        try connection.register(Registration { $0.dataVersion.counter = 2 })
        #expect(try connection.queues("A") == ["broker-a": RouteQueue(perm: 6)])
    }

    @Test func item093_whatWipingAndAddingMakeOfAPermission() throws {
        let connection = try fresh()
        try connection.register(
            Registration { $0.topics = [RegisteredTopic("P", perm: 7), RegisteredTopic("Q", perm: 4)] })
        try connection.call(205, ["brokerName": "broker-a"]).expectOK()
        #expect(try connection.queues("P") == ["broker-a": RouteQueue(perm: 5)])
        #expect(try connection.queues("Q") == ["broker-a": RouteQueue(perm: 4)])
        let answer = try connection.call(327, ["brokerName": "broker-a"])
        #expect(answer.fields == ["addTopicCount": "2"])
        #expect(try connection.queues("P") == ["broker-a": RouteQueue(perm: 6)])
        #expect(try connection.queues("Q") == ["broker-a": RouteQueue(perm: 6)])
    }

    @Test(arguments: [(205, "wipeTopicCount"), (327, "addTopicCount")] as [(Int32, String)])
    func item094_unknownBrokerHasNoTopics(code: Int32, field: String) throws {
        let connection = try fresh()
        try connection.register()
        let answer = try connection.call(code, ["brokerName": "zz"])
        #expect(answer.code == 0)
        #expect(answer.fields == [field: "0"])
        #expect(try connection.call(code).fields == [field: "0"])
    }

    @Test func item095_deleteTopic() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(otherCluster)
        try connection.call(216, ["topic": "A"]).expectOK()
        #expect(try connection.route("A").code == 17)
        try connection.call(216, ["topic": "B", "clusterName": "C"]).expectOK()
        #expect(try connection.queues("B") == ["broker-b": RouteQueue(read: 4, write: 4)])
        try connection.call(216, ["topic": "B", "clusterName": "nowhere"]).expectOK()
        try connection.call(216, ["topic": "missing"]).expectOK()
        try connection.call(216).expectOK()
        #expect(try connection.topicList(206) == ["B"])
    }

    private func queue(_ broker: String, perm: Int = 6) -> String {
        #"{"brokerName":"\#(broker)","perm":\#(perm),"readQueueNums":2,"topicSysFlag":0,"writeQueueNums":3}"#
    }

    @Test func item096_registerTopic() throws {
        let connection = try fresh()
        try connection.register()
        try connection.call(217, ["topic": "T9"], body: #"{"queueDatas":[\#(queue("broker-a"))]}"#).expectOK()
        #expect(try connection.queues("T9") == ["broker-a": RouteQueue(read: 2, write: 3)])
        try connection.call(217, ["topic": "T8"], body: #"{"queueDatas":[\#(queue("zz"))]}"#).expectOK()
        #expect(try connection.route("T8").code == 17)
        try connection.call(217, ["topic": "T7"], body: #"{"queueDatas":[]}"#).expectOK()
        try connection.call(217, ["topic": "T7"]).expectOK()
        #expect(try connection.route("T7").code == 17)
        #expect(try connection.call(217, ["topic": "T7"], body: "xx").code == 1)
    }

    @Test func item097_anUnknownBrokerStopsRegisterTopic() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(otherCluster)
        let queues = [queue("broker-a", perm: 4), queue("zz"), queue("broker-b", perm: 4)]
        try connection.call(217, ["topic": "A"], body: #"{"queueDatas":[\#(queues.joined(separator: ","))]}"#)
            .expectOK()
        #expect(
            try connection.queues("A")
                == ["broker-a": RouteQueue(read: 2, write: 3, perm: 4), "broker-b": RouteQueue()])
    }

    @Test func item098_topicsByCluster() throws {
        let connection = try fresh()
        try connection.register()
        try connection.register(
            Registration.replica(0, "10.0.1.1:10911") {
                $0.cluster = "D"
                $0.broker = "broker-b"
                $0.topics = [.b, RegisteredTopic("E")]
            })
        #expect(try connection.topicList(224, ["cluster": "C"]) == ["A", "B"])
        #expect(try connection.topicList(224, ["cluster": "D"]) == ["B", "E"])
        #expect(try connection.call(224, ["cluster": "nowhere"]).bodyText == #"{"topicList":[]}"#)
        #expect(try connection.call(224).bodyText == #"{"topicList":[]}"#)
    }

    @Test func item099_systemTopics() throws {
        let connection = try fresh()
        #expect(try connection.call(304).bodyText == #"{"topicList":[]}"#)
        try connection.register()
        #expect(try connection.topicList(304) == ["C", "broker-a"])
        #expect(try connection.call(304).json()["brokerAddr"]?.text == "10.0.0.1:10911")
    }

    @Test func item100_unitTopics() throws {
        let connection = try fresh()
        try connection.register(
            Registration { $0.topics = (0...3).map { RegisteredTopic("U\($0)", sysFlag: $0) } })
        #expect(try connection.topicList(311) == ["U1", "U3"])
        #expect(try connection.topicList(312) == ["U2", "U3"])
        #expect(try connection.topicList(313) == ["U2"])
    }

    @Test func item101_topicListSwitches() throws {
        let connection = try fresh(["enableTopicList": "false"])
        for code: Int32 in [224, 311, 312, 313] {
            let answer = try connection.call(code, ["cluster": "C"])
            #expect(answer.code == 1 && answer.remark == "disable", "\(code)")
        }
        try connection.call(304).expectOK()
        try connection.call(206).expectOK()
        let closed = try fresh(["enableAllTopicList": "false"])
        let answer = try closed.call(206)
        #expect(answer.code == 1)
        #expect(answer.remark == "disable")
        try closed.call(224, ["cluster": "C"]).expectOK()
    }
}
