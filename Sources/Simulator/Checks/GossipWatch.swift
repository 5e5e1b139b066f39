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

    /// A node's gossip and tables at one moment. A class, as it is handed around and too large to be copied.
    final class Look {
        let life: Int
        let tick: Int
        let requests: Int
        let tableTick: UInt64
        let state: NodeState
        let counters: GossipCounters
        let tables: Counters
        /// By broker.
        let evidence: [[InspectedEvidence]]
        /// Whether there is any.
        let hasEvidence: Bool
        let learned: [InspectedLearned]
        /// By broker.
        let hearings: [Hearing?]
        /// True time when they were read.
        let hearingsReadAt: Int64
        /// Connections open then.
        let streams: Int
        let root: SketchSymbol
        let stall: Duration

        init(
            life: Int, state: TableState, streams: Int, hearings: [Hearing?], hearingsReadAt: Int64,
            gossip: borrowing Gossip, evidence: [[InspectedEvidence]]
        ) {
            (self.life, tick, requests) = (life, gossip.inspectionTick, state.requests)
            (tableTick, tables, self.streams) = (state.tick, state.counters, streams)
            (self.state, counters) = (gossip.state, gossip.counters)
            (self.evidence, hasEvidence) = (evidence, gossip.hasInspectedEvidence)
            (self.hearings, self.hearingsReadAt) = (hearings, hearingsReadAt)
            (learned, root, stall) = (gossip.inspectedLearned, gossip.inspectedRoot, gossip.inspectedStall)
        }
    }

    /// The state of a node's tables, in numbers.
    struct TableState {
        var tick: UInt64
        var counters: Counters
        var requests: Int { counters.requests }
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
    /// By node: its peers, as of the last look.
    private(set) var peers: [[InspectedPeer]]
    /// By node: which of them the last look found changed, and what they were before.
    private(set) var changes: [[(place: Int, old: InspectedPeer?)]]
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
    /// By node, then peer: the same of the exchange before the last gap in which one of their clocks stood still.
    private(set) var exchangedBeforeStall: [[Int64?]]
    /// By node, then broker: true time when an UNREGISTER_BROKER of it was processed, and it has not been heard since.
    private(set) var goodbyes: [[Int64?]]
    /// By node, then broker: the true time of the newest event that the last removal knew, and when that was.
    private(set) var floors: [[(event: Int64, at: Int64)?]]
    /// By node: time that it, or a peer about it, ever took for lost, over all its lives, in nanoseconds.
    private(set) var aged: [Int64]
    /// Names that a node goes by that is not the host of that name.
    private(set) var sharedNames: Set<String> = []
    private let numbers: [String: Int]
    /// The nodes whose `isFresh` is to be reset.
    private var freshNodes: [Int] = []
    /// By node, then peer in the node's order: its number.
    private var peerNumbers: [[Int?]]
    private let noEvidence: [[InspectedEvidence]]
    /// By node: true time when all its peers were last looked at.
    private var allPeersSeenAt: [Int64]
    /// By node: how many brokers have an entry in `goodbyes` or `floors`.
    private(set) var departures: [Int]
    /// By node: states of its first-hand set by sketch sum, of this and earlier lives.
    private(set) var sets: [[SketchSymbol: [UInt64]]]

    init(_ cluster: Cluster) {
        self.cluster = cluster
        let (nodes, brokers) = (cluster.nodes.count, cluster.brokers.count)
        numbers = Dictionary(uniqueKeysWithValues: cluster.nodes.map { ($0.host.name, $0.index) })
        hashes = cluster.brokers.map { SimulatedNode.hash.replica($0.replica) }
        looks = Array(repeating: nil, count: nodes)
        before = looks
        isFresh = Array(repeating: false, count: nodes)
        peers = Array(repeating: [], count: nodes)
        changes = Array(repeating: [], count: nodes)
        peerNumbers = Array(repeating: [], count: nodes)
        departures = Array(repeating: 0, count: nodes)
        noEvidence = Array(repeating: [], count: brokers)
        allPeersSeenAt = Array(repeating: 0, count: nodes)
        heard = Array(repeating: Array(repeating: [], count: brokers), count: nodes)
        contacts = Array(repeating: Array(repeating: [], count: nodes), count: nodes)
        widths = Array(repeating: Array(repeating: 0, count: nodes), count: nodes)
        exchangedAt = Array(repeating: Array(repeating: nil, count: nodes), count: nodes)
        exchangedBeforeStall = exchangedAt
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
        for node in freshNodes { isFresh[node] = false }
        freshNodes.removeAll(keepingCapacity: true)
        for node in touched { look(at: cluster.nodes[node]) }
    }

    /// The checks have seen the event.
    func endEvent() {
        if !frames.isEmpty { frames.removeAll(keepingCapacity: true) }
        if !cluster.world.gossipArrivals.isEmpty { cluster.world.gossipArrivals.removeAll(keepingCapacity: true) }
    }

    /// The number of the node called so; nil when there are two.
    func index(of name: String) -> Int? { sharedNames.contains(name) ? nil : numbers[name] }

    /// The number of a node's peer, by its place in `peers`; nil when there are two of its name.
    func number(ofPeer place: Int, of node: Int) -> Int? { peerNumbers[node][place] }

    /// A node's peer as of the last look, and as it was before.
    func peer(_ name: String, of node: Int) -> (now: InspectedPeer, before: InspectedPeer?)? {
        guard let place = peers[node].firstIndex(where: { $0.name == name }) else { return nil }
        let change = changes[node].first { $0.place == place }
        return (peers[node][place], change == nil ? peers[node][place] : change?.old)
    }

    private func look(at node: SimulatedNode) {
        let index = node.index
        guard let server = node.node else {
            if looks[index] != nil { forget(index) }
            return
        }
        if let life = looks[index]?.life, life != node.starts { forget(index) }
        let last = looks[index]
        let (requests, tableTick) = server.inspectTables { ($0.counters.requests, $0.tableTick) }
        if let last, last.requests == requests, last.tableTick == tableTick,
            last.tick == server.inspectGossip({ $0.inspectionTick })
        {
            return
        }
        changes[index].removeAll(keepingCapacity: true)
        guard let look = makeLook(node, server, last) else { return }
        if last == nil, let name = server.inspectGossip({ $0.settings.node }), name != node.host.name {
            sharedNames.insert(name)
        }
        before[index] = last
        looks[index] = look
        isFresh[index] = true
        freshNodes.append(index)
        let areHearingsNew = look.hearingsReadAt != last?.hearingsReadAt
        if areHearingsNew { noteHearings(index, look) }
        let lost = look.stall - (last?.stall ?? .zero)
        if lost > .zero { aged[index] += lost.wholeNanoseconds }
        if let last {
            notePeers(index)
            if areHearingsNew { noteRemovals(index, look, last) }
        } else {
            numberPeers(index)
        }
        if last?.root != look.root, sets[index][look.root] == nil {
            sets[index][look.root] = server.inspectGossip { $0.inspectedItems.items }
        }
    }

    private func makeLook(_ node: SimulatedNode, _ server: NameServerNode, _ last: Look?) -> Look? {
        let index = node.index
        let state = server.inspectTables { TableState(tick: $0.tableTick, counters: $0.counters) }
        let streams = node.platform?.streamCount ?? 0
        let only = onlyPeer(of: index)
        return server.inspectGossip { gossip in
            gossip.updateInspected(&peers[index], at: only, changed: &changes[index])
            let evidence =
                gossip.hasInspectedEvidence ? hashes.map { gossip.inspectEvidence(of: $0) } : noEvidence
            // A hearing changes with a request, with the tables, a connection or a hold; and all are read once a second.
            if let last, last.tableTick == state.tick, last.streams == streams, last.tables == state.counters,
                last.counters.holds == gossip.counters.holds, time - last.hearingsReadAt < 1_000_000_000
            {
                return Look(
                    life: node.starts, state: state, streams: streams, hearings: last.hearings,
                    hearingsReadAt: last.hearingsReadAt, gossip: gossip, evidence: evidence)
            }
            return Look(
                life: node.starts, state: state, streams: streams, hearings: hearings(server), hearingsReadAt: time,
                gossip: gossip, evidence: evidence)
        }
    }

    /// A frame changes the peer it comes from or goes to, and no other. Whatever else happens may change any; and once a
    /// second all are looked at in any case.
    private func onlyPeer(of node: Int) -> Int? {
        let world = cluster.world
        var other: Int?
        var isOne = sharedNames.isEmpty && time - allPeersSeenAt[node] < 1_000_000_000
        for arrival in world.gossipArrivals where arrival.to == node {
            isOne = isOne && (other == nil || other == arrival.from)
            other = arrival.from
        }
        for frame in frames where frame.from == node {
            isOne = isOne && (other == nil || other == frame.to)
            other = frame.to
        }
        if isOne, let other, let place = peerNumbers[node].firstIndex(of: other) { return place }
        allPeersSeenAt[node] = time
        return nil
    }

    private func hearings(_ server: NameServerNode) -> [Hearing?] {
        server.inspectTables { tables in
            cluster.brokers.map { broker -> Hearing? in
                guard let token = tables.token(of: broker.replica) else { return nil }
                let hearing: Hearing? = tables.hearing(of: token)
                return hearing
            }
        }
    }

    private func forget(_ node: Int) {
        looks[node] = nil
        before[node] = nil
        peers[node] = []
        changes[node] = []
        peerNumbers[node] = []
        for peer in contacts[node].indices {
            contacts[node][peer] = []
            widths[node][peer] = 0
            exchangedAt[node][peer] = nil
            exchangedBeforeStall[node][peer] = nil
        }
        for broker in hashes.indices {
            goodbyes[node][broker] = nil
            floors[node][broker] = nil
        }
        departures[node] = 0
    }

    private func noteHearings(_ node: Int, _ look: Look) {
        for (broker, view) in cluster.truth.views[node].enumerated() {
            if look.hearings[broker] != nil, departures[node] > 0 {
                goodbyes[node][broker] = nil
                floors[node][broker] = nil
            }
            guard let at = view.heardAt, heard[node][broker].last?.time != at else { continue }
            heard[node][broker].append(Heard(time: at, life: look.life))
            if heard[node][broker].count > 64 { heard[node][broker].removeFirst(32) }
        }
        countDepartures(node)
    }

    private func countDepartures(_ node: Int) {
        departures[node] = hashes.indices.count { goodbyes[node][$0] != nil || floors[node][$0] != nil }
    }

    private func numberPeers(_ node: Int) { peerNumbers[node] = peers[node].map { index(of: $0.name) } }

    private func notePeers(_ node: Int) {
        if !sharedNames.isEmpty || peers[node].count > peerNumbers[node].count { numberPeers(node) }
        for change in changes[node].indices {
            let place = changes[node][change].place
            if changes[node][change].old?.name != peers[node][place].name { numberPeers(node) }
            guard let other = peerNumbers[node][place] else { continue }
            note(peers[node][place], changes[node][change].old, node, other)
        }
    }

    private func note(_ peer: InspectedPeer, _ old: InspectedPeer?, _ node: Int, _ other: Int) {
        if peer.offsetWidth != old?.offsetWidth {
            widths[node][other] = max(widths[node][other], peer.offsetWidth.wholeNanoseconds)
        }
        if peer.stalled != old?.stalled {
            aged[other] += max(0, (peer.stalled - (old?.stalled ?? .zero)).wholeNanoseconds)
        }
        if let at = peer.lastExchange, at != old?.lastExchange {
            if let last = exchangedAt[node][other], frozen(node, since: last) + frozen(other, since: last) > 0 {
                exchangedBeforeStall[node][other] = last
            }
            exchangedAt[node][other] = time - peer.roundTrip.wholeNanoseconds
        }
        if peer.firstContact != nil, peer.firstContact != old?.firstContact {
            contacts[node][other].append(
                Contact(
                    peerLife: cluster.nodes[other].starts, time: time, roundTrip: peer.roundTrip.wholeNanoseconds))
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
        defer { countDepartures(node) }
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
