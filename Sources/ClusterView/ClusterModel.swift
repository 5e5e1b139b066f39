import Basics

/// What is known of a whole cluster at one moment, put together from each node's own answer.
public struct ClusterModel: Sendable {
    /// One node as seen from here.
    public struct Node: Sendable {
        /// Its name in cluster.yaml.
        public var name: String
        /// Where it was asked.
        public var address: Address
        /// Its latest answer; nil while it does not answer.
        public var status: NodeStatus?
        /// Why there is no answer.
        public var error: String?
        /// Registrations (heartbeats included) per second between the last two answers.
        public var registrationsPerSecond = 0.0
        /// Route lookups per second between the last two answers.
        public var lookupsPerSecond = 0.0
    }

    /// What a node knows of a broker.
    public enum Age: Hashable, Sendable {
        /// The node does not answer.
        case unknown
        /// The node answers and does not list the broker.
        case missing
        /// The node heard it this many milliseconds ago, and drops it after `timeout` milliseconds.
        case heard(milliseconds: Int64, timeout: Int64)
    }

    /// One broker across all nodes.
    public struct BrokerRow: Hashable, Sendable {
        /// Cluster of the broker.
        public var cluster: String
        /// Its group's name.
        public var name: String
        /// 0 = master.
        public var id: Int64
        /// Where clients reach it.
        public var address: String
        /// Topics of its last registration, the largest count any node tells.
        public var topics: Int
        /// One per node, in the order of `nodes`.
        public var ages: [Age]
    }

    /// Something that happened, from a node or seen from here.
    public struct Event: Hashable, Sendable {
        /// When, by the wall clock of who tells it.
        public var time: WallTime
        /// One line for people.
        public var line: String
    }

    /// The cluster's label.
    public var cluster: String
    /// All nodes, in configured order.
    public var nodes: [Node]
    /// The latest events, oldest first, at most `eventLimit`.
    public private(set) var events: [Event] = []

    /// Events kept for the screen.
    static let eventLimit = 200

    /// A cluster of which nothing is known yet.
    public init(cluster: String, nodes: [(name: String, address: Address)]) {
        self.cluster = cluster
        self.nodes = nodes.map { Node(name: $0.name, address: $0.address, error: "not asked yet") }
    }

    /// Appends events in the order of their times.
    public mutating func add(_ new: [Event]) {
        events = (events + new).enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
            .suffix(Self.eventLimit)
    }

    /// All brokers that any node lists, sorted by cluster, name and id.
    public var brokers: [BrokerRow] {
        struct Key: Hashable, Comparable {
            var cluster: String
            var name: String
            var id: Int64
            static func < (left: Key, right: Key) -> Bool {
                (left.cluster, left.name, left.id) < (right.cluster, right.name, right.id)
            }
        }
        var rows: [Key: BrokerRow] = [:]
        for (index, node) in nodes.enumerated() {
            for broker in node.status?.brokers ?? [] {
                let key = Key(cluster: broker.cluster, name: broker.name, id: broker.id)
                var row =
                    rows[key]
                    ?? BrokerRow(
                        cluster: key.cluster, name: key.name, id: key.id, address: broker.address, topics: 0,
                        ages: nodes.map { $0.status == nil ? .unknown : .missing })
                row.topics = max(row.topics, broker.topics)
                row.ages[index] = .heard(milliseconds: broker.ageMillis, timeout: broker.timeoutMillis)
                rows[key] = row
            }
        }
        return rows.sorted { $0.key < $1.key }.map(\.value)
    }
}
