/// The offsets consumer groups committed: where each of them goes on after a restart (protocol.md 7.10).
public struct OffsetTable: Sendable {
    private var offsets: [String: [String: [Int32: Int64]]] = [:]
    private let limit: Int
    /// How many offsets are kept.
    public private(set) var count = 0

    /// An empty table for at most `limit` offsets; commits beyond it are dropped.
    public init(limit: Int) { self.limit = limit }

    /// The committed offset, or nil when this group never committed one for this queue.
    public func offset(of group: String, at queue: MessageQueueKey) -> Int64? {
        offsets[group]?[queue.topic]?[queue.queueID]
    }

    /// Remembers an offset; also a smaller one than before, since consumers may be reset.
    public mutating func commit(_ offset: Int64, of group: String, at queue: MessageQueueKey) {
        if self.offset(of: group, at: queue) == nil {
            guard count < limit else { return }
            count += 1
        }
        offsets[group, default: [:]][queue.topic, default: [:]][queue.queueID] = offset
    }

    /// Forgets every group's offsets of a topic that was deleted.
    public mutating func remove(topic: String) {
        for group in offsets.keys { count -= offsets[group]?.removeValue(forKey: topic)?.count ?? 0 }
    }

    /// Forgets all.
    public mutating func removeAll() {
        offsets.removeAll()
        count = 0
    }

    /// Every offset, in the order of groups, topics and queues.
    public var all: [(group: String, queue: MessageQueueKey, offset: Int64)] {
        offsets.sorted { $0.key < $1.key }.flatMap { group, topics in
            topics.sorted { $0.key < $1.key }.flatMap { topic, queues in
                queues.sorted { $0.key < $1.key }.map { (group, MessageQueueKey(topic: topic, queueID: $0), $1) }
            }
        }
    }

    /// The groups that committed an offset for a topic, sorted.
    public func groups(consuming topic: String) -> [String] {
        offsets.filter { $0.value[topic]?.isEmpty == false }.keys.sorted()
    }
}
