import Remoting
import Testing

@testable import ClusterView

@Suite struct ExplanationTests {
    /// One node each for every way to have a broker, or not to.
    private var nodes: [NodeReading] {
        var own = ours(
            1, [broker("a", 0, age: 2_000, address: "10.0.0.5:10911", registrationAge: 14_000)],
            gossip: #"{"mode":"protect","brokers":[]}"#)
        own.status?.brokers[0].connected = true
        let protected = ours(
            2, [broker("a", 0, age: 140_000, address: "10.0.0.5:10911")],
            gossip:
                #"{"mode":"protect","brokers":[{"cluster":"C","name":"a","id":0,"source":"protected","ageMillis":140000,"#
                + #""heldMillis":45000,"evidence":[{"peer":"ns-3","ageMillis":41000},{"peer":"ns-1","ageMillis":31000}]}]}"#
        )
        let learned = ours(
            3, [],
            gossip: #"{"mode":"replicate","brokers":[{"cluster":"C","name":"a","id":0,"address":"10.0.0.5:10911","#
                + #""source":"learned","origin":"ns-1","provisional":true,"evidence":[{"peer":"ns-1","ageMillis":31000}]}]}"#
        )
        var dropped = ours(4, [], events: [event(1, "expired", "a", ago: 38_000)])
        dropped.status?.events[0].text = "a:0 at 10.0.0.5:10911 expired: no heartbeat for 120 s"
        var listed = apache(5, [("a", 0, "10.0.0.5:10911", "C")])
        var route = TopicRouteData()
        route.brokerDatas = [BrokerData(cluster: "C", brokerName: "a", brokerAddrs: [0: "10.0.0.5:10911"])]
        route.queueDatas = [QueueData(brokerName: "a", readQueueNums: 1, writeQueueNums: 1, perm: 7)]
        listed.route = route
        let late = ours(
            8, [broker("a", 0, age: 50_000, address: "10.0.0.5:10911")],
            gossip:
                #"{"mode":"observe","brokers":[{"name":"a","id":0,"source":"late","evidence":[{"peer":"ns-1","ageMillis":2100}]}]}"#
        )
        return [own, protected, learned, dropped, listed, apache(6, []), silent(7), late]
    }

    @Test func everyReasonInWords() {
        let explanation = BrokerExplanation("a", nodes)
        #expect(
            explanation.lines(colour: false) == [
                "a:0 (master) at 10.0.0.5:10911, cluster C",
                "  NODE  SERVES  WHY",
                "  ns-1  yes     heard by itself 2.0 s ago (whole registration 14 s ago); drops it in 118 s unless heard again",
                "  ns-2  yes     protected: not heard here for 2 m 20 s of 2 m 0 s, but kept, for 45 s more, since ns-1 heard it "
                    + "31 s ago and ns-3 41 s ago",
                "  ns-3  yes     learned from ns-1, which heard it 31 s ago; not heard here; provisional, until it registers "
                    + "here or a peer hears it again",
                "  ns-4  no      dropped 38 s ago: a:0 at 10.0.0.5:10911 expired: no heartbeat for 120 s",
                "  ns-5  yes     listed by RocketMQ 5.3.3 that tells no ages; the route of topic a leads to it (1 read and 1 "
                    + "write queues, rwx)",
                "  ns-6  no      not listed",
                "  ns-7  ?       it does not answer: no answer in time",
                "  ns-8  yes     heard by itself 50 s ago; late: drops it in 70 s unless heard again; ns-1 heard it 2.1 s ago",
            ])
        #expect(explanation.exitStatus == 1)
        #expect(explanation.errors == ["ns-7": "no answer in time"])
    }

    @Test(arguments: [
        // Who was asked for, the replicas' ids, the exit status.
        ("a", [Int64(0), 1], Int32(1)), ("a:0", [0], 0), ("a:1", [1], 1), ("a:2", [], 2), ("b", [], 2),
        ("gone", [0], 2),
    ])
    func replicasAndStatus(_ broker: String, _ ids: [Int64], _ status: Int32) {
        let nodes = [
            ours(1, [ClusterViewTests.broker("a", 0, age: 1), ClusterViewTests.broker("a", 1, age: 1)]),
            ours(2, [ClusterViewTests.broker("a", 0, age: 1)], events: [event(1, "unregistered", "gone", ago: 1)]),
        ]
        let explanation = BrokerExplanation(broker, nodes)
        #expect(explanation.replicas.map(\.id) == ids)
        #expect(explanation.exitStatus == status)
    }

    @Test func aNodeThatDoesNotAnswerDoesNotServe() {
        #expect(BrokerExplanation("a", [ours(1, [broker("a", 0, age: 1)]), silent(2)]).exitStatus == 1)
        #expect(BrokerExplanation("a", [silent(1), silent(2)]).exitStatus == 2)
    }

    @Test func aColonMayBelongToTheName() {
        let nodes = [ours(1, [broker("a:7", 0, age: 1)])]
        #expect(BrokerExplanation("a:7", nodes).replicas.map(\.name) == ["a:7"])
        #expect(BrokerExplanation("a:7:0", nodes).replicas.map(\.name) == ["a:7"])
    }

    /// After its connection closed a node that protects asks its peers before it lets the broker go.
    @Test func aClosedConnectionIsHeldForAWhile() {
        var node = ours(
            1, [broker("a", 0, age: 1_000)],
            gossip: #"{"mode":"protect","brokers":[{"name":"a","id":0,"source":"late","heldMillis":900}]}"#)
        node.status?.brokers[0].connected = false
        #expect(
            BrokerExplanation("a", [node]).replicas[0].nodes[0].why
                == "heard by itself 1.0 s ago; its connection is closed; drops it in 119 s unless heard again; "
                + "held for 0.9 s more, while peers are asked")
    }

    @Test func anotherAddressIsSaid() {
        let nodes = [
            ours(1, [broker("a", 0, age: 1_000, address: "h:1")]),
            ours(2, [broker("a", 0, age: 1_000, address: "h:2")]),
        ]
        let lines = BrokerExplanation("a", nodes).lines(colour: false)
        #expect(lines[0] == "a:0 (master) at h:1, cluster C")
        #expect(lines[3].hasSuffix(" (at h:2)"))
    }
}
