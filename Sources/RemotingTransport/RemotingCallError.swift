import Platform
import Remoting

/// Why a call has no answer.
public enum RemotingCallError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer did not answer in time.
    case timeout
    /// The connection could not be made, or ended before the answer.
    case closed(CloseReason)
    /// The peer sent something that is no remoting frame.
    case malformed(RemotingError)
    /// More than `RemotingConnectionOptions.callLimit` calls were waiting.
    case tooManyCalls

    /// One short clause for a log line or a table cell.
    public var description: String {
        switch self {
        case .timeout: "no answer in time"
        case .closed(.system(let error)): error.description
        case .closed(.connectTimeout): "connecting took too long"
        case .closed(.endOfStream): "the peer closed the connection"
        case .closed(.local): "the connection was closed here"
        case .closed(.idle): "the connection was idle"
        case .closed(.slowPeer): "the peer did not take its bytes"
        case .closed(.secure(let failure)): failure.description
        case .malformed(let error): "malformed answer: \(error)"
        case .tooManyCalls: "too many calls are waiting"
        }
    }
}

/// Adds to a request what proves who sends it (`AccessKey` and `Signature` for RocketMQ's accounts).
public typealias RequestSigner = @Sendable (inout RemotingCommand) -> Void

/// Limits of one outgoing connection.
public struct RemotingConnectionOptions: Sendable {
    /// Default 3 s, as RocketMQ's clients.
    public var connectTimeout: Duration = .seconds(3)
    /// Calls that may wait for an answer at the same time. Default 65,536.
    public var callLimit = 65_536
    /// Whether a call that times out closes the connection, as RocketMQ's clients do, so that the next use starts afresh.
    public var closesOnTimeout = true
    /// Called for each request before it leaves; nil = requests are not signed.
    public var sign: RequestSigner?
    /// Limits of the stream below.
    public var stream = StreamOptions()

    /// The defaults above.
    public init() {}
}
