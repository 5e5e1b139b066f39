// What is different between two readings of a file, and what a node that runs can do about it.

import AccessControl
import Basics

/// One key whose value is another one now.
public struct ConfigurationChange: Hashable, Sendable {
    /// What a changed value takes to count.
    public enum Effect: Hashable, Sendable, CaseIterable {
        /// Nothing: a running node takes it over.
        case atOnce
        /// The node must be started again.
        case afterRestart
        /// It concerns other programs: brokers, screens.
        case elsewhere
    }

    /// `section.key`.
    public var key: String
    /// As text, for people.
    public var old: String
    /// As text, for people.
    public var new: String
    /// What it takes.
    public var effect: Effect

    /// Every key whose value differs for one node, in the order of documentation. Both have the node.
    public static func between(
        _ old: ClusterConfiguration, _ new: ClusterConfiguration, node name: String
    ) -> [ConfigurationChange] {
        guard let oldNode = old.node(named: name), let newNode = new.node(named: name) else {
            preconditionFailure("both must have the node \(name)")
        }
        return rows.compactMap { row in
            let (before, after) = (row.value(old, oldNode), row.value(new, newNode))
            if before == after { return nil }
            return ConfigurationChange(key: row.key, old: before, new: after, effect: row.effect)
        }
    }

    /// One key: what it takes, and its value as text.
    struct Row: Sendable {
        var key: String
        var effect: Effect
        var value: @Sendable (ClusterConfiguration, NodeConfiguration) -> String

        init(
            _ key: String, _ effect: Effect,
            _ value: @escaping @Sendable (ClusterConfiguration, NodeConfiguration) -> String
        ) {
            (self.key, self.effect, self.value) = (key, effect, value)
        }
    }

    /// Every key of the file once (`ClusterConfiguration.knownKeys`).
    static let rows: [Row] =
        clusterRows + timingRows + limitRows + gossipRows + httpRows + tlsRows + accessRows + nameServerRows
        + brokerRows

    // Nodes tell each other apart, and dial each other, by what stands here of all of them.
    private static let clusterRows: [Row] = [
        Row("cluster.name", .elsewhere) { cluster, _ in cluster.name },
        Row("nodes.name", .afterRestart) { cluster, _ in list(cluster.nodes) { $0.name } },
        Row("nodes.listen", .afterRestart) { cluster, _ in list(cluster.nodes) { "\($0.listen)" } },
        Row("nodes.dataDirectory", .afterRestart) { $1.dataDirectory },
        Row("nodes.gossip", .afterRestart) { cluster, _ in list(cluster.nodes) { "\($0.gossip)" } },
        Row("nodes.gossipMode", .afterRestart) { cluster, _ in list(cluster.nodes) { $0.gossipMode.rawValue } },
        Row("nodes.http", .afterRestart) { text($1.http) },
        Row("log.level", .atOnce) { cluster, _ in cluster.log.level.rawValue },
        Row("log.format", .afterRestart) { cluster, _ in cluster.log.format.rawValue },
    ]

    private static let timingRows: [Row] = [
        // Nodes that gossip judge each other's silence by the first three.
        Row("timings.heartbeat", .afterRestart) { cluster, _ in cluster.timings.heartbeat.text },
        Row("timings.scan", .afterRestart) { cluster, _ in cluster.timings.scan.text },
        Row("timings.expiry", .afterRestart) { cluster, _ in cluster.timings.expiry.text },
        Row("timings.routePoll", .elsewhere) { cluster, _ in cluster.timings.routePoll.text },
    ]

    private static let limitRows: [Row] = [
        Row("limits.connections", .afterRestart) { cluster, _ in "\(cluster.limits.connections)" },
        Row("limits.idleConnection", .afterRestart) { cluster, _ in cluster.limits.idleConnection.text },
        Row("limits.frameBytes", .afterRestart) { cluster, _ in ByteSize.text(cluster.limits.frameBytes) },
        Row("limits.unsentBytes", .afterRestart) { cluster, _ in ByteSize.text(cluster.limits.unsentBytes) },
        Row("limits.topics", .atOnce) { cluster, _ in "\(cluster.limits.topics)" },
        Row("limits.brokers", .atOnce) { cluster, _ in "\(cluster.limits.brokers)" },
        Row("limits.routeCacheBytes", .atOnce) { cluster, _ in ByteSize.text(cluster.limits.routeCacheBytes) },
    ]

    private static let gossipRows: [Row] = [
        Row("gossip.mode", .afterRestart) { $1.gossipMode.rawValue },
        Row("gossip.period", .afterRestart) { cluster, _ in cluster.gossip.period.text },
        Row("gossip.label", .afterRestart) { cluster, _ in cluster.gossip.label },
        Row("gossip.preSharedKeys", .afterRestart) { cluster, _ in
            if case .preSharedKeys(let paths) = cluster.gossip.security { list(paths) { $0 } } else { "[]" }
        },
        Row("gossip.certificate", .afterRestart) { cluster, _ in text(cluster.gossip.certificates?.certificate) },
        Row("gossip.privateKey", .afterRestart) { cluster, _ in text(cluster.gossip.certificates?.privateKey) },
        Row("gossip.authority", .afterRestart) { cluster, _ in text(cluster.gossip.certificates?.authority) },
        Row("gossip.insecure", .afterRestart) { cluster, _ in "\(cluster.gossip.insecure)" },
        Row("gossip.allow", .atOnce) { cluster, _ in list(cluster.gossip.allow) { "\($0)" } },
        Row("gossip.discovery", .afterRestart) { cluster, _ in text(cluster.gossip.discovery) },
        Row("gossip.replicate", .afterRestart) { cluster, _ in
            list(cluster.gossip.replicate.map(\.rawValue).sorted()) { $0 }
        },
        Row("gossip.applyUnregister", .afterRestart) { cluster, _ in "\(cluster.gossip.applyUnregister)" },
        Row("gossip.witnesses", .afterRestart) { cluster, _ in "\(cluster.gossip.witnesses)" },
        Row("gossip.closeGrace", .afterRestart) { cluster, _ in cluster.gossip.closeGrace.text },
        Row("gossip.gateUnknownTopics", .afterRestart) { cluster, _ in "\(cluster.gossip.gateUnknownTopics)" },
    ]

    private static let httpRows: [Row] = [
        Row("http.connections", .afterRestart) { cluster, _ in "\(cluster.http.connections)" },
        Row("http.eventStreams", .afterRestart) { cluster, _ in "\(cluster.http.eventStreams)" },
        Row("http.requestsPerSecond", .afterRestart) { cluster, _ in "\(cluster.http.requestsPerSecond)" },
        Row("http.brokerMetrics", .atOnce) { cluster, _ in "\(cluster.http.brokerMetrics)" },
        Row("http.hosts", .afterRestart) { cluster, _ in list(cluster.http.hosts) { $0 } },
    ]

    private static let tlsRows: [Row] = [
        Row("tls.mode", .atOnce) { cluster, _ in cluster.tls.mode.rawValue },
        Row("tls.certificate", .atOnce) { cluster, _ in text(cluster.tls.files?.certificate) },
        Row("tls.privateKey", .atOnce) { cluster, _ in text(cluster.tls.files?.privateKey) },
        Row("tls.passwordFile", .atOnce) { cluster, _ in text(cluster.tls.files?.passwordFile) },
        Row("tls.testMode", .atOnce) { cluster, _ in "\(cluster.tls.testMode)" },
        Row("tls.clientCertificates", .atOnce) { cluster, _ in cluster.tls.clientCertificates.rawValue },
        Row("tls.authority", .atOnce) { cluster, _ in text(cluster.tls.authority) },
    ]

    private static let accessRows: [Row] =
        RequestClass.allCases.flatMap { requestClass in
            [
                Row("access.\(requestClass).networks", .atOnce) { cluster, _ in
                    list(cluster.access.rules[requestClass].networks.blocks) { "\($0)" }
                },
                Row("access.\(requestClass).accounts", .atOnce) { cluster, _ in
                    "\(cluster.access.rules[requestClass].needsAccount)"
                },
            ]
        } + [
            Row("access.accountsFile", .atOnce) { cluster, _ in text(cluster.access.accountsFile) },
            Row("access.auditLog", .atOnce) { cluster, _ in text(cluster.access.auditLog) },
        ]

    // Of all of them: what is left out has RocketMQ's default.
    private static let nameServerRows: [Row] = NameServerProperty.Key.allCases.map { key in
        Row("nameserver.\(key.rawValue)", .atOnce) { cluster, _ in
            text(cluster.nameServerProperties.last { $0.name == key.rawValue }?.value)
        }
    }

    // Brokers read them when they start.
    private static let brokerRows: [Row] = [
        Row("brokers.group", .elsewhere) { cluster, _ in list(cluster.brokers) { $0.name } },
        Row("brokers.cluster", .elsewhere) { cluster, _ in list(cluster.brokers) { $0.cluster } },
        Row("brokers.autoCreateTopics", .elsewhere) { cluster, _ in list(cluster.brokers) { "\($0.autoCreateTopics)" }
        },
        Row("brokers.replicas", .elsewhere) { cluster, _ in list(cluster.brokers) { "\($0.replicas.count)" } },
        Row("brokers.topics", .elsewhere) { cluster, _ in list(cluster.brokers) { "\($0.topics.count)" } },
        Row("brokers.replicas.id", .elsewhere) { cluster, _ in list(cluster.brokers.flatMap(\.replicas)) { "\($0.id)" }
        },
        Row("brokers.replicas.listen", .elsewhere) { cluster, _ in
            list(cluster.brokers.flatMap(\.replicas)) { "\($0.listen)" }
        },
        Row("brokers.topics.name", .elsewhere) { cluster, _ in list(cluster.brokers.flatMap(\.topics)) { $0.name } },
        Row("brokers.topics.readQueues", .elsewhere) { cluster, _ in
            list(cluster.brokers.flatMap(\.topics)) { "\($0.readQueues)" }
        },
        Row("brokers.topics.writeQueues", .elsewhere) { cluster, _ in
            list(cluster.brokers.flatMap(\.topics)) { "\($0.writeQueues)" }
        },
    ]

    private static func text(_ value: (some CustomStringConvertible)?) -> String { value?.description ?? "null" }

    private static func list<Item>(_ items: [Item], _ word: (Item) -> String) -> String {
        "[\(items.map(word).joined(separator: ", "))]"
    }
}

extension GossipConfiguration {
    fileprivate var certificates: Certificates? {
        if case .certificates(let certificates) = security { certificates } else { nil }
    }
}
