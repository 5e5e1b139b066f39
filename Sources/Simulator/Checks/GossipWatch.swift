import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// What the checks of gossip see: each node's gossip before and after the last event, every frame that the event sent,
/// and when each node really heard each broker.
final class GossipWatch {
    /// A frame as it was sent.
    struct Frame {
        var from: Int
        var to: Int
        /// The sender's life, from 1.
        var life: Int
        var size: Int
        var message: GossipMessage
    }

    /// A heartbeat that a node processed.
    struct Heard {
        /// True time.
        var time: Int64
        /// The node's life.
        var life: Int
    }

    /// When a node first measured a peer's clock.
    struct Contact {
        var peerLife: Int
        /// True time when the answer came, and its round trip.
        var time: Int64
        var roundTrip: Int64
    }

    /// A node's gossip and tables at one moment.
    struct Look {
        var life: Int
        var tick: Int
        var requests: Int
        var tableTick: UInt64
        /// What the node's clock shows.
        var now: Instant
        var state: NodeState
        var counters: GossipCounters
        var tables: Counters
        var peers: [InspectedPeer]
        /// By broker.
        var evidence: [[InspectedEvidence]]
        var learned: [InspectedLearned]
        var hearings: [Hearing?]
        var root: SketchSymbol
        var stall: Duration
    }

    unowned let cluster: Cluster
    /// By broker: `KeyedHash.replica`.
    let hashes: [UInt64]
    /// By node; nil while it is down.
    private(set) var looks: [Look?]
    /// Before the last change.
    private(set) var before: [Look?]
    /// Whether the last event changed anything at the node.
    private(set) var isFresh: [Bool]
    /// What the last event sent.
    private(set) var frames: [Frame] = []
    /// By node, then broker; the newest last.
    private(set) var heard: [[[Heard]]]
    /// By node, then peer; emptied when the node restarts.
    private(set) var contacts: [[[Contact]]]
    /// By node, then peer: the widest the offset ever was, in nanoseconds.
    private(set) var widths: [[Int64]]
    /// By node, then peer: true time when the last completed exchange began.
    private(set) var exchangedAt: [[Int64?]]
    /// By node, then broker: true time when an UNREGISTER_BROKER of it was processed, and it has not been heard since.
    private(set) var goodbyes: [[Int64?]]
    /// By node, then broker: the true time of the newest event that the last removal knew, and when that was.
    private(set) var floors: [[(event: Int64, at: Int64)?]]
    /// By node: time that it, or a peer about it, ever took for lost, over all its lives, in nanoseconds.
    private(set) var aged: [Int64]
    /// By node: states of its first-hand set by sketch sum, of this and earlier lives.
    private(set) var sets: [[SketchSymbol: [UInt64]]]

    init(_ cluster: Cluster) {
        self.cluster = cluster
        let (nodes, brokers) = (cluster.nodes.count, cluster.brokers.count)
        hashes = cluster.brokers.map { SimulatedNode.hash.replica($0.replica) }
        looks = Array(repeating: nil, count: nodes)
        before = looks
        isFresh = Array(repeating: false, count: nodes)
        heard = Array(repeating: Array(repeating: [], count: brokers), count: nodes)
        contacts = Array(repeating: Array(repeating: [], count: nodes), count: nodes)
        widths = Array(repeating: Array(repeating: 0, count: nodes), count: nodes)
        exchangedAt = Array(repeating: Array(repeating: nil, count: nodes), count: nodes)
        goodbyes = Array(repeating: Array(repeating: nil, count: brokers), count: nodes)
        floors = Array(repeating: Array(repeating: nil, count: brokers), count: nodes)
        aged = Array(repeating: 0, count: nodes)
        sets = Array(repeating: [:], count: nodes)
        cluster.world.onGossipFrame = { [unowned self] from, to, bytes in
            guard from.index < nodes, to.index < nodes, let message = try? GossipMessage.decode(bytes) else { return }
            frames.append(
                Frame(
                    from: from.index, to: to.index, life: cluster.nodes[from.index].starts, size: bytes.count,
                    message: message))
        }
    }

    var time: Int64 { cluster.world.time }

    /// Takes in the last event, after `Truth`.
    func observe(_ touched: [Int]) {
        for node in isFresh.indices { isFresh[node] = false }
        for node in touched { look(at: cluster.nodes[node]) }
    }

    /// The checks have seen the event.
    func endEvent() { frames.removeAll(keepingCapacity: true) }

    /// The number of the node called so.
    func index(of name: String) -> Int? { cluster.nodes.firstIndex { $0.host.name == name } }

    private func look(at node: SimulatedNode) {
        let index = node.index
        guard let server = node.node else {
            if looks[index] != nil { forget(index) }
            return
        }
        if let old = looks[index], old.life != node.starts { forget(index) }
        let last = looks[index]
        let (requests, tableTick) = server.inspectTables { ($0.counters.requests, $0.tableTick) }
        let tick = server.inspectGossip { $0.inspectionTick } ?? 0
        if let last, last.tick == tick, last.requests == requests, last.tableTick == tableTick { return }
        guard let look = makeLook(node, server, tick, requests, tableTick) else { return }
        before[index] = last
        looks[index] = look
        isFresh[index] = true
        noteHearings(index, look)
        aged[index] += max(0, (look.stall - (last?.stall ?? .zero)).wholeNanoseconds)
        if let last {
            notePeers(index, look, last)
            noteRemovals(index, look, last)
        }
        if last?.root != look.root, sets[index][look.root] == nil {
            sets[index][look.root] = server.inspectGossip { $0.inspectedItems.items }
        }
    }

    private func makeLook(
        _ node: SimulatedNode, _ server: NameServerNode, _ tick: Int, _ requests: Int, _ tableTick: UInt64
    ) -> Look? {
        let (tables, hearings) = server.inspectTables { tables in
            (
                tables.counters,
                cluster.brokers.map { broker -> Hearing? in
                    guard let token = tables.token(of: broker.replica) else { return nil }
                    let hearing: Hearing? = tables.hearing(of: token)
                    return hearing
                }
            )
        }
        return server.inspectGossip { gossip in
            Look(
                life: node.starts, tick: tick, requests: requests, tableTick: tableTick, now: node.host.now,
                state: gossip.state, counters: gossip.counters, tables: tables, peers: gossip.inspectedPeers,
                evidence: hashes.map { gossip.inspectEvidence(of: $0) }, learned: gossip.inspectedLearned,
                hearings: hearings, root: gossip.inspectedRoot, stall: gossip.inspectedStall)
        }
    }

    private func forget(_ node: Int) {
        looks[node] = nil
        before[node] = nil
        for peer in contacts[node].indices {
            contacts[node][peer] = []
            widths[node][peer] = 0
            exchangedAt[node][peer] = nil
        }
        for broker in hashes.indices {
            goodbyes[node][broker] = nil
            floors[node][broker] = nil
        }
    }

    private func noteHearings(_ node: Int, _ look: Look) {
        for (broker, view) in cluster.truth.views[node].enumerated() {
            if look.hearings[broker] != nil {
                goodbyes[node][broker] = nil
                floors[node][broker] = nil
            }
            guard let at = view.heardAt, heard[node][broker].last?.time != at else { continue }
            heard[node][broker].append(Heard(time: at, life: look.life))
            if heard[node][broker].count > 64 { heard[node][broker].removeFirst(32) }
        }
    }

    private func notePeers(_ node: Int, _ look: Look, _ last: Look) {
        for (place, peer) in look.peers.enumerated() {
            guard let other = index(of: peer.name) else { continue }
            let old = place < last.peers.count ? last.peers[place] : nil
            widths[node][other] = max(widths[node][other], peer.offsetWidth.wholeNanoseconds)
            aged[other] += max(0, (peer.stalled - (old?.stalled ?? .zero)).wholeNanoseconds)
            if let at = peer.lastExchange, at != old?.lastExchange {
                exchangedAt[node][other] = time - peer.roundTrip.wholeNanoseconds
            }
            if peer.firstContact != nil, peer.firstContact != old?.firstContact {
                contacts[node][other].append(
                    Contact(
                        peerLife: cluster.nodes[other].starts, time: time,
                        roundTrip: peer.roundTrip.wholeNanoseconds))
            }
        }
    }

    private func noteRemovals(_ node: Int, _ look: Look, _ last: Look) {
        let unregistered = look.tables.unregistrations > last.tables.unregistrations
        let closed = look.tables.closedConnections > last.tables.closedConnections
        var hasLeft = false
        for broker in hashes.indices where look.hearings[broker] == nil && last.hearings[broker] != nil {
            if unregistered {
                goodbyes[node][broker] = time
                hasLeft = true
            } else if let old = heard[node][broker].last {
                floors[node][broker] = (closed ? time : old.time, time)
            }
        }
        guard unregistered, !hasLeft else { return }
        let leaving = cluster.brokers.filter(\.isStopping)
        if leaving.count == 1, look.hearings[leaving[0].index] == nil { goodbyes[node][leaving[0].index] = time }
    }

    // MARK: What is really so

    /// When any other node than this one last heard the broker.
    func lastHeard(of broker: Int, except node: Int) -> Int64? {
        heard.indices.filter { $0 != node }.compactMap { heard[$0][broker].last?.time }.max()
    }

    /// For how long a node's clock stood still since a moment, in nanoseconds.
    func frozen(_ node: Int, since moment: Int64) -> Int64 {
        cluster.truth.frozenTime(of: cluster.nodes[node].host, since: moment)
    }

    /// Whether any node's clock stood still since a moment: then nodes may know no better for a while.
    func wasAnyFrozen(since moment: Int64) -> Bool {
        cluster.nodes.indices.contains { frozen($0, since: moment) > 0 }
    }
}
