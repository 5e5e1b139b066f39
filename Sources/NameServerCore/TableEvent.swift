import Basics

/// One change of the tables or settings, and why; a heartbeat is none.
public struct TableEvent: Hashable, Sendable {
    /// What happened.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A replica that had no live entry registered.
        case registered
        /// A known replica registered something else than before, or over another connection.
        case reregistered
        /// A registration, or what a peer had written, was turned down, and why.
        case refused
        /// A registration lost against the holder of its broker id (protocol.md 2.5 step 6).
        case conflict
        /// A replica was unregistered by request.
        case unregistered
        /// A request to unregister came over a connection that a newer registration had replaced; nothing was removed.
        case lateUnregister
        /// A replica was silent for longer than its timeout.
        case expired
        /// The connection of a replica's last registration closed.
        case connectionClosed
        /// It closed, and the replica is kept for a moment to ask the peers.
        case closing
        /// A replica should have gone and is kept, since a peer hears it.
        case held
        /// A replica that was kept so is heard again.
        case released
        /// 205, or replicated.
        case writePermissionWiped
        /// 327, or replicated.
        case writePermissionAdded
        /// 216.
        case topicDeleted
        /// 217.
        case topicRegistered
        /// 100 or 102, or replicated.
        case keyValueChanged
        /// 318.
        case propertiesChanged
        /// A replica that this node does not hear is served because a peer hears it.
        case learned
        /// Such a replica is served no longer, and why.
        case learnedDropped
    }

    /// Counts up from 1 over the life of the node.
    public var sequence: UInt64
    /// When it happened, by the wall clock.
    public var wallTime: WallTime
    /// What happened.
    public var kind: Kind
    /// Which replica it is about; nil when it is about none, or about a whole group.
    public var broker: ReplicaIdentity?
    /// One line for people, with the cause.
    public var text: String
}

/// The last events, for the node's status.
struct EventLog {
    /// How many are kept: enough that a screen which asks every second misses none but in a storm.
    static let capacity = 64
    /// Bytes of an event's text, and of each name in it. Refused registrations bring names as long as a header, and their
    /// events go to the log and stay in memory: the longest name that is accepted fits, more is cut off.
    static let textBytes = 4_096
    static let nameBytes = 1_024

    private var ring: [TableEvent] = []
    private(set) var lastSequence: UInt64 = 0
    /// How often each kind was recorded.
    private(set) var counts: [TableEvent.Kind: Int] = [:]

    /// Numbers the event and keeps it.
    mutating func record(
        _ kind: TableEvent.Kind, _ broker: ReplicaIdentity?, _ text: String, at wallTime: WallTime
    ) -> TableEvent {
        lastSequence += 1
        counts[kind, default: 0] += 1
        var broker = broker
        broker?.cluster.cut(to: Self.nameBytes)
        broker?.name.cut(to: Self.nameBytes)
        broker?.address.cut(to: Self.nameBytes)
        var text = text
        text.cut(to: Self.textBytes)
        let event = TableEvent(sequence: lastSequence, wallTime: wallTime, kind: kind, broker: broker, text: text)
        if ring.count < Self.capacity {
            ring.append(event)
        } else {
            ring[Int((lastSequence - 1) % UInt64(Self.capacity))] = event
        }
        return event
    }

    /// The kept events above a sequence number, oldest first.
    func since(_ sequence: UInt64) -> [TableEvent] {
        let oldest = lastSequence - UInt64(ring.count) + 1
        let first = max(oldest, sequence == .max ? .max : sequence + 1)
        guard first <= lastSequence else { return [] }
        return (first...lastSequence).map { ring[Int(($0 - 1) % UInt64(Self.capacity))] }
    }
}

extension String {
    /// Replaces what lies beyond `length` bytes by an ellipsis.
    fileprivate mutating func cut(to length: Int) {
        if utf8.count > length { self = String(decoding: utf8.prefix(length), as: UTF8.self) + "…" }
    }
}
