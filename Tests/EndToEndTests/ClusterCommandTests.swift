// `hearsay status`, `diff` and `explain` against real nodes that do not gossip.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct ClusterCommandTests {
    private struct Outcome {
        var status: NodeProcess.Ending
        var lines: [String]
        var errors: String

        var text: String { lines.joined(separator: "\n") }
    }

    /// Two nodes; `broker-a` registers with both and `broker-b` with the first only.
    private struct Pair {
        let cluster: ClusterUnderTest
        let connections: [RawConnection]

        init() throws {
            cluster = try ClusterUnderTest(nodes: 2, groups: [])
            try cluster.start(cluster.nodes)
            connections = try cluster.nodes.map { try $0.connect() }
            for connection in connections { try connection.register(registration("broker-a")).expectOK() }
            try connections[0].register(registration("broker-b")).expectOK()
        }

        func registration(_ broker: String, _ change: (inout Registration) -> Void = { _ in }) -> Registration {
            Registration {
                $0.broker = broker
                $0.address = broker == "broker-a" ? "10.0.0.1:10911" : "10.0.0.2:10911"
                // The nodes scan ten times a second, and expire after little more than one.
                $0.heartbeatTimeoutMillis = "600000"
                change(&$0)
            }
        }

        func run(_ arguments: String...) throws -> Outcome {
            let process = try NodeProcess(
                ProductsDirectory.executable("hearsay"), arguments: arguments + ["--config", cluster.file])
            let status = try process.waitForExit()
            return Outcome(status: status, lines: process.outputLines, errors: process.errorText)
        }
    }

    @Test func aBrokerThatRegistersWithOneNodeOnly() throws {
        let pair = try Pair()
        let address = pair.cluster.nodes[1].address

        let diff = try pair.run("diff", "--settle", "10ms")
        #expect(diff.status == .exit(1))
        #expect(diff.lines.first == "1 difference between 2 nodes: 2 brokers, 2 topics", "\(diff)")
        let row = try #require(diff.lines.last)
        #expect(row.hasPrefix("missing  broker-b:0    ns-1  ns-2 "), "\(row)")
        #expect(row.contains("ns-2 has not heard it since its start") && row.contains("while ns-1 heard it"), "\(row)")
        #expect(row.contains("10.0.0.2 to ns-2 (\(address))"), "\(row)")

        let status = try pair.run("status")
        #expect(status.status == .exit(1))
        #expect(status.text.contains("differs from ns-2") && status.text.contains("differs from ns-1"), "\(status)")
        let broker = status.lines.first { $0.hasPrefix("broker-b") }
        #expect(broker?.hasSuffix(" missing") == true, "\(status)")

        let explained = try pair.run("explain", "broker-b")
        #expect(explained.status == .exit(1))
        #expect(explained.lines.first == "broker-b:0 (master) at 10.0.0.2:10911, cluster C")
        #expect(explained.text.contains("ns-1  yes     heard by itself"), "\(explained)")
        #expect(explained.text.contains("ns-2  no      never heard since the node started"), "\(explained)")
        #expect(try pair.run("explain", "broker-a:0").status == .exit(0))
        let unknown = try pair.run("explain", "broker-c")
        #expect(unknown.status == .exit(2) && unknown.errors == "hearsay: no node knows a broker broker-c\n")
    }

    @Test func whatHealsIsNoDifferenceAnyMore() throws {
        let pair = try Pair()
        try pair.connections[1].register(pair.registration("broker-b")).expectOK()
        let diff = try pair.run("diff")
        #expect(diff.status == .exit(0) && diff.lines == ["2 nodes agree: 2 brokers, 2 topics"], "\(diff)")
        #expect(try pair.run("status").status == .exit(0))
    }

    @Test func topicsPermissionsAndKeysInJSON() throws {
        let pair = try Pair()
        try pair.connections[1].register(pair.registration("broker-b") { $0.topics = [.a, .b, RegisteredTopic("C")] })
            .expectOK()
        try pair.connections[0].call(205, ["brokerName": "broker-a"]).expectOK()
        try pair.connections[1].call(
            100, ["namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:8"]
        ).expectOK()
        let diff = try pair.run("diff", "--settle", "10ms", "--json")
        #expect(diff.status == .exit(1))
        let json = try JSONMeaning(diff.text)
        let rows = (json["differences"]?.elements ?? []).map { row in
            let sides = ["here", "there"].map { side in
                (row[side]?.elements ?? []).compactMap(\.text).joined(separator: ",")
            }
            return "\(row["kind"]?.text ?? "") \(row["subject"]?.text ?? "") \(sides[0])|\(sides[1])"
        }
        #expect(
            rows == [
                "topic C on broker-b ns-2|ns-1", "permission broker-a ns-1|ns-2",
                "keyValue ORDER_TOPIC_CONFIG/A ns-2|ns-1",
            ], "\(diff)")
        // The nodes remember when they were told; the topic came with a registration.
        let since = (json["differences"]?.elements ?? []).map { $0["sinceMillis"]?.integer != nil }
        #expect(since == [false, true, true], "\(diff)")
        #expect(json["comparedTopics"]?.integer == 3 && json["comparedBrokers"]?.integer == 2)
        // Only the topic that is asked for.
        let chosen = try pair.run("diff", "--settle", "10ms", "--topics", "C")
        #expect(chosen.lines.first == "2 differences between 2 nodes: 2 brokers, 1 topic", "\(chosen)")
    }

    @Test func nodesThatDoNotAnswer() throws {
        let pair = try Pair()
        try pair.cluster.nodes[1].kill()
        let diff = try pair.run("diff", "--settle", "10ms")
        #expect(diff.status == .exit(1))
        #expect(diff.lines.last?.hasPrefix("unreachable  ns-2          ns-1  ns-2 ") == true, "\(diff)")
        #expect(try pair.run("status").text.contains("down: connect to \(pair.cluster.nodes[1].address)"))
        #expect(try pair.run("explain", "broker-a").status == .exit(1))
        try pair.cluster.nodes[0].kill()
        for command in [["diff"], ["status"], ["explain", "broker-a"], ["diff", "--json"]] {
            let outcome = try NodeProcess(
                ProductsDirectory.executable("hearsay"), arguments: command + ["--config", pair.cluster.file])
            #expect(try outcome.waitForExit() == .exit(2), "\(command)")
        }
    }

    @Test(arguments: [
        (["diff"], "no NameServer"), (["status", "--namesrv", "a:b:c"], "is no host:port"),
        (["diff", "--namesrv", "h:1", "--topics", ","], "--topics names no topic"),
        (["diff", "--namesrv", "h:1", "--topic-limit", "0"], "--topic-limit must be above 0"),
        (["explain", "--namesrv", "h:1"], "Missing expected argument"),
        (["explain", "", "--namesrv", "h:1"], "a broker has 1 to 1024 bytes"),
        (["status", "--namesrv", "h:1", "--timeout", "0"], "--timeout must be above 0"),
    ])
    func wrongUsage(_ arguments: [String], _ message: String) throws {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: arguments, environment: ["NAMESRV_ADDR": ""])
        #expect(try process.waitForExit() == .exit(2))
        #expect(process.errorText.contains(message), "\(process.errorText)")
    }

    /// The screen of `hearsay run` tells a difference once it has lasted, and its end.
    @Test func theScreenShowsADifferenceAppearAndHeal() throws {
        let cluster = try ClusterUnderTest(nodes: 2, groups: [])
        let run = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["run", "--config", cluster.file, "--plain"])
        for node in cluster.nodes { try run.line { $0.hasSuffix(" \(node.name) up") ? () : nil } }
        let registration = Registration { $0.heartbeatTimeoutMillis = "600000" }
        let first = try cluster.nodes[0].connect()
        try first.register(registration).expectOK()
        try run.line { $0.contains(" DIVERGENCE missing broker-a:0: ns-2 has not heard it since its start") ? () : nil }
        let second = try cluster.nodes[1].connect()
        try second.register(registration).expectOK()
        try run.line { $0.contains(" HEALED missing broker-a:0, seen for ") ? () : nil }
        run.signal(SIGINT)
        #expect(try run.waitForExit() == .exit(0), "\(run.errorText)")
        withExtendedLifetime((first, second)) {}
    }
}
