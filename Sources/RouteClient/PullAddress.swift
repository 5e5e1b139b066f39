import Basics
import Remoting

/// One member of a broker group, by its address.
public struct Replica: Hashable, Sendable, Comparable {
    /// The broker group.
    public var brokerName: String
    /// 0 is the master.
    public var brokerID: Int64
    /// `host:port`, as the broker registered it.
    public var address: String

    /// Names a replica.
    public init(brokerName: String, brokerID: Int64, address: String) {
        self.brokerName = brokerName
        self.brokerID = brokerID
        self.address = address
    }

    /// By broker name, then id, then address.
    public static func < (left: Replica, right: Replica) -> Bool {
        (left.brokerName, left.brokerID, left.address) < (right.brokerName, right.brokerID, right.address)
    }
}

/// Where to pull from (protocol.md 7.7), and where else when that one does not answer.
public enum PullAddress {
    /// The broker's replicas, the best first.
    ///
    /// First the rule: the suggested id; if it is missing and a slave's, the id after it; if that is missing too, any
    /// (here the lowest). Then the others by id, which RocketMQ's clients never try while the route still has the first.
    public static func candidates(of broker: BrokerData, suggested brokerID: Int64) -> [Replica] {
        let replicas = broker.replicas
        let chosen =
            replicas.first { $0.brokerID == brokerID }
            ?? (brokerID == 0 ? nil : replicas.first { $0.brokerID == brokerID &+ 1 })
            ?? replicas.first
        guard let chosen else { return [] }
        return [chosen] + replicas.filter { $0 != chosen }
    }

    /// The first candidate that `faults` (by address) does not bar; the first one at all when all are barred.
    ///
    /// Without `allowsSlaves` the master is the only candidate, whatever was suggested.
    public static func choose(
        of broker: BrokerData, suggested brokerID: Int64, allowsSlaves: Bool = true, faults: FaultTable, now: Instant
    ) -> Replica? {
        let candidates = candidates(of: broker, suggested: brokerID).filter { allowsSlaves || $0.brokerID == 0 }
        return candidates.first { faults.isAvailable($0.address, now: now) } ?? candidates.first
    }
}
