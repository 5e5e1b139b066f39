// What a node takes over while it runs (SIGHUP). Everything that can fail, reading files above all, comes first; then all of it
// counts at once. What only a restart changes is left as it is: `ConfigurationChange` and `PropertyEffect` say what that is.

import Logging
import NameServerCore
import Platform

extension NameServerNode {
    /// RocketMQ's settings in force.
    public var settings: NamesrvProperties { hot.pointee.core.properties }

    /// Takes over from other options: RocketMQ's settings and the limits of the tables as far as they count while a node runs,
    /// access and accounts, TLS, `http.brokerMetrics`, who may gossip; and the level of the log.
    ///
    /// Certificates and accounts are read anew even if their names are the same. What 318 changed since the start is undone.
    ///
    /// - Throws: when certificates or accounts cannot be used, or the node is stopping; then nothing has changed.
    public func reconfigure(_ new: NodeOptions, level: Logger.Level) throws(PlatformError) {
        guard shutdownPhase == .running else {
            throw PlatformError(operation: "reconfigure", name: "stopping", message: "the node is stopping")
        }
        let newAccess = try access.prepare(new.access)
        let newTLS = try preparedTLS(new.tls)

        if newTLS !== tls {
            tls?.stop()
            tls = newTLS
            tls?.start()
        }
        log.logger.logLevel = level
        access.use(newAccess)
        hot.pointee.core.change(new.limits)
        hot.pointee.core.change(new.properties)
        if let gossip = new.gossip { self.gossip?.admits = gossip.admits }
        if let http = new.http { self.http?.options.hasBrokerMetrics = http.hasBrokerMetrics }
        for connection in connections.values { connection.policyChanged() }
    }

    /// A certificate that was made for testing stays, so that clients need not get used to another one.
    private func preparedTLS(_ new: RemotingTLSOptions?) throws(PlatformError) -> RemotingTLS? {
        if let tls, let new, tls.options == new, new.files == nil { return tls }
        return try RemotingTLS.made(new, platform: platform, log: log)
    }
}
