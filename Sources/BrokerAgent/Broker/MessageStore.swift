// Messages in memory: per queue in order of their offsets, over all queues in order of arrival, so that the oldest of
// the whole broker go first when a limit is reached. Then a queue's smallest offset moves up, as when RocketMQ deletes
// an old file of its commit log.

import Basics
import Remoting

/// The stand-in broker's messages, within `BrokerLimits.messages` and `BrokerLimits.messageBytes`.
public struct MessageStore: Sendable {
    /// The offsets a queue holds: `min` up to, not including, `max`. Both 0 for a queue that never had a message.
    public struct Bounds: Hashable, Sendable {
        /// The oldest message still there, or `max`.
        public var min: Int64
        /// What the next message gets.
        public var max: Int64
    }

    /// What a read found.
    public enum ReadResult: Hashable, Sendable {
        /// `count` messages were appended to the output; go on at `next`.
        case found(count: Int, next: Int64)
        /// There are messages, but none that the filter wants; go on at `next`.
        case noMatch(next: Int64)
        /// `offset` is exactly behind the last message.
        case nothingNew
        /// `offset` lies outside the queue; the nearest one inside is `next`.
        case outside(next: Int64)
    }

    /// Messages a read looks at before it answers `noMatch`, so that a filter cannot hold the loop up; as RocketMQ's.
    static let scanLimit = 16_000

    private struct Entry: Sendable {
        /// The wire format of 7.11, so that a read copies bytes and nothing else.
        var encoded: [UInt8]
        var commitLogOffset: Int64
        var storeTimestamp: WallTime
        var tag: String?
    }

    private struct Position: Sendable {
        var queue: MessageQueueKey
        var offset: Int64
    }

    private struct Queue: Sendable {
        var entries = Fifo<Entry>()
        var min: Int64 = 0
        var max: Int64 { min + Int64(entries.count) }
    }

    private var queues: [MessageQueueKey: Queue] = [:]
    private var arrivals = Fifo<MessageQueueKey>()
    private var positions: [Int64: Position] = [:]
    private let limits: BrokerLimits

    /// Messages held.
    public private(set) var count = 0
    /// Their size in the wire format.
    public private(set) var bytes = 0
    /// Where the next message begins in the commit log that a real broker would write; names messages (7.8 msgId).
    public private(set) var commitLogEnd: Int64 = 0

    /// An empty store.
    public init(limits: BrokerLimits) { self.limits = limits }

    /// Stores a new message; its `queueOffset` and `commitLogOffset` are assigned here.
    ///
    /// - Returns: the message as stored.
    public mutating func append(_ message: StoredMessage) -> StoredMessage {
        var message = message
        message.queueOffset = bounds(of: message.queue).max
        message.commitLogOffset = commitLogEnd
        store(message)
        return message
    }

    /// Stores a copy of the master's message under the master's offsets.
    ///
    /// One that is there already is ignored. A gap means that the master dropped what was between: the queue then
    /// starts anew at this message.
    public mutating func appendCopy(_ message: StoredMessage) {
        let key = message.queue
        let bounds = bounds(of: key)
        if message.queueOffset < bounds.max, bounds.max > bounds.min { return }
        if message.queueOffset != bounds.max { restart(key, at: message.queueOffset) }
        store(message)
    }

    /// Empties one queue; its next message gets `offset`.
    public mutating func restart(_ key: MessageQueueKey, at offset: Int64) {
        let queue = queues[key] ?? Queue()
        for distance in 0..<queue.entries.count { forget(queue.entries[distance]) }
        if queue.entries.count > 0 { arrivals.removeAll { $0 == key } }
        queues[key] = Queue(min: offset)
    }

    /// Empties the store. The commit log goes on where it was.
    public mutating func removeAll() {
        queues.removeAll()
        arrivals.removeAll()
        positions.removeAll()
        count = 0
        bytes = 0
    }

    /// Forgets a deleted topic's messages.
    public mutating func remove(topic: String) {
        for key in queues.keys where key.topic == topic {
            restart(key, at: 0)
            queues[key] = nil
        }
    }

    /// What a queue holds.
    public func bounds(of key: MessageQueueKey) -> Bounds {
        guard let queue = queues[key] else { return Bounds(min: 0, max: 0) }
        return Bounds(min: queue.min, max: queue.max)
    }

    /// Appends messages from `offset` on to `output`, in the wire format of protocol.md 7.11.
    ///
    /// At most `maxMessages`; at most `maxBytes`, but always one.
    public func read(
        _ key: MessageQueueKey, from offset: Int64, maxMessages: Int, maxBytes: Int, filter: TagFilter,
        into output: inout ByteWriter
    ) -> ReadResult {
        let bounds = bounds(of: key)
        if offset < bounds.min { return .outside(next: bounds.min) }
        if offset > bounds.max { return .outside(next: bounds.max) }
        guard offset < bounds.max, let queue = queues[key] else { return .nothingNew }
        let start = output.count
        var next = offset
        var found = 0
        while next < bounds.max, found < maxMessages, next - offset < Int64(MessageStore.scanLimit) {
            let entry = queue.entries[Int(next - bounds.min)]
            if filter.accepts(entry.tag) {
                if found > 0, output.count - start + entry.encoded.count > maxBytes { break }
                output.append(entry.encoded)
                found += 1
            }
            next += 1
        }
        return found == 0 ? .noMatch(next: next) : .found(count: found, next: next)
    }

    /// The message that begins at this place of the commit log, if it is still held.
    public func message(atCommitLogOffset offset: Int64) -> StoredMessage? {
        guard let position = positions[offset], let queue = queues[position.queue] else { return nil }
        let encoded = queue.entries[Int(position.offset - queue.min)].encoded
        // What this store encoded, this store can decode.
        return encoded.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            return try? StoredMessage.decode(from: &reader)
        }
    }

    /// The offset of the first message stored at `timestamp` or later; `max` when there is none.
    public func offset(in key: MessageQueueKey, storedAtOrAfter timestamp: WallTime) -> Int64 {
        guard let queue = queues[key] else { return 0 }
        var low = 0
        var high = queue.entries.count
        while low < high {
            let middle = (low + high) / 2
            if queue.entries[middle].storeTimestamp < timestamp { low = middle + 1 } else { high = middle }
        }
        return queue.min + Int64(low)
    }

    /// When the newest message of a queue was stored; nil for an empty one.
    public func lastStoreTimestamp(of key: MessageQueueKey) -> WallTime? { queues[key]?.entries.last?.storeTimestamp }

    /// When the oldest message of a queue was stored; nil for an empty one.
    public func firstStoreTimestamp(of key: MessageQueueKey) -> WallTime? { queues[key]?.entries.first?.storeTimestamp }

    private mutating func store(_ message: StoredMessage) {
        let key = message.queue
        var encoding = ByteWriter(capacity: 256 + message.body.count)
        message.encode(into: &encoding)
        let entry = Entry(
            encoded: encoding.array(), commitLogOffset: message.commitLogOffset,
            storeTimestamp: message.storeTimestamp, tag: MessageProperties(message.properties)["TAGS"])
        queues[key, default: Queue()].entries.append(entry)
        arrivals.append(key)
        positions[message.commitLogOffset] = Position(queue: key, offset: message.queueOffset)
        commitLogEnd = Swift.max(commitLogEnd, message.commitLogOffset + Int64(entry.encoded.count))
        count += 1
        bytes += entry.encoded.count
        while count > limits.messages || (bytes > limits.messageBytes && count > 1) { dropOldest() }
    }

    private mutating func dropOldest() {
        guard let key = arrivals.popFirst(), let entry = queues[key]?.entries.popFirst() else {
            preconditionFailure("\(count) messages, \(arrivals.count) arrivals")
        }
        queues[key]?.min += 1
        forget(entry)
    }

    private mutating func forget(_ entry: Entry) {
        positions[entry.commitLogOffset] = nil
        count -= 1
        bytes -= entry.encoded.count
    }
}

extension StoredMessage {
    /// The queue it belongs to.
    var queue: MessageQueueKey { MessageQueueKey(topic: topic, queueID: queueID) }
}
