import FoundationEssentials
import Remoting
import Testing

@testable import ClusterView

@Suite struct GossipStatusTests {
    static let full = """
        {"node":"ns-1","mode":"observe","state":"ready","label":"hearsay","incarnation":"9f","protocol":1,"uptimeMillis":1,
        "localHealth":2,"peers":[{"name":"ns-2","address":"127.0.0.1:9887","connected":true,"incarnation":"a","mode":"observe",
        "state":"ready","brokers":4,"agrees":false,"lastExchangeMillis":800,"roundTripMicros":210,
        "offsetUncertaintyMicros":4000,"stallMillis":3,"exchanges":9,"bytesIn":1,"bytesOut":1,"problem":"timings differ"}],
        "divergences":[{"kind":"lateHere","peer":"ns-2","cluster":"C","broker":"broker-a","id":0,"address":"h:1",
        "sinceMillis":5300,"reported":true,"text":"late","advice":"look"}],
        "brokers":[{"cluster":"C","name":"broker-a","id":0,"address":"h:1","source":"protected","ageMillis":130000,
        "timeoutMillis":120000,"heldMillis":900,"evidence":[{"peer":"ns-2","ageMillis":31000,"connected":true}]}],
        "totals":{"protected":1,"learned":2,"tombstones":3,"floors":0,"divergences":1},"counters":{"exchanges":0,"bytesSent":7}}
        """

    @Test func everyMemberIsRead() {
        let status = gossip(Self.full)
        #expect(status.isOn && status.state == "ready" && status.label == "hearsay" && status.localHealth == 2)
        #expect(status.totals.protected == 1 && status.totals.learned == 2 && status.totals.tombstones == 3)
        #expect(status.counters["bytesSent"] == 7)
        let peer = status.peers[0]
        #expect(peer.name == "ns-2" && peer.isConnected && peer.agrees == false && peer.problem == "timings differ")
        #expect(peer.roundTripMicros == 210 && peer.lastExchangeMillis == 800 && peer.brokers == 4)
        #expect(peer.offsetUncertaintyMicros == 4_000 && peer.stallMillis == 3 && peer.exchanges == 9)
        let divergence = status.divergences[0]
        #expect(divergence.kind == "lateHere" && divergence.peer == "ns-2" && divergence.sinceMillis == 5_300)
        #expect(divergence.broker == "broker-a" && divergence.id == 0 && divergence.text == "late")
        let broker = status.brokers[0]
        #expect(broker.source == "protected" && broker.heldMillis == 900 && broker.ageMillis == 130_000)
        #expect(broker.evidence[0].peer == "ns-2" && broker.evidence[0].ageMillis == 31_000)
    }

    /// Nodes of other versions: nothing is required, and what has another type is as good as missing.
    @Test(arguments: [
        "{}", #"{"mode":"off"}"#, #"{"peers":[{}],"divergences":[{}],"brokers":[{}],"totals":{}}"#,
        #"{"mode":7,"peers":"none","totals":[],"localHealth":"good","state":null}"#,
    ])
    func missingMembersAreForgiven(_ json: String) {
        let status = gossip(json)
        #expect(!status.isOn)
        #expect(status.state == nil)
    }

    @Test func whatIsNoObjectIsNoStatus() {
        #expect(throws: (any Error).self) { try JSONDecoder().decode(GossipStatus.self, from: Data("[1]".utf8)) }
    }

    private func told(_ kind: String, _ peer: String, since: Int64, broker: String? = "a", reported: Bool = true)
        -> String
    {
        let about = broker.map { #""broker":"\#($0)","id":0,"# } ?? ""
        return #"{"kind":"\#(kind)","peer":"\#(peer)",\#(about)"sinceMillis":\#(since),"reported":\#(reported),"#
            + #""text":"\#(kind) \#(peer)","advice":"do"}"#
    }

    private func cluster(_ divergences: [String]..., brokers: [NodeStatus.Broker] = []) -> [NodeReading] {
        divergences.enumerated().map { index, told in
            ours(
                index + 1, brokers,
                gossip: #"{"mode":"observe","divergences":[\#(told.joined(separator: ","))]}"#)
        }
    }

    /// Every pair tells it from its side; it is one row, with the longest time and the words of who lacks it.
    @Test func bothSidesOfADivergenceAreOneRow() {
        let nodes = cluster(
            [told("missingThere", "ns-2", since: 5_000)],
            [told("missingHere", "ns-1", since: 6_000), told("missingHere", "ns-3", since: 5_500)],
            [told("missingThere", "ns-2", since: 5_400)])
        let found = ClusterComparison.differences(nodes)
        #expect(found.map(\.row) == ["missing a:0 ns-1,ns-3|ns-2 6000"])
        #expect(found[0].text == "missingHere ns-1" && found[0].isReportedByNodes)
    }

    @Test func whatIsNotReportedYetIsLeftOut() {
        #expect(
            ClusterComparison.differences(cluster([told("content", "ns-2", since: 900, reported: false)], [])) == [])
    }

    /// Among three nodes, the one that differs from both others stands there.
    @Test(arguments: [
        ([["content ns-2"], ["content ns-1", "content ns-3"], ["content ns-2"]], "content a:0 ns-1,ns-3|ns-2 9"),
        ([["content ns-2"], ["content ns-1"], []], "content a:0 ns-1|ns-2 9"),
        (
            [["content ns-2", "content ns-3"], ["content ns-1", "content ns-3"], ["content ns-1", "content ns-2"]],
            "content a:0 ns-1|ns-2,ns-3 9"
        ),
        ([["future ns-2"], [], []], "other a:0 ns-1|ns-2 9"),
    ])
    func opinions(_ told: [[String]], _ row: String) {
        let nodes = told.enumerated().map { index, lines in
            let divergences = lines.map { line in
                let parts = line.split(separator: " ").map(String.init)
                return self.told(parts[0], parts[1], since: 9)
            }
            return cluster([], divergences)[1].renamed(index + 1)
        }
        #expect(ClusterComparison.differences(nodes).map(\.row) == [row])
    }

    /// What is seen here and what the nodes report is one row: their time, our words with the addresses.
    @Test func aReportJoinsWhatIsSeen() {
        var nodes = cluster([told("missingThere", "ns-2", since: 77_000)], [told("missingHere", "ns-1", since: 76_000)])
        nodes[0].status = status("ns-1", brokers: [broker("a", 0, age: 2_000)])
        let found = ClusterComparison.differences(nodes)
        #expect(found.map(\.row) == ["missing a:0 ns-1|ns-2 77000"])
        #expect(found[0].isReportedByNodes && found[0].advice.contains("check the network from 127.0.0.1 to ns-2"))
    }

    /// A digest says that something differs; where the keys are known it adds nothing.
    @Test func aDigestGivesWayToKeys() {
        var nodes = cluster([told("keyValue", "ns-2", since: 9, broker: nil)], [])
        #expect(ClusterComparison.differences(nodes).map(\.row) == ["keyValue KV store ns-1|ns-2 9"])
        nodes[0].orderTopics = ["T": "a:8"]
        nodes[1].orderTopics = [:]
        #expect(ClusterComparison.differences(nodes).map(\.subject) == ["ORDER_TOPIC_CONFIG/T"])
    }

    @Test func aDigestOfPermissionsGivesWayToTheBroker() {
        let brokers = [broker("a", 0, age: 1)]
        let nodes = cluster([told("permission", "ns-2", since: 8_000, broker: nil)], [], brokers: brokers)
        #expect(ClusterComparison.differences(nodes).map(\.row) == ["permission write permissions ns-1|ns-2 8000"])
        var topics = TopicComparison(nodes)
        func answer(_ perm: Int32) -> TopicAnswer { .queues(["a": QueueShape(QueueData(perm: perm))]) }
        topics.add("T", [answer(6), answer(4)])
        #expect(ClusterComparison.differences(nodes, topics: topics).map(\.row) == ["permission a ns-1|ns-2 8000"])
    }

    /// The nodes tell that a broker's content differs, the routes which topics do: the latter, with the former's time.
    @Test func namedTopicsSayWhatAReportMeans() {
        let brokers = [broker("a", 0, age: 1)]
        let nodes = cluster(
            [told("content", "ns-2", since: 8_000)], [told("content", "ns-1", since: 9_000)], brokers: brokers)
        var topics = TopicComparison(nodes)
        func answer(_ queues: Int32) -> TopicAnswer {
            .queues(["a": QueueShape(QueueData(readQueueNums: queues, writeQueueNums: 8, perm: 6))])
        }
        #expect(ClusterComparison.differences(nodes, topics: topics).map(\.row) == ["content a:0 ns-1|ns-2 9000"])
        topics.add("T", [answer(8), answer(4)])
        #expect(ClusterComparison.differences(nodes, topics: topics).map(\.row) == ["content T on a ns-1|ns-2 9000"])
    }

    /// A learned broker is served, and is a difference all the same: the broker's own link is broken.
    @Test func aLearnedBrokerIsNotFirstHand() {
        var other = ours(
            2, [],
            gossip:
                #"{"mode":"replicate","brokers":[{"cluster":"C","name":"a","id":0,"address":"h:1","source":"learned","#
                + #""origin":"ns-1","evidence":[{"peer":"ns-1","ageMillis":4000}]}]}"#)
        other.groups = ours(2, [broker("a", 0, age: 1)]).groups
        #expect(
            other.replicas[ReplicaKey(name: "a", id: 0)]?.sight
                == .learned(milliseconds: 4_000, origin: "ns-1", isProvisional: false))
        let found = ClusterComparison.differences([ours(1, [broker("a", 0, age: 2_000)]), other])
        #expect(found.map(\.row).first?.hasPrefix("missing a:0 ns-1|ns-2") == true)
        #expect(found[0].text == "ns-2 serves it only as learned from ns-1 while ns-1 heard it 2.0 s ago")
    }
}

extension NodeReading {
    fileprivate func renamed(_ number: Int) -> NodeReading {
        var copy = ours(number, [])
        copy.gossip = gossip
        return copy
    }
}
