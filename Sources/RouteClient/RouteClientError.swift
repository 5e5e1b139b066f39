import Basics
import Remoting
import RemotingTransport

/// Why a call of the client has no result.
public enum RouteClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The NameServer knows no route of the topic (code 17).
    case noRoute(topic: String)
    /// There is a route, but no queue that can be written to, or read from.
    case noQueue(topic: String)
    /// The broker group is in no route, or has no usable address.
    case noBroker(name: String)
    /// Another code than the call expects.
    case code(Int32, remark: String, from: Address)
    /// No answer from this address.
    case noAnswer(RemotingCallError, from: Address)
    /// No NameServer answered; the last one's reason.
    case noNameServer(RemotingCallError, last: Address)
    /// The answer lacks a field, or its body cannot be read.
    case malformed(String, from: Address)
    /// More topics, connections or messages than a named limit.
    case limit(String)
    /// The client was closed.
    case closed

    /// One clause for a line of output.
    public var description: String {
        switch self {
        case .noRoute(let topic): "no route of topic \(topic)"
        case .noQueue(let topic): "topic \(topic) has a route but no usable queue"
        case .noBroker(let name): "no usable address of broker \(name)"
        case .code(let code, let remark, let address):
            remark.isEmpty ? "code \(code) from \(address)" : "code \(code) from \(address): \(remark)"
        case .noAnswer(let error, let address): "\(address): \(error)"
        case .noNameServer(let error, let address): "no NameServer answers; the last one, \(address): \(error)"
        case .malformed(let what, let address): "malformed answer from \(address): \(what)"
        case .limit(let what): "limit reached: \(what)"
        case .closed: "the client is closed"
        }
    }
}
