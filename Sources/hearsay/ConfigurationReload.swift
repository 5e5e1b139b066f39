import ClusterConfiguration
import Logging
import NameServerCore
import NameServerNode
import Platform

/// Reads a running node's configuration again and says what came of it.
final class ConfigurationReload {
    private let command: ServeCommand
    private let server: NameServerNode
    private let logger: Logger
    /// What the node was started with: what needs a restart is compared with it.
    private let started: ServeConfiguration
    /// What was last taken over.
    private var current: ServeConfiguration

    init(_ command: ServeCommand, _ server: NameServerNode, started: ServeConfiguration, logger: Logger) {
        self.command = command
        self.server = server
        self.logger = logger
        self.started = started
        current = started
    }

    /// Takes over what can change while the node runs, or nothing at all.
    func run() {
        do {
            let new = try ServeConfiguration.read(command)
            if let file = command.configFile { try Self.check(file) }
            let changes = changes(to: new)
            try server.reconfigure(new.options, level: new.level)
            current = new
            report(changes)
        } catch let errors as ConfigurationErrors {
            refused(errors.errors.map(\.description))
        } catch {
            refused(["\(error)"])
        }
    }

    /// At start, RocketMQ's own file may hold values that mean nothing, as with RocketMQ; now an operator waits for an answer.
    private static func check(_ file: String) throws {
        guard let fault = NamesrvProperties.fault(in: try propertiesText(of: file)) else { return }
        throw ConfigurationFailure("\(file): \(fault)")
    }

    private struct Change {
        var key: String
        var old: String
        var new: String
        var needsRestart: Bool
    }

    private func changes(to new: ServeConfiguration) -> [Change] {
        var changes: [Change] = []
        if let cluster = new.cluster, let old = current.cluster, let first = started.cluster {
            let fresh = ConfigurationChange.between(old.file, cluster.file, node: cluster.node)
            let standing = ConfigurationChange.between(first.file, cluster.file, node: cluster.node)
            changes = (fresh.filter { $0.effect == .atOnce } + standing.filter { $0.effect == .afterRestart }).map {
                Change(key: $0.key, old: $0.old, new: $0.new, needsRestart: $0.effect == .afterRestart)
            }
        } else if current.options.tls != new.options.tls {
            changes.append(Change(key: "tls.*", old: "", new: "", needsRestart: false))
        }
        // What the file says beside what is in force: requests may have changed it since.
        let seen = Set(changes.map(\.key))
        for change in server.settings.changes(to: new.options.properties) where change.effect != .none {
            let key = new.cluster == nil ? change.name : "nameserver.\(change.name)"
            // The same under cluster.yaml's own keys.
            if seen.contains(key) || (new.cluster != nil && change.effect == .afterRestart) { continue }
            changes.append(
                Change(key: key, old: change.old, new: change.new, needsRestart: change.effect == .afterRestart))
        }
        return changes
    }

    private func report(_ changes: [Change]) {
        for change in changes {
            logger.log(
                level: change.needsRestart ? .warning : .notice,
                change.needsRestart ? "a changed key needs a restart" : "a changed key is in force",
                metadata: ["event": "reload", "key": "\(change.key)", "from": "\(change.old)", "to": "\(change.new)"])
        }
        let waiting = changes.count { $0.needsRestart }
        logger.notice(
            "configuration read anew",
            metadata: ["event": "reload", "changed": "\(changes.count - waiting)", "restart": "\(waiting)"])
    }

    private func refused(_ faults: [String]) {
        for fault in faults { logger.error("\(fault)", metadata: ["event": "reload"]) }
        logger.error("the configuration cannot be used; nothing has changed", metadata: ["event": "reload"])
    }
}
