// Two real nodes, made to differ, and the real command that compares them.

import Foundation
import Remoting
import TestSupport
import Testing

/// A run of `hearsay shadow` between two nodes.
private func shadow(
    _ reference: UInt16, _ candidate: UInt16, _ more: [String] = [], within limit: Duration = .seconds(60)
) throws -> (ending: NodeProcess.Ending, output: String) {
    let process = try NodeProcess(
        ProductsDirectory.executable("hearsay"),
        arguments: [
            "shadow", "--reference", "127.0.0.1:\(reference)", "--candidate", "127.0.0.1:\(candidate)", "--settle",
            "200ms",
        ] + more)
    let ending = try process.waitForExit(within: limit)
    return (ending, process.outputLines.joined(separator: "\n") + process.errorText)
}

@Suite struct ShadowCommandTests {
    @Test func equalNodes() throws {
        let nodes = [try NameServerProcess(), try NameServerProcess()]
        let brokers = try nodes.map { node in
            let connection = try node.connect()
            try connection.register()
            try connection.register(.replica(1, "10.0.0.2:10911"))
            return connection
        }
        let (ending, output) = try shadow(nodes[0].port, nodes[1].port)
        #expect(ending == .exit(0), "\(output)")
        #expect(output.contains("equal: 1 broker group, 2 topics, 0 key values"))
        withExtendedLifetime(brokers) {}
    }

    /// One difference of each kind that two nodes can be brought to.
    @Test func everyKindOfDifference() throws {
        let reference = try NameServerProcess(["orderMessageEnable": "true", "supportActingMaster": "true"])
        let candidate = try NameServerProcess()
        let (here, there) = (try reference.connect(), try candidate.connect())
        let order: KeyValuePairs<String, String?> = [
            "namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:8",
        ]
        for connection in [here, there] { try connection.register() }
        try here.register(Registration { ($0.broker, $0.address) = ("broker-b", "10.0.0.9:10911") })
        try there.register(.replica(1, "10.0.0.2:10911"))
        // An acting master: only a slave is left, which may be read only.
        for connection in [here, there] {
            try connection.register(
                .replica(1, "10.0.0.3:10911") {
                    ($0.broker, $0.enableActingMaster, $0.topics) = (
                        "broker-c", "true", [RegisteredTopic("S"), RegisteredTopic("T")]
                    )
                })
        }
        // Both get the order topic, only one puts it into routes; a second key is only at one.
        for connection in [here, there] { #expect(try connection.call(100, order).code == 0) }
        _ = try here.call(100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "only", "value": "x"])
        _ = try here.call(100, ["namespace": "MINE", "key": "k", "value": "1"])
        _ = try here.call(100, ["namespace": "UNASKED", "key": "k", "value": "1"])
        _ = try there.call(205, ["brokerName": "broker-a"])
        try here.register(
            Registration { ($0.topics, $0.dataVersion) = ([.a, .b, RegisteredTopic("D")], .init(2)) })
        try there.register(
            Registration {
                ($0.topics, $0.dataVersion) = (
                    [RegisteredTopic("A", read: 4), .b, RegisteredTopic("E")], .init(2)
                )
            })
        _ = try there.call(205, ["brokerName": "broker-a"])

        let (ending, output) = try shadow(reference.port, candidate.port, ["--namespace", "MINE", "--json"])
        #expect(ending == .exit(1), "\(output)")
        struct Report: Decodable {
            struct Row: Decodable {
                var aspect: String
                var broker: String?
                var items: [String]
                var reference: String
                var candidate: String
            }
            var differences: [Row]
        }
        let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
        let found = report.differences.map {
            "\($0.aspect) \($0.broker ?? "-") \($0.items.joined(separator: ",")): \($0.reference) | \($0.candidate)"
        }
        #expect(
            found == [
                "group broker-b broker-b: 0 at 10.0.0.9:10911 | not listed",
                "replica broker-a broker-a:1: not listed | 10.0.0.2:10911",
                "topic broker-a D: 8 read and 8 write queues, rw- | no route",
                "topic broker-a E: no route | 8 read and 8 write queues, r--",
                "queues broker-a A: 8 read and 8 write queues, rw- | 4 read and 8 write queues, r--",
                "permission broker-a B: rw- | r--",
                "addresses broker-c S,T: 0 at 10.0.0.3:10911; cluster C, a slave may act as master | "
                    + "1 at 10.0.0.3:10911; cluster C, a slave may act as master",
                "order - A: 'broker-a:8' | none",
                "keyValue - MINE/k: '1' | none",
                "keyValue - ORDER_TOPIC_CONFIG/only: 'x' | none",
            ], "\(found.joined(separator: "\n"))")
    }

    private func watching(_ nodes: [NameServerProcess], settle: String) throws -> NodeProcess {
        try NodeProcess(
            ProductsDirectory.executable("hearsay"),
            arguments: [
                "shadow", "--reference", "127.0.0.1:\(nodes[0].port)", "--candidate", "127.0.0.1:\(nodes[1].port)",
                "--settle", settle, "--every", "100ms", "--json",
            ])
    }

    /// On and on: a difference is told when it has lasted and when it heals, and quiet ends with 0.
    @Test func continuously() throws {
        let nodes = [try NameServerProcess(), try NameServerProcess()]
        let (here, there) = (try nodes[0].connect(), try nodes[1].connect())
        try here.register()
        let process = try watching(nodes, settle: "200ms")
        _ = try process.line { $0.contains(#""aspect":"group""#) ? true : nil }
        try there.register()
        _ = try process.line { $0.contains(#""healed":1"#) ? true : nil }
        #expect(try process.terminate() == .exit(0), "\(process.errorText)")
        let told = process.errorText.split(separator: "\n").map { $0.split(separator: " ").dropFirst().prefix(2) }
        #expect(told.map { $0.joined(separator: " ") } == ["DIFFERS group", "HEALED group"], "\(process.errorText)")
    }

    /// A heartbeat under way is no difference: what heals within `settle` is not told.
    @Test func whatHealsInTimeIsNotTold() throws {
        let nodes = [try NameServerProcess(), try NameServerProcess()]
        let (here, there) = (try nodes[0].connect(), try nodes[1].connect())
        try here.register()
        let process = try watching(nodes, settle: "1h")
        _ = try process.line { $0.contains(#""unsettled":1"#) ? true : nil }
        try there.register()
        _ = try process.line { $0.contains(#""unsettled":0"#) ? true : nil }
        #expect(try process.terminate() == .exit(0))
        #expect(process.errorText == "")
    }

    @Test func whoDoesNotAnswer() throws {
        let node = try NameServerProcess()
        let nobody = try NameServerProcess()
        #expect(try nobody.process.terminate() == .exit(0))
        let (ending, output) = try shadow(node.port, nobody.port)
        #expect(
            ending == .exit(2) && output.contains("does not answer") && output.contains("nothing could be compared"))
    }

    @Test(arguments: [
        (["--duration", "1s"], "--duration needs --every"), (["--rate", "0"], "--rate is"),
        (["--every", "1ms"], "--every is"), (["--topics", ","], "names no topic"),
    ])
    func wrongUsage(more: [String], words: String) throws {
        let (ending, output) = try shadow(1, 2, more)
        #expect(ending == .exit(2) && output.contains(words), "\(output)")
    }

    /// Ten thousand topics, one of which differs; the rate is kept.
    @Test func manyTopicsAtARate() throws {
        let nodes = [try NameServerProcess(), try NameServerProcess()]
        let topics = (0..<10_000).map { RegisteredTopic("topic-\($0)") }
        let connections = try nodes.map { try $0.connect() }
        try connections[0].register(Registration { $0.topics = topics })
        try connections[1].register(
            Registration {
                $0.topics = topics
                $0.topics[4_711].read = 2
            })
        let begin = ContinuousClock.now
        let (ending, output) = try shadow(nodes[0].port, nodes[1].port, ["--rate", "20000"])
        #expect(ending == .exit(1) && output.contains("10000 topics"), "\(output)")
        #expect(output.contains("queues  topic-4711 on broker-a"), "\(output)")
        // 20,000 requests to each server.
        #expect(ContinuousClock.now - begin >= .milliseconds(950))
    }
}
