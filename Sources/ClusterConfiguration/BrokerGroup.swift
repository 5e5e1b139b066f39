import Basics

/// A group of stand-in brokers for demonstrations and experiments: one master and its slaves.
public struct BrokerGroup: Hashable, Sendable {
    /// RocketMQ's brokerName; unique.
    public var name: String
    /// RocketMQ's brokerClusterName. Default `DefaultCluster`, as RocketMQ's.
    public var cluster: String
    /// Exactly one has id 0; ids and addresses are unique.
    public var replicas: [BrokerReplica]
    /// What the group registers at its start; names are unique within the group.
    public var topics: [BrokerTopic]
    /// Whether sending to an unknown topic creates it. Default true, as RocketMQ's.
    public var autoCreateTopics: Bool

    /// The replica of that id.
    public func replica(id: Int64) -> BrokerReplica? { replicas.first { $0.id == id } }

    enum Key: String, SectionKey {
        case group, cluster, autoCreateTopics, replicas, topics
        static let section = "brokers"
    }
}

/// One broker process of a group.
public struct BrokerReplica: Hashable, Sendable {
    /// 0 is the master, 1 to 2,147,483,647 are slaves.
    public var id: Int64
    /// Where it listens, and what it registers.
    public var listen: Address

    enum Key: String, SectionKey {
        case id, listen
        static let section = "brokers.replicas"
    }
}

/// A topic that exists from the start.
public struct BrokerTopic: Hashable, Sendable {
    /// 1 to 127 letters, digits, `-`, `_`, `%`, `|`.
    public var name: String
    /// 1 to 1024, default 8, as RocketMQ's.
    public var readQueues: Int
    /// 1 to 1024, default 8, as RocketMQ's.
    public var writeQueues: Int

    enum Key: String, SectionKey {
        case name, readQueues, writeQueues
        static let section = "brokers.topics"
    }
}
