import Remoting
import Testing

@testable import ClusterView

/// Nodes that say something, and the differences they have.
struct Scene: Sendable, CustomTestStringConvertible {
    var name: String
    var nodes: [NodeReading]
    var rows: [String]
    /// Parts of the first row's text and advice.
    var words: [String] = []

    var testDescription: String { name }
}

@Suite struct ComparisonTests {
    static let scenes: [Scene] = [
        Scene(
            name: "nodes that agree",
            nodes: [ours(1, [broker("a", 0, age: 400)]), ours(2, [broker("a", 0, age: 29_000)])], rows: []),
        // The interval may be 30 s and the phases differ.
        Scene(
            name: "37 s are not late",
            nodes: [ours(1, [broker("a", 0, age: 1)]), ours(2, [broker("a", 0, age: 37_499)])],
            rows: []),
        Scene(
            name: "38 s are, when another node hears it",
            nodes: [ours(1, [broker("a", 0, age: 2_000)]), ours(2, [broker("a", 0, age: 38_000)])],
            rows: ["late a:0 ns-1|ns-2 38000"],
            words: [
                "ns-2 has not heard it for 38 s while ns-1 heard it 2.0 s ago",
                "check the network from 127.0.0.1 to ns-2 (10.0.1.2:9876); ns-2 drops it in 82 s",
            ]),
        Scene(
            name: "a broker that everybody has lost is dead, not different",
            nodes: [ours(1, [broker("a", 0, age: 60_000)]), ours(2, [broker("a", 0, age: 70_000)])], rows: []),
        // Acting-master brokers: heartbeats every second, a timeout of 10 s.
        Scene(
            name: "lateness follows the broker's own timeout",
            nodes: [
                ours(1, [broker("a", 0, age: 100, timeout: 10_000)]),
                ours(2, [broker("a", 0, age: 3_500, timeout: 10_000)]),
            ],
            rows: ["late a:0 ns-1|ns-2 3500"]),
        Scene(
            name: "dropped after silence",
            nodes: [
                ours(1, [broker("a", 0, age: 2_000, address: "10.0.0.5:10911")]),
                ours(
                    2, [],
                    events: [
                        event(1, "registered", "a", ago: 500_000), event(2, "expired", "a", ago: 38_000),
                    ]),
            ],
            rows: ["missing a:0 ns-1|ns-2 38000"],
            words: [
                "ns-2 dropped it 38 s ago, after silence, while ns-1 heard it 2.0 s ago",
                "check the network from 10.0.0.5 to ns-2 (10.0.1.2:9876)",
            ]),
        Scene(
            name: "its connection closed",
            nodes: [
                ours(1, [broker("a", 0, age: 2_000)]),
                ours(2, [], events: [event(1, "connectionClosed", "a", ago: 5_000)]),
            ],
            rows: ["missing a:0 ns-1|ns-2 5000"],
            words: ["when its connection closed", "wait for its next heartbeat (30 s)"]),
        Scene(
            name: "the goodbye reached one node only",
            nodes: [
                ours(1, [broker("a", 0, age: 20_000)]),
                ours(2, [], events: [event(1, "unregistered", "a", ago: 9_000)]),
            ],
            rows: ["missing a:0 ns-1|ns-2 9000"],
            words: ["when it said goodbye", "if it was stopped on purpose, ns-1 drops it by itself"]),
        Scene(
            name: "refused",
            nodes: [
                ours(1, [broker("a", 0, age: 2_000)]), ours(2, [], events: [event(1, "refused", "a", ago: 1_000)]),
            ],
            rows: ["missing a:0 ns-1|ns-2 1000"],
            words: ["ns-2 refused it 1.0 s ago (a:0 refused)", "look for the reason in the log of ns-2"]),
        Scene(
            name: "a node that has just started",
            nodes: [ours(1, [broker("a", 0, age: 2_000)]), ours(2, [], uptime: 12_000)],
            rows: ["missing a:0 ns-1|ns-2 -"],
            words: ["has not heard it since its start 12 s ago", "wait for its next registration (30 s)"]),
        // How long it lasts is bounded by the first registration anywhere.
        Scene(
            name: "never heard, though old",
            nodes: [
                ours(1, [broker("a", 0, age: 2_000)], events: [event(7, "registered", "a", ago: 90_000)]), ours(2, []),
            ],
            rows: ["missing a:0 ns-1|ns-2 90000"],
            words: ["since its start 60 m 0 s ago", "check the network"]),
        // Sixty-four events later nobody knows any more.
        Scene(
            name: "forgotten why",
            nodes: [
                ours(1, [broker("a", 0, age: 2_000)]), ours(2, [], events: [event(900, "registered", "b", ago: 1)]),
            ],
            rows: ["missing a:0 ns-1|ns-2 -"], words: ["ns-2 does not list it while"]),
        Scene(
            name: "the last node that remembers a dead broker",
            nodes: [
                ours(1, [broker("a", 0, age: 100_000)]), ours(2, [], events: [event(1, "expired", "a", ago: 3_000)]),
                ours(3, []),
            ],
            rows: ["missing a:0 ns-1|ns-2,ns-3 3000"],
            words: ["see whether it runs on 127.0.0.1: no node hears it any more, and ns-1 drops it in 20 s"]),
        Scene(
            name: "a node that does not answer has no opinion",
            nodes: [ours(1, [broker("a", 0, age: 1)]), silent(2), ours(3, [broker("a", 0, age: 1)])],
            rows: ["unreachable ns-2 ns-1,ns-3|ns-2 -"],
            words: ["ns-2 (10.0.1.2:9876) does not answer: no answer in time", "start it, or check the network"]),
        Scene(
            name: "Apache's tell no ages",
            nodes: [
                apache(1, [("a", 0, "10.0.0.5:10911", "C"), ("a", 1, "10.0.0.6:10911", "C")]),
                apache(2, [("a", 1, "10.0.0.6:10911", "C")]),
            ],
            rows: ["missing a:0 ns-1|ns-2 -"],
            words: [
                "ns-2 does not list it while ns-1 lists it",
                "check the network from 10.0.0.5 to ns-2 (10.0.1.2:9876), and that its namesrvAddr names 10.0.1.2:9876",
            ]),
        Scene(
            name: "Apache's beside ours",
            nodes: [ours(1, [broker("a", 0, age: 2_000)]), apache(2, [])], rows: ["missing a:0 ns-1|ns-2 -"],
            words: ["ns-2 does not list it while ns-1 heard it 2.0 s ago"]),
        Scene(
            name: "two addresses",
            nodes: [
                ours(1, [broker("a", 0, age: 1, address: "10.0.0.5:10911")]),
                ours(2, [broker("a", 0, age: 1, address: "10.0.0.6:10911")]),
                apache(3, [("a", 0, "10.0.0.6:10911", "C")]),
            ],
            rows: ["duplicateID a:0 ns-2,ns-3|ns-1 -"],
            words: ["its address is 10.0.0.6:10911 at ns-2 and ns-3; 10.0.0.5:10911 at ns-1"]),
        Scene(
            name: "two clusters",
            nodes: [apache(1, [("a", 0, "h:1", "C")]), apache(2, [("a", 0, "h:1", "D")])],
            rows: ["content a ns-1|ns-2 -"], words: ["in C at ns-1; in D at ns-2", "brokerClusterName"]),
        Scene(
            name: "nobody", nodes: [silent(1), silent(2)],
            rows: ["unreachable ns-1 |ns-1 -", "unreachable ns-2 |ns-2 -"]),
    ]

    @Test(arguments: scenes) func brokers(_ scene: Scene) {
        let differences = ClusterComparison.differences(scene.nodes)
        #expect(differences.map(\.row) == scene.rows)
        let said = differences.first.map { "\($0.text)\n\($0.advice)" } ?? ""
        for words in scene.words { #expect(said.contains(words), "\(said)") }
    }

    @Test(arguments: scenes) func theOrderOfTheNodesChangesNoFinding(_ scene: Scene) {
        func findings(_ nodes: [NodeReading]) -> [String] {
            ClusterComparison.differences(nodes).map { "\($0.key) \(Set($0.here + $0.there).sorted())" }
        }
        #expect(findings(scene.nodes.reversed()) == findings(scene.nodes))
    }

    /// A broker that moved is alive at two addresses in a node's own table; the one clients are sent to counts.
    @Test func aMovedBrokerIsWhereClientsAreSent() {
        var node = ours(
            1,
            [
                broker("a", 0, age: 50_000, address: "old:1"), broker("a", 0, age: 100, address: "new:1"),
            ])
        let key = ReplicaKey(name: "a", id: 0)
        #expect(node.replicas[key]?.address == "new:1")
        #expect(node.replicas[key]?.sight == .heard(milliseconds: 100, timeout: 120_000))
        // The other way round: a conflict that the younger one lost.
        node.groups?["a"]?.brokerAddrs[0] = "old:1"
        #expect(node.replicas[key]?.address == "old:1")
        #expect(node.replicas[key]?.sight == .heard(milliseconds: 50_000, timeout: 120_000))
    }

    @Test(
        arguments: [
            // Keys, values of three nodes (nil: refuses), rows.
            ([["T": "a:8"], ["T": "a:8"], ["T": "a:8"]], []),
            ([["T": "a:8"], [:], nil], ["keyValue ORDER_TOPIC_CONFIG/T ns-1|ns-2 -"]),
            ([[:], [:], ["T": "a:8"]], ["keyValue ORDER_TOPIC_CONFIG/T ns-3|ns-1,ns-2 -"]),
            ([["T": "a:8"], ["T": "a:4"], ["T": "a:4"]], ["keyValue ORDER_TOPIC_CONFIG/T ns-2,ns-3|ns-1 -"]),
        ] as [([[String: String]?], [String])])
    func orderTopics(_ tables: [[String: String]?], _ rows: [String]) {
        let nodes = tables.enumerated().map { index, table in
            var node = ours(index + 1, [])
            node.orderTopics = table
            return node
        }
        #expect(ClusterComparison.differences(nodes).map(\.row) == rows)
    }

    @Test func whatToDoAboutAKeyIsACommand() {
        var nodes = [ours(1, []), ours(2, [])]
        nodes[0].orderTopics = ["T": "a:8"]
        nodes[1].orderTopics = [:]
        let difference = ClusterComparison.differences(nodes)[0]
        #expect(difference.text == "ns-1: 'a:8'; ns-2: none")
        #expect(
            difference.advice
                == "to set it everywhere, mqadmin updateKvConfig -n 10.0.1.2:9876 -s ORDER_TOPIC_CONFIG -k T -v a:8; "
                + "if it was deleted on purpose, mqadmin deleteKvConfig on the others")
    }

    /// Only what lacks it in every reading lacks it.
    @Test func whatDoesNotLastIsLeftOut() {
        let has = [broker("a", 0, age: 1)]
        func found(_ tables: [NodeStatus.Broker]...) -> [ClusterDifference] {
            ClusterComparison.differences(tables.enumerated().map { ours($0.offset + 1, $0.element) })
        }
        let first = found(has, [], [])
        #expect(ClusterComparison.lasting(first, found(has, has, [])).map(\.row) == ["missing a:0 ns-1,ns-2|ns-3 -"])
        #expect(ClusterComparison.lasting(first, found(has, has, has)) == [])
        // It was here and is there now: a registration under way at both.
        #expect(ClusterComparison.lasting(found(has, [], has), found([], has, has)) == [])
        #expect(ClusterComparison.lasting([], first) == [])
        // Late at first, then dropped: it got worse, and is there.
        let late = found([broker("a", 0, age: 1)], [broker("a", 0, age: 119_000)])
        #expect(ClusterComparison.lasting(late, found(has, [])).map(\.row) == ["missing a:0 ns-1|ns-2 -"])
    }
}
