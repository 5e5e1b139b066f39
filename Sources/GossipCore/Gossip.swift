// One node's gossip, without sockets and clocks.
//
//     links, frames ───▶ Handshake ──▶ Exchange ──▶ Evidence ──▶ hold · release           (protect)
//                                         │
//     the tables' changes ─▶ FirstHandSet ┴▶ Reconciliation ──▶ divergences · learn       (replicate, warm-up)
//     time ────────────▶ advance
//
// All that follows from an input is appended to the caller's directives. ALGORITHM.md says why it is safe.

import Basics

/// Compares what this node heard with what its peers heard, and decides what may follow from the difference.
///
/// Not thread-safe, never blocks, reads no clock and draws no chance but from the generator given at the start. Inputs are
/// handed in with the reading of the node's clock, which must not go back.
public struct Gossip: ~Copyable {
    /// What was told at the start.
    public let settings: GossipSettings
    /// How far this node's word counts.
    public internal(set) var state = NodeState.warming
    /// One life of this process.
    public let incarnation: UInt64
    /// What was done and refused.
    public internal(set) var counters = GossipCounters()

    let startedAt: Instant
    var random: SeededGenerator
    var own: FirstHandSet
    var evidence = EvidenceTable()
    var departures = DepartureTable()
    var divergences: DivergenceTable
    var stalls = StallLedger()

    var contacts: [Contact] = []
    var links: [LinkID: Link] = [:]
    var peers: [Peer] = []

    /// Replicas that have been silent for unusually long, by token.
    var late: Set<UInt32> = []
    /// Until when each held replica is held.
    var held: [UInt32: Instant] = [:]
    var closing: [UInt64: ClosedConnection] = [:]
    var learned: [UInt64: LearnedReplica] = [:]

    /// Writes that are replicated, and the clock that stamps them.
    var operations = OperationLog()
    var clock = HybridClock()

    var keyValueDigest: UInt64 = 0
    var administrationDigest: UInt64 = 0

    /// The last wall clock and boot clock read together.
    var lastClocks: (wall: WallTime, own: Instant)?
    /// When a line about this node's own clock was last logged.
    var stallAlarmedAt: Instant?
    var lastNewReplica: Instant
    var warmUp = WarmUp()
    var localHealth = LocalHealth()
    var nextHousekeeping: Instant
    var periods = 0
    /// Every hold is to be looked at again.
    var mustReconsider = false

    /// A node that has heard nothing yet.
    ///
    /// The contacts to dial are numbered: the first ones are `settings.peers`, in order.
    ///
    /// - Parameters:
    ///   - incarnation: drawn at random for each life of the process.
    ///   - seed: of the nonces and of all jitter.
    public init(_ settings: GossipSettings, incarnation: UInt64, seed: UInt64, now: Instant) {
        self.settings = settings
        self.incarnation = incarnation
        startedAt = now
        random = SeededGenerator(seed: seed)
        own = FirstHandSet(hash: settings.hash)
        divergences = DivergenceTable(persistence: settings.persistence)
        lastNewReplica = now
        nextHousekeeping = now
        for name in settings.peers {
            peers.append(Peer(name: name, isListed: true, now: now))
            // The lower name dials; the other one waits just so long that they do not cross when both start together. A node that
            // comes back does not wait for its peers to find out.
            let wait = settings.node < name ? Duration.zero : settings.period / 2
            contacts.append(Contact(name: name, phase: .idle(until: now + wait + jitter(of: settings.period / 4))))
        }
    }

    /// When `advance` must be called at the latest.
    public var nextWake: Instant {
        if mustReconsider { return .zero }
        var next = nextHousekeeping
        // After every frame: by index, since a peer taken out of its array costs a reference count for each of its parts.
        for contact in contacts.indices {
            guard case .idle(let until) = contacts[contact].phase, until < next else { continue }
            if !contacts[contact].isSelf, !isLinked(contact) { next = until }
        }
        for peer in peers.indices where peers[peer].link != nil { next = min(next, exchangeDue(peer)) }
        return next
    }

    /// An evenly drawn part of a duration.
    mutating func jitter(of span: Duration) -> Duration {
        let bound = span.wholeNanoseconds
        return bound > 0 ? .nanoseconds(Int64.random(in: 0...bound, using: &random)) : .zero
    }

    mutating func draw() -> UInt64 { random.next() }

    func peerIndex(named name: String) -> Int? { peers.firstIndex { $0.name == name } }

    /// Sends a message on the peer's link, if it has one.
    mutating func send(_ message: GossipMessage, to peer: Int, _ directives: inout [GossipDirective]) {
        guard let link = peers[peer].link else { return }
        send(message, on: link, &directives)
    }

    mutating func send(_ message: GossipMessage, on link: LinkID, _ directives: inout [GossipDirective]) {
        var output = ByteWriter(capacity: 512)
        message.encode(into: &output)
        counters.framesSent += 1
        counters.bytesSent += output.count
        directives.append(.send(link, output.array()))
    }
}

/// What one node's gossip did since it started.
public struct GossipCounters: Hashable, Sendable {
    /// Exchanges completed, as either side.
    public var exchanges = 0
    /// Frames sent.
    public var framesSent = 0
    /// Frames received and understood.
    public var framesReceived = 0
    /// Bytes of the frames sent.
    public var bytesSent = 0
    /// Bytes of the frames received.
    public var bytesReceived = 0
    /// Frames that were no frames, or said what nobody may say; their link was closed.
    public var malformedFrames = 0
    /// Answers that nothing asked for: late, repeated or forged.
    public var unsolicitedAnswers = 0
    /// Connections turned down: other label, other key, unknown name.
    public var refusedLinks = 0
    /// Exchanges that got no answer in time.
    public var missedExchanges = 0
    /// Differences worked out.
    public var reconciliations = 0
    /// Sketches that did not decode, so that the list was asked for.
    public var failedDecodings = 0
    /// Removals put off.
    public var holds = 0
    /// Registrations learned.
    public var learned = 0
    /// Writes of other nodes taken over.
    public var operations = 0
    /// Writes not taken over because the key may have been deleted since.
    public var quarantinedOperations = 0
    /// Writes not taken over because of a limit.
    public var refusedOperations = 0
    /// Requests put off because the peer's share of this node's work was used up.
    public var busyAnswers = 0
    /// Warnings that the tables of this node and of a peer differ.
    public var alarms = 0

    /// Each counter with its name, in the order of a node's status.
    public var named: [(name: String, value: Int)] {
        [
            ("exchanges", exchanges), ("framesSent", framesSent), ("framesReceived", framesReceived),
            ("bytesSent", bytesSent), ("bytesReceived", bytesReceived), ("malformedFrames", malformedFrames),
            ("unsolicitedAnswers", unsolicitedAnswers), ("refusedLinks", refusedLinks),
            ("missedExchanges", missedExchanges), ("reconciliations", reconciliations),
            ("failedDecodings", failedDecodings), ("holds", holds), ("learned", learned), ("busyAnswers", busyAnswers),
            ("operations", operations), ("quarantinedOperations", quarantinedOperations),
            ("refusedOperations", refusedOperations), ("alarms", alarms),
        ]
    }
}

/// How well this node itself keeps up, after Lifeguard: 0 is well, 8 is worst. A node in trouble waits longer for answers and keeps
/// its alarms to itself; its evidence stays as good as it was (rule R3).
struct LocalHealth {
    static let worst = 8
    private(set) var score = 0

    mutating func failed() { score = min(Self.worst, score + 1) }
    mutating func succeeded() { score = max(0, score - 1) }
    /// Factor by which waiting is stretched.
    var stretch: Int { score + 1 }
}
