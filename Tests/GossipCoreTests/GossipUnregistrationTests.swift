import Basics
import Testing

@testable import GossipCore

@Suite("Gossip, applyUnregister: a goodbye to a peer ends an entry here if it surely came later")
struct GossipUnregistrationTests {
    private func cluster(applies: Bool = true, mode: GossipMode = .replicate) -> CoreCluster {
        let cluster = CoreCluster(["a", "b", "c"], mode: mode) { $0.appliesUnregister = applies }
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        return cluster
    }

    @Test("a broker that unregisters at one of three nodes is gone from all, and nobody tells it on as first-hand")
    func applied() {
        let cluster = cluster()
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.seconds(2))
        #expect(cluster.nodes.allSatisfy { $0.tables.rows.isEmpty })
        for name in ["a", "c"] { #expect(cluster[name].core.departures.own(after: 0).isEmpty) }
        // Evidence from before does not bring it back.
        cluster.run(.seconds(60))
        #expect(cluster.nodes.allSatisfy { $0.learned.isEmpty })
    }

    @Test("a broker that is heard again keeps its entries, also when it was heard within a round trip of the goodbye")
    func heardAgain() {
        let cluster = cluster()
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.register(1, at: cluster["a"])
        cluster.register(1, at: cluster["c"])
        cluster.run(.seconds(30))
        #expect(["a", "c"].allSatisfy { cluster[$0].tables.rows.count == 1 })
    }

    @Test("a goodbye whose way here took long may be older than the last heartbeat, and ends nothing")
    func late() {
        let cluster = cluster()
        cluster.latency = .milliseconds(800)
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.milliseconds(500))
        for name in ["a", "c"] { cluster.register(1, at: cluster[name]) }
        cluster.run(.milliseconds(310))
        // What follows is fast again, and leaves nothing open but that way.
        cluster.latency = .milliseconds(1)
        cluster.run(.seconds(30))
        #expect(["a", "c"].allSatisfy { cluster[$0].tables.rows.count == 1 })
    }

    @Test("without the flag, and in mode protect, entries stand", arguments: [GossipMode.protect, .replicate])
    func unflagged(mode: GossipMode) {
        let cluster = cluster(applies: mode == .protect, mode: mode)
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.seconds(30))
        #expect(["a", "c"].allSatisfy { cluster[$0].tables.rows.count == 1 })
    }

    @Test(
        "whatever the network does, no entry ends that was heard after the goodbye",
        arguments: 0..<200 as Range<UInt64>)
    func sound(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let cluster = CoreCluster(["a", "b"], mode: .replicate, seed: seed) { $0.appliesUnregister = true }
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        cluster.latency = .milliseconds(Int.random(in: 0...400, using: &random))
        cluster.repeatPerMille = 100
        for _ in 0..<10 {
            // At a before or after the goodbye at b, by up to a second.
            let isHeardLater = Bool.random(using: &random)
            if !isHeardLater { cluster.register(1, at: a) }
            cluster.run(.milliseconds(Int.random(in: 1...1_000, using: &random)))
            cluster.leave(1, at: b, .unregistered)
            cluster.run(.milliseconds(Int.random(in: 1...1_000, using: &random)))
            if isHeardLater {
                cluster.register(1, at: a)
                cluster.run(.seconds(4))
                #expect(a.tables.rows.count == 1, "seed \(seed)")
            }
            cluster.register(1, at: a)
            cluster.register(1, at: b)
            cluster.run(.seconds(2))
        }
    }
}
