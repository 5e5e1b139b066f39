import Basics

/// A change of what this node knows first-hand, for the gossip layer; the tables show it already.
public enum FirstHandChange: Sendable, Hashable {
    /// An accepted registration made the replica known, changed its summary or ended a close grace. Its identity may be
    /// another than before, when one address registers under another name or id. Also when topics left its image.
    case registered(ReplicaToken)
    /// Its connection closed and the removal was put off (`NameServer.closeGrace`); the entry still stands.
    case closed(ReplicaToken)
    /// The entry is gone; the token may be another replica's from now on.
    case removed(ReplicaToken, ReplicaIdentity, Departed)
    /// UNREGISTER_BROKER named a replica that has no entry here, neither first-hand nor learned.
    case saidGoodbye(ReplicaIdentity)
    /// Key-values, or what administrators changed in the topics: the digests must be computed again.
    case administered
    /// A request wrote something that other nodes may want too; `administered` follows if anything has changed by it. What
    /// was replicated from them is not told so.
    case wrote(AdministratorWrite)
}

/// What an administrator wrote at this node.
public enum AdministratorWrite: Sendable, Hashable {
    /// 100, or 102 (`value` nil). A 100 without a value hides the key, and is told as its deletion.
    case keyValue(namespace: String, key: String, value: String?)
    /// 327 (`grants`) or 205; `basis` is `NameServer.permissionBasis` of the broker.
    case writePermission(broker: String, grants: Bool, basis: UInt64)
}

/// Why a first-hand entry ended.
public enum Departed: Sendable, Hashable, CaseIterable {
    /// UNREGISTER_BROKER.
    case unregistered
    /// It was silent for longer than its timeout.
    case expired
    /// The connection of its last registration closed.
    case connectionClosed
    /// Another address holds its id with a newer state.
    case conflict
    /// UNREGISTER_BROKER at another node.
    case relayed

    /// As the kind of the event says it.
    init(_ kind: TableEvent.Kind) {
        switch kind {
        case .expired: self = .expired
        case .connectionClosed: self = .connectionClosed
        case .conflict: self = .conflict
        default: self = .unregistered
        }
    }
}

/// When and how this node last heard a replica itself.
public struct ReplicaHearing: Sendable, Hashable {
    /// The last sign of life: registration, BROKER_HEARTBEAT or QUERY_DATA_VERSION.
    public var lastHeard: Instant
    /// The last registration, repeated ones included.
    public var registeredAt: Instant
    /// Whether the connection of the last registration is open.
    public var isConnected: Bool
    /// Its usual time between two signs of life. Starts at a quarter of the timeout and moves a quarter of the way with
    /// each gap; gaps below a fortieth of the timeout are not counted, and it stays between a twelfth and a half.
    public var interval: Duration
    /// Silence it is granted; 0 or less: none.
    public var timeout: Duration
}
