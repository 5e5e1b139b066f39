import Basics
import Remoting

/// The topics of one broker and the DataVersion that says which state of them a registration carries.
public struct TopicTable: Sendable {
    /// The topic whose queue number and perm new topics inherit (protocol.md 6.8).
    public static let defaultTopic = "TBW102"
    /// Where delayed messages wait.
    static let scheduleTopic = "SCHEDULE_TOPIC_XXXX"
    /// Where half messages of transactions wait.
    static let halfTopic = "RMQ_SYS_TRANS_HALF_TOPIC"

    private var topics: [String: TopicConfig] = [:]
    private let limit: Int
    private let systemTopics: Set<String>
    /// Increased by every change.
    public private(set) var dataVersion: DataVersion

    /// The topics a fresh v5 broker registers (protocol.md 6.8); without TBW102 nothing can be created by sending.
    public init(identity: BrokerIdentity, autoCreateTopics: Bool = true, limit: Int, wallTime: WallTime) {
        let (cluster, broker) = (identity.cluster, identity.name)
        let fresh: [(String, Int32, Int32)] = [
            ("SELF_TEST_TOPIC", 1, 6), (TopicTable.defaultTopic, 8, 7), ("BenchmarkTest", 1_024, 6), (cluster, 16, 7),
            (broker, 1, 7), ("OFFSET_MOVED_EVENT", 1, 6), (TopicTable.scheduleTopic, 18, 6),
            ("\(cluster)_REPLY_TOPIC", 1, 6), ("rmq_sys_REVIVE_LOG_\(cluster)", 8, 6),
            ("rmq_sys_SYNC_BROKER_MEMBER_\(broker)", 1, 1), (TopicTable.halfTopic, 1, 6),
            ("RMQ_SYS_TRANS_OP_HALF_TOPIC", 1, 6), ("rmq_sys_wheel_timer", 1, 6),
        ]
        for (name, queues, perm) in fresh { topics[name] = TopicConfig(name, queues: queues, perm: perm) }
        systemTopics = Set(fresh.map(\.0))
        if !autoCreateTopics { topics[TopicTable.defaultTopic] = nil }
        self.limit = limit
        dataVersion = DataVersion(counter: 0, timestamp: wallTime.milliseconds, stateVersion: 0)
    }

    /// All topics, sorted by name.
    public var all: [TopicConfig] { topics.values.sorted { $0.topicName < $1.topicName } }

    /// How many there are.
    public var count: Int { topics.count }

    /// One topic, if it exists.
    public subscript(name: String) -> TopicConfig? { topics[name] }

    /// Whether it is one of RocketMQ's own (protocol.md 6.8), which a slave has by itself.
    public func isSystem(_ name: String) -> Bool { systemTopics.contains(name) }

    /// Creates or replaces a topic; false when it is the same already, or there is no room for a new one.
    public mutating func put(_ topic: TopicConfig, wallTime: WallTime) -> Bool {
        guard topics[topic.topicName] != topic, topics[topic.topicName] != nil || topics.count < limit else {
            return false
        }
        topics[topic.topicName] = topic
        advance(wallTime)
        return true
    }

    /// Creates a topic for a send as RocketMQ does: it inherits from `source`, if that topic's perm allows it.
    ///
    /// - Returns: the new topic; nil when it must be created by an administrator.
    public mutating func create(
        _ name: String, inheritingFrom source: String, queues: Int32, wallTime: WallTime
    ) -> TopicConfig? {
        guard let parent = topics[source], parent.perm & PermissionBits.inherit != 0 else { return nil }
        let perm = parent.perm & ~PermissionBits.inherit
        let topic = TopicConfig(name, queues: max(0, min(queues, parent.writeQueueNums)), perm: perm)
        return put(topic, wallTime: wallTime) ? topic : nil
    }

    /// Deletes a topic; false when there is none.
    public mutating func remove(_ name: String, wallTime: WallTime) -> Bool {
        guard topics.removeValue(forKey: name) != nil else { return false }
        advance(wallTime)
        return true
    }

    /// Takes the master's topics over, with its DataVersion.
    ///
    /// - Returns: the names that changed or are gone, sorted.
    public mutating func replace(with copies: [TopicConfig], dataVersion: DataVersion) -> [String] {
        var wanted: [String: TopicConfig] = [:]
        for topic in copies.prefix(limit) { wanted[topic.topicName] = topic }
        let changed = Set(topics.keys).union(wanted.keys).filter { topics[$0] != wanted[$0] }
        topics = wanted
        self.dataVersion = dataVersion
        return changed.sorted()
    }

    private mutating func advance(_ wallTime: WallTime) {
        dataVersion.counter = (dataVersion.counter ?? 0) + 1
        dataVersion.timestamp = wallTime.milliseconds
    }
}

extension TopicConfig {
    /// A readable and writable topic.
    public init(_ name: String, readQueues: Int32, writeQueues: Int32) {
        self.init(name, queues: readQueues)
        writeQueueNums = writeQueues
    }

    /// A topic with as many queues for reading as for writing.
    init(_ name: String, queues: Int32, perm: Int32 = PermissionBits.read | PermissionBits.write) {
        self.init(topicName: name, readQueueNums: queues, writeQueueNums: queues, perm: perm)
    }
}
