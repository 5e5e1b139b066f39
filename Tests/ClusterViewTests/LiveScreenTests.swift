import Basics
import Testing

@testable import ClusterView

/// Builds a node's answer with the given brokers.
func status(_ node: String, uptimeMillis: Int64 = 12_345, brokers: [NodeStatus.Broker]) -> NodeStatus {
    NodeStatus(
        node: node, software: "hearsay test", uptimeMillis: uptimeMillis, wallMillis: 0,
        totals: .init(brokers: brokers.count, groups: 1, topics: 7, clusters: 1),
        counters: .init(requests: 0, registrations: 0, heartbeats: 0, lookups: 0, lookupMisses: 0),
        brokers: brokers, events: [], lastEventSequence: 0)
}

func broker(_ name: String, _ id: Int64, age: Int64, cluster: String = "C") -> NodeStatus.Broker {
    .init(
        cluster: cluster, name: name, id: id, address: "127.0.0.1:\(10_911 + id)", ageMillis: age,
        registrationAgeMillis: age, timeoutMillis: 120_000, topics: 3)
}

func model(_ answers: [NodeStatus?]) -> ClusterModel {
    var model = ClusterModel(
        cluster: "demo",
        nodes: answers.indices.map { ("ns-\($0 + 1)", Address(host: "127.0.0.1", port: UInt16(9876 + $0))) })
    for (index, answer) in answers.enumerated() {
        model.nodes[index].status = answer
        model.nodes[index].error = answer == nil ? "connection refused" : nil
    }
    return model
}

@Suite struct LiveScreenTests {
    @Test func threeNodesThatAgree() {
        let all = [broker("broker-a", 0, age: 400), broker("broker-a", 1, age: 1_900)]
        let lines = LiveScreen(width: 120, height: 24, colour: false).lines(
            model(["ns-1", "ns-2", "ns-3"].map { status($0, brokers: all) }))
        #expect(
            lines == [
                "Hearsay  demo   3 of 3 nodes up   2 brokers   Ctrl-C stops everything",
                "",
                "NODE  ADDRESS         STATE    UP  BROKERS  TOPICS  REGISTRATIONS/S  LOOKUPS/S",
                "ns-1  127.0.0.1:9876  up     12 s        2       7              0.0        0.0",
                "ns-2  127.0.0.1:9877  up     12 s        2       7              0.0        0.0",
                "ns-3  127.0.0.1:9878  up     12 s        2       7              0.0        0.0",
                "",
                "BROKER    ID  ROLE    ADDRESS          TOPICS   ns-1   ns-2   ns-3",
                "broker-a   0  master  127.0.0.1:10911       3  0.4 s  0.4 s  0.4 s",
                "broker-a   1  slave   127.0.0.1:10912       3  1.9 s  1.9 s  1.9 s",
                "",
                "EVENTS",
                "  none yet",
            ])
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
        #expect(rows[0].ages == [.missing, .heard(milliseconds: 1, timeout: 120_000)])
    }
}
