/// One thing in which nodes of a cluster differ, with what to do about it.
public struct ClusterDifference: Hashable, Sendable, Encodable {
    /// Of which kind it is, the gravest first.
    public enum Kind: String, Hashable, Sendable, Comparable, CaseIterable, Encodable {
        /// `there` does not answer.
        case unreachable
        /// `here` has the broker and `there` lacks it.
        case missing
        /// `here` hears the broker and `there` has not for long.
        case late
        /// One broker name and id with several addresses.
        case duplicateID
        /// `here` has topics of the broker that `there` lacks.
        case topic
        /// Both have it, with other numbers of queues or another cluster.
        case content
        /// Both have it, with other permissions.
        case permission
        /// `there` keeps topics that the broker has dropped.
        case residue
        /// Another value in the KV store.
        case keyValue
        /// The same content under another version; clients see no difference.
        case versionOnly
        /// Clocks that do not run as clocks do.
        case clock
        /// Settings that must be the same.
        case configuration
        /// A kind of a node newer than this program.
        case other

        /// Whether the first is the graver one.
        public static func < (left: Kind, right: Kind) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// What makes two findings the same one.
    public struct Key: Hashable, Sendable, Comparable {
        /// Its kind.
        public var kind: Kind
        /// What it is about.
        public var subject: String

        /// By kind, then by subject.
        public static func < (left: Key, right: Key) -> Bool {
            (left.kind, left.subject) < (right.kind, right.subject)
        }

        /// A late broker is dropped in the end: the same difference gone worse, not one healed and another one.
        var sibling: Key? {
            switch kind {
            case .late: Key(kind: .missing, subject: subject)
            case .missing: Key(kind: .late, subject: subject)
            default: nil
            }
        }
    }

    /// Of which kind it is.
    public var kind: Kind
    /// What it is about: `broker-a:0`, `Orders on broker-a`, `ORDER_TOPIC_CONFIG/Orders`, a node's name.
    public var subject: String
    /// The broker group it is about; nil when it is about none.
    public var broker: String?
    /// Nodes on the one side, which have it; in the order of the cluster.
    public var here: [String] = []
    /// Nodes on the other side, which lack it or say otherwise; in the order of the cluster.
    public var there: [String] = []
    /// Since when, in milliseconds; nil when nobody knows.
    public var sinceMillis: Int64?
    /// What differs.
    public var text: String
    /// What to do.
    public var advice: String
    /// The topics it is about, sorted; empty when it is about none.
    public var topics: [String] = []
    /// Whether the nodes themselves report it to each other.
    public var isReportedByNodes = false

    /// See `Key`.
    public var key: Key { Key(kind: kind, subject: subject) }
}

/// What `hearsay diff` has found.
public struct DifferenceReport: Sendable, Encodable {
    /// A node that was asked.
    public struct Node: Sendable, Encodable, Hashable {
        /// Its name.
        public var name: String
        /// Where it was asked.
        public var address: String
        /// Its software, when known.
        public var software: String?
        /// Its gossip mode, when it has one.
        public var mode: String?
        /// Why it said nothing; nil when it answered.
        public var error: String?
    }

    /// All nodes, in the order of the cluster.
    public var nodes: [Node]
    /// Brokers that any node lists.
    public var comparedBrokers: Int
    /// Topics whose routes were compared.
    public var comparedTopics: Int
    /// What lasted over all readings, the gravest first.
    public var differences: [ClusterDifference]
    /// What could not be compared, one sentence each.
    public var notes: [String]

    /// Whether no node answered, so that nothing is known.
    public var isBlind: Bool { nodes.allSatisfy { $0.error != nil } }

    /// 0 = the nodes agree, 1 = they differ or one does not answer, 2 = none answers.
    public var exitStatus: Int32 { isBlind ? 2 : differences.isEmpty ? 0 : 1 }
}
