import Basics
import Remoting

/// One node's answers at one moment.
public struct NodeReading: Sendable {
    /// A broker replica in a node's tables.
    public struct Replica: Hashable, Sendable {
        /// The cluster it is listed under.
        public var cluster: String
        /// Where clients reach it.
        public var address: String
        /// Topics of its last registration; nil when the node does not say.
        public var topics: Int?
        /// What the node knows of it.
        public var sight: ReplicaSight
    }

    /// What the node is called.
    public var name: String
    /// Where it was asked.
    public var address: Address
    /// Why it said nothing; nil when it answered.
    public var error: String?
    /// Program and version, as far as known.
    public var software: String?
    /// Its status; nil when it does not answer, and from NameServers that are not Hearsay's.
    public var status: NodeStatus?
    /// What it tells of its peers; nil when it does not.
    public var gossip: GossipStatus?
    /// Its broker groups by name (GET_BROKER_CLUSTER_INFO); nil when it was not asked.
    public var groups: [String: BrokerData]?
    /// Its topics; nil when it was not asked or refuses.
    public var topics: Set<String>?
    /// Its ORDER_TOPIC_CONFIG; nil when it was not asked or refuses.
    public var orderTopics: [String: String]?
    /// The route of the topic that was asked for; nil when it has none.
    public var route: TopicRouteData?
    /// What it refuses to say, one clause each.
    public var notes: [String] = []

    /// A node of which nothing is known yet.
    public init(name: String, address: Address, error: String? = nil) {
        self.name = name
        self.address = address
        self.error = error
    }

    /// Whether it answered.
    public var isUp: Bool { error == nil }

    /// `ns-2 (10.0.0.7:9876)`, or the address alone when it is the name.
    var place: String { name == address.description ? name : "\(name) (\(address))" }

    /// All replicas in its tables.
    public var replicas: [ReplicaKey: Replica] {
        guard isUp else { return [:] }
        var replicas: [ReplicaKey: Replica] = [:]
        for (name, group) in groups ?? [:] {
            for (id, address) in group.brokerAddrs {
                replicas[ReplicaKey(name: name, id: id)] = Replica(
                    cluster: group.cluster, address: address, topics: nil, sight: .listed)
            }
        }
        let listed = replicas
        for broker in status?.brokers ?? [] {
            let key = ReplicaKey(name: broker.name, id: broker.id)
            // Two addresses of one id are both alive for a while after a move: the one that clients are sent to counts.
            let listedAddress = listed[key]?.address
            if let before = replicas[key], case .heard(let age, _) = before.sight {
                let isBetter =
                    broker.address == listedAddress || (before.address != listedAddress && broker.ageMillis < age)
                if !isBetter { continue }
            }
            replicas[key] = Replica(
                cluster: broker.cluster, address: broker.address, topics: broker.topics,
                sight: .heard(milliseconds: broker.ageMillis, timeout: broker.timeoutMillis))
        }
        for broker in gossip?.brokers ?? [] { apply(broker, to: &replicas) }
        return replicas
    }

    private func apply(_ broker: GossipStatus.Broker, to replicas: inout [ReplicaKey: Replica]) {
        let key = ReplicaKey(name: broker.name, id: broker.id)
        let before = replicas[key]
        switch broker.source {
        case "learned":
            // One that has been heard since is learned no more.
            if case .heard = before?.sight { return }
            let told = broker.evidence.first { $0.peer == broker.origin }?.ageMillis
            replicas[key] = Replica(
                cluster: broker.cluster, address: broker.address, topics: before?.topics,
                sight: .learned(
                    milliseconds: told ?? broker.evidence.compactMap(\.ageMillis).min(), origin: broker.origin,
                    isProvisional: broker.isProvisional))
        case "protected":
            guard let heard = before?.sight.firstHand else { return }
            replicas[key]?.sight = .protected(
                milliseconds: broker.ageMillis ?? heard.age, timeout: heard.timeout, held: broker.heldMillis)
        default: break
        }
    }

    /// How long ago the latest of the node's events of a kind was whose text fits; nil when the node remembers none.
    ///
    /// For events about topics and keys, which the text alone names (`NameServerCore`, `TableEvent`).
    func lastChange(_ kind: String, _ fits: (String) -> Bool) -> Int64? {
        guard let status, let event = status.events.last(where: { $0.kind == kind && fits($0.text) }) else {
            return nil
        }
        return max(0, status.wallMillis - event.wallMillis)
    }

    /// The latest of the node's events about a replica, and how long ago it was; nil when the node remembers none.
    func lastEvent(of key: ReplicaKey, _ kinds: Set<String>) -> (event: NodeStatus.Event, ago: Int64)? {
        guard let status else { return nil }
        let event = status.events.last { $0.broker == key.name && $0.id == key.id && kinds.contains($0.kind) }
        return event.map { ($0, max(0, status.wallMillis - $0.wallMillis)) }
    }
}

/// The software of a NameServer that only says its protocol version (protocol.md 1.7): `RocketMQ 5.3.3`.
public func softwareName(version: Int32, language: UInt8) -> String {
    let languageName = LanguageCode(rawValue: language) ?? .other
    let suffix = languageName == .java ? "" : " (\(languageName.name))"
    let release: (major: Int, rest: Int32) = version >= 413 ? (5, version - 413) : (4, version - 213)
    guard release.rest >= 0 else { return "RocketMQ\(suffix)" }
    return "RocketMQ \(release.major).\(release.rest / 20).\(release.rest % 20 / 2)\(suffix)"
}
