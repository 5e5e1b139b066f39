import Basics
import Remoting

/// Why each node sends clients to a broker, or does not.
public struct BrokerExplanation: Sendable, Encodable {
    /// What a peer told a node of the broker.
    public struct Evidence: Sendable, Hashable, Encodable {
        /// The peer.
        public var peer: String
        /// How long ago the peer heard it, at the most.
        public var ageMillis: Int64?
    }

    /// One node's reasons.
    public struct Opinion: Sendable, Hashable, Encodable {
        /// The node.
        public var node: String
        /// Where it was asked.
        public var nodeAddress: String
        /// Whether it sends clients to the broker; nil when it does not answer.
        public var serves: Bool?
        /// `firstHand`, `protected`, `learned`, `listed` (by a NameServer that tells no reasons), `missing` or `unknown`.
        public var source: String
        /// Where the node sends clients; nil when it does not.
        public var address: String?
        /// Since the node itself heard the broker; of a learned one, since its origin did.
        public var ageMillis: Int64?
        /// Silence after which the node drops it.
        public var timeoutMillis: Int64?
        /// How much longer it is kept because peers hear it.
        public var heldMillis: Int64?
        /// Whom the node learned it from.
        public var origin: String?
        /// What peers told the node.
        public var evidence: [Evidence] = []
        /// All of it in words.
        public var why: String
    }

    /// One replica, as all nodes see it.
    public struct Replica: Sendable, Encodable {
        /// Its group.
        public var name: String
        /// 0 = master.
        public var id: Int64
        /// Its cluster, as the first node that lists it says.
        public var cluster: String?
        /// Where clients reach it, as the first node that lists it says.
        public var address: String?
        /// In the order of the cluster.
        public var nodes: [Opinion]
    }

    /// What was asked for: `broker-a`, `broker-a:0`.
    public var broker: String
    /// All replicas that some node lists or remembers, by id.
    public var replicas: [Replica]
    /// Why nothing is known: every node that does not answer.
    public var errors: [String: String]

    /// 0 = every node serves all replicas, 1 = some does not, 2 = none serves any.
    public var exitStatus: Int32 {
        let opinions = replicas.flatMap(\.nodes)
        if !opinions.contains(where: { $0.serves == true }) { return 2 }
        return opinions.allSatisfy { $0.serves == true } ? 0 : 1
    }

    /// Explains all replicas of a group, or one.
    ///
    /// - Parameters:
    ///   - broker: a group, or `group:id`.
    ///   - readings: with the route of the topic that is called as the group is, if wanted.
    public init(_ broker: String, _ readings: [NodeReading]) {
        let (group, wanted) = Self.parse(broker, readings)
        self.broker = broker
        errors = Dictionary(
            readings.compactMap { node in node.error.map { (node.name, $0) } }, uniquingKeysWith: { first, _ in first })
        let tables = readings.map(\.replicas)
        var ids = Set(tables.flatMap(\.keys).filter { $0.name == group }.map(\.id))
        for event in readings.flatMap({ $0.status?.events ?? [] }) where event.broker == group {
            if let id = event.id { ids.insert(id) }
        }
        replicas = ids.filter { wanted == nil || $0 == wanted }.sorted().map { id in
            let key = ReplicaKey(name: group, id: id)
            let first = tables.lazy.compactMap { $0[key] }.first
            return Replica(
                name: group, id: id, cluster: first?.cluster, address: first?.address,
                nodes: zip(readings, tables).map { Self.opinion(of: $0, key, $1[key]) })
        }
    }

    /// The topic that every broker of RocketMQ registers under its own name: its route shows what clients are told.
    public static func ownTopic(_ broker: String) -> String { split(broker).group }

    /// A group may have a colon in its name; then the whole is meant, if any node lists it.
    private static func parse(_ broker: String, _ readings: [NodeReading]) -> (String, Int64?) {
        let isName = readings.contains { $0.replicas.keys.contains { $0.name == broker } }
        return isName ? (broker, nil) : split(broker)
    }

    private static func split(_ broker: String) -> (group: String, id: Int64?) {
        guard let colon = broker.lastIndex(of: ":"), let id = Int64(broker[broker.index(after: colon)...]) else {
            return (broker, nil)
        }
        return (String(broker[..<colon]), id)
    }

    // MARK: One node

    private static func opinion(
        of node: NodeReading, _ key: ReplicaKey, _ replica: NodeReading.Replica?
    ) -> Opinion {
        let sight = node.isUp ? replica?.sight ?? .missing : .unknown
        var opinion = Opinion(
            node: node.name, nodeAddress: node.address.description, serves: sight.isServed, source: "unknown",
            address: replica?.address, why: "")
        let told = node.gossip?.broker(key)
        opinion.evidence = (told?.evidence ?? []).map { Evidence(peer: $0.peer, ageMillis: $0.ageMillis) }
        opinion.heldMillis = told?.heldMillis
        let peers = heardBy(opinion.evidence)
        switch sight {
        case .unknown: opinion.why = "it does not answer: \(node.error ?? "")"
        case .missing:
            opinion.source = "missing"
            opinion.why = absence(of: key, at: node) + (peers.isEmpty ? "" : "; \(peers)")
        case .listed:
            opinion.source = "listed"
            opinion.why = listing(of: key, at: node)
        case .heard(let age, let timeout):
            opinion.source = "firstHand"
            (opinion.ageMillis, opinion.timeoutMillis) = (age, timeout)
            let held =
                opinion.heldMillis.map { "; held for \(DurationText.short($0)) more, while peers are asked" } ?? ""
            opinion.why =
                hearing(of: key, replica?.address, at: node, age, timeout) + held + (peers.isEmpty ? "" : "; \(peers)")
        case .protected(let age, let timeout, let held):
            opinion.source = "protected"
            (opinion.ageMillis, opinion.timeoutMillis, opinion.heldMillis) = (age, timeout, held)
            let time = held.map { ", for \(DurationText.short($0)) more" } ?? ""
            opinion.why =
                "protected: not heard here for \(DurationText.short(age)) of \(DurationText.short(timeout)), "
                + "but kept\(time), since \(peers.isEmpty ? "a peer hears it" : peers)"
        case .learned(let age, let origin, let isProvisional):
            opinion.source = "learned"
            (opinion.ageMillis, opinion.origin) = (age, origin)
            let time = age.map { ", which heard it \(DurationText.short($0)) ago" } ?? ""
            opinion.why =
                "learned from \(origin ?? "a peer")\(time); not heard here"
                + (isProvisional ? "; provisional, until it registers here or a peer hears it again" : "")
        }
        return opinion
    }

    private static func hearing(
        of key: ReplicaKey, _ address: String?, at node: NodeReading, _ age: Int64, _ timeout: Int64
    ) -> String {
        let broker = node.status?.brokers.first {
            $0.name == key.name && $0.id == key.id && $0.address == address
        }
        var clauses = ["heard by itself \(DurationText.short(age)) ago"]
        if let broker, broker.registrationAgeMillis > age + 1_000 {
            clauses[0] += " (whole registration \(DurationText.short(broker.registrationAgeMillis)) ago)"
        }
        if broker?.connected == false { clauses.append("its connection is closed") }
        let rest =
            age < timeout ? "drops it in \(DurationText.short(timeout - age))" : "drops it at the next scan"
        let isLate = age > Lateness.limit(timeout: timeout)
        clauses.append("\(isLate ? "late: " : "")\(rest) unless heard again")
        return clauses.joined(separator: "; ")
    }

    private static func listing(of key: ReplicaKey, at node: NodeReading) -> String {
        var text = "listed by \(node.software ?? "a NameServer") that tells no ages"
        guard let route = node.route else { return text }
        let addresses = route.brokerDatas.first { $0.brokerName == key.name }?.brokerAddrs ?? [:]
        let isRouted = addresses[key.id] != nil
        text +=
            isRouted ? "; the route of topic \(key.name) leads to it" : "; the route of topic \(key.name) leaves it out"
        if let queue = route.queueDatas.first(where: { $0.brokerName == key.name }) {
            text += " (\(QueueShape(queue).sizeText), \(QueueShape(queue).permText))"
        }
        return text
    }

    private static func absence(of key: ReplicaKey, at node: NodeReading) -> String {
        if let (event, ago) = node.lastEvent(of: key, ReplicaWords.departures) {
            let verb = ["refused", "conflict"].contains(event.kind) ? "refused" : "dropped"
            return "\(verb) \(DurationText.short(ago)) ago: \(event.text)"
        }
        guard let status = node.status, status.lastEventSequence == UInt64(status.events.count) else {
            return "not listed"
        }
        return "never heard since the node started \(DurationText.short(status.uptimeMillis)) ago"
    }

    /// `ns-1 heard it 2.0 s ago and ns-3 3.1 s ago`, freshest first.
    private static func heardBy(_ evidence: [Evidence]) -> String {
        let known = evidence.compactMap { one in one.ageMillis.map { (one.peer, $0) } }
        let sorted = known.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
        return enumeration(
            sorted.enumerated().map { index, one in
                "\(one.0)\(index == 0 ? " heard it" : "") \(DurationText.short(one.1)) ago"
            })
    }
}

extension BrokerExplanation {
    /// For people: one block per replica, one line per node.
    public func lines(colour: Bool) -> [String] {
        let palette = Palette(isOn: colour)
        var lines: [String] = []
        for replica in replicas {
            if !lines.isEmpty { lines.append("") }
            let role = replica.id == 0 ? "master" : "slave"
            let place = replica.address.map { " at \($0)" } ?? ""
            let cluster = replica.cluster.map { ", cluster \($0)" } ?? ""
            lines.append("\(replica.name):\(replica.id) (\(role))\(place)\(cluster)")
            var table = TextTable([.left("  NODE"), .left("SERVES"), .left("WHY")])
            for opinion in replica.nodes {
                let other = opinion.address.map { $0 != replica.address ? " (at \($0))" : "" } ?? ""
                let serves =
                    switch opinion.serves {
                    case true?: palette.paint("yes", .green)
                    case false?: palette.paint("no", .red)
                    case nil: "?"
                    }
                table.add(["  \(opinion.node)", serves, opinion.why + other])
            }
            lines += table.lines
        }
        return lines.map(printable)
    }
}
