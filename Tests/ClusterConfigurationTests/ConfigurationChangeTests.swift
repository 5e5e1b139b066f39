import AccessControl
import Testing

@testable import ClusterConfiguration

@Suite struct ConfigurationChangeTests {
    /// A valid file in which every key can be changed by one edit.
    private static let base = """
        cluster: {name: c}
        nodes:
          - {name: a, listen: '127.0.0.1:1', dataDirectory: d, gossip: '127.0.0.1:2', http: '127.0.0.1:3', gossipMode: replicate}
          - {name: b, listen: '127.0.0.1:4', gossip: '127.0.0.1:5', gossipMode: replicate}
          - {name: c, listen: '127.0.0.1:7', gossip: '127.0.0.1:8', gossipMode: replicate}
        timings: {heartbeat: 30s, scan: 10s, expiry: 2m, routePoll: 30s}
        limits: {connections: 10, idleConnection: 2m, frameBytes: 16MiB, unsentBytes: 64MiB, topics: 10, brokers: 11, routeCacheBytes: 1MiB}
        gossip: {mode: observe, period: 1s, label: l, insecure: false, allow: [], replicate: [kv], applyUnregister: false, witnesses: 1, closeGrace: 1s, gateUnknownTopics: false}
        http: {connections: 256, eventStreams: 64, requestsPerSecond: 50, brokerMetrics: false}
        tls: {mode: permissive, certificate: t.pem, privateKey: t.key, testMode: true, clientCertificates: optional}
        access: {accountsFile: acc, lookup: {networks: [10.0.0.0/8], accounts: false}, register: {networks: [11.0.0.0/8], accounts: false}, administer: {networks: [12.0.0.0/8], accounts: false}}
        log: {level: info, format: text}
        brokers: [{group: g, cluster: k, autoCreateTopics: true, replicas: [{id: 0, listen: '127.0.0.1:20'}], topics: [{name: t, readQueues: 8, writeQueues: 9}]}]

        """

    /// What to replace by what, so that this key has another value for node a.
    private static let edits: [String: (String, String)] = [
        "cluster.name": ("{name: c}", "{name: d}"),
        "nodes.name": ("name: b", "name: bb"), "nodes.listen": ("'127.0.0.1:4'", "'127.0.0.1:6'"),
        "nodes.dataDirectory": ("dataDirectory: d", "dataDirectory: e"),
        "nodes.gossip": ("'127.0.0.1:5'", "'127.0.0.1:6'"), "nodes.http": ("'127.0.0.1:3'", "'127.0.0.1:6'"),
        "nodes.gossipMode": ("'127.0.0.1:5', gossipMode: replicate", "'127.0.0.1:5', gossipMode: protect"),
        "timings.heartbeat": ("heartbeat: 30s", "heartbeat: 31s"), "timings.scan": ("scan: 10s", "scan: 11s"),
        "timings.expiry": ("expiry: 2m", "expiry: 3m"), "timings.routePoll": ("routePoll: 30s", "routePoll: 31s"),
        "limits.connections": ("connections: 10", "connections: 12"),
        "limits.idleConnection": ("idleConnection: 2m", "idleConnection: 3m"),
        "limits.frameBytes": ("frameBytes: 16MiB", "frameBytes: 17MiB"),
        "limits.unsentBytes": ("unsentBytes: 64MiB", "unsentBytes: 65MiB"),
        "limits.topics": ("topics: 10", "topics: 9"),
        "limits.brokers": ("brokers: 11", "brokers: 9"),
        "limits.routeCacheBytes": ("routeCacheBytes: 1MiB", "routeCacheBytes: 0B"),
        "gossip.mode": ("http: '127.0.0.1:3', gossipMode: replicate", "http: '127.0.0.1:3', gossipMode: protect"),
        "gossip.period": ("period: 1s", "period: 2s"), "gossip.label": ("label: l", "label: m"),
        "gossip.preSharedKeys": ("insecure: false", "preSharedKeys: [k]"),
        "gossip.certificate": ("insecure: false", "certificate: c, privateKey: k, authority: a"),
        "gossip.privateKey": ("insecure: false", "certificate: c, privateKey: k, authority: a"),
        "gossip.authority": ("insecure: false", "certificate: c, privateKey: k, authority: a"),
        "gossip.insecure": ("insecure: false", "insecure: true"), "gossip.allow": ("allow: []", "allow: [10.0.0.0/8]"),
        "gossip.discovery": ("insecure: false", "discovery: 'localhost:1'"),
        "gossip.replicate": ("[kv]", "[kv, perm]"),
        "gossip.applyUnregister": ("applyUnregister: false", "applyUnregister: true"),
        "gossip.witnesses": ("witnesses: 1", "witnesses: 2"), "gossip.closeGrace": ("closeGrace: 1s", "closeGrace: 2s"),
        "gossip.gateUnknownTopics": ("gateUnknownTopics: false", "gateUnknownTopics: true"),
        "http.connections": ("connections: 256", "connections: 255"),
        "http.eventStreams": ("eventStreams: 64", "eventStreams: 63"),
        "http.requestsPerSecond": ("requestsPerSecond: 50", "requestsPerSecond: 51"),
        "http.brokerMetrics": ("brokerMetrics: false", "brokerMetrics: true"),
        "http.hosts": ("brokerMetrics: false", "brokerMetrics: false, hosts: [ns.example]"),
        "tls.mode": ("mode: permissive", "mode: enforcing"), "tls.certificate": ("t.pem", "u.pem"),
        "tls.privateKey": ("t.key", "u.key"), "tls.passwordFile": ("t.key", "t.key, passwordFile: p"),
        "tls.testMode": ("testMode: true", "testMode: false"),
        "tls.clientCertificates": ("clientCertificates: optional", "clientCertificates: require"),
        "tls.authority": ("clientCertificates: optional", "clientCertificates: optional, authority: ca"),
        "access.lookup.networks": ("[10.0.0.0/8]", "[]"), "access.register.networks": ("[11.0.0.0/8]", "[]"),
        "access.administer.networks": ("[12.0.0.0/8]", "[]"),
        "access.lookup.accounts": ("[10.0.0.0/8], accounts: false", "[10.0.0.0/8], accounts: true"),
        "access.register.accounts": ("[11.0.0.0/8], accounts: false", "[11.0.0.0/8], accounts: true"),
        "access.administer.accounts": ("[12.0.0.0/8], accounts: false", "[12.0.0.0/8], accounts: true"),
        "access.accountsFile": ("accountsFile: acc", "accountsFile: other"),
        "access.auditLog": ("accountsFile: acc", "accountsFile: acc, auditLog: log"),
        "log.level": ("level: info", "level: debug"), "log.format": ("format: text", "format: json"),
        "brokers.group": ("group: g", "group: h"), "brokers.cluster": ("cluster: k", "cluster: l"),
        "brokers.autoCreateTopics": ("autoCreateTopics: true", "autoCreateTopics: false"),
        "brokers.replicas": ("replicas: [", "replicas: [{id: 1, listen: '127.0.0.1:21'}, "),
        "brokers.replicas.id": ("replicas: [", "replicas: [{id: 1, listen: '127.0.0.1:21'}, "),
        "brokers.replicas.listen": ("'127.0.0.1:20'", "'127.0.0.1:21'"),
        "brokers.topics": ("topics: [", "topics: [{name: u}, "), "brokers.topics.name": ("name: t", "name: u"),
        "brokers.topics.readQueues": ("readQueues: 8", "readQueues: 7"),
        "brokers.topics.writeQueues": ("writeQueues: 9", "writeQueues: 7"),
    ]

    private static func parse(_ text: String) throws -> ClusterConfiguration {
        try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "c.yaml")
    }

    /// A new key cannot be forgotten.
    @Test func everyKeyHasARow() {
        #expect(ConfigurationChange.rows.map(\.key).sorted() == ClusterConfiguration.knownKeys.sorted())
    }

    @Test func nothingIsNothing() throws {
        #expect(try ConfigurationChange.between(Self.parse(Self.base), Self.parse(Self.base), node: "a") == [])
    }

    /// Each key's change is seen, and says what it takes.
    @Test(arguments: ClusterConfiguration.knownKeys)
    func aChangeIsSeen(key: String) throws {
        let text: String
        if key.hasPrefix("nameserver.") {
            let isNumber = key.hasSuffix("Seconds") || key.hasSuffix("ForService") && key.hasPrefix("nameserver.wait")
            text =
                Self.base
                + "nameserver: {\(key.dropFirst(11)): \(isNumber || key.contains("WaitTime") ? "7" : "true")}\n"
        } else {
            let (old, new) = try #require(Self.edits[key], "no edit for \(key)")
            try #require(Self.base.contains(old), "\(old)")
            text = Self.base.replacing(old, with: new, maxReplacements: 1)
        }
        let changes = try ConfigurationChange.between(Self.parse(Self.base), Self.parse(text), node: "a")
        let change = try #require(changes.first { $0.key == key }, "\(changes.map(\.key))")
        #expect(change.old != change.new)
        // Of keys that go together all are seen, and nothing else.
        let together = ["gossip.certificate", "gossip.privateKey", "gossip.authority"]
        let alone =
            !together.contains(key) && !key.hasPrefix("brokers.") && !["gossip.mode", "nodes.gossipMode"].contains(key)
        #expect(!alone || changes.count == 1, "\(changes.map(\.key))")
    }

    /// What a running node takes over; the rest of its keys need a restart.
    @Test func whatCountsAtOnce() {
        let atOnce = ConfigurationChange.rows.filter { $0.effect == .atOnce }.map(\.key)
        #expect(
            atOnce.filter { !$0.hasPrefix("nameserver.") && !$0.hasPrefix("access.") && !$0.hasPrefix("tls.") } == [
                "log.level", "limits.topics", "limits.brokers", "limits.routeCacheBytes", "gossip.allow",
                "http.brokerMetrics",
            ])
        for section in ["nameserver.", "access.", "tls."] {
            let keys = ClusterConfiguration.knownKeys.filter { $0.hasPrefix(section) }
            #expect(Set(atOnce).isSuperset(of: keys), "\(section)")
        }
        let elsewhere = ConfigurationChange.rows.filter { $0.effect == .elsewhere }.map(\.key)
        #expect(
            elsewhere.allSatisfy { $0.hasPrefix("brokers.") || ["cluster.name", "timings.routePoll"].contains($0) })
    }
}
