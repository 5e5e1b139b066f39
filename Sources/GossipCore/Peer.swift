import Basics

/// Somewhere to dial: an address that the shell knows by number, and the link to whoever answers there.
struct Contact {
    enum Phase: Equatable {
        /// To be dialled at this instant, unless the peer has dialled us by then.
        case idle(until: Instant)
        case dialling
        case linked(LinkID)
    }

    /// The peer's name: from cluster.yaml, or once it has said it.
    var name: String?
    var phase: Phase
    /// Attempts that failed in a row.
    var failures = 0
    /// It is this node itself, found by DNS.
    var isSelf = false
}

/// One connection, before and after the handshake.
struct Link {
    var openedAt: Instant
    /// The contact that was dialled; nil for an accepted link.
    var contact: Int?
    /// The peer, once it has said who it is and was accepted.
    var peer: Int?
    var lastReceived: Instant
    /// A newer incarnation of the peer took this link's place at this instant.
    var supersededAt: Instant?

    var isDialled: Bool { contact != nil }
}

/// A request under way: only the answer to it can bring ages (rule R2).
struct Round {
    var nonce: UInt64
    var sentAt: Instant
    /// The replicas, or items, that were asked for.
    var asked: [UInt64] = []
}

/// An item that the peer has and this node lacks, with what the peer said of it.
struct RemoteItem {
    var replica: UInt64
    var summary: RegistrationSummary
    /// Exchanges that have shown it missing; a registration on its way to both nodes is missing for one.
    var exchanges = 0
    /// Not to be learned before: the tables turned it down, or the peer has it no more.
    var restsUntil = Instant.zero
}

/// Another node: what is known of it through all its links and lives.
struct Peer {
    let name: String
    /// Whether cluster.yaml lists it.
    let isListed: Bool
    var link: LinkID?
    var incarnation: UInt64?
    /// Two nodes call themselves by its name: neither is a witness until then.
    var duplicateUntil: Instant?
    var software = ""
    /// When its present life began, by its own word.
    var startedAt = Instant.zero
    /// Its last digest on the present link.
    var digest: Digest?
    var problem: String?
    var downSince: Instant
    /// It was a witness until its link broke, and should be one again before this: closed connections wait for its answer.
    var expectedUntil = Instant.zero

    // Exchanges
    var offset: ClockOffset?
    /// When the last exchange that entered `offset` was sent.
    var offsetSentAt = Instant.zero
    var stalled = Duration.zero
    /// When on its own clock it was found to have lost time: what it tells of before is older than it knows.
    var losses = StallLedger()
    var stalledAt: Instant?
    /// Time that its clock lost and that it has not been told of.
    var stallToTell = Duration.zero
    var round: Round?
    /// Our own nonce in the answer to its exchange.
    var answer: Round?
    var nextExchange: Instant
    /// Something cannot wait for the next period.
    var isUrgent = false
    var missed = 0
    var exchanges = 0
    var lastExchange: Instant?
    var roundTrip = Duration.zero
    /// The last replica it was asked about in turn, when there are too many for one exchange.
    var lastAsked: UInt64 = 0
    /// What it asked about in its last exchange.
    var asks: [UInt64] = []

    // Differences
    var reconciliation: Reconciliation?
    /// Not to be compared before: it did not answer.
    var reconcilesFrom = Instant.zero
    /// The two roots that the difference below belongs to.
    var compared: RootPair?
    /// Items of ours that it lacks.
    var onlyHere: [UInt64] = []
    /// Items of its that we lack, as far as they are named.
    var remote: [UInt64: RemoteItem] = [:]
    /// What was last noted of the difference; nil when it must be looked at anew.
    var noted: NotedDifference?
    /// Items of its that we lack and that are still to be asked for.
    var unnamed: [UInt64] = []
    var itemRound: Round?

    /// When the last exchange that it has answered on this link was begun here.
    var answeredSince: Instant?
    /// Goodbyes that wait for the next exchange.
    var goodbyes: [HeardGoodbye] = []

    // Operations
    /// How far its journal has been read on this link.
    var operationsCursor: UInt64 = 0
    var operationsAskedAt: Instant?
    /// Some keys of its that are not taken over.
    var quarantined: [OperationLog.Key: KVOperation] = [:]
    /// The highest stamp it told that is too far ahead of our wall clock; 0 for none.
    var stampAhead: UInt64 = 0

    // Learning
    var imagePull: ImagePull?
    /// Items whose images may be worth pulling, as of the last exchange; the next one is at the end.
    var pullable: [UInt64] = []
    var snapshot: SnapshotPull?
    var sentTombstone: UInt64 = 0
    var budget: ReplyBudget

    init(name: String, isListed: Bool, now: Instant) {
        self.name = name
        self.isListed = isListed
        downSince = now
        nextExchange = now
        budget = ReplyBudget(at: now)
    }

    /// Whether its word counts now: it is ready, and nobody else goes by its name.
    var isWitness: Bool { link != nil && digest?.state == .ready && duplicateUntil == nil }

    /// Whether it answers, or is about to, what it hears of a replica.
    func mayAnswer(at now: Instant) -> Bool { isWitness || (now < expectedUntil && duplicateUntil == nil) }

    /// The link is gone: everything that hung on it is void; what was learned from it stays.
    ///
    /// - Parameter patience: how long another link to it may take.
    mutating func unlink(at now: Instant, patience: Duration = .zero) {
        if isWitness { expectedUntil = now + patience }
        link = nil
        round = nil
        answer = nil
        digest = nil
        reconciliation = nil
        compared = nil
        onlyHere = []
        noted = nil
        remote = [:]
        unnamed = []
        itemRound = nil
        imagePull = nil
        pullable = []
        snapshot = nil
        asks = []
        missed = 0
        sentTombstone = 0
        answeredSince = nil
        goodbyes = []
        operationsCursor = 0
        operationsAskedAt = nil
        quarantined = [:]
        downSince = now
    }
}

/// What was noted of a difference, so that an exchange that shows the same again costs nothing.
struct NotedDifference {
    /// Everything that the divergences noted depend on.
    struct Shown: Hashable {
        var compared: RootPair?
        var own: SketchSymbol
        var named: Int
        var unnamed: Int
        var mayJudge: Bool
    }

    var shown: Shown
    /// Those that have not lasted long enough to be told.
    var unreported: [DivergenceTable.Key]
}

/// The digests of two sets at one moment.
struct RootPair: Hashable {
    var own: SketchSymbol
    var peer: SketchSymbol
}

/// How many answer bytes a peer may still cause: a bucket that fills with time, so that nobody can make a node work for it only.
struct ReplyBudget {
    /// Bytes a second: repair and snapshots, far above what a healthy cluster needs.
    static let bytesPerSecond: Int64 = 64 << 20
    static let capacity: Int64 = 16 << 20

    private var bytes = ReplyBudget.capacity
    private var filledAt: Instant

    init(at now: Instant) { filledAt = now }

    /// Takes the bytes out if they are there.
    mutating func take(_ count: Int, at now: Instant) -> Bool {
        let milliseconds = max(0, now.milliseconds(since: filledAt))
        if milliseconds > 0 {
            bytes = min(Self.capacity, bytes + min(milliseconds, 1_000) * Self.bytesPerSecond / 1_000)
            filledAt = now
        }
        guard bytes >= Int64(count) else { return false }
        bytes -= Int64(count)
        return true
    }

    /// Puts back what was taken out and not needed.
    mutating func giveBack(_ count: Int) { bytes = min(Self.capacity, bytes + Int64(max(0, count))) }
}
