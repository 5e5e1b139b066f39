import Basics
import Remoting

/// Where reading begins in a queue nobody has committed an offset for.
public enum StartingPoint: String, Hashable, Sendable, CaseIterable {
    /// The oldest message the broker still has.
    case first
    /// Only messages that come from now on.
    case last
}

/// A broker's answer to a pull (protocol.md 7.11).
public struct PullAnswer: Hashable, Sendable {
    /// What the code says.
    public enum Status: Int32, Hashable, Sendable {
        /// There are messages.
        case found = 0
        /// Nothing new; the broker waited before it said so.
        case nothingNew = 19
        /// No message matched; go on at `nextOffset`.
        case noMatch = 20
        /// The offset is outside the queue; `nextOffset` is the nearest one inside.
        case offsetIllegal = 21
    }

    /// What the code says.
    public var status: Status
    /// Where to go on.
    public var nextOffset: Int64
    /// The oldest offset the broker has.
    public var minOffset: Int64
    /// The offset its next message will get.
    public var maxOffset: Int64
    /// The broker id to ask next.
    public var suggestedBrokerID: Int64
    /// In order of offset.
    public var messages: [StoredMessage]
}

/// Reads one queue in order: finds where to begin, pulls, and says what to do next.
///
/// Ask `step`, do it, report how it went; until then `step` answers `wait`.
public struct QueueReader: Sendable {
    /// What to do next.
    public enum Step: Hashable, Sendable {
        /// Ask the broker for the group's offset (14), report with `committedOffset`.
        case findCommittedOffset
        /// Ask the broker for an end of the queue (31, 30), report with `endOffset`.
        case findEnd(StartingPoint)
        /// Pull, report with `pulled` or `pullFailed`.
        case pull(offset: Int64, suggestedBrokerID: Int64)
        /// Nothing to do before then.
        case rest(until: Instant)
        /// The last step is not reported yet.
        case wait
    }

    /// The offset of the next message; nil until it is found.
    public private(set) var offset: Int64?
    /// The broker id that the last answer suggested, 0 at first.
    public private(set) var suggestedBrokerID: Int64 = 0

    private let start: StartingPoint
    private var asksForCommittedOffset: Bool
    /// Set while the queue rests.
    public private(set) var restsUntil: Instant?
    private var isWaiting = false
    private var pulledAt = Instant.zero

    /// How long a queue rests after an error, as RocketMQ's pull consumer.
    public static let errorRest: Duration = .seconds(1)
    /// Empty answers come at most this often: a broker that does not hold pulls must not make the client spin.
    public static let emptyInterval: Duration = .milliseconds(100)

    /// - Parameter hasGroup: whether a committed offset, if there is one, comes before `start`.
    public init(start: StartingPoint, hasGroup: Bool) {
        self.start = start
        asksForCommittedOffset = hasGroup
    }

    /// What to do at `now`.
    public mutating func step(now: Instant) -> Step {
        if isWaiting { return .wait }
        if let restsUntil, now < restsUntil { return .rest(until: restsUntil) }
        restsUntil = nil
        isWaiting = true
        guard let offset else { return asksForCommittedOffset ? .findCommittedOffset : .findEnd(start) }
        pulledAt = now
        return .pull(offset: offset, suggestedBrokerID: suggestedBrokerID)
    }

    /// The group's offset; nil when the broker knows none (code 22).
    public mutating func committedOffset(_ found: Int64?) {
        isWaiting = false
        asksForCommittedOffset = false
        offset = found
    }

    /// The end asked for.
    public mutating func endOffset(_ found: Int64) {
        isWaiting = false
        offset = found
    }

    /// An answer came from the replica `brokerID`; returns the messages to deliver.
    public mutating func pulled(_ answer: PullAnswer, from brokerID: Int64, now: Instant) -> [StoredMessage] {
        guard let offset else { preconditionFailure("a pull before there is an offset") }
        isWaiting = false
        suggestedBrokerID = answer.suggestedBrokerID
        switch answer.status {
        case .found:
            let messages = answer.messages.filter { $0.queueOffset >= offset }
            let last = messages.last.map { $0.queueOffset + 1 } ?? offset
            self.offset = max(last, answer.nextOffset)
            // An answer without progress is as good as an empty one.
            if self.offset == offset { restAfterEmpty(now) }
            return messages
        case .nothingNew:
            restAfterEmpty(now)
        case .noMatch:
            self.offset = max(offset, answer.nextOffset)
            if self.offset == offset { restAfterEmpty(now) }
        case .offsetIllegal:
            // A slave that lags behind its master would send us back to messages we have had: wait for it instead.
            if brokerID == 0 || answer.nextOffset > offset { self.offset = answer.nextOffset }
            restsUntil = now + QueueReader.errorRest
        }
        return []
    }

    /// A step failed. With another replica at hand reading goes on at once.
    public mutating func failed(canTryAnother: Bool, now: Instant) {
        isWaiting = false
        if !canTryAnother { restsUntil = now + QueueReader.errorRest }
    }

    /// Something changed (a route, say): stop resting.
    public mutating func wake() { restsUntil = nil }

    private mutating func restAfterEmpty(_ now: Instant) {
        let next = pulledAt + QueueReader.emptyInterval
        if next > now { restsUntil = next }
    }
}
