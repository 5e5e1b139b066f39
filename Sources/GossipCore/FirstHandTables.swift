import Basics

/// When and how this node last heard a replica itself.
public struct Hearing: Hashable, Sendable {
    /// The last sign of life: registration, BROKER_HEARTBEAT or QUERY_DATA_VERSION.
    public var lastHeard: Instant
    /// The last registration, repeated ones included: how old the content is.
    public var registeredAt: Instant
    /// Whether the connection of the last registration is open.
    public var isConnected: Bool
    /// The replica's usual time between two signs of life, as observed.
    public var interval: Duration
    /// Silence it is granted.
    public var timeout: Duration

    /// Puts the parts together.
    public init(
        lastHeard: Instant, registeredAt: Instant, isConnected: Bool, interval: Duration, timeout: Duration
    ) {
        self.lastHeard = lastHeard
        self.registeredAt = registeredAt
        self.isConnected = isConnected
        self.interval = interval
        self.timeout = timeout
    }
}

/// What the gossip core asks of its node's tables. Only what the node heard itself is visible through it (rule R1): no
/// learned registration, no residue.
public protocol FirstHandTables: ~Copyable {
    /// Nil when the replica has no live entry.
    func hearing(of replica: ReplicaToken) -> Hearing?
    /// Nil when the replica has no live entry.
    func summary(of replica: ReplicaToken) -> RegistrationSummary?
    /// Those that have been silent for `Silence.unusual` or longer, in any order; cheap when they are few, however many others there are.
    func lateReplicas(at now: Instant) -> [ReplicaToken]
    /// At least the bytes of the replica's image, cheaply told.
    func imageSize(of replica: ReplicaToken) -> Int
    /// Appends the registration images of the replicas, in this order, as one run of bytes that only the tables of
    /// another node read (format: NameServerCore, `ImageCoding`).
    func encodeImages(of replicas: [ReplicaToken], into output: inout ByteWriter)
    /// What a change of the group's write permission belongs to: a hash of the registration that its topics come from,
    /// DataVersion included, since a broker that registers anew has its permissions back. Nil when no replica of the group has an
    /// entry.
    func permissionBasis(ofGroup name: String) -> UInt64?
}

/// Why a replica's first-hand entry ended.
public enum FirstHandRemoval: UInt8, Hashable, Sendable, CaseIterable {
    /// UNREGISTER_BROKER: it said goodbye.
    case unregistered
    /// It was silent for longer than its timeout.
    case expired
    /// The connection of its last registration closed.
    case connectionClosed
    /// Another address holds its id with a newer state.
    case conflict
}
