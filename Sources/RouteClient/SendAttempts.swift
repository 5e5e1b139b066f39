import Basics
import Remoting

/// The attempts at one message: how many, for how long, and whether a failure is worth another (protocol.md 7.5).
public struct SendAttempts: Sendable {
    /// Attempts begun.
    public private(set) var count = 0
    /// The broker of the last attempt, which a retry avoids.
    public private(set) var lastBroker: String?

    private let policy: SendPolicy
    private let startedAt: Instant

    /// Starts the clock of `SendPolicy.timeout`.
    public init(policy: SendPolicy, startedAt: Instant) {
        self.policy = policy
        self.startedAt = startedAt
    }

    /// Begins an attempt on `broker` and says how long it may take; nil when attempts or time are used up.
    public mutating func begin(on broker: String, now: Instant) -> Duration? {
        let remaining = policy.timeout - (now - startedAt)
        guard count <= policy.retryLimit, remaining > .zero else { return nil }
        count += 1
        lastBroker = broker
        return min(remaining, policy.attemptTimeout)
    }

    /// What an ended attempt means for the message.
    public func verdict(_ outcome: Outcome, now: Instant) -> Verdict {
        switch outcome {
        case .answered(let code):
            if let status = SendStatus(rawValue: code) {
                return status != .stored && policy.retriesUnlessStored ? retry(now) : .accepted(status)
            }
            let isRetried = policy.mode == .sync && SendPolicy.retriedCodes.contains(code)
            return isRetried ? retry(now) : .failed
        case .noAnswer:
            return retry(now)
        }
    }

    private func retry(_ now: Instant) -> Verdict {
        count <= policy.retryLimit && now - startedAt < policy.timeout ? .retry : .failed
    }

    /// How an attempt ended.
    public enum Outcome: Hashable, Sendable {
        /// With a response code.
        case answered(code: Int32)
        /// Not connected, connection lost, timed out.
        case noAnswer
    }

    /// What to do now.
    public enum Verdict: Hashable, Sendable {
        /// A broker has the message.
        case accepted(SendStatus)
        /// Try another queue.
        case retry
        /// Tell the caller.
        case failed
    }
}

/// How a broker accepted a message (codes of protocol.md 7.8).
public enum SendStatus: Int32, Hashable, Sendable {
    /// SEND_OK.
    case stored = 0
    /// Stored, but not flushed to disk in time.
    case flushDiskTimeout = 10
    /// Stored, but no slave is there.
    case slaveNotAvailable = 11
    /// Stored, but no slave has it yet.
    case flushSlaveTimeout = 12
}

/// When a message is given up.
public struct SendPolicy: Hashable, Sendable {
    /// Which failures are retried.
    public enum Mode: Hashable, Sendable {
        /// Client and network errors, and `retriedCodes`.
        case sync
        /// Network errors only.
        case async
        /// None: the broker does not answer.
        case oneway
    }

    /// Default sync.
    public var mode: Mode
    /// Attempts after the first; 0 when oneway. Default 2 (`retryTimesWhenSendFailed`).
    public var retryLimit: Int
    /// For all attempts together. Default 3 s (`sendMsgTimeout`).
    public var timeout: Duration = .seconds(3)
    /// For one attempt. Default 1 s, unlike Java's "all that is left", with which a silent broker leaves no time for another.
    public var attemptTimeout: Duration = .seconds(1)
    /// Whether a message that is stored with a warning is sent again (`retryAnotherBrokerWhenNotStoreOK`). Default no.
    public var retriesUnlessStored = false

    /// The defaults of a mode.
    public init(mode: Mode = .sync) {
        self.mode = mode
        retryLimit = mode == .oneway ? 0 : 2
    }

    /// Broker codes that another broker may not answer: system error, busy, service not available, no permission, topic
    /// not there, no buyer id, not in the current unit, go away.
    public static let retriedCodes: [Int32] = [1, 2, 14, 16, 17, 204, 205, 1500]
}
