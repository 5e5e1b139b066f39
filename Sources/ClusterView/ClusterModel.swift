import Basics

/// What is known of a whole cluster at one moment, put together from each node's own answer.
public struct ClusterModel: Sendable {
    /// One node as seen from here.
    public struct Node: Sendable {
        /// Its latest answers.
        public var reading: NodeReading
        /// Registrations (heartbeats included) per second between the last two answers.
        public var registrationsPerSecond = 0.0
        /// Route lookups per second between the last two answers.
        public var lookupsPerSecond = 0.0
        /// When its latest status came; nil before the first.
        public var answeredAt: Instant?

        /// Its name in cluster.yaml.
        public var name: String { reading.name }
        /// Where it was asked.
        public var address: Address { reading.address }
        /// Its latest status; nil while it does not answer.
        public var status: NodeStatus? {
            get { reading.status }
            set { reading.status = newValue }
        }
        /// What it tells of its peers; nil when it does not.
        public var gossip: GossipStatus? {
            get { reading.gossip }
            set { reading.gossip = newValue }
        }
        /// Why there is no answer.
        public var error: String? {
            get { reading.error }
            set { reading.error = newValue }
        }
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
        /// Topics of its last registration, the largest count any node tells; nil when none does.
        public var topics: Int?
        /// What each node knows of it, in the order of `nodes`.
        public var sights: [ReplicaSight]
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
    /// What the nodes differ in, the gravest first.
    public var differences: [ClusterDifference] = []
    /// The latest events, oldest first, at most `eventLimit`.
    public private(set) var events: [Event] = []

    /// Events kept for the screen.
    static let eventLimit = 200

    /// A cluster of which nothing is known yet.
    public init(cluster: String, nodes: [(name: String, address: Address)]) {
        self.cluster = cluster
        self.nodes = nodes.map {
            Node(reading: NodeReading(name: $0.name, address: $0.address, error: "not asked yet"))
        }
    }

    /// A cluster as it was read once.
    public init(cluster: String, readings: [NodeReading]) {
        self.cluster = cluster
        nodes = readings.map { Node(reading: $0) }
        differences = ClusterComparison.brokerDifferences(readings)
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
        let tables = nodes.map(\.reading.replicas)
        var rows: [Key: BrokerRow] = [:]
        for (index, table) in tables.enumerated() {
            for (replica, seen) in table {
                let key = Key(cluster: seen.cluster, name: replica.name, id: replica.id)
                var row =
                    rows[key]
                    ?? BrokerRow(
                        cluster: key.cluster, name: key.name, id: key.id, address: seen.address, topics: nil,
                        sights: nodes.map { $0.reading.isUp ? .missing : .unknown })
                if let topics = seen.topics { row.topics = max(row.topics ?? 0, topics) }
                row.sights[index] = seen.sight
                rows[key] = row
            }
        }
        return rows.sorted { $0.key < $1.key }.map(\.value)
    }
}
