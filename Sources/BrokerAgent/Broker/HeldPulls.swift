import Basics

/// One PULL_MESSAGE (11), read from its header.
public struct PullRequest: Hashable, Sendable {
    /// The connection to answer on.
    public var connection: UInt64
    /// The request's `opaque`.
    public var opaque: Int32
    /// The consumer group.
    public var group: String
    /// The queue asked for.
    public var queue: MessageQueueKey
    /// The first offset wanted.
    public var offset: Int64
    /// At most this many messages, at least 1.
    public var maxMessages: Int
    /// At most this many bytes, but always one message.
    public var maxBytes: Int
    /// Which messages.
    public var filter: TagFilter
    /// How long the broker may wait for a message; zero = it must answer at once.
    public var suspension: Duration
}

/// Pulls that found nothing new and wait for the next message of their queue (long polling, protocol.md 7.11).
struct HeldPulls: Sendable {
    private var pulls: [UInt64: PullRequest] = [:]
    private var byQueue: [MessageQueueKey: [UInt64]] = [:]
    private var deadlines = DeadlineHeap<UInt64>()
    private var lastID: UInt64 = 0

    var count: Int { pulls.count }
    var nextDeadline: Instant { deadlines.next }

    mutating func hold(_ pull: PullRequest, until deadline: Instant) {
        lastID += 1
        pulls[lastID] = pull
        byQueue[pull.queue, default: []].append(lastID)
        deadlines.insert(lastID, due: deadline)
        // Pulls answered early leave their deadlines behind.
        if deadlines.count > 2 * pulls.count + 1_024 {
            let live = pulls
            deadlines.removeAll { live[$0] == nil }
        }
    }

    /// The pulls that wait for a queue, in order of arrival. They stay held until `release`.
    func waiting(for queue: MessageQueueKey) -> [(id: UInt64, pull: PullRequest)] {
        (byQueue[queue] ?? []).compactMap { id in pulls[id].map { (id, $0) } }
    }

    /// Nothing before `offset` concerns this pull.
    mutating func move(_ id: UInt64, to offset: Int64) { pulls[id]?.offset = offset }

    @discardableResult
    mutating func release(_ id: UInt64) -> PullRequest? {
        guard let pull = pulls.removeValue(forKey: id) else { return nil }
        byQueue[pull.queue]?.removeAll { $0 == id }
        if byQueue[pull.queue]?.isEmpty == true { byQueue[pull.queue] = nil }
        return pull
    }

    /// Takes a pull that has waited long enough.
    mutating func popOverdue(now: Instant) -> PullRequest? {
        while let id = deadlines.popDue(now: now) {
            if let pull = release(id) { return pull }
        }
        return nil
    }

    mutating func connectionClosed(_ connection: UInt64) {
        for id in pulls.filter({ $0.value.connection == connection }).keys.sorted() { release(id) }
    }
}
