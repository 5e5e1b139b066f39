import Basics
import GossipCore
import Logging
import NameServerCore
import Platform
import Remoting
import SecureTransport

/// A node's log: one line per state change, with its cause; none per heartbeat.
final class NodeLog {
    /// Written to directly by what has lines of its own.
    var logger: Logger
    private var limiter = LogLimiter()

    init(logger: Logger) { self.logger = logger }

    func started(at address: Address, http: Address?) {
        var metadata: Logger.Metadata = ["address": "\(address)"]
        if let http { metadata["http"] = "\(http)" }
        logger.notice("serving", metadata: metadata)
    }

    func stopping(wait: Duration, deadline: Duration) {
        logger.notice(
            "stopping",
            metadata: ["wait": "\(wait.wholeMilliseconds) ms", "deadline": "\(deadline.wholeMilliseconds) ms"])
    }

    func stoodStill(for lost: Duration) {
        logger.warning(
            "this node stood still; brokers that it could not hear meanwhile are kept for a heartbeat",
            metadata: ["event": "stoodStill", "for": "\(lost.wholeMilliseconds) ms"])
    }

    func keyValuesSetAside(path: String, aside: String, error: RemotingError) {
        logger.error(
            "the key-value file cannot be read and was set aside; starting without it. Repair it and put it back, or delete it",
            metadata: ["file": "\(path)", "aside": "\(aside)", "error": "\(error)"])
    }

    func stampsUnreadable(path: String, error: any Error) {
        logger.warning(
            "the stamps of replicated key-values cannot be read; every key counts as older than any write at another node",
            metadata: ["file": "\(path)", "error": "\(error)"])
    }

    func persistFailed(path: String, error: PlatformError) {
        logger.error(
            "a change is in force but not on disk; it will be lost at the next restart",
            metadata: ["file": "\(path)", "error": "\(error)"])
    }

    // MARK: TLS

    func certificateGenerated() {
        logger.warning(
            """
            a client wants TLS and no certificate is configured: one was made that proves nothing. Configure tls.certificate \
            and tls.privateKey, or set tls.testMode: false
            """)
    }

    func certificateRenewed(_ files: RemotingTLSOptions.Files) {
        logger.notice(
            "new certificate in use for new connections",
            metadata: ["certificate": "\(files.certificate)", "privateKey": "\(files.privateKey)"])
    }

    func certificateRefused(_ error: SecureTransportError, isRenewal: Bool) {
        logger.error(
            isRenewal
                ? "the changed certificate files cannot be used; the old certificate stays in use. Repair them"
                : "no certificate could be made; TLS connections are closed", metadata: ["error": "\(error)"])
    }

    /// A change of the tables. A storm of one kind is cut down, and what was left out is counted.
    func event(_ event: TableEvent, now: Instant) {
        let level = Self.level(of: event.kind)
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        if let broker = event.broker {
            metadata["broker"] = "\(broker.name)"
            metadata["id"] = "\(broker.id)"
            metadata["cluster"] = "\(broker.cluster)"
            metadata["address"] = "\(broker.address)"
        }
        write(level, event.kind.rawValue, event.text, metadata, now)
    }

    // MARK: Gossip

    /// What gossip found; alarms say what to do.
    func gossip(_ event: GossipEvent, now: Instant) {
        var metadata: Logger.Metadata = ["event": "\(event.kind.rawValue)"]
        if let peer = event.peer { metadata["peer"] = "\(peer)" }
        if let kind = event.divergence { metadata["divergence"] = "\(kind.name)" }
        if let replica = event.replica {
            metadata["broker"] = "\(replica.name)"
            metadata["id"] = "\(replica.id)"
            metadata["cluster"] = "\(replica.cluster)"
            metadata["address"] = "\(replica.address)"
        }
        write(event.level == .warning ? .warning : .info, "gossip-\(event.kind.rawValue)", event.text, metadata, now)
    }

    /// A connection from somebody who may not gossip with this node.
    func gossipRefused(_ address: Address?, _ problem: String, now: Instant) {
        write(
            .warning, "gossip-connection", "gossip connection refused: \(problem)",
            ["event": "refused", "address": "\(address?.description ?? "unknown")"], now)
    }

    func discoveryFailed(_ name: Address, _ error: PlatformError, now: Instant) {
        write(
            .warning, "gossip-discovery",
            "gossip.discovery cannot be looked up; the peers found before stay. It is tried again",
            ["event": "discovery", "name": "\(name)", "error": "\(error)"], now)
    }

    /// Frames between nodes can be read and forged by others, because the operator wants it so.
    func gossipInsecure() {
        logger.warning(
            "gossip is not encrypted (gossip.insecure: true): whoever reaches its port can keep dead brokers alive",
            metadata: ["event": "insecure"])
    }

    /// Writes a line, unless there were too many of its kind.
    func write(
        _ level: Logger.Level, _ kind: String, _ text: String, _ metadata: Logger.Metadata, _ now: Instant
    ) {
        guard level >= logger.logLevel else { return }
        let (passes, suppressed) = limiter.admit(kind, now: now)
        if suppressed > 0 {
            logger.log(
                level: level, "more of the same were left out",
                metadata: ["event": "\(kind)", "count": "\(suppressed)"])
        }
        if passes { logger.log(level: level, "\(text)", metadata: metadata) }
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
