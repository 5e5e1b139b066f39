// Scenarios 4 to 7 and 21 of the gossip design with real processes: the link between one broker and two of three nodes
// fails, while the third node hears the broker as ever. What the two do about it depends on their modes:
//
//     mode       link cut for long   after it healed   late heartbeats   reset      flapping link
//     off        evicts              had a gap         had a gap         had a gap  evicts each time
//     observe    says so, evicts     had a gap         had a gap         had a gap  evicts each time, one alarm
//     protect    says so, keeps      no gap            no gap            no gap     no gap, one alarm
//     replicate  as protect

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct GossipLinkTests {
    static let broker = "broker-a:0"

    /// Modes of the three nodes; the first hears everybody all the time.
    static let modes = [["observe", "off", "protect"], ["protect", "observe", "replicate"]]

    /// What happens to nodes of a mode in a storm that the first node does not see.
    struct Outcome {
        var speaks: Bool
        var keeps: Bool

        init(_ mode: String) {
            speaks = mode != "off"
            keeps = mode == "protect" || mode == "replicate"
        }
    }

    /// Three nodes, of which the second and third are about to lose sight of `broker-a:0`.
    struct Stage {
        let cluster: GossipCluster
        let victims: [(node: ClusterMember, outcome: Outcome, watch: RouteWatch)]
        let links: [LinkProxy]

        init(_ modes: [String], _ rhythm: Rhythm) throws {
            cluster = try GossipCluster.started(GossipCluster.Plan(modes: modes, rhythm: rhythm))
            let nodes = zip(cluster.nodes, modes).dropFirst()
            victims = nodes.map { ($0, Outcome($1), RouteWatch($0, "orders")) }
            links = victims.map { [cluster] in cluster.link(GossipLinkTests.broker, $0.node.name) }
            for (_, _, watch) in victims {
                try cluster.wait("the watch sees the route") {
                    watch.answers.last == .brokers(["broker-a", "broker-b"])
                }
            }
        }

        /// Waits until those that evict have evicted for the `count`th time, and those that keep it keep it.
        func waitUntilMissed(_ count: Int = 1) throws {
            for (node, outcome, _) in victims {
                if outcome.keeps {
                    try cluster.wait("\(node.name) keeps the broker") {
                        try node.gossip().brokers[GossipLinkTests.broker]?.source == "protected"
                            && node.view().events("held", of: GossipLinkTests.broker).count >= count
                    }
                } else {
                    try cluster.wait("\(node.name) evicts the broker") {
                        try node.view().events("expired", of: GossipLinkTests.broker).count >= count
                    }
                }
            }
        }

        /// Waits until all nodes hear all brokers again.
        func waitUntilHealed() throws {
            try cluster.settle()
            for (node, outcome, _) in victims where outcome.keeps {
                try cluster.wait("\(node.name) keeps the broker no longer") {
                    try node.gossip().brokers.isEmpty
                        && node.view().brokers[GossipLinkTests.broker]?.isConnected == true
                }
            }
        }

        func expectGaps() throws {
            for (node, outcome, watch) in victims {
                #expect(
                    watch.hasGap(of: "broker-a") != outcome.keeps,
                    "\(watch.answers)\n\(node.log.joined(separator: "\n"))")
                #expect(!watch.hasGap(of: "broker-b"), "\(node.name): \(watch.answers)")
                if outcome.keeps {
                    #expect(try node.view().events("registered", of: GossipLinkTests.broker).count == 1)
                }
            }
        }
    }

    @Test(arguments: modes) func aLinkIsCutForLongAndHeals(_ modes: [String]) throws {
        let stage = try Stage(modes, Rhythm(heartbeat: 300, scan: 200, expiry: 2_500, routePoll: 300))
        let cluster = stage.cluster
        for link in stage.links { link.cut() }
        try stage.waitUntilMissed()
        // Not for a moment only.
        for (node, outcome, _) in stage.victims where outcome.keeps {
            try cluster.wait("twice the timeout passes") {
                try (node.view().brokers[Self.broker]?.age ?? .max) > 2 * Int64(cluster.plan.rhythm.expiry)
            }
        }
        for (node, outcome, _) in stage.victims { try expectWords(node, outcome) }

        let diff = try cluster.command("diff", "--settle", "100ms")
        #expect(diff.status == .exit(1) && diff.text.contains(Self.broker), "\(diff)")
        let explained = try cluster.command("explain", "broker-a")
        #expect(explained.status == .exit(1), "the nodes that evicted it do not serve it: \(explained)")
        for (node, outcome, _) in stage.victims {
            let line = explained.text.split(separator: "\n").first { $0.hasPrefix("  \(node.name)") } ?? ""
            let words =
                outcome.keeps ? ["yes", "protected: not heard here", "ns-1 heard it"] : ["no", "dropped", "silent"]
            for word in words { #expect(line.contains(word), "\(node.name): \(explained.text)") }
        }

        for link in stage.links { link.heal() }
        try stage.waitUntilHealed()
        try stage.expectGaps()
        for (node, outcome, _) in stage.victims where outcome.speaks {
            try cluster.wait("\(node.name) sees no difference") { try node.gossip().divergences.isEmpty }
            #expect(node.logCount("event=healed") > 0)
        }
        let healed = try cluster.command("diff", "--settle", "100ms")
        #expect(healed.status == .exit(0), "\(healed)")
    }

    /// The alarm comes before the eviction, and says what to do.
    private func expectWords(_ node: ClusterMember, _ outcome: Outcome) throws {
        let alarm = node.logIndex("divergence=lateHere", "event=diverged", "broker=broker-a")
        let eviction = node.logIndex("event=expired", "broker=broker-a")
        #expect((alarm != nil) == outcome.speaks, "\(node.name): \(node.log)")
        #expect((eviction == nil) == outcome.keeps, "\(node.name): \(node.log)")
        if let alarm {
            let line = node.log[alarm]
            #expect(line.contains(" warning ") && line.contains("has been silent here for"), "\(line)")
            #expect(line.contains("while ns-1 heard it") && line.contains("Check the network from"), "\(line)")
            if let eviction { #expect(alarm < eviction, "\(node.log)") }
        }
        guard outcome.keeps else { return }
        #expect(node.logCount("event=held", "kept though silent for", "ns-1 heard it") == 1, "\(node.log)")
        let view = try node.gossip()
        #expect(view.reported("lateHere", Self.broker).map(\.peer) == ["ns-1"])
        #expect(try #require(view.brokers[Self.broker]?.evidence["ns-1"]) < Int64(2_500))
        #expect(try node.view().counters["expirations"] == 0)
    }

    /// A node answers so late that the broker hangs up and dials again, every time; what it sent arrives, and then the end
    /// of its connection.
    @Test(arguments: modes) func aNodeIsSoSlowThatBrokersHangUp(_ modes: [String]) throws {
        let stage = try Stage(modes, Rhythm(heartbeat: 300, scan: 200, expiry: 2_000, routePoll: 300))
        for link in stage.links { link.delay(by: .milliseconds(2_800)) }
        for (node, outcome, _) in stage.victims {
            let kind = outcome.keeps ? "closing" : "connectionClosed"
            try stage.cluster.wait("\(node.name): the broker hangs up") {
                try node.view().events(kind, of: Self.broker).count >= 3
            }
        }
        for link in stage.links { link.heal() }
        try stage.waitUntilHealed()
        try stage.expectGaps()
    }

    /// Each heartbeat is held up, now less and now more than the timeout.
    @Test(arguments: modes) func heartbeatsAreLate(_ modes: [String]) throws {
        let rhythm = Rhythm(heartbeat: 300, scan: 200, expiry: 2_000, routePoll: 300)
        let stage = try Stage(modes, rhythm)
        for share in [30, 60, 130, 85] {
            for link in stage.links { link.cut([.toTarget]) }
            for (node, _, _) in stage.victims {
                try stage.cluster.wait("silence of \(share) %, or eviction") {
                    try (node.view().brokers[Self.broker]?.age ?? .max) > Int64(rhythm.expiry * share / 100)
                }
            }
            for link in stage.links { link.heal() }
            try stage.waitUntilHealed()
        }
        try stage.expectGaps()
    }

    /// A middlebox resets the connection; the broker opens another one with its next registration.
    @Test(arguments: modes) func aConnectionIsReset(_ modes: [String]) throws {
        let stage = try Stage(modes, Rhythm(heartbeat: 1_500, scan: 200, expiry: 30_000, routePoll: 300))
        for link in stage.links { link.reset() }
        for (node, outcome, _) in stage.victims {
            let kind = outcome.keeps ? "closing" : "connectionClosed"
            try stage.cluster.wait("\(node.name) notices") {
                try node.view().events(kind, of: Self.broker).count == 1
            }
        }
        try stage.waitUntilHealed()
        try stage.expectGaps()
    }

    /// On and off: nobody who protects flaps, and nobody is told more than once.
    @Test(arguments: modes) func aLinkFlaps(_ modes: [String]) throws {
        let stage = try Stage(modes, Rhythm(heartbeat: 300, scan: 200, expiry: 1_500, routePoll: 300))
        for count in 1...3 {
            for link in stage.links { link.cut() }
            try stage.waitUntilMissed(count)
            for link in stage.links { link.heal() }
            try stage.waitUntilHealed()
        }
        try stage.expectGaps()
        for (node, outcome, _) in stage.victims {
            let alarms = node.log.filter { line in
                [" warning ", "divergence=lateHere", "broker=broker-a"].allSatisfy(line.contains)
            }
            #expect(alarms.count == (outcome.speaks ? 1 : 0), "\(node.name): \(node.log)")
            let expired = try node.view().events("expired", of: Self.broker).count
            #expect(outcome.keeps ? expired == 0 : expired >= 3, "\(node.name)")
        }
    }

    /// Who protects does so on evidence: without a link to the peers, the stock rule holds at once.
    @Test func protectionEndsWithItsEvidence() throws {
        var plan = GossipCluster.Plan(modes: ["protect", "protect", "replicate"])
        plan.rhythm = Rhythm(heartbeat: 300, scan: 200, expiry: 2_000, routePoll: 300)
        plan.linksNodes = true
        let cluster = try GossipCluster.started(plan)
        let victim = cluster.node("ns-3")
        cluster.link(Self.broker, "ns-3").cut()
        try cluster.wait("the node keeps the broker") { try !victim.view().events("held", of: Self.broker).isEmpty }
        for other in ["ns-1", "ns-2"] {
            cluster.link(other, "ns-3").cut()
            cluster.link("ns-3", other).cut()
        }
        try cluster.wait("it evicts the broker") { try !victim.view().events("expired", of: Self.broker).isEmpty }
        try cluster.wait("it says that it is alone") { victim.logCount("event=peerDown") == 2 }
        #expect(try victim.view().brokers["broker-b:0"] != nil)
        for other in cluster.nodes.prefix(2) {
            #expect(try other.view().events("expired", of: Self.broker).isEmpty)
        }
        // The peers are back before the broker's link is: mode replicate serves what they hear.
        for other in ["ns-1", "ns-2"] {
            cluster.link(other, "ns-3").heal()
            cluster.link("ns-3", other).heal()
        }
        try cluster.wait("it learns the broker") { try victim.gossip().brokers[Self.broker]?.source == "learned" }
        #expect(try victim.route("orders").map { Set($0.keys) } == ["broker-a", "broker-b"])
        cluster.link(Self.broker, "ns-3").heal()
        try cluster.settle()
        try cluster.wait("it hears the broker itself") { try victim.gossip().brokers.isEmpty }
    }
}
