import Basics
import Testing

@testable import ClusterView

@Suite struct LiveScreenTests {
    @Test func threeNodesThatAgree() {
        let all = [broker("broker-a", 0, age: 400), broker("broker-a", 1, age: 1_900)]
        let lines = LiveScreen(width: 120, height: 24, colour: false).lines(
            model(["ns-1", "ns-2", "ns-3"].map { status($0, brokers: all) }))
        #expect(
            lines == [
                "Hearsay  demo   3 of 3 nodes up   2 brokers   Ctrl-C stops everything",
                "",
                "NODE  ADDRESS         STATE  GOSSIP    UP  BROKERS  TOPICS  REGISTRATIONS/S  LOOKUPS/S",
                "ns-1  127.0.0.1:9876  up     -       12 s        2       7              0.0        0.0",
                "ns-2  127.0.0.1:9877  up     -       12 s        2       7              0.0        0.0",
                "ns-3  127.0.0.1:9878  up     -       12 s        2       7              0.0        0.0",
                "",
                "BROKER    ID  ROLE    ADDRESS          TOPICS   ns-1   ns-2   ns-3",
                "broker-a   0  master  127.0.0.1:10911       3  0.4 s  0.4 s  0.4 s",
                "broker-a   1  slave   127.0.0.1:10912       3  1.9 s  1.9 s  1.9 s",
                "",
                "DIVERGENCE  none",
                "",
                "EVENTS",
                "  none yet",
            ])
    }

    @Test func modesMarksAndDivergence() {
        var cluster = model([
            status("ns-1", brokers: [broker("broker-a", 0, age: 400), broker("broker-b", 0, age: 900)]),
            status("ns-2", brokers: [broker("broker-a", 0, age: 130_000)]),
        ])
        cluster.nodes[0].gossip = gossip(#"{"mode":"protect","state":"ready"}"#)
        cluster.nodes[1].gossip = gossip(
            """
            {"mode":"protect","state":"warming","brokers":[
            {"name":"broker-a","id":0,"source":"protected","ageMillis":130000,"heldMillis":90000},
            {"name":"broker-b","id":0,"address":"127.0.0.1:10911","cluster":"C","source":"learned","origin":"ns-1",
            "evidence":[{"peer":"ns-1","ageMillis":950}]}]}
            """)
        cluster.differences = ClusterComparison.brokerDifferences(cluster.nodes.map(\.reading))
        let lines = LiveScreen(width: 200, height: 30, colour: false).lines(cluster)
        #expect(
            lines == [
                "Hearsay  demo   2 of 2 nodes up   2 brokers   Ctrl-C stops everything",
                "",
                "NODE  ADDRESS         STATE    GOSSIP     UP  BROKERS  TOPICS  REGISTRATIONS/S  LOOKUPS/S",
                "ns-1  127.0.0.1:9876  ready    protect  12 s        2       7              0.0        0.0",
                "ns-2  127.0.0.1:9877  warming  protect  12 s        1       7              0.0        0.0",
                "",
                "BROKER    ID  ROLE    ADDRESS          TOPICS   ns-1        ns-2",
                "broker-a   0  master  127.0.0.1:10911       3  0.4 s  2 m 10 s p",
                "broker-b   0  master  127.0.0.1:10911       3  0.9 s     0.9 s l",
                "  p: late here, kept because a peer hears it; l: not heard here, learned from a peer",
                "",
                "DIVERGENCE",
                "  missing broker-b:0: ns-2 serves it only as learned from ns-1 while ns-1 heard it 0.9 s ago",
                "    wait for its next registration (30 s): ns-2 started only 12 s ago; if it stays away, check the network "
                    + "from 127.0.0.1 to ns-2 (127.0.0.1:9877)",
                "  late broker-a:0 for 2 m 10 s: ns-2 has not heard it for 2 m 10 s while ns-1 heard it 0.4 s ago",
                "    check the network from 127.0.0.1 to ns-2 (127.0.0.1:9877); ns-2 keeps it for 90 s more, as long as a "
                    + "peer hears it",
                "",
                "EVENTS",
                "  none yet",
            ])
    }

    /// What needs attention is seen before what does not, and everything below the table stays on the screen.
    @Test func aLowScreenShowsTheBrokersThatNeedAttention() {
        let calm = (0..<100).map { broker("calm-\($0)", 0, age: 100) }
        var cluster = model([
            status("ns-1", brokers: calm + [broker("zoo", 0, age: 100)]), status("ns-2", brokers: calm),
        ])
        cluster.differences = ClusterComparison.brokerDifferences(cluster.nodes.map(\.reading))
        cluster.add((0..<9).map { .init(time: WallTime(milliseconds: $0), line: "event \($0)") })
        let lines = LiveScreen(width: 200, height: 24, colour: false).lines(cluster)
        #expect(lines.count == 24)
        #expect(lines.contains { $0.hasPrefix("zoo ") && $0.hasSuffix(" missing") })
        #expect(lines.contains("  and 94 more brokers"))
        #expect(lines.contains { $0.hasPrefix("  missing zoo:0: ns-2 has not heard it since its start 12 s ago") })
        #expect(lines.suffix(3) == ["  event 6", "  event 7", "  event 8"])
    }

    @Test func manyDifferencesAreCounted() {
        var cluster = model([
            status("ns-1", brokers: (0..<9).map { broker("b-\($0)", 0, age: 100) }), status("ns-2", brokers: []),
        ])
        cluster.differences = ClusterComparison.brokerDifferences(cluster.nodes.map(\.reading))
        let lines = LiveScreen(width: 200, height: 60, colour: false).summary(cluster)
        #expect(lines.count { $0.hasPrefix("  missing ") } == 4)
        #expect(lines.last == "  and 5 more: hearsay diff")
    }

    @Test func aNodeThatIsDownAndABrokerThatIsMissing() {
        let lines = LiveScreen(width: 120, height: 24, colour: false).lines(
            model([status("ns-1", brokers: [broker("broker-a", 0, age: 400)]), nil, status("ns-3", brokers: [])]))
        #expect(lines[4] == "ns-2  127.0.0.1:9877  down: connection refused")
        #expect(lines[8] == "broker-a   0  master  127.0.0.1:10911       3  0.4 s     ?  missing")
    }

    @Test func noLineIsWiderThanTheTerminal() {
        let wide = LiveScreen(width: 30, height: 10, colour: true).lines(
            model([status("ns-1", brokers: [broker("a-broker-with-a-long-name", 0, age: 100_000)]), nil]))
        for line in wide {
            var visible = line
            while let start = visible.firstIndex(of: "\u{1B}"), let end = visible[start...].firstIndex(of: "m") {
                visible.removeSubrange(start...end)
            }
            #expect(visible.count <= 30, "\(line)")
        }
    }

    @Test(arguments: [
        (Int64(0), "0.0 s"), (949, "0.9 s"), (9_999, "9.9 s"), (10_000, "10 s"), (119_999, "119 s"),
        (120_000, "2 m 0 s"), (7_199_000, "119 m 59 s"), (7_260_000, "2 h 1 m"), (-5, "0.0 s"),
    ])
    func durations(milliseconds: Int64, text: String) {
        let lines = LiveScreen(width: 200, height: 24, colour: false).lines(
            model([status("ns-1", uptimeMillis: milliseconds, brokers: [])]))
        #expect(lines[3].contains("up  \(text.count < 2 ? " " : "")"))
        #expect(lines[3].contains(text))
    }

    @Test func eventsAreSortedByTimeAndBounded() {
        var cluster = model([nil])
        cluster.add((0..<500).map { .init(time: WallTime(milliseconds: Int64(500 - $0)), line: "event \(500 - $0)") })
        #expect(cluster.events.count == 200)
        #expect(cluster.events.first?.line == "event 301")
        #expect(cluster.events.last?.line == "event 500")
    }

    @Test func brokersAreSortedByClusterNameAndID() {
        let rows = model([
            status("ns-1", brokers: [broker("b", 0, age: 1), broker("a", 10, age: 1), broker("a", 2, age: 1)]),
            status("ns-2", brokers: [broker("z", 0, age: 1, cluster: "B")]),
        ]).brokers
        #expect(rows.map { "\($0.cluster)/\($0.name)/\($0.id)" } == ["B/z/0", "C/a/2", "C/a/10", "C/b/0"])
        #expect(rows[0].sights == [.missing, .heard(milliseconds: 1, timeout: 120_000)])
    }
}
