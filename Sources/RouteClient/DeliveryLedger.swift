import Remoting

/// Counts what a consumer got: per queue and per broker, with gaps and duplicates.
public struct DeliveryLedger: Sendable {
    /// Messages in all, duplicates included.
    public private(set) var received = 0
    /// Messages whose unique key was among the last `keyLimit` ones: the producer retried, or a queue was read twice.
    public private(set) var duplicates = 0
    /// How often a broker moved us, because our offset was outside its queue: what lies between is not known.
    public private(set) var corrections = 0
    /// Bytes of bodies as sent.
    public private(set) var bodyBytes = 0

    /// Keys remembered to recognise duplicates: 8 bytes each, twice, and the set's own room; about 32 MiB at most.
    public static let keyLimit = 1 << 20

    private var queues: [MessageQueue: QueueCount] = [:]
    private var replicas: [Replica: Int] = [:]
    private var keys: Set<Int> = []
    private var keyRing: [Int] = []
    private var oldestKey = 0

    /// What came from one queue.
    public struct QueueCount: Hashable, Sendable {
        /// Messages, those read again included.
        public internal(set) var received = 0
        /// The lowest offset received.
        public internal(set) var firstOffset: Int64
        /// The offset after the highest one received.
        public internal(set) var nextOffset: Int64
        /// Offsets that were passed over. Harmless when the broker filters or has deleted them.
        public internal(set) var missing: Int64 = 0
        /// Messages at offsets below `nextOffset`.
        public internal(set) var readAgain = 0
    }

    /// Nothing received.
    public init() {}

    /// Counts one message.
    public mutating func record(_ message: StoredMessage, from queue: MessageQueue, by replica: Replica) {
        received += 1
        bodyBytes += message.body.count
        replicas[replica, default: 0] += 1
        let offset = message.queueOffset
        var count = queues[queue] ?? QueueCount(firstOffset: offset, nextOffset: offset)
        count.received += 1
        if offset < count.nextOffset { count.readAgain += 1 }
        count.missing += max(0, offset - count.nextOffset)
        count.firstOffset = min(count.firstOffset, offset)
        count.nextOffset = max(count.nextOffset, offset + 1)
        queues[queue] = count
        if let key = MessageProperties(message.properties)[MessageProperties.Name.uniqueKey] { record(key: key) }
    }

    /// A broker moved us to another offset of a queue.
    public mutating func recordCorrection(of queue: MessageQueue, to offset: Int64) {
        corrections += 1
        queues[queue]?.nextOffset = offset
    }

    /// Queues in order, with their counts.
    public var byQueue: [(queue: MessageQueue, count: QueueCount)] {
        queues.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Replicas in order of broker name, then id, with the messages each delivered.
    public var byReplica: [(replica: Replica, received: Int)] {
        replicas.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Offsets passed over in all queues.
    public var missing: Int64 { queues.values.reduce(0) { $0 + $1.missing } }

    /// A key's hash stands for it: two of a million keys collide with a chance of one in 30 million.
    private mutating func record(key: String) {
        let hash = key.hashValue
        guard keys.insert(hash).inserted else {
            duplicates += 1
            return
        }
        if keyRing.count < DeliveryLedger.keyLimit { return keyRing.append(hash) }
        keys.remove(keyRing[oldestKey])
        keyRing[oldestKey] = hash
        oldestKey = (oldestKey + 1) % DeliveryLedger.keyLimit
    }
}
