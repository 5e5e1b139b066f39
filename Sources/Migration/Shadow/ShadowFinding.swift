/// One thing that two NameServers say differently, as found in one reading. Pure value.
public struct ShadowFinding: Hashable, Sendable {
    /// What it is about; in this order they are shown.
    public enum Aspect: String, Hashable, Sendable, Comparable, CaseIterable, Encodable {
        /// One answers and the other refuses, or they refuse in different ways.
        case answer
        /// A broker group: listed or not, its cluster, its zone, whether a slave may act as master.
        case group
        /// A replica of a group: its address.
        case replica
        /// Which groups a cluster's name stands for.
        case cluster
        /// Whether a topic has queues on a broker group.
        case topic
        /// How many queues, and the topic's flag.
        case queues
        /// What may be done with them: wiping shows here.
        case permission
        /// The addresses a route sends clients to, other than the group's own list says: an acting master.
        case addresses
        /// The order configuration inside a route.
        case order
        /// The filter servers inside a route.
        case filterServers
        /// The queue mapping of a static topic.
        case mapping
        /// Whether a topic is in the list of topics, though both answer alike when asked for its route.
        case listing
        /// A value of the KV store.
        case keyValue
        /// Values are equal and bytes are not; only when asked for.
        case bytes

        /// In the order of the cases.
        public static func < (left: Aspect, right: Aspect) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Whose view it is: routes are written in two dialects (protocol.md 2.6).
    public enum Audience: String, Hashable, Sendable, Encodable, CaseIterable {
        /// Everybody.
        case all
        /// Java clients from 4.9.4 on, who read standard JSON.
        case standard
        /// Older Java clients, and those in C++ and Go.
        case legacy
    }

    /// What makes two findings of different readings the same one.
    public struct Key: Hashable, Sendable, Comparable {
        /// What it is about.
        public var aspect: Aspect
        /// The broker group; empty when it is about none.
        public var broker: String
        /// The topic, `broker:id`, cluster, or `namespace/key`.
        public var item: String
        /// Whose view it is.
        public var audience = Audience.all

        /// In the order of aspect, broker and item.
        public static func < (left: Key, right: Key) -> Bool {
            (left.aspect, left.broker, left.item, left.audience.rawValue)
                < (right.aspect, right.broker, right.item, right.audience.rawValue)
        }
    }

    /// What it is about.
    public var key: Key
    /// The topic that must be asked for again to see whether it still stands; nil when the lists alone show it.
    public var topic: String?
    /// What the reference says, in words.
    public var reference: String
    /// What the candidate says, in words.
    public var candidate: String

    init(
        _ aspect: Aspect, broker: String = "", item: String, topic: String? = nil, _ reference: String,
        _ candidate: String
    ) {
        key = Key(aspect: aspect, broker: broker, item: item)
        self.topic = topic
        self.reference = reference
        self.candidate = candidate
    }

    /// What readers of the two dialects see, put together: most findings are everybody's.
    static func merged(standard: [ShadowFinding], legacy: [ShadowFinding]) -> [ShadowFinding] {
        let both = Set(standard).intersection(legacy)
        func of(_ findings: [ShadowFinding], _ audience: Audience) -> [ShadowFinding] {
            findings.filter { !both.contains($0) }.map { finding in
                var finding = finding
                finding.key.audience = audience
                return finding
            }
        }
        return standard.filter(both.contains) + of(standard, .standard) + of(legacy, .legacy)
    }
}
