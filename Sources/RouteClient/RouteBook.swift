import Basics
import Remoting

/// The routes a client knows, and when to ask for them again (protocol.md 7.2). No IO: the owner asks and reports.
public struct RouteBook: Sendable {
    /// How often a topic is asked for. Default 30 s (`pollNameServerInterval`).
    public let pollInterval: Duration

    /// Topics followed at the same time: each costs a query per interval.
    public static let topicLimit = 4_096
    /// Shortest time between two queries for one topic, however often something seems wrong.
    public static let repeatInterval: Duration = .seconds(1)

    private var entries: [String: Entry] = [:]
    private var brokers: [String: BrokerData] = [:]

    private struct Entry {
        var route: TopicRouteData?
        var publishQueues: [MessageQueue] = []
        var subscribeQueues: [MessageQueue] = []
        var isAsking = false
        var lastAsked: Instant?
        var nextPoll: Instant
    }

    /// What the NameServer said.
    public enum Answer: Hashable, Sendable {
        /// Code 0.
        case route(TopicRouteData)
        /// Code 17 or another error code: what is known stays.
        case none
        /// No NameServer answered: what is known stays, and the question is repeated at that time.
        case unreachable(retryAt: Instant)
    }

    /// Follows nothing yet.
    public init(pollInterval: Duration = .seconds(30)) { self.pollInterval = pollInterval }

    // MARK: Topics

    /// Takes interest in a topic, which is due at once; false when there are too many.
    public mutating func follow(_ topic: String, now: Instant) -> Bool {
        if entries[topic] != nil { return true }
        guard entries.count < RouteBook.topicLimit else { return false }
        entries[topic] = Entry(nextPoll: now)
        return true
    }

    /// Loses interest in a topic.
    public mutating func unfollow(_ topic: String) { entries[topic] = nil }

    /// Something is missing or wrong about a topic: ask soon, but not more often than `repeatInterval`.
    public mutating func suspect(_ topic: String, now: Instant) {
        guard let entry = entries[topic] else { return }
        let soon = max(now, entry.lastAsked.map { $0 + RouteBook.repeatInterval } ?? now)
        entries[topic]?.nextPoll = min(entry.nextPoll, soon)
    }

    /// The topics to ask for now, in order of name; each counts as being asked until it is `answered`.
    public mutating func topicsToAsk(now: Instant) -> [String] {
        let due = entries.filter { !$0.value.isAsking && $0.value.nextPoll <= now }.keys.sorted()
        for topic in due { beginAsking(topic, now: now) }
        return due
    }

    /// The owner asks for a topic out of turn; false when it is being asked already.
    @discardableResult public mutating func beginAsking(_ topic: String, now: Instant) -> Bool {
        guard let entry = entries[topic], !entry.isAsking else { return false }
        entries[topic]?.isAsking = true
        entries[topic]?.lastAsked = now
        entries[topic]?.nextPoll = now + pollInterval
        return true
    }

    /// When `topicsToAsk` has something next.
    public var nextPoll: Instant {
        entries.values.lazy.filter { !$0.isAsking }.map(\.nextPoll).min() ?? .distantFuture
    }

    /// Notes an answer; true when the route is new or differs from the one known.
    public mutating func answered(_ topic: String, _ answer: Answer) -> Bool {
        guard let entry = entries[topic] else { return false }
        entries[topic]?.isAsking = false
        switch answer {
        case .none:
            return false
        case .unreachable(let retryAt):
            entries[topic]?.nextPoll = min(entry.nextPoll, retryAt)
            return false
        case .route(let route):
            if let known = entry.route, known.isSameRoute(as: route) { return false }
            adopt(route, for: topic)
            return true
        }
    }

    private mutating func adopt(_ route: TopicRouteData, for topic: String) {
        entries[topic]?.route = route
        entries[topic]?.publishQueues = QueueDerivation.publishQueues(of: topic, in: route)
        entries[topic]?.subscribeQueues = QueueDerivation.subscribeQueues(of: topic, in: route)
        for broker in route.brokerDatas { brokers[broker.brokerName] = broker }
    }

    // MARK: What is known

    /// The topics followed, by name.
    public var topics: [String] { entries.keys.sorted() }

    /// The route last adopted; nil when none was ever found.
    public func route(of topic: String) -> TopicRouteData? { entries[topic]?.route }

    /// Where to write; empty when nothing is known or nothing is writable.
    public func publishQueues(of topic: String) -> [MessageQueue] { entries[topic]?.publishQueues ?? [] }

    /// Where to read.
    public func subscribeQueues(of topic: String) -> [MessageQueue] { entries[topic]?.subscribeQueues ?? [] }

    /// A broker group's addresses, as the last changed route had them.
    public func broker(named name: String) -> BrokerData? { brokers[name] }

    /// All known broker groups, by name.
    public var brokerDatas: [BrokerData] { brokers.values.sorted { $0.brokerName.precedesAsInJava($1.brokerName) } }

    /// Forgets brokers that no route names any more. Once per `pollInterval` is enough.
    public mutating func forgetUnusedBrokers() {
        let used = Set(entries.values.flatMap { $0.route?.brokerDatas.map(\.brokerName) ?? [] })
        brokers = brokers.filter { used.contains($0.key) }
    }
}
