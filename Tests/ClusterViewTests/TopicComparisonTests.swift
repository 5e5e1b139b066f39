import Remoting
import Testing

@testable import ClusterView

private func queues(_ brokers: KeyValuePairs<String, (Int32, Int32, Int32)>) -> TopicAnswer {
    var queues: [String: QueueShape] = [:]
    for (name, (read, write, perm)) in brokers {
        queues[name] = QueueShape(QueueData(brokerName: name, readQueueNums: read, writeQueueNums: write, perm: perm))
    }
    return .queues(queues)
}

@Suite struct TopicComparisonTests {
    private let both = [broker("a", 0, age: 1), broker("b", 0, age: 1)]

    private func rows(_ nodes: [NodeReading], _ answers: KeyValuePairs<String, [TopicAnswer]>) -> [ClusterDifference] {
        var comparison = TopicComparison(nodes)
        for (topic, answers) in answers { comparison.add(topic, answers) }
        #expect(comparison.count == answers.count)
        return comparison.differences(nodes)
    }

    @Test func equalRoutesAreNoDifference() {
        let nodes = [ours(1, both), ours(2, both)]
        let same = queues(["a": (8, 8, 6), "b": (4, 4, 6)])
        #expect(rows(nodes, ["T": [same, same], "U": [.none, .none]]) == [])
    }

    @Test func aLackedTopicIsOneRowForEachBroker() {
        let nodes = [ours(1, both), ours(2, both)]
        let found = rows(nodes, ["T": [queues(["a": (8, 8, 6), "b": (8, 8, 6)]), queues(["a": (8, 8, 6)])]])
        #expect(found.map(\.row) == ["topic T on b ns-1|ns-2 -"])
        #expect(found[0].text == "ns-1 has it, ns-2 lacks it")
        // Registrations are whole: the node that heard one without the topic is right.
        #expect(found[0].advice.hasPrefix("look at the broker: it has registered at ns-2 without it, so ns-1 keeps"))
    }

    @Test func aTopicDeletedAtOneNode() {
        let deletion = event(1, "topicDeleted", text: "topic T deleted from 1 broker groups by request", ago: 12_000)
        let nodes = [ours(1, both), ours(2, both, events: [deletion])]
        let full = queues(["a": (8, 8, 6)])
        let found = rows(nodes, ["T": [full, .none], "Tea": [.none, full]])
        #expect(found.map(\.row) == ["topic T on a ns-1|ns-2 12000", "topic Tea on a ns-2|ns-1 -"])
        #expect(found[0].text == "ns-1 has it, ns-2 was told to delete it")
        #expect(found[0].advice.hasPrefix("delete it at ns-1 too"))
    }

    @Test func aWipingTellsSinceWhen() {
        func told(_ verb: String, _ broker: String, ago: Int64) -> NodeStatus.Event {
            event(
                UInt64(ago), "writePermission\(verb)",
                text: "write permission \(verb.lowercased()) on 1 topics of \(broker) by request", ago: ago)
        }
        let nodes = [
            ours(1, both, events: [told("Added", "a", ago: 9_000), told("Added", "aa", ago: 1)]),
            ours(2, both, events: [told("Wiped", "a", ago: 7_000), told("Wiped", "b", ago: 3)]),
        ]
        let found = rows(nodes, ["T": [queues(["a": (8, 8, 6)]), queues(["a": (8, 8, 4)])]])
        #expect(found.map(\.row) == ["permission a ns-1|ns-2 7000"])
    }

    @Test func aNodeWithoutARecentRegistrationMayBeTheOneAtFault() {
        let nodes = [ours(1, both), ours(2, [broker("a", 0, age: 1, registrationAge: 90_000)])]
        let found = rows(nodes, ["T": [queues(["a": (8, 8, 6)]), .none]])
        #expect(found.map(\.row) == ["topic T on a ns-1|ns-2 -"])
        #expect(found[0].advice.contains("its next registration (30 s) should mend ns-2"))
    }

    /// One missing broker is one difference, not one for each of its topics.
    @Test func aNodeWithoutTheBrokerHasNoSay() {
        let nodes = [ours(1, both), ours(2, [broker("a", 0, age: 1)])]
        let found = rows(nodes, ["T": [queues(["a": (8, 8, 6), "b": (8, 8, 6)]), queues(["a": (8, 8, 6)])]])
        #expect(found == [])
    }

    @Test func aNodeThatDidNotAnswerHasNoSay() {
        let nodes = [ours(1, both), ours(2, both), silent(3)]
        let full = queues(["a": (8, 8, 6)])
        #expect(rows(nodes, ["T": [full, .unknown, .unknown]]) == [])
        #expect(rows(nodes, ["T": [full, .none, .unknown]]).map(\.row) == ["topic T on a ns-1|ns-2 -"])
    }

    @Test func topicsThatDifferTheSameWayAreOneRow() {
        let nodes = [ours(1, both), ours(2, both)]
        let full = queues(["a": (8, 8, 6)])
        let found = rows(nodes, ["V": [full, .none], "T": [full, .none], "U": [full, .none], "W": [.none, full]])
        #expect(found.map(\.row) == ["topic T and 2 more on a ns-1|ns-2 -", "topic W on a ns-2|ns-1 -"])
        #expect(found[0].topics == ["T", "U", "V"])
    }

    @Test func aWipedBrokerIsOneRowWhateverItsTopicsLookLike() {
        let nodes = [ours(1, both), ours(2, both), ours(3, both)]
        let found = rows(
            nodes,
            [
                "T": [queues(["a": (8, 8, 6)]), queues(["a": (8, 8, 4)]), queues(["a": (8, 8, 6)])],
                "U": [queues(["a": (2, 2, 7)]), queues(["a": (2, 2, 5)]), queues(["a": (2, 2, 7)])],
            ])
        #expect(found.map(\.row) == ["permission a ns-1,ns-3|ns-2 -"])
        #expect(found[0].text == "writing is wiped at ns-2 and not at ns-1 and ns-3, for 2 topics")
        #expect(
            found[0].advice
                == "to wipe it everywhere, mqadmin wipeWritePerm -n '10.0.1.1:9876;10.0.1.3:9876' -b a; "
                + "to undo it, mqadmin addWritePerm -n 10.0.1.2:9876 -b a")
    }

    @Test(arguments: [
        // The queues of two nodes: read, write, perm.
        ((Int32(8), Int32(8), Int32(6)), (Int32(4), Int32(8), Int32(6)), "content T on a"),
        ((8, 8, 6), (8, 4, 4), "content T on a"),
        ((8, 8, 6), (8, 8, 2), "permission T on a"),
        ((8, 8, 6), (8, 8, 4), "permission a"),
    ])
    func kinds(_ left: (Int32, Int32, Int32), _ right: (Int32, Int32, Int32), _ row: String) {
        let nodes = [ours(1, both), ours(2, both)]
        let found = rows(nodes, ["T": [queues(["a": left]), queues(["a": right])]])
        #expect(found.map { "\($0.kind.rawValue) \($0.subject)" } == [row])
    }

    @Test func theTextNamesBothSides() {
        let nodes = [ours(1, both), ours(2, both), ours(3, both)]
        let (eight, four) = (queues(["a": (8, 8, 6)]), queues(["a": (4, 8, 6)]))
        #expect(
            rows(nodes, ["T": [eight, four, eight]])[0].text
                == "ns-1 and ns-3 say 8 read and 8 write queues, rw-; ns-2 says 4 read and 8 write queues, rw-")
    }
}
