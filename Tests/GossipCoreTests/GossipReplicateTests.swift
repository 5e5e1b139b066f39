import Basics
import Testing

@testable import GossipCore

@Suite("Gossip, mode replicate and warm-up: gaps are filled from peers")
struct GossipReplicateTests {
    @Test(
        "a broker that only a peer hears is learned, kept by fresh evidence, and gone one timeout after its last heartbeat"
    )
    func learned() throws {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.run(.seconds(3))
        let identity = CoreCluster.identity(1)
        // The first registration and the exchange that finds it: nothing is learned from less than two exchanges.
        cluster.register(1, at: b)
        #expect(cluster.run(until: { a.learned[identity] != nil }, limit: .seconds(6)))
        #expect(a.learned[identity]?.origin == "b")
        #expect(a.learned[identity]?.image == [0, 0, 0, 0, 0, 0, 0, 1])
        for _ in 0..<6 {
            cluster.run(.seconds(30))
            #expect(a.learned[identity] != nil)
            cluster.register(1, at: b)
        }
        let last = cluster.clock(a)
        #expect(cluster.run(until: { a.learned[identity] == nil }, limit: .seconds(200)))
        #expect(cluster.clock(a) <= last + .seconds(122) && cluster.clock(a) > last + .seconds(118))
    }

    @Test("a registration of its own ends what was learned, without a word to forget it")
    func registered() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        cluster.run(.seconds(3))
        cluster.register(1, at: cluster["b"])
        cluster.run(.seconds(8))
        #expect(cluster["a"].core.learned.count == 1)
        cluster.register(1, at: cluster["a"])
        #expect(cluster["a"].core.learned.isEmpty)
    }

    @Test("a goodbye at the peer ends what was learned at once")
    func goodbye() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        cluster.run(.seconds(3))
        cluster.register(1, at: cluster["b"])
        cluster.run(.seconds(8))
        #expect(cluster["a"].learned.count == 1)
        cluster.leave(1, at: cluster["b"], .unregistered)
        cluster.run(.milliseconds(100))
        #expect(cluster["a"].learned.isEmpty)
    }

    @Test("after an eviction only a newer sign of life brings it back")
    func floor() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.leave(1, at: a, .connectionClosed)
        cluster.run(.seconds(20))
        #expect(a.learned.isEmpty)
        cluster.register(1, at: b)
        #expect(cluster.run(until: { a.learned.count == 1 }, limit: .seconds(45)))
    }

    @Test("observe and protect learn nothing", arguments: [GossipMode.observe, .protect])
    func otherModes(mode: GossipMode) {
        let cluster = CoreCluster(["a", "b"], mode: mode)
        cluster.register(1, at: cluster["b"])
        cluster.run(.seconds(60))
        #expect(cluster["a"].learned.isEmpty)
    }

    @Test("a restarted node is filled by a snapshot and ready at once; the rest is dropped when nobody vouches for it")
    func warmUp() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect)
        for node in cluster.nodes { node.core.state = node.name == "a" ? .warming : .ready }
        for name in ["b", "c"] { for broker in 1...300 { cluster.register(broker, at: cluster[name]) } }
        let a = cluster["a"]
        #expect(cluster.run(until: { a.core.state == .ready }, limit: .seconds(3)))
        #expect(a.learned.count == 300)
        #expect(a.learned.values.allSatisfy { $0.isProvisional })
        #expect(a.states == [.ready])
        // Half of the brokers come by themselves; in mode protect the others end with the warm-up.
        for broker in 1...150 { cluster.register(broker, at: a) }
        cluster.run(.seconds(70))
        #expect(a.core.learned.isEmpty)
    }

    @Test("in mode replicate what peers go on hearing outlives the warm-up")
    func confirmed() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        cluster["a"].core.state = .warming
        for broker in 1...100 { cluster.register(broker, at: cluster["b"]) }
        for _ in 0..<6 {
            cluster.run(.seconds(30))
            for broker in 1...50 { cluster.register(broker, at: cluster["b"]) }
        }
        #expect(cluster["a"].learned.count == 50)
        #expect(cluster["a"].learned.values.allSatisfy { !$0.isProvisional })
    }

    @Test("a node that is warming up serves no snapshot, and all of them get ready nevertheless")
    func allRestart() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .replicate, ready: false)
        for broker in 1...10 { cluster.register(broker, at: cluster["b"]) }
        cluster.run(.seconds(20))
        #expect(cluster.nodes.allSatisfy { $0.core.state == .warming && $0.learned.isEmpty })
        cluster.run(.seconds(26))
        #expect(cluster.nodes.allSatisfy { $0.core.state == .ready })
    }

    @Test("cut off from all peers and brokers a node says so, and is ready again when it hears them")
    func isolated() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let a = cluster["a"]
        for node in cluster.nodes { for broker in 1...10 { cluster.register(broker, at: node) } }
        cluster.run(.seconds(5))
        cluster.cut = ["a>b", "b>a"]
        cluster.run(.seconds(45))
        #expect(a.core.state == .isolated)
        cluster.cut = []
        for broker in 1...10 { cluster.register(broker, at: a) }
        cluster.run(.seconds(5))
        #expect(a.core.state == .ready)
    }
}
