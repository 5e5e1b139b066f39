// `hearsay run` shows a divergence as it appears and as it heals, on a terminal and in plain lines.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct GossipScreenTests {
    private let hearsay = ProductsDirectory.executable("hearsay")

    private func cluster() throws -> GossipCluster {
        try GossipCluster(GossipCluster.Plan(modes: ["observe", "protect", "replicate"]))
    }

    private func waitUntilCalm(_ cluster: GossipCluster) throws {
        for node in cluster.nodes {
            try cluster.wait("\(node.name) is up") { (try? node.gossip().state) != nil }
        }
        try cluster.start(cluster.brokers)
        try cluster.settle()
    }

    @Test func plainLines() throws {
        let cluster = try cluster()
        let run = try NodeProcess(
            hearsay, arguments: ["run", "--config", cluster.file, "--no-brokers", "--plain"])
        try waitUntilCalm(cluster)
        let link = cluster.link("broker-a:0", "ns-2")
        link.cut()
        let line = try run.line { $0.contains(" DIVERGENCE late broker-a:0: ") ? $0 : nil }
        // In the words of a node, or of the comparison, whichever saw it first.
        #expect(line.contains("heck the network from"), "\(line)")
        try run.line { $0.contains(" ns-2 broker-a:0 at ") && $0.contains(" kept though silent for ") ? () : nil }
        link.heal()
        try run.line { $0.contains(" HEALED late broker-a:0, seen for ") ? () : nil }
        run.signal(SIGINT)
        #expect(try run.waitForExit() == .exit(0), "\(run.errorText)")
    }

    @Test func terminal() throws {
        let cluster = try cluster()
        let terminal = try PseudoTerminal()
        let run = try NodeProcess(
            "/bin/sh",
            arguments: [
                "-c",
                "exec '\(hearsay)' run --config '\(cluster.file)' --no-brokers >'\(terminal.path)' <'\(terminal.path)'",
            ])
        try waitUntilCalm(cluster)
        func shows(_ texts: String...) -> Bool {
            poll(within: .seconds(30)) { texts.allSatisfy(terminal.text.contains) }
        }
        #expect(shows("observe", "protect", "replicate", "ready", "3 of 3 nodes up   2 brokers"))
        let link = cluster.link("broker-a:0", "ns-2")
        link.cut()
        #expect(shows("late broker-a:0\u{1B}", "DIVERGENCE late broker-a:0: ", "heck the network from"))
        link.heal()
        #expect(shows("HEALED late broker-a:0, seen for "))
        let calm = poll(within: .seconds(30)) {
            // The last of what was drawn may be half a screen.
            terminal.text.split(separator: "\u{1B}[H").suffix(2).contains { $0.contains("DIVERGENCE  \u{1B}[32mnone") }
        }
        #expect(calm, "\(terminal.text.suffix(4_000))")
        run.signal(SIGINT)
        #expect(try run.waitForExit() == .exit(0), "\(run.errorText)")
    }
}
