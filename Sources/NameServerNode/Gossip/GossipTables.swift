import Basics
import GossipCore
import NameServerCore

// The two cores know nothing of each other; here the node's tables answer what gossip asks.

extension NameServer: FirstHandTables {
    /// When and how this node last heard the replica.
    public func hearing(of replica: ReplicaToken) -> Hearing? {
        let found: ReplicaHearing? = hearing(of: replica)
        return found.map {
            Hearing(
                lastHeard: $0.lastHeard, registeredAt: $0.registeredAt, isConnected: $0.isConnected,
                interval: $0.interval, timeout: $0.timeout)
        }
    }
}

extension FirstHandRemoval {
    init(_ departed: Departed) {
        switch departed {
        case .unregistered: self = .unregistered
        case .expired: self = .expired
        case .connectionClosed: self = .connectionClosed
        // The peer's own tombstone is known already; telling a second one, later than the goodbye, would be hearsay.
        case .conflict, .relayed: self = .conflict
        }
    }
}

extension ReplicatedKeyValue {
    init(_ operation: KVOperation) {
        self.init(
            namespace: operation.namespace, key: operation.key, value: operation.value, origin: operation.node)
    }
}
