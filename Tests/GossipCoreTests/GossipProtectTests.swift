import Basics
import Testing

@testable import GossipCore

@Suite("Gossip, mode protect: a removal is put off while a peer provably heard the broker")
struct GossipProtectTests {
    private let token: UInt32 = 1

    /// Both heard broker 1 at the start; then `node` hears it every 30 s for a while.
    private func beat(_ cluster: CoreCluster, at names: [String], times: Int) {
        for _ in 0..<times {
            cluster.run(.seconds(30))
            for name in names { cluster.register(1, at: cluster[name]) }
        }
    }

    @Test("a cut link: held as long as a peer hears it, and exactly one timeout after its last heartbeat")
    func cutLink() throws {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 6)
        let last = cluster.clock(a)
        cluster.run(.seconds(60))
        let until = try #require(a.held[token])
        // Never longer than the truth allows; shorter only by what clocks and round trip cost.
        #expect(until <= last + .seconds(120) && until > last + .seconds(119))
        #expect(b.held.isEmpty)
    }

    @Test("a broker that died is held by nobody")
    func dead() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        // The phases of the heartbeats differ by nothing: all hear it in the same tick, as RocketMQ's brokers send.
        cluster.run(.seconds(119))
        for node in cluster.nodes {
            if let until = node.held[token] { #expect(until <= cluster.clock(node) + .seconds(1)) }
        }
    }

    @Test("heard again, it is held no longer")
    func healed() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        #expect(cluster["a"].held[token] != nil)
        cluster.register(1, at: cluster["a"])
        cluster.run(.seconds(2))
        #expect(cluster["a"].held[token] == nil)
    }

    @Test("a goodbye at one node ends what gossip gave at another")
    func goodbye() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        #expect(cluster["a"].held[token] != nil)
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.seconds(1))
        #expect(cluster["a"].held[token] == nil)
    }

    @Test("a goodbye is told to a node that was away, too")
    func goodbyeLater() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        cluster.cut = ["a>b", "b>a"]
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.seconds(20))
        cluster.cut = []
        cluster.run(.seconds(40))
        #expect(cluster["a"].core.departures.tombstones.count == 1)
        #expect(cluster["a"].held[token] == nil)
    }

    @Test("a closed connection: removed within a round trip when it is closed everywhere")
    func crash() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        var released: [String: Instant] = [:]
        for node in cluster.nodes {
            node.held[token] = .distantFuture
            cluster.disconnect(1, at: node)
        }
        let start = cluster.now
        _ = cluster.run(
            until: {
                for node in cluster.nodes where node.held[token] == nil && released[node.name] == nil {
                    released[node.name] = cluster.now
                }
                return released.count == 3
            }, limit: .seconds(3))
        #expect(released.count == 3)
        #expect(cluster.now - start <= .milliseconds(100))
    }

    @Test("a reset connection: held while another node's is open, and for good once the broker is heard there")
    func reset() throws {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        let closedAt = cluster.clock(a)
        cluster.disconnect(1, at: a)
        cluster.run(.seconds(1))
        #expect(a.held[token] == closedAt + .seconds(35))
        cluster.run(.seconds(24))
        cluster.register(1, at: b)
        cluster.run(.seconds(2))
        let until = try #require(a.held[token])
        #expect(until > closedAt + .seconds(120))
    }

    @Test("a reset connection, dialled again: held no longer, though a peer vouches for it")
    func resetAndBack() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        cluster.disconnect(1, at: a)
        cluster.run(.seconds(1))
        cluster.register(1, at: b)
        cluster.run(.seconds(2))
        #expect(a.held[token] != nil)
        cluster.register(1, at: a, content: 2)
        #expect(a.held[token] == nil)
        cluster.run(.seconds(20))
        #expect(a.held[token] == nil)
        #expect(a.core.status(tables: a.tables, now: cluster.clock(a)).replicas.isEmpty)
    }

    /// A middlebox that lost its state resets the links to the peers with the brokers' connections.
    @Test(
        "all connections reset at once: nobody is let go while the peers are being dialled", arguments: [true, false])
    func everythingReset(closesFirst: Bool) throws {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect)
        let a = cluster["a"]
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        let closedAt = cluster.clock(a)
        if closesFirst { cluster.disconnect(1, at: a) }
        for link in a.links.keys.sorted() {
            cluster.close(link, a)
            cluster.input(a) { $0.linkClosed(link, problem: "reset", now: cluster.clock(a), directives: &$1) }
        }
        if !closesFirst { cluster.disconnect(1, at: a) }
        cluster.run(.milliseconds(2))
        let until = try #require(a.held[token])
        #expect(until <= closedAt + .seconds(5))
        #expect(a.held[token].map { $0 > closedAt + a.settings.closeGrace } ?? false)
        cluster.run(.seconds(6))
        #expect(a.held[token] == closedAt + .seconds(35), "the peers' connections are open")
    }

    @Test(
        "nor for longer than that when no peer comes back; and not at all when it said goodbye",
        arguments: [true, false])
    func nobodyComesBack(isFarewell: Bool) {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        if isFarewell {
            cluster.input(b) { $0.stop(now: cluster.clock(b), directives: &$1) }
            cluster.run(.milliseconds(10))
        }
        cluster.cut = ["a>b", "b>a"]
        for link in a.links.keys.sorted() {
            cluster.close(link, a)
            cluster.input(a) { $0.linkClosed(link, problem: "reset", now: cluster.clock(a), directives: &$1) }
        }
        a.held[token] = .distantFuture
        let closedAt = cluster.clock(a)
        cluster.disconnect(1, at: a)
        #expect(a.held[token] == (isFarewell ? nil : closedAt + .seconds(5)))
        cluster.run(.seconds(10))
        cluster.disconnect(1, at: a)
        #expect(a.held[token] == nil || isFarewell == false)
        a.held[token] = .distantFuture
        cluster.disconnect(1, at: a)
        #expect(a.held[token] == nil, "long after it left")
    }

    @Test("a crash: gone at once, also where a peer heard the last heartbeat after the end of the connection here")
    func lastHeartbeatAfterTheEnd() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        cluster.disconnect(1, at: a)
        cluster.run(.milliseconds(20))
        cluster.register(1, at: b)
        cluster.run(.seconds(3))
        #expect(a.held[token].map { $0 > cluster.clock(a) + .seconds(100) } == true)
        cluster.disconnect(1, at: b)
        cluster.run(.seconds(3))
        #expect(a.held[token] == nil)
        #expect(b.held[token] == nil)
    }

    /// The broker comes back at any moment of an exchange about it.
    @Test("an answer that comes after the replica was heard again holds nothing")
    func answeredTooLate() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        cluster.latency = .milliseconds(200)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        for step in 0..<20 {
            for _ in 0..<4 {
                cluster.run(.seconds(30))
                cluster.register(1, at: b)
            }
            #expect(a.held[token] != nil)
            cluster.run(.milliseconds(50 * step))
            a.tables.rows[token]?.hearing.isConnected = false
            cluster.register(1, at: a)
            cluster.run(.seconds(5))
            #expect(a.held[token] == nil, "\(step)")
        }
    }

    @Test("a closed connection with nobody to ask is stock's business")
    func alone() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        cluster.cut = ["a>b", "b>a"]
        let a = cluster["a"]
        cluster.register(1, at: a)
        cluster.run(.seconds(5))
        a.held[token] = .distantFuture
        cluster.disconnect(1, at: a)
        #expect(a.held[token] == nil)
    }

    @Test("a node that is warming up is nobody's witness")
    func warming() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        cluster["b"].core.state = .warming
        cluster["b"].core.lastNewReplica = .distantFuture
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.register(2, at: cluster["a"])
        for _ in 0..<40 {
            cluster.run(.seconds(1))
            cluster["b"].core.state = .warming
            cluster.register(1, at: cluster["b"])
        }
        #expect(cluster["a"].held[token] == nil)
    }

    @Test("two witnesses are asked for: one does not do")
    func witnesses() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect) { $0.witnesses = 2 }
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        #expect(cluster["a"].held[token] == nil)
        cluster.register(1, at: cluster["c"])
        beat(cluster, at: ["b", "c"], times: 2)
        #expect(cluster["a"].held[token] != nil)
    }

    @Test("two nodes of one name are witnesses neither of them")
    func duplicateName() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        // Another process calls itself b and dials a; the first b goes on.
        var settings = cluster["b"].settings
        settings.peers = ["a"]
        let impostor = CoreNode(settings, incarnation: 77, offset: .seconds(5), now: cluster.now)
        cluster.nodes.append(impostor)
        cluster.run(.seconds(20))
        beat(cluster, at: ["b"], times: 2)
        let a = cluster["a"]
        #expect(a.core.divergences.sorted.contains { $0.kind == .duplicateID && $0.peer == "b" })
        #expect(a.held[token] == nil)
    }

    @Test("replayed answers change nothing")
    func replay() {
        let cluster = CoreCluster(["a", "b"], mode: .protect, seed: 3)
        cluster.repeatPerMille = 1_000
        cluster.holdPerMille = 500
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        let last = cluster.clock(cluster["a"])
        cluster.run(.seconds(100))
        #expect(cluster["a"].core.counters.unsolicitedAnswers > 50)
        if let until = cluster["a"].held[token] { #expect(until <= last + .seconds(120)) }
    }

    @Test("wrong label, wrong key, unknown name: refused, told on both sides, nothing else changed")
    func refusals() {
        let cases: [(change: (inout GossipSettings) -> Void, text: String)] = [
            ({ $0.label = "other" }, "label"), ({ $0.salt = 8 }, "key"),
        ]
        for (change, text) in cases {
            let cluster = CoreCluster(["a", "b"], mode: .protect) { if $0.node == "b" { change(&$0) } }
            for node in cluster.nodes { cluster.register(1, at: node) }
            cluster.run(.seconds(30))
            for node in cluster.nodes {
                let found = node.core.divergences.sorted
                #expect(found.map(\.kind) == [.configuration], "\(node.name)")
                #expect(found.first?.text.contains(text) == true, "\(found)")
                #expect(node.core.peers.allSatisfy { $0.link == nil })
                #expect(node.core.counters.exchanges == 0)
            }
        }
    }

    @Test("other timings are told on both sides and change nothing")
    func timings() {
        let cluster = CoreCluster(["a", "b"]) { if $0.node == "b" { $0.expiry = .seconds(60) } }
        cluster.run(.seconds(10))
        for node in cluster.nodes {
            #expect(node.core.divergences.sorted.map(\.kind) == [.configuration])
            #expect(node.core.counters.exchanges > 5)
        }
    }
}
