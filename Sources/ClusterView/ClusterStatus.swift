import Basics

/// A whole cluster at one moment, for `hearsay status`.
public struct ClusterStatus: Sendable, Encodable {
    /// One node.
    public struct Node: Sendable, Encodable {
        /// Its name.
        public var name: String
        /// Where it was asked.
        public var address: String
        /// Whether it answered.
        public var isUp: Bool
        /// Why it did not.
        public var error: String?
        /// Its program and version.
        public var software: String?
        /// `off`, `observe`, `protect` or `replicate`; nil when it has no gossip layer.
        public var mode: String?
        /// `warming`, `ready`, …; nil without gossip.
        public var state: String?
        /// Since its start.
        public var uptimeMillis: Int64?
        /// Brokers it sends clients to.
        public var brokers: Int?
        /// Topics it has routes for; nil when it does not say.
        public var topics: Int?
        /// Nodes it differs from; nil when it does not answer.
        public var differsFrom: [String]?
        /// How its peers are, as it sees them.
        public var peers: [Peer] = []
    }

    /// One peer of a node.
    public struct Peer: Sendable, Encodable {
        /// Its name.
        public var name: String
        /// Whether a session is up.
        public var isConnected: Bool
        /// Its mode.
        public var mode: String?
        /// Its state.
        public var state: String?
        /// Of the last exchange.
        public var roundTripMicros: Int64?
        /// Since the last exchange.
        public var lastExchangeMillis: Int64?
        /// Whether both heard the same.
        public var agrees: Bool?
        /// What is wrong with it.
        public var problem: String?
    }

    /// What one node knows of a broker.
    public struct Sight: Sendable, Encodable {
        /// `heard`, `protected`, `learned`, `listed`, `missing` or `unknown`.
        public var kind: String
        /// Since it was heard by the node; of a learned one, by its origin.
        public var ageMillis: Int64?
        /// Silence after which it is dropped.
        public var timeoutMillis: Int64?
        /// Whether it has been silent for longer than brokers normally are.
        public var isLate: Bool?
        /// Whom it was learned from.
        public var origin: String?
    }

    /// One broker across all nodes.
    public struct Broker: Sendable, Encodable {
        /// Cluster of the broker.
        public var cluster: String
        /// Its group.
        public var name: String
        /// 0 = master.
        public var id: Int64
        /// Where clients reach it.
        public var address: String
        /// By node name.
        public var nodes: [String: Sight]
    }

    /// The cluster's label.
    public var cluster: String
    /// All nodes, in configured order.
    public var nodes: [Node]
    /// All brokers, sorted by cluster, name and id.
    public var brokers: [Broker]
    /// Whether every node answers and none differs.
    public var isHealthy: Bool

    /// 0 = all nodes answer and agree, 1 = some does not, 2 = none answers.
    public var exitStatus: Int32 { nodes.contains(where: \.isUp) ? (isHealthy ? 0 : 1) : 2 }

    private let model: ClusterModel

    private enum CodingKeys: CodingKey {
        case cluster, nodes, brokers, isHealthy
    }

    /// Puts together what the nodes say.
    public init(cluster: String, _ readings: [NodeReading]) {
        let model = ClusterModel(cluster: cluster, readings: readings)
        self.cluster = cluster
        self.model = model
        nodes = Self.nodes(of: model)
        brokers = model.brokers.map { row in
            let sights = zip(model.nodes.map(\.name), row.sights.map(Self.sight))
            return Broker(
                cluster: row.cluster, name: row.name, id: row.id, address: row.address,
                nodes: Dictionary(sights, uniquingKeysWith: { first, _ in first }))
        }
        isHealthy = nodes.allSatisfy { $0.differsFrom == [] }
    }

    /// All nodes of a model, with whom each differs and how its peers are.
    public static func nodes(of model: ClusterModel) -> [Node] {
        let opponents = opponents(model)
        return model.nodes.map { node($0.reading, opponents[$0.name] ?? []) }
    }

    /// With whom each node differs: found here in what they list, or by themselves.
    private static func opponents(_ model: ClusterModel) -> [String: [String]] {
        var opponents: [String: Set<String>] = [:]
        func oppose(_ left: String, _ right: String) {
            opponents[left, default: []].insert(right)
            opponents[right, default: []].insert(left)
        }
        for difference in model.differences {
            for left in difference.here {
                for right in difference.there { oppose(left, right) }
            }
        }
        for node in model.nodes where node.gossip?.isOn == true {
            for peer in node.gossip?.peers ?? [] where peer.isConnected && peer.agrees == false {
                oppose(node.name, peer.name)
            }
        }
        let order = model.nodes.map(\.name)
        return opponents.mapValues { names in order.filter(names.contains) }
    }

    private static func node(_ reading: NodeReading, _ opponents: [String]) -> Node {
        var node = Node(
            name: reading.name, address: reading.address.description, isUp: reading.isUp, error: reading.error)
        guard reading.isUp else { return node }
        node.software = reading.software
        node.mode = reading.gossip?.mode
        node.state = reading.gossip?.state
        node.uptimeMillis = reading.status?.uptimeMillis
        node.brokers = reading.replicas.count
        node.topics = reading.status?.totals.topics
        node.differsFrom = opponents
        node.peers = (reading.gossip?.peers ?? []).map {
            Peer(
                name: $0.name.isEmpty ? $0.address : $0.name, isConnected: $0.isConnected, mode: $0.mode,
                state: $0.state, roundTripMicros: $0.roundTripMicros, lastExchangeMillis: $0.lastExchangeMillis,
                agrees: $0.agrees, problem: $0.problem)
        }
        return node
    }

    private static func sight(_ sight: ReplicaSight) -> Sight {
        func late(_ age: Int64, _ timeout: Int64) -> Bool { age > Lateness.limit(timeout: timeout) }
        switch sight {
        case .unknown: return Sight(kind: "unknown")
        case .missing: return Sight(kind: "missing")
        case .listed: return Sight(kind: "listed")
        case .heard(let age, let timeout):
            return Sight(kind: "heard", ageMillis: age, timeoutMillis: timeout, isLate: late(age, timeout))
        case .protected(let age, let timeout, _):
            return Sight(kind: "protected", ageMillis: age, timeoutMillis: timeout, isLate: late(age, timeout))
        case .learned(let age, let origin, _): return Sight(kind: "learned", ageMillis: age, origin: origin)
        }
    }
}

extension ClusterStatus {
    /// For people: the nodes, their peers, broker × node, and what differs.
    public func lines(colour: Bool) -> [String] {
        let palette = Palette(isOn: colour)
        var lines = nodeTable(palette)
        if nodes.contains(where: { !$0.peers.isEmpty }) { lines += [""] + peerTable(palette) }
        if nodes.contains(where: \.isUp) { lines += [""] + BrokerTable(palette: palette).lines(model) }
        if !model.differences.isEmpty {
            lines += ["", "\(counted(model.differences.count, "difference")); hearsay diff says what to do:"]
            lines += model.differences.prefix(Self.differenceLimit).map {
                "  \($0.kind.rawValue) \($0.subject): \($0.text)"
            }
            let rest = model.differences.count - Self.differenceLimit
            if rest > 0 { lines.append("  and \(rest) more") }
        }
        return lines.map(printable)
    }

    /// Differences named; `hearsay diff` names all.
    static let differenceLimit = 10

    private func nodeTable(_ palette: Palette) -> [String] {
        var table = TextTable([
            .left("NODE"), .left("ADDRESS"), .left("SOFTWARE"), .left("GOSSIP"), .left("STATE"), .right("UP"),
            .right("BROKERS"), .right("TOPICS"), .left("AGREEMENT"),
        ])
        for node in nodes {
            guard node.isUp else {
                table.add([node.name, node.address, palette.paint("down: \(node.error ?? "")", .red)])
                continue
            }
            let state = node.state ?? "up"
            table.add([
                node.name, node.address, node.software ?? "-", node.mode ?? "-",
                palette.paint(state, ["up", "ready"].contains(state) ? .green : .yellow),
                node.uptimeMillis.map(DurationText.short) ?? "-", node.brokers.map { "\($0)" } ?? "-",
                node.topics.map { "\($0)" } ?? "-", agreement(of: node, palette),
            ])
        }
        return table.lines
    }

    private func agreement(of node: Node, _ palette: Palette) -> String {
        if nodes.count == 1 { return "-" }
        guard let opponents = node.differsFrom, !opponents.isEmpty else {
            return nodes.count(where: \.isUp) > 1 ? palette.paint("agrees", .green) : "-"
        }
        return palette.paint("differs from \(opponents.joined(separator: ", "))", .red)
    }

    private func peerTable(_ palette: Palette) -> [String] {
        var table = TextTable([
            .left("NODE"), .left("PEER"), .left("SESSION"), .right("ROUND TRIP"), .right("LAST EXCHANGE"),
            .left("GOSSIP"), .left("STATE"), .left("AGREES"), .left("PROBLEM"),
        ])
        for node in nodes {
            for peer in node.peers {
                table.add([
                    node.name, peer.name,
                    peer.isConnected ? palette.paint("up", .green) : palette.paint("down", .red),
                    peer.roundTripMicros.map(milliseconds) ?? "-",
                    peer.lastExchangeMillis.map { "\(DurationText.short($0)) ago" } ?? "-", peer.mode ?? "-",
                    peer.state ?? "-", peer.agrees.map { $0 ? "yes" : palette.paint("no", .red) } ?? "-",
                    peer.problem.map { palette.paint($0, .red) } ?? "",
                ])
            }
        }
        return table.lines
    }

    /// `0.21 ms`.
    private func milliseconds(_ micros: Int64) -> String {
        let hundredths = (micros + 5) / 10
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
    }
}
