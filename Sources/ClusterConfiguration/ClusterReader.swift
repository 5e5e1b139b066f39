import Basics

enum RootKey: String, SectionKey {
    case cluster, nodes, timings, limits, gossip, http, tls, access, nameserver, log, brokers
    static let section = "the file"
}

enum ClusterKey: String, SectionKey {
    case name
    static let section = "cluster"
}

extension ClusterConfiguration {
    /// How many there may be: far above what one demonstration machine or one RocketMQ installation has.
    enum Counts {
        static let nodes = 64
        static let groups = 256
        static let replicas = 16
        static let topics = 10_000
    }

    /// Every key the file may hold, as `section.key`, in the order of documentation.
    static let knownKeys: [String] =
        keys(ClusterKey.self) + keys(NodeConfiguration.Key.self) + keys(Timings.Key.self) + keys(Limits.Key.self)
        + keys(GossipConfiguration.Key.self) + keys(HTTPConfiguration.Key.self) + keys(TLSConfiguration.Key.self)
        + keys(AccessConfiguration.Key.self).filter { !$0.hasSuffix(".accountsFile") && !$0.hasSuffix(".auditLog") }
        .flatMap { rule in AccessConfiguration.RuleKey.allCases.map { "\(rule).\($0.rawValue)" } }
        + ["access.accountsFile", "access.auditLog"]
        + keys(NameServerProperty.Key.self)
        + keys(LogConfiguration.Key.self)
        + keys(BrokerGroup.Key.self)
        + keys(BrokerReplica.Key.self) + keys(BrokerTopic.Key.self)

    private static func keys<Key: SectionKey>(_ type: Key.Type) -> [String] {
        Key.allCases.map { "\(Key.section).\($0.rawValue)" }
    }
}

/// Reads the whole tree and checks what no section can see alone.
struct ClusterReader {
    let log: FaultLog
    let files: RelativePaths
    private var nodeNames = Claims<String>()
    private var groupNames = Claims<String>()
    private var addresses = Claims<Address>()
    /// Gossip addresses that the file does not spell, and the line of the address each follows from.
    private var defaultGossip: [Located<Address>] = []

    init(log: FaultLog, files: RelativePaths) {
        self.log = log
        self.files = files
    }

    mutating func read(_ document: YAMLNode?) -> ClusterConfiguration {
        let root = MappingReader<RootKey>(document, line: document?.line ?? 1, log: log)
        let name = root.mapping(.cluster, of: ClusterKey.self).name(.name, default: "hearsay")
        let gossipSection = root.mapping(.gossip, of: GossipConfiguration.Key.self)
        let gossip = GossipConfiguration(gossipSection, clusterName: name, files: files)
        let nodes = root.list(.nodes, limit: ClusterConfiguration.Counts.nodes, required: true)
            .compactMap { node($0, mode: gossip.mode) }
        gossip.check(nodes, gossipSection)
        let accessSection = root.mapping(.access, of: AccessConfiguration.Key.self)
        let access = AccessConfiguration(accessSection, files: files)
        var configuration = ClusterConfiguration(
            name: name, nodes: nodes, timings: Timings(root.mapping(.timings)), limits: Limits(root.mapping(.limits)),
            gossip: gossip, tls: TLSConfiguration(root.mapping(.tls), files: files), access: access,
            http: HTTPConfiguration(root.mapping(.http)),
            nameServerProperties: NameServerProperty.properties(root.mapping(.nameserver)),
            log: LogConfiguration(root.mapping(.log)),
            brokers: root.list(.brokers, limit: ClusterConfiguration.Counts.groups).compactMap { group($0) })
        configuration.notices = access.notices(nodes, accessSection, log)
        claimDefaultGossip()
        return configuration
    }

    /// `mode` is that of nodes without their own.
    private mutating func node(
        _ reader: MappingReader<NodeConfiguration.Key>, mode: GossipConfiguration.Mode
    ) -> NodeConfiguration? {
        let name = reader.requiredName(.name)
        let listen = reader.requiredAddress(.listen)
        let directory = reader.path(.dataDirectory, default: "data/\(name?.value ?? "")")
        let gossip = reader.optionalAddress(.gossip, dialledBy: "the other nodes")
        let gossipMode = reader.choice(.gossipMode, default: mode)
        if let name { nodeNames.claim(name, as: "node name '\(name.value)'", log) }
        let isListenFree = listen.map { claimAddress($0) } ?? false
        if let gossip { claimAddress(gossip) }
        let http = reader.optionalListeningAddress(.http)
        if let http { claimAddress(http, onMachineOf: listen) }
        guard let name, let listen else { return nil }
        let fallback = NodeConfiguration.defaultGossip(besides: listen.value)
        if isListenFree, gossipMode != .off, !reader.isGiven(.gossip) {
            defaultGossip.append(Located(value: fallback, line: listen.line))
        }
        return NodeConfiguration(
            name: name.value, listen: listen.value, dataDirectory: files.resolved(directory),
            gossip: gossip?.value ?? fallback, gossipMode: gossipMode, http: http?.value)
    }

    /// Every address of a machine is this one of it, as far as clashes go.
    private mutating func claimAddress(_ address: Located<Address>, onMachineOf other: Located<Address>?) {
        var claimed = address
        if address.value.isEveryAddress, let other { claimed.value.host = other.value.host }
        claimAddress(claimed, as: "address \(address.value)")
    }

    /// After all addresses that the file spells, so that the fault is told of the one that it does not.
    private mutating func claimDefaultGossip() {
        for address in defaultGossip {
            claimAddress(address, as: "nodes.gossip: address \(address.value), the default beside listen,")
        }
    }

    private mutating func group(_ reader: MappingReader<BrokerGroup.Key>) -> BrokerGroup? {
        let name = reader.requiredName(.group)
        if let name { groupNames.claim(name, as: "broker group '\(name.value)'", log) }
        let owner = name?.value ?? "?"

        var ids = Claims<Int>()
        let replicas = reader.list(.replicas, limit: ClusterConfiguration.Counts.replicas, required: true)
            .compactMap { replica($0, of: owner, &ids) }
        if !ids.isEmpty, !ids.contains(0) {
            reader.report(.replicas, "group '\(owner)' has no master; give one replica the id 0")
        }

        var topicNames = Claims<String>()
        let topics = reader.list(.topics, limit: ClusterConfiguration.Counts.topics)
            .compactMap { topic($0, of: owner, &topicNames) }
        let cluster = reader.name(.cluster, default: "DefaultCluster")
        let autoCreateTopics = reader.boolean(.autoCreateTopics, default: true)
        guard let name else { return nil }
        return BrokerGroup(
            name: name.value, cluster: cluster, replicas: replicas, topics: topics, autoCreateTopics: autoCreateTopics)
    }

    private mutating func replica(
        _ reader: MappingReader<BrokerReplica.Key>, of group: String, _ ids: inout Claims<Int>
    ) -> BrokerReplica? {
        let id = reader.requiredInteger(.id, in: 0...Int(Int32.max))
        let listen = reader.requiredAddress(.listen)
        if let id { ids.claim(id, as: "id \(id.value) in group '\(group)'", log) }
        if let listen { claimAddress(listen) }
        guard let id, let listen else { return nil }
        return BrokerReplica(id: Int64(id.value), listen: listen.value)
    }

    private func topic(
        _ reader: MappingReader<BrokerTopic.Key>, of group: String, _ names: inout Claims<String>
    ) -> BrokerTopic? {
        let name = reader.requiredName(.name, .topic)
        if let name { names.claim(name, as: "topic '\(name.value)' in group '\(group)'", log) }
        let readQueues = reader.integer(.readQueues, in: 1...1024, default: 8)
        let writeQueues = reader.integer(.writeQueues, in: 1...1024, default: 8)
        return name.map { BrokerTopic(name: $0.value, readQueues: readQueues, writeQueues: writeQueues) }
    }

    /// False when it is taken.
    @discardableResult
    private mutating func claimAddress(_ address: Located<Address>, as description: String? = nil) -> Bool {
        let key = Located(value: address.value.clashKey, line: address.line)
        return addresses.claim(key, as: description ?? "address \(address.value)", log)
    }
}

/// Where each name or address was first used.
private struct Claims<Value: Hashable> {
    private var lines: [Value: Int] = [:]

    var isEmpty: Bool { lines.isEmpty }
    func contains(_ value: Value) -> Bool { lines[value] != nil }

    /// False, and a report, when the value was claimed before.
    @discardableResult
    mutating func claim(_ claimed: Located<Value>, as description: String, _ log: FaultLog) -> Bool {
        if let first = lines[claimed.value] {
            log.report(claimed.line, "\(description) is already used on line \(first)")
            return false
        }
        lines[claimed.value] = claimed.line
        return true
    }
}
