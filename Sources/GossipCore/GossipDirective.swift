import Basics

/// One connection to a peer, numbered by the shell.
public struct LinkID: Hashable, Comparable, Sendable {
    /// Unique in one process, never reused.
    public var number: UInt64

    /// Wraps a number.
    public init(_ number: UInt64) { self.number = number }

    /// The earlier one has the smaller number.
    public static func < (left: LinkID, right: LinkID) -> Bool { left.number < right.number }
}

/// A registration that this node did not hear itself, complete with its topics.
public struct LearnedFromPeer: Hashable, Sendable {
    /// What was registered.
    public var summary: RegistrationSummary
    /// The registration image: one run of `FirstHandTables.encodeImages` for one replica.
    public var image: [UInt8]
    /// The peer that heard it.
    public var origin: String
    /// Known from a snapshot only: nothing newer than the first contact with the peer's clock proves it yet.
    public var isProvisional: Bool
    /// It must not be served later than this without further evidence.
    public var usableUntil: Instant
}

/// What the shell must do after the gossip core has decided. In order.
public enum GossipDirective: Sendable {
    /// Connect to a contact, by its number; `linkOpened` or `dialFailed` follows.
    case dial(contact: Int)
    /// Send these frames.
    case send(LinkID, [UInt8])
    /// Close after what was sent before has left.
    case close(LinkID)
    /// Put off the removal of a first-hand replica until this instant; replaces an earlier hold, also a longer one.
    case hold(ReplicaToken, until: Instant, witness: String)
    /// No reason to put off its removal any more.
    case release(ReplicaToken)
    /// Serve a registration that was learned.
    case learn(LearnedFromPeer)
    /// Serve these; `images` is one run of `FirstHandTables.encodeImages` for all of them, in order, and theirs are empty.
    case learnAll([LearnedFromPeer], images: [UInt8])
    /// A learned registration may be served until then.
    case extend(ReplicaIdentity, usableUntil: Instant, isProvisional: Bool)
    /// Serve it no longer.
    case forget(ReplicaIdentity, cause: String)
    /// End a first-hand entry: the replica surely said goodbye to this peer after its last sign of life here.
    case unregister(ReplicaToken, peer: String)
    /// Write these key-values, or delete those without a value; nothing to do where they are so already.
    case applyKeyValues([KVOperation])
    /// Change these write permissions; the brokers' registrations are those they are meant for.
    case applyPermissions([PermissionOperation])
    /// Make `Gossip.keyValueStamps` durable, together with the key-value configuration.
    case stampsChanged
    /// The node's own state changed.
    case state(NodeState)
    /// One line of log.
    case event(GossipEvent)
}

/// Something an operator may want to know.
public struct GossipEvent: Hashable, Sendable {
    /// What happened.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A peer takes part.
        case peerUp
        /// A peer does not answer any more.
        case peerDown
        /// A connection or a frame was refused.
        case refused
        /// Two nodes differ.
        case diverged
        /// They do not any more.
        case healed
        /// A clock stood still.
        case stalled
        /// This node's own state changed.
        case state
    }

    /// How urgent it is.
    public enum Level: Hashable, Sendable {
        /// The cluster's ordinary life.
        case info
        /// Somebody should look.
        case warning
    }

    /// What happened.
    public var kind: Kind
    /// How urgent it is.
    public var level: Level
    /// Which peer it is about.
    public var peer: String?
    /// Which replica it is about.
    public var replica: ReplicaIdentity?
    /// What kind of divergence it is about.
    public var divergence: DivergenceKind?
    /// One line, with the cause, and with what to do when something is to be done.
    public var text: String

    init(
        _ kind: Kind, _ level: Level = .info, peer: String? = nil, replica: ReplicaIdentity? = nil,
        divergence: DivergenceKind? = nil, _ text: String
    ) {
        self.kind = kind
        self.level = level
        self.peer = peer
        self.replica = replica
        self.divergence = divergence
        self.text = text
    }
}
