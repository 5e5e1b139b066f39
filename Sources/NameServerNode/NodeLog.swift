import Basics
import Logging
import NameServerCore
import Platform
import Remoting

/// A node's log: one line per state change, with its cause; none per heartbeat.
final class NodeLog {
    private let logger: Logger
    private var limiter = LogLimiter()

    init(logger: Logger) { self.logger = logger }

    func started(at address: Address) {
        logger.notice("serving", metadata: ["address": "\(address)"])
    }

    func stopping(wait: Duration, deadline: Duration) {
        logger.notice(
            "stopping",
            metadata: ["wait": "\(wait.wholeMilliseconds) ms", "deadline": "\(deadline.wholeMilliseconds) ms"])
    }

    func keyValuesSetAside(path: String, aside: String, error: RemotingError) {
        logger.error(
            "the key-value file cannot be read and was set aside; starting without it. Repair it and put it back, or delete it",
            metadata: ["file": "\(path)", "aside": "\(aside)", "error": "\(error)"])
    }

    func persistFailed(path: String, error: PlatformError) {
        logger.error(
            "a change is in force but not on disk; it will be lost at the next restart",
            metadata: ["file": "\(path)", "error": "\(error)"])
    }

    /// A change of the tables. A storm of one kind is cut down, and what was left out is counted.
    func event(_ event: TableEvent, now: Instant) {
        let level = Self.level(of: event.kind)
        guard level >= logger.logLevel else { return }
        let (passes, suppressed) = limiter.admit(event.kind.rawValue, now: now)
        if suppressed > 0 {
            logger.log(
                level: level, "more of the same were left out",
                metadata: ["event": "\(event.kind.rawValue)", "count": "\(suppressed)"])
        }
        guard passes else { return }
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        if let broker = event.broker {
            metadata["broker"] = "\(broker.name)"
            metadata["id"] = "\(broker.id)"
            metadata["cluster"] = "\(broker.cluster)"
            metadata["address"] = "\(broker.address)"
        }
        logger.log(level: level, "\(event.text)", metadata: metadata)
    }

    /// What an operator should look at is a warning; the rest is the cluster's ordinary life.
    private static func level(of kind: TableEvent.Kind) -> Logger.Level {
        switch kind {
        case .refused, .conflict, .expired, .connectionClosed, .closing, .held, .lateUnregister:
            .warning
        case .registered, .reregistered, .unregistered, .writePermissionWiped, .writePermissionAdded, .topicDeleted,
            .topicRegistered, .keyValueChanged, .propertiesChanged, .released, .learned, .learnedDropped:
            .info
        }
    }
}
