import ClusterView
import FoundationEssentials
import Remoting

/// What was last known of one node, in the words of the history; says what a new reading changes.
struct NodeAccount {
    /// By index of `Scenario.replicas`; nil before the first reading.
    private(set) var sights: [HistoryEvent.Sight?]
    /// Whether the last reading says that nothing is wrong between the node and its peers; so without gossip.
    private(set) var isContent = false

    private let node: Int
    private let replicas: [Scenario.Replica]
    private var topics: Int?
    private var divergences: Int?
    /// Those reported in the last reading.
    private var reported: Set<Difference> = []
    /// Counters of gossip, over all lives of the node.
    private var bytes = Counter()
    private var alarms = Counter()
    /// The difference last reported for the first time.
    private var lastText: String?

    /// One difference as a node tells it.
    private struct Difference: Hashable {
        var kind: String
        var peer: String
        var broker: String?
        var id: Int64?
    }

    init(node: Int, replicas: [Scenario.Replica]) {
        self.node = node
        self.replicas = replicas
        sights = replicas.map { _ in nil }
    }

    /// Takes an answer in, and says what it changes.
    mutating func update(_ reading: NodeReading) -> [HistoryEvent.Kind] {
        var events: [HistoryEvent.Kind] = []
        updateSights(reading, &events)
        if let count = reading.topics?.count ?? reading.status?.totals.topics, count != topics {
            topics = count
            events.append(.topics(node: node, count: count))
        }
        isContent = reading.gossip?.isInAgreement ?? true
        if let gossip = reading.gossip { updateGossip(gossip, &events) }
        return events
    }

    private mutating func updateSights(_ reading: NodeReading, _ events: inout [HistoryEvent.Kind]) {
        let known = reading.replicas
        for (index, replica) in replicas.enumerated() {
            let entry = known[ReplicaKey(name: replica.group, id: replica.id)]
            let sight = entry.map { HistoryEvent.Sight($0.sight) } ?? .absent
            guard sights[index] != sight else { continue }
            sights[index] = sight
            events.append(.sight(node: node, broker: index, sight))
        }
    }

    private mutating func updateGossip(_ gossip: GossipStatus, _ events: inout [HistoryEvent.Kind]) {
        let standing = gossip.divergences.filter(\.isReported)
        if standing.count != divergences {
            divergences = standing.count
            events.append(.divergences(node: node, count: standing.count))
        }
        var differences: Set<Difference> = []
        var fresh: [String] = []
        for told in standing {
            let difference = Difference(kind: told.kind, peer: told.peer, broker: told.broker, id: told.id)
            differences.insert(difference)
            guard !reported.contains(difference) else { continue }
            fresh.append(told.text)
            events.append(.divergence(node: node, kind: told.kind, text: told.text))
        }
        reported = differences
        // The node says how often it warned, not of what: most probably of what is new.
        for number in 0..<alarms.advance(to: gossip.counters["alarms"] ?? 0) {
            lastText = number < fresh.count ? fresh[number] : fresh.last ?? lastText
            events.append(.alarm(node: node, text: lastText ?? "a difference that was over before it was seen"))
        }
        if bytes.advance(to: gossip.counters["bytesSent"] ?? 0) > 0 {
            events.append(.gossipBytes(node: node, total: bytes.total))
        }
    }
}

/// A number that counts up, and from zero again when the node restarts.
private struct Counter {
    private(set) var total = 0
    private var last = 0

    /// By how much it grew.
    mutating func advance(to value: Int) -> Int {
        let step = value >= last ? value - last : value
        last = value
        total += step
        return step
    }
}

extension HistoryEvent.Sight {
    fileprivate init(_ sight: ReplicaSight) {
        switch sight {
        case .unknown, .missing: self = .absent
        case .listed, .heard: self = .registered
        // Peers' words count from the moment when the node's own no longer do.
        case .protected(let age, let timeout, _): self = age > timeout ? .protected : .registered
        case .learned: self = .learned
        }
    }
}

extension GossipStatus {
    /// Whether the node is ready, linked to every peer, and sees no difference with any.
    fileprivate var isInAgreement: Bool {
        !isOn
            || (state == "ready" && divergences.isEmpty
                && peers.allSatisfy { $0.isConnected && $0.agrees == true && $0.state == "ready" })
    }
}

extension NodeReading {
    /// Reads the answer to a request of the observer's; what cannot be read counts as no answer.
    mutating func take(_ answer: RemotingCommand, to code: Int32) {
        do {
            switch code {
            case RequestCode.getNodeStatus:
                status = try JSONDecoder().decode(NodeStatus.self, from: Data(answer.body))
            case RequestCode.getGossipStatus:
                gossip = try JSONDecoder().decode(GossipStatus.self, from: Data(answer.body))
            case RequestCode.getAllTopicListFromNameServer:
                topics = try TopicList.decode(answer.body).map { Set($0.topicList) }
            default: groups = try ClusterInfo.decode(answer.body)?.brokerAddrTable
            }
        } catch {
            self.error = "its answer to \(code) cannot be read: \(error)"
        }
    }
}
