import Basics

/// Who consumes (or produces) as a member of which group, as heartbeats tell it (protocol.md 7.9).
public struct ConsumerGroups: Sendable {
    /// A member is forgotten when silent for this long: four heartbeats, as RocketMQ does.
    public static let memberTimeout = Duration.seconds(120)

    /// One live client in one group.
    public struct Member: Hashable, Sendable {
        /// The client's own name: `ip@pid#n`.
        public var clientID: String
        /// The connection its last heartbeat came over.
        public var connection: UInt64
        /// When that was.
        public var lastHeartbeat: Instant
    }

    private struct Group: Sendable {
        var members: [String: Member] = [:]
        var subscriptions: [String: Subscription] = [:]
    }

    private var groups: [String: Group] = [:]
    private let limits: BrokerLimits

    /// No groups yet.
    public init(limits: BrokerLimits) { self.limits = limits }

    /// Takes one group's part of a heartbeat; true when the group gained a member or its subscriptions changed.
    public mutating func heartbeat(
        group name: String, clientID: String, subscriptions: [Subscription], from connection: UInt64, now: Instant
    ) -> Bool {
        guard groups[name] != nil || groups.count < limits.groups else { return false }
        var group = groups[name] ?? Group()
        guard group.members[clientID] != nil || group.members.count < limits.membersPerGroup else { return false }
        let member = Member(clientID: clientID, connection: connection, lastHeartbeat: now)
        var changed = group.members.updateValue(member, forKey: clientID)?.connection != connection
        for subscription in subscriptions {
            let known = group.subscriptions[subscription.topic]
            // Members may disagree for a while; the newest subscription wins, as in RocketMQ.
            if let known, known.version > subscription.version { continue }
            group.subscriptions[subscription.topic] = subscription
            changed = changed || known?.expression != subscription.expression
        }
        groups[name] = group
        return changed
    }

    /// Removes one member; true when it was one.
    public mutating func unregister(group name: String, clientID: String) -> Bool {
        guard groups[name]?.members.removeValue(forKey: clientID) != nil else { return false }
        dropIfEmpty(name)
        return true
    }

    /// Removes the members whose last heartbeat came over a connection; gives the groups that lost one, sorted.
    public mutating func connectionClosed(_ connection: UInt64) -> [String] {
        removeMembers { $0.connection == connection }
    }

    /// Removes members that have been silent too long; gives the groups that lost one, sorted.
    public mutating func expire(now: Instant) -> [String] {
        removeMembers { now - $0.lastHeartbeat > ConsumerGroups.memberTimeout }
    }

    /// The live members of a group, by client id.
    public func members(of group: String) -> [Member] {
        (groups[group]?.members.values.map { $0 } ?? []).sorted { $0.clientID < $1.clientID }
    }

    /// What a group subscribed of a topic; nil when no live member said so.
    public func subscription(of group: String, to topic: String) -> Subscription? {
        groups[group]?.subscriptions[topic]
    }

    /// The groups that subscribe a topic, sorted.
    public func groups(subscribing topic: String) -> [String] {
        groups.filter { $0.value.subscriptions[topic] != nil }.keys.sorted()
    }

    private mutating func removeMembers(where condition: (Member) -> Bool) -> [String] {
        var changed: [String] = []
        for name in groups.keys.sorted() {
            guard let group = groups[name], group.members.values.contains(where: condition) else { continue }
            groups[name]?.members = group.members.filter { !condition($0.value) }
            dropIfEmpty(name)
            changed.append(name)
        }
        return changed
    }

    private mutating func dropIfEmpty(_ name: String) {
        if groups[name]?.members.isEmpty == true { groups[name] = nil }
    }
}

/// What a consumer group wants of one topic.
public struct Subscription: Hashable, Sendable {
    /// The topic's name.
    public var topic: String
    /// `*` or tags, as the client wrote them.
    public var expression: String
    /// `TAG` or `SQL92`.
    public var expressionType: String
    /// The client's clock when it subscribed, ms: a newer subscription replaces an older one.
    public var version: Int64

    /// A subscription by tags, or another type.
    public init(topic: String, expression: String = "*", expressionType: String = "TAG", version: Int64 = 0) {
        self.topic = topic
        self.expression = expression
        self.expressionType = expressionType
        self.version = version
    }
}
