// Scenarios 2, 3 and 12 of the gossip design with real processes: a broker dies, with and without its system's goodbye,
// and a node comes back with empty tables.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct GossipLossTests {
    /// Modes of the three nodes.
    static let modes = [
        ["protect", "off", "observe"], ["observe", "protect", "replicate"], ["replicate", "replicate", "protect"],
    ]

    /// The broker's connections close everywhere. No node serves it longer than it takes to ask the others.
    @Test(arguments: modes) func aBrokerIsKilled(_ modes: [String]) throws {
        // By silence alone it would stay for a minute.
        let cluster = try GossipCluster.started(
            GossipCluster.Plan(
                modes: modes, rhythm: Rhythm(heartbeat: 1_000, scan: 200, expiry: 60_000, routePoll: 300)))
        let watches = cluster.nodes.map { RouteWatch($0, "orders") }
        try cluster.broker("broker-a:0").kill()
        for (node, mode) in zip(cluster.nodes, modes) {
            try cluster.wait("\(node.name), \(mode), drops the broker") { try node.view().brokers["broker-a:0"] == nil }
            let view = try node.view()
            let gone = try #require(view.events("connectionClosed", of: "broker-a:0").last)
            if mode == "protect" || mode == "replicate" {
                // At most the grace of a second, and time for a machine that does much else; not until I_b + 5 s.
                let closing = try #require(view.events("closing", of: "broker-a:0").last, "\(node.log)")
                #expect(gone.wall - closing.wall < 4_000, "\(node.name), \(mode): \(node.log)")
            } else {
                #expect(view.events("closing", of: "broker-a:0").isEmpty)
            }
            #expect(view.events("held", of: "broker-a:0").isEmpty)
        }
        for watch in watches {
            #expect(poll { watch.answers.last == .brokers(["broker-b"]) }, "\(watch.node): \(watch.answers)")
            // Gone is gone.
            #expect(watch.answers.filter(\.isRoute).count <= 2, "\(watch.node): \(watch.answers)")
        }
    }

    /// The broker's machine loses power: nothing of it arrives any more, anywhere, and nobody learns why.
    @Test(arguments: modes) func aBrokerLosesPower(_ modes: [String]) throws {
        let rhythm = Rhythm(heartbeat: 300, scan: 200, expiry: 2_500, routePoll: 300)
        let cluster = try GossipCluster.started(GossipCluster.Plan(modes: modes, rhythm: rhythm))
        for node in cluster.nodes { cluster.link("broker-a:0", node.name).cut() }
        // The last heartbeat that any node received, by the one wall clock they share.
        var last: [String: Int64] = [:]
        var left = cluster.nodes.map(\.name)
        try cluster.wait("all nodes drop the broker") {
            for node in cluster.nodes where left.contains(node.name) {
                let view = try node.view()
                if let heard = view.lastHeartbeat(of: "broker-a:0") {
                    last[node.name] = max(last[node.name] ?? 0, heard)
                } else {
                    left.removeAll { $0 == node.name }
                }
            }
            return left.isEmpty
        }
        let latest = try #require(last.values.max())
        for node in cluster.nodes {
            let view = try node.view()
            let gone = try #require(view.events("expired", of: "broker-a:0").last, "\(node.log)")
            let own = try #require(last[node.name])
            // Readings of ages and of the wall clock are some milliseconds apart.
            #expect(gone.wall - own >= Int64(rhythm.expiry) - 50, "\(node.name) dropped it early: \(node.log)")
            // T + scan, and again as much for a machine that does much else.
            #expect(gone.wall - latest <= 2 * Int64(rhythm.expiry + rhythm.scan), "\(node.name): \(node.log)")
            #expect(try node.route("orders").map { Array($0.keys) } == ["broker-b"])
        }
        // It stays away: no node tells another that it lives.
        let exchanges = try cluster.nodes.filter { $0.logIndex("event=peerUp") != nil }.map {
            ($0, try $0.gossip().counters["exchanges"] ?? 0)
        }
        for (node, before) in exchanges {
            try cluster.wait("\(node.name) exchanges five times more") {
                try (node.gossip().counters["exchanges"] ?? 0) >= before + 5
            }
            #expect(try node.view().brokers["broker-a:0"] == nil)
            #expect(try node.gossip().brokers["broker-a:0"] == nil)
        }
    }

    /// A node is killed and comes back empty, and for a while no broker registers there again.
    @Test(arguments: ["observe", "protect", "replicate"]) func aNodeRestartsEmpty(_ mode: String) throws {
        let rhythm = Rhythm(heartbeat: 5_000, scan: 200, expiry: 30_000, routePoll: 300)
        let cluster = try GossipCluster.started(
            GossipCluster.Plan(
                modes: ["protect", mode, "replicate"], rhythm: rhythm, gossip: ["gateUnknownTopics: true"]))
        let node = cluster.node("ns-2")
        let watch = RouteWatch(node, "orders")
        let links = cluster.brokers.map { cluster.link($0.name, node.name) }
        for link in links { link.cut() }
        try node.kill()
        try node.start()
        if mode == "observe" {
            // Stock: the topic does not exist until a broker registers.
            try cluster.wait("the topic is unknown") { watch.answers.last == .unknownTopic }
        } else {
            try cluster.wait("the node is ready") { try node.gossip().state == "ready" }
            // 2 s are promised; the rest is for a machine that does much else. By itself it would be ready after 6 s.
            #expect(try node.gossip().uptime < 5_000, "\(node.log)")
            try cluster.wait("the route is whole") { watch.answers.last == .brokers(["broker-a", "broker-b"]) }
            #expect(node.logCount("event=learned") == 2, "\(node.log)")
            #expect(try node.gossip().brokers.values.map(\.source) == ["learned", "learned"])
        }
        for link in links { link.heal() }
        try cluster.settle()
        try cluster.wait("the route is whole") { watch.answers.last == .brokers(["broker-a", "broker-b"]) }
        if mode == "observe" { return }
        let wrong = watch.answers.filter { answer in
            switch answer {
            case .unknownTopic: true
            case .brokers(let names): names.count < 2
            case .refused(let text): !text.contains("name server not ready")
            case .unreachable: false
            }
        }
        #expect(wrong.isEmpty, "\(watch.answers)\n\(node.log)")
    }
}
