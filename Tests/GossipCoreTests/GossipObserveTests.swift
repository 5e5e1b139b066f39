import Basics
import Testing

@testable import GossipCore

@Suite("Gossip, mode observe: nodes compare what they heard")
struct GossipObserveTests {
    private func reported(_ node: CoreNode) -> [String] {
        node.core.divergences.sorted.filter(\.isReported).map {
            "\($0.kind.name) \($0.peer) \($0.replica?.name ?? "-")"
        }
    }

    @Test("nodes that heard the same agree, and say nothing more than one exchange a period")
    func agreement() {
        let cluster = CoreCluster(["a", "b", "c"])
        for node in cluster.nodes { for broker in 1...5 { cluster.register(broker, at: node) } }
        cluster.run(.seconds(60))
        for node in cluster.nodes {
            let status = node.core.status(tables: node.tables, now: cluster.clock(node))
            #expect(status.peers.allSatisfy { $0.isConnected && $0.agrees == true }, "\(node.name)")
            #expect(status.divergences.isEmpty)
        }
        // SYN, SYN-ACK, ACK for each of three pairs once a second, and the handshakes: no frame of any other kind.
        #expect(cluster.framesByKind.keys.allSatisfy { (1...5).contains($0) })
        #expect((3 * 3 * 50...3 * 3 * 76).contains(cluster.frames), "\(cluster.frames) frames")
    }

    @Test("one missing broker is found from the digest alone, named, reported after 5 s, and healed")
    func missing() {
        let cluster = CoreCluster(["a", "b"])
        for node in cluster.nodes { for broker in 1...50 { cluster.register(broker, at: node) } }
        cluster.run(.seconds(36))
        cluster.register(51, at: cluster["a"])
        cluster.run(.seconds(4))
        #expect(reported(cluster["a"]).isEmpty && reported(cluster["b"]).isEmpty)
        cluster.run(.seconds(4))
        #expect(reported(cluster["a"]) == ["missingThere b broker-51"])
        #expect(reported(cluster["b"]) == ["missingHere a broker-51"])
        #expect(cluster.framesByKind[GossipMessage.Kind.sketchRequest.rawValue] == nil)
        #expect(cluster.framesByKind[GossipMessage.Kind.itemRequest.rawValue] == 1)
        cluster.register(51, at: cluster["b"])
        cluster.run(.seconds(3))
        #expect(reported(cluster["a"]).isEmpty && reported(cluster["b"]).isEmpty)
        #expect(cluster["b"].events.count { $0.kind == .diverged } == 1)
        #expect(cluster["b"].events.count { $0.kind == .healed } == 1)
    }

    /// In mode protect it is ready after a second, filled by a snapshot; its brokers come by themselves within a heartbeat.
    @Test("a node that has restarted is not reported for what its brokers have yet to tell it", arguments: [20, 60])
    func restarted(seconds: Int) {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        func heartbeats(_ names: String..., then time: Duration = .seconds(20)) {
            for name in names { for broker in 1...20 { cluster.register(broker, at: cluster[name]) } }
            cluster.run(time)
        }
        for _ in 1...3 { heartbeats("a", "b") }
        let told = cluster.nodes.map { $0.events.count { $0.kind == .diverged } }
        cluster.restart(cluster["b"], incarnation: 77)
        for _ in 1...seconds / 20 { heartbeats("a") }
        for _ in 1...2 { heartbeats("a", "b") }
        let isLate = seconds > 35
        for (node, before) in zip(cluster.nodes, told) {
            #expect((node.events.count { $0.kind == .diverged } > before) == isLate, "\(node.name)")
            #expect(reported(node).isEmpty)
        }
    }

    @Test("other content under the same name is one difference, not two")
    func content() {
        let cluster = CoreCluster(["a", "b"])
        for node in cluster.nodes { for broker in 1...50 { cluster.register(broker, at: node) } }
        cluster.register(7, at: cluster["b"], content: 99)
        cluster.run(.seconds(45))
        #expect(reported(cluster["a"]) == ["content b broker-7"])
        #expect(reported(cluster["b"]) == ["content a broker-7"])
    }

    @Test("any number of differences is found", arguments: [2, 10, 100, 1_000])
    func many(differences: Int) {
        let cluster = CoreCluster(["a", "b"])
        for broker in 1...3_000 {
            cluster.register(broker, at: cluster["a"])
            if broker > differences { cluster.register(broker, at: cluster["b"]) }
        }
        cluster.run(.seconds(60))
        #expect(reported(cluster["b"]).count == differences)
        #expect(reported(cluster["a"]).count == differences)
    }

    @Test("an empty node is compared by list")
    func empty() {
        let cluster = CoreCluster(["a", "b"])
        for broker in 1...500 { cluster.register(broker, at: cluster["a"]) }
        cluster.run(.seconds(45))
        #expect(reported(cluster["b"]).count == 500)
        #expect(cluster.framesByKind[GossipMessage.Kind.listRequest.rawValue] != nil)
    }

    @Test("a cut between a broker and one node shows as late there, at once when it is late, and never holds")
    func late() {
        let cluster = CoreCluster(["a", "b"])
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(30))
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(30))
        cluster.register(1, at: b)
        // Heard by both at 30 s, by b only at 60 s.
        cluster.run(.seconds(7))
        #expect(reported(a).isEmpty)
        cluster.run(.seconds(2))
        #expect(reported(a) == ["lateHere b broker-1"])
        cluster.run(.seconds(7))
        #expect(reported(b) == ["lateThere a broker-1"])
        #expect(a.held.isEmpty && b.held.isEmpty)
        cluster.register(1, at: a)
        cluster.register(1, at: b)
        cluster.run(.seconds(3))
        #expect(reported(a).isEmpty && reported(b).isEmpty)
    }

    @Test("one alarm about one broken link, however many peers hear the broker, and however often it breaks")
    func oneAlarm() {
        let cluster = CoreCluster(["a", "b", "c"])
        let a = cluster["a"]
        for node in cluster.nodes { cluster.register(1, at: node) }
        for _ in 0..<2 {
            for _ in 0..<2 {
                cluster.run(.seconds(30))
                for name in ["b", "c"] { cluster.register(1, at: cluster[name]) }
            }
            cluster.run(.seconds(10))
            #expect(Set(reported(a)) == ["lateHere b broker-1", "lateHere c broker-1"])
            for node in cluster.nodes { cluster.register(1, at: node) }
            cluster.run(.seconds(3))
            #expect(reported(a).isEmpty)
        }
        let told = a.events.filter { $0.divergence == .lateHere && $0.kind == .diverged }
        #expect(told.count == 4)
        #expect(told.filter { $0.level == .warning }.count == 1)
        #expect(a.core.counters.alarms == 1)
    }

    @Test("a broker that died is late everywhere and a difference nowhere")
    func dead() {
        let cluster = CoreCluster(["a", "b", "c"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(119))
        #expect(cluster.nodes.allSatisfy { $0.core.divergences.isEmpty })
        #expect(cluster.nodes.allSatisfy { $0.core.late.count == 1 })
    }

    @Test("other key-value configuration, permissions and versions are told without names")
    func digests() {
        let cluster = CoreCluster(["a", "b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster["a"].core.administered(keyValues: 1, administration: 2)
        cluster.run(.seconds(10))
        #expect(reported(cluster["b"]) == ["permission a -", "keyValue a -"])
        cluster["b"].core.administered(keyValues: 1, administration: 2)
        cluster.run(.seconds(3))
        #expect(reported(cluster["b"]).isEmpty)
    }

    @Test("loss, repetition and delay of frames delay the finding, no more", arguments: 1...20)
    func unreliable(seed: UInt64) {
        let cluster = CoreCluster(["a", "b", "c"], seed: seed)
        (cluster.lossPerMille, cluster.repeatPerMille, cluster.holdPerMille) = (100, 100, 100)
        for node in cluster.nodes { for broker in 1...100 { cluster.register(broker, at: node) } }
        for broker in 101...120 { cluster.register(broker, at: cluster["a"]) }
        #expect(
            cluster.run(
                until: { reported(cluster["b"]).count == 20 && reported(cluster["c"]).count == 20 },
                limit: .seconds(120)))
        // At all three, so that nobody hears them much later than another.
        for broker in 101...120 { for node in cluster.nodes { cluster.register(broker, at: node) } }
        #expect(cluster.run(until: { cluster.nodes.allSatisfy { reported($0).isEmpty } }, limit: .seconds(60)))
    }
}
