/// A node's own account of itself: the answer to GET_NODE_STATUS (29001), a request only Hearsay's nodes serve.
public struct NodeStatus: Codable, Hashable, Sendable {
    /// Sizes of the tables.
    public struct Totals: Codable, Hashable, Sendable {
        /// Live broker replicas.
        public var brokers: Int
        /// Broker names.
        public var groups: Int
        /// Topics with at least one queue.
        public var topics: Int
        /// Cluster names.
        public var clusters: Int
    }

    /// What was served since the start.
    public struct Counters: Codable, Hashable, Sendable {
        /// All requests.
        public var requests: UInt64
        /// Accepted registrations, heartbeats included.
        public var registrations: UInt64
        /// Registrations that only moved a time stamp.
        public var heartbeats: UInt64
        /// Route lookups.
        public var lookups: UInt64
        /// Route lookups without a route.
        public var lookupMisses: UInt64
    }

    /// One live broker replica.
    public struct Broker: Codable, Hashable, Sendable {
        /// Cluster it registered under.
        public var cluster: String
        /// Its group.
        public var name: String
        /// 0 = master.
        public var id: Int64
        /// Where clients reach it.
        public var address: String
        /// Since the last heartbeat of any kind.
        public var ageMillis: Int64
        /// Since the last full registration.
        public var registrationAgeMillis: Int64
        /// Silence after which it is dropped.
        public var timeoutMillis: Int64
        /// Topics of its last registration.
        public var topics: Int
        /// Whether the connection of its last registration is open; nil when the node does not say.
        public var connected: Bool?
    }

    /// One change of the tables.
    public struct Event: Codable, Hashable, Sendable {
        /// Counts up from 1 within one life of the node.
        public var sequence: UInt64
        /// Milliseconds since 1970-01-01 UTC, by the node's clock.
        public var wallMillis: Int64
        /// `registered`, `expired`, `unregistered`, …
        public var kind: String
        /// One line for people.
        public var text: String
        /// Group of the broker it is about; nil when it is about none.
        public var broker: String?
        /// Replica id of that broker.
        public var id: Int64?
    }

    /// The node's name.
    public var node: String
    /// Program and version.
    public var software: String
    /// Since the start.
    public var uptimeMillis: Int64
    /// The node's wall clock.
    public var wallMillis: Int64
    /// Sizes.
    public var totals: Totals
    /// Counts.
    public var counters: Counters
    /// All live brokers, sorted by cluster, name and id.
    public var brokers: [Broker]
    /// Events after the one asked for, oldest first.
    public var events: [Event]
    /// The newest event's number, 0 before the first.
    public var lastEventSequence: UInt64
}
