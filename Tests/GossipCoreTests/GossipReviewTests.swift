import Basics
import Testing

@testable import GossipCore

@Suite("Gossip: what a review found")
struct GossipReviewTests {
    private let token: UInt32 = 1

    private func beat(_ cluster: CoreCluster, at names: [String], times: Int) {
        for _ in 0..<times {
            cluster.run(.seconds(30))
            for name in names { cluster.register(1, at: cluster[name]) }
        }
    }

    // MARK: Evidence that is too young

    @Test("ages told by the very answer that shows a peer's stall, and until it was told of it, are made older")
    func witnessStoodStill() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        let last = cluster.clock(a)
        cluster.run(.seconds(10))
        cluster.freeze(b, for: .seconds(60))
        for _ in 0..<100 {
            cluster.run(.seconds(1))
            if let until = a.held[token] { #expect(until <= last + .seconds(120)) }
        }
    }

    @Test("a stall that no frame can tell the peer of is made up for all the same", arguments: 1...10)
    func stallIsNeverTold(seed: UInt64) {
        let cluster = CoreCluster(["a", "b"], mode: .protect, seed: seed)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        let last = cluster.clock(a)
        (cluster.lossPerMille, cluster.holdPerMille) = (400, 200)
        cluster.freeze(b, for: .seconds(20))
        for _ in 0..<140 {
            cluster.run(.seconds(1))
            if let until = a.held[token], until > cluster.clock(a) { #expect(until <= last + .seconds(121)) }
        }
    }

    @Test("what different observers saw of one's own clock adds up: none of them need have seen all")
    func losses() {
        var stalls = StallLedger()
        let start = Instant(nanoseconds: 1_000_000_000_000)
        stalls.note(.seconds(60), by: "b", at: start + .seconds(1))
        stalls.note(.seconds(50), by: "c", at: start + .seconds(30))
        #expect(stalls.loss(since: start) >= .seconds(110))
        #expect(stalls.loss(since: start + .seconds(2)) == .seconds(50))
    }

    @Test("no word of a peer that is not ready counts as evidence of any kind")
    func warmingPeer() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        b.core.state = .warming
        cluster.dropped = ["a \(GossipMessage.Kind.snapshotChunk.rawValue)"]
        cluster.register(1, at: b)
        cluster.run(.seconds(5))
        #expect(a.core.evidence.replicaCount == 0)
    }

    @Test("a peer whose entry is gone vouches for the replica no more")
    func witnessLostIt() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        cluster.run(.seconds(20))
        #expect(a.held[token] != nil)
        // The broker's process dies: its connection to b closes, that to a was cut long ago.
        cluster.leave(1, at: b, .connectionClosed)
        cluster.run(.seconds(3))
        #expect(a.held[token] == nil)
    }

    @Test("a witness that restarted, and does not know the replica yet, still vouches for what it heard before")
    func witnessRestarted() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        cluster.run(.seconds(20))
        let until = a.held[token]
        #expect(until != nil)
        cluster.restart(b, incarnation: 99)
        cluster.run(.seconds(10))
        #expect(a.held[token] == until)
    }

    @Test("one address under a new name does not inherit the old name's hold")
    func heldUnderAnotherName() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let a = cluster["a"]
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        #expect(a.held[token] != nil)
        var row = a.tables.rows[token]!
        row.summary.identity.name = "renamed"
        row.summary.timeoutMillis = 10_000
        (row.hearing.lastHeard, row.hearing.timeout) = (cluster.clock(a), .seconds(10))
        a.tables.rows[token] = row
        cluster.input(a) {
            $0.registered(
                ReplicaToken(number: self.token), tables: a.tables, now: cluster.clock(a), directives: &$1)
        }
        #expect(a.held[token] == nil)
    }

    @Test("a hold for silence does not outlive the connection that closes meanwhile")
    func closedWhileHeld() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let a = cluster["a"]
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 3)
        #expect(a.held[token] != nil)
        cluster.cut = ["b>a", "a>b"]
        cluster.disconnect(1, at: a)
        if let until = a.held[token] { #expect(until <= cluster.clock(a)) }
    }

    @Test("what was heard in time is held no longer, whatever answers are still under way")
    func heldThoughHeard() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let a = cluster["a"]
        for node in cluster.nodes { cluster.register(1, at: node) }
        beat(cluster, at: ["b"], times: 2)
        cluster.latency = .milliseconds(400)
        cluster.run(.seconds(8))
        #expect(a.held[token] != nil)
        cluster.register(1, at: a)
        cluster.run(.seconds(4))
        #expect(a.held[token] == nil && a.core.held.isEmpty)
    }

    @Test("with two witnesses asked for, one open connection elsewhere does not do either")
    func openAtOneOnly() {
        let cluster = CoreCluster(["a", "b", "c"], mode: .protect) { $0.witnesses = 2 }
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(5))
        for name in ["a", "c"] { cluster.disconnect(1, at: cluster[name]) }
        cluster.run(.seconds(2))
        #expect(cluster["a"].held[token] == nil)
    }

    @Test("a snapshot does not bring back what fell silent here meanwhile")
    func floorInWarmUp() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { cluster.register(1, at: node) }
        cluster.run(.seconds(3))
        cluster.leave(1, at: a, .connectionClosed)
        a.core.state = .warming
        a.core.warmUp = WarmUp()
        _ = b
        cluster.run(.seconds(3))
        #expect(a.core.state == .ready)
        #expect(a.learned.isEmpty)
    }

    @Test("nobody is learned for longer than a day on one sign of life, whatever timeout a peer tells")
    func endlessTimeout() throws {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.run(.seconds(3))
        cluster.register(1, at: b, timeout: .milliseconds(Int64.max / 4))
        cluster.run(.seconds(10))
        let learned = try #require(a.learned[CoreCluster.identity(1)])
        #expect(learned.usableUntil <= cluster.clock(a) + .seconds(86_400))
    }

    // MARK: Traps, storms and growth

    @Test("a node with a long period can say that it is busy")
    func busy() {
        let cluster = CoreCluster(["a", "b"]) { $0.period = .seconds(60) }
        cluster["b"].core.state = .warming
        cluster.run(.seconds(125))
        let b = cluster["b"]
        let link = b.core.peers[0].link!
        b.core.state = .warming
        let request = GossipMessage.snapshotRequest(.init(nonce: 1, clock: .zero))
        cluster.hand(request, to: b, on: link)
        #expect(cluster.framesByKind[GossipMessage.Kind.busy.rawValue] == 1)
    }

    @Test("an image that the peer has no more is asked for once, not as fast as the network carries")
    func vanishedImage() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.run(.seconds(3))
        cluster.register(1, at: b)
        _ = cluster.run(until: { a.core.peers[0].remote.first?.value.exchanges == 1 }, limit: .seconds(5))
        // The tables of b know another registration than the one that was announced.
        b.tables.rows[1]!.summary.registrationHash = 77
        let before = cluster.framesByKind[GossipMessage.Kind.itemRequest.rawValue] ?? 0
        cluster.run(.seconds(5))
        #expect((cluster.framesByKind[GossipMessage.Kind.itemRequest.rawValue] ?? 0) - before < 10)
    }

    @Test("all goodbyes are told to a peer that was away, not only the first frame of them")
    func manyGoodbyes() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.cut = ["a>b", "b>a"]
        for broker in 1...3_000 { cluster.register(broker, at: a) }
        for broker in 1...3_000 { cluster.leave(broker, at: a, .unregistered) }
        cluster.run(.seconds(5))
        cluster.cut = []
        cluster.run(.seconds(40))
        #expect(b.core.departures.tombstones.count == 3_000)
    }

    @Test("a peer's goodbyes do not take the room of one's own, nor the place of one")
    func foreignGoodbyes() {
        var table = DepartureTable()
        let now = Instant(nanoseconds: 1_000_000_000_000)
        for replica in 0..<UInt64(GossipLimits.departures + 10) {
            _ = table.heardOfGoodbye(replica, age: .zero, timeout: .seconds(100), at: now)
        }
        #expect(table.tombstones.count <= GossipLimits.departures)
        table.unregistered(1 << 40, timeout: .seconds(120), at: now)
        #expect(table.covers(AgeBound(heardAt: now), of: 1 << 40, isRegistration: false))
        #expect(table.own(after: 0).map { $0.replica } == [1 << 40])
        // A peer heard the same goodbye a little later; this node's own is told on.
        _ = table.heardOfGoodbye(1 << 40, age: .zero, timeout: .seconds(120), at: now + .milliseconds(5))
        #expect(table.own(after: 0).map { $0.replica } == [1 << 40])
    }

    @Test("nodes found by DNS may have a new name at every start, for ever")
    func newNames() {
        let cluster = CoreCluster(["a"]) { $0.acceptsUnlistedPeers = true }
        let a = cluster["a"]
        for life in 0..<200 {
            cluster.run(.seconds(300))
            var settings = a.settings
            (settings.node, settings.peers) = ("pod-\(life)", ["a"])
            let pod = CoreNode(settings, incarnation: UInt64(1_000 + life), offset: .zero, now: cluster.now)
            pod.core.state = .ready
            cluster.nodes = [a, pod]
            #expect(cluster.run(until: { a.core.peers.contains { $0.link != nil } }, limit: .seconds(90)), "\(life)")
            cluster.input(pod) { $0.stop(now: cluster.clock(pod), directives: &$1) }
            pod.isDown = true
            cluster.run(.seconds(1))
        }
        #expect(a.core.peers.count <= GossipLimits.peers)
    }

    @Test("a node that finds its peers by DNS is not ready before it has asked for them")
    func discoveryOnly() {
        let cluster = CoreCluster(["a"], mode: .protect, ready: false) { $0.acceptsUnlistedPeers = true }
        cluster.run(.seconds(5))
        #expect(cluster["a"].core.state == .warming)
        cluster.run(.seconds(45))
        #expect(cluster["a"].core.state == .ready)
    }

    @Test("a node that dials itself is no second node of its name")
    func dialsItself() {
        let cluster = CoreCluster(["a"]) { $0.peers = ["a"] }
        cluster.run(.seconds(10))
        let a = cluster["a"]
        #expect(a.core.contacts.allSatisfy { $0.isSelf })
        #expect(!a.events.contains { $0.level == .warning }, "\(a.events.map(\.text))")
    }

    // MARK: Never done

    @Test("what the tables would not take is tried again later")
    func refusedForAWhile() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        cluster.run(.seconds(3))
        let identity = CoreCluster.identity(1)
        cluster.register(1, at: b)
        #expect(cluster.run(until: { a.learned[identity] != nil }, limit: .seconds(6)))
        a.learned = [:]
        cluster.input(a) { core, _ in core.refusedToLearn(identity, now: cluster.clock(a)) }
        cluster.run(.seconds(10))
        #expect(a.learned.isEmpty)
        cluster.run(.seconds(20))
        cluster.register(1, at: b)
        cluster.run(.seconds(20))
        #expect(a.learned[identity] != nil)
    }

    @Test("however many brokers died, those that live are asked about in time")
    func manyLate() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in cluster.nodes { for broker in 1...3_000 { cluster.register(broker, at: node) } }
        // 3,000 die; 100 more were heard a little later, and go on at b only.
        cluster.run(.seconds(1))
        for node in cluster.nodes { for broker in 3_001...3_100 { cluster.register(broker, at: node) } }
        for _ in 0..<3 {
            cluster.run(.seconds(30))
            for broker in 3_001...3_100 { cluster.register(broker, at: b) }
        }
        cluster.run(.seconds(20))
        #expect((3_001...3_100).allSatisfy { a.held[UInt32($0)] != nil })
    }

    @Test("peers that never answer a question do not keep others from being compared")
    func slowPeers() {
        let cluster = CoreCluster(["a", "x", "y", "z"])
        for broker in 1...400 { cluster.register(broker, at: cluster["a"]) }
        for name in ["x", "y", "z"] { for broker in 21...420 { cluster.register(broker, at: cluster[name]) } }
        cluster.dropped = ["x", "y"].flatMap { name in
            [GossipMessage.Kind.sketch, .list].map { "\(name) \($0.rawValue)" }
        }
        cluster.cut = ["a>z", "z>a"]
        cluster.run(.seconds(4))
        cluster.cut = []
        cluster.run(.seconds(60))
        let z = cluster["a"].core.peers.firstIndex { $0.name == "z" }!
        #expect(cluster["a"].core.peers[z].onlyHere.count == 20)
    }

    @Test("a new link between the same two lives heals nothing that still differs")
    func supersededLink() {
        let cluster = CoreCluster(["a", "b"])
        let (a, b) = (cluster["a"], cluster["b"])
        for broker in 1...60 { cluster.register(broker, at: a) }
        for broker in 6...60 { cluster.register(broker, at: b) }
        cluster.run(.seconds(45))
        #expect(b.core.divergences.sorted.filter { $0.isReported }.count == 5)
        // a's end of the link is gone without a word; it dials again before b has noticed.
        let link = a.core.peers[0].link!
        a.links[link] = nil
        cluster.input(a) { $0.linkClosed(link, problem: "reset", now: cluster.clock(a), directives: &$1) }
        cluster.run(.seconds(10))
        #expect(b.core.peers[0].link != nil)
        let healed = b.events.filter { $0.kind == .healed }.map { $0.text }
        #expect(healed.isEmpty, "\(healed) \(a.core.divergences.entries.count)")
    }
}
