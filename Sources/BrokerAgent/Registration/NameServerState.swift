import Basics

/// What one broker knows about one NameServer: what `hearsay broker` shows.
public struct NameServerState: Hashable, Sendable {
    /// Where the broker stands with this NameServer.
    public enum Phase: String, Hashable, Sendable {
        /// Nothing has been answered yet.
        case starting
        /// The last registration was accepted and its connection still stands.
        case registered
        /// It answered, but with an error code.
        case refused
        /// It did not answer: no connection, a closed one, or silence until the timeout.
        case unreachable
        /// It confirmed that it forgot this broker (at shutdown).
        case unregistered
    }

    /// Where the broker stands.
    public var phase: Phase = .starting
    /// When the last registration was accepted; its age is `now` minus this.
    public var lastSuccess: Instant?
    /// Why the last failed attempt failed; kept after a recovery, for the operator.
    public var lastError: RegistrationFailure?
    /// Failed attempts since the last success.
    public var consecutiveFailures = 0
    /// When the next registration is due; nil while one is in flight or after shutdown.
    public var nextAttempt: Instant?
    /// The master's address in its last answer: slaves learn it here.
    public var masterAddress: String?
}

/// Why a registration was not accepted.
public enum RegistrationFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The NameServer answered with an error code (protocol.md 1.11).
    case refused(code: Int32, remark: String)
    /// There was no answer: why, for people.
    case unreachable(String)

    /// One short clause, for a log line or a table cell.
    public var description: String {
        switch self {
        case .refused(let code, let remark): remark.isEmpty ? "code \(code)" : "code \(code): \(remark)"
        case .unreachable(let reason): reason
        }
    }
}
