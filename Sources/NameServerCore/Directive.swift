import Basics
import Remoting

/// What the shell must do after the core has decided. In order.
public enum Directive: Sendable {
    /// Close the connection.
    case close(UInt64)
    /// Send the oneway request to each of these broker addresses; failures are nobody's business (protocol.md 2.22).
    case notify([String], RemotingCommand)
    /// Make the whole key-value file durable with these bytes before the answer leaves (5.5).
    case persistKV([UInt8])
    /// Write the whole properties file; comes only when a `configStorePath` is configured (5.4).
    case persistProperties([UInt8])
    /// A change of what this node knows first-hand; comes only after `NameServer.trackFirstHand`.
    case firstHand(FirstHandChange)
    /// A learned replica is no longer served, though the gossip layer did not ask for it.
    case learnedDropped(ReplicaIdentity, LearnedDrop)
    /// A state change, for one line of log.
    case event(TableEvent)
}

/// How `NameServer.handle` left a request.
public enum Handled: Sendable {
    /// Answered, as far as an answer was due.
    case done
    /// A large registration: run `decode()` on a worker thread, then call `NameServer.finish`, or `begin` and
    /// `proceed`, with what it gave. The
    /// connection should not be read on until then.
    case decode(PendingRegistration)
    /// Nothing was done: too much waits to be decoded already. Hand the same frame in again when `NameServer.hasRoom` for
    /// these bytes; nothing else of its connection may come first.
    case wait(bytes: Int)
}
