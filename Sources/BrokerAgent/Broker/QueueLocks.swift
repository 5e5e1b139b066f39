import Basics

/// Which client consumes a queue in order, per group (LOCK_BATCH_MQ 41, protocol.md 7.10).
struct QueueLocks: Sendable {
    /// A lock that is not renewed ends after this time; clients renew every 20 s. RocketMQ's limit.
    static let timeout = Duration.seconds(60)

    private struct Name: Hashable, Sendable {
        var group: String
        var queue: MessageQueueKey
    }

    private struct Lock: Sendable {
        var clientID: String
        var renewed: Instant
    }

    private var locks: [Name: Lock] = [:]
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Locks or renews; false while another client holds the queue.
    mutating func lock(_ queue: MessageQueueKey, group: String, clientID: String, now: Instant) -> Bool {
        let name = Name(group: group, queue: queue)
        if let held = locks[name] {
            if held.clientID != clientID, now - held.renewed <= QueueLocks.timeout { return false }
        } else if locks.count >= limit {
            locks = locks.filter { now - $0.value.renewed <= QueueLocks.timeout }
            if locks.count >= limit { return false }
        }
        locks[name] = Lock(clientID: clientID, renewed: now)
        return true
    }

    /// Ends the client's own lock; another's stays.
    mutating func unlock(_ queue: MessageQueueKey, group: String, clientID: String) {
        let name = Name(group: group, queue: queue)
        if locks[name]?.clientID == clientID { locks[name] = nil }
    }
}
