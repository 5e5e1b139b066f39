// One client of an experiment, made of the production client: what it was told about routes, and what became of each message.

import Basics
import Platform
import Remoting
import RouteClient

/// A producer or a consumer of a scenario, which tells everything that it goes through.
///
/// Its rhythms (rate, route poll) are the scenario's, `timeScale` times faster. Timeouts, bars of slow
/// brokers and reported latencies are RocketMQ's own in real time, as real clients have them.
public final class ClientRun {
    /// What it does.
    public let plan: Scenario.Client
    /// Whether it has had a route with a broker since its last start.
    public private(set) var hasRoute = false
    /// Different messages read since it was made, all lives together.
    public var received: Int { reading.total }

    private let scenario: Scenario
    private let client: Int
    private let nameServers: [Address]
    private let timeScale: Int
    private var random: SeededGenerator
    private let onEvent: (HistoryEvent.Kind) -> Void
    private var platform: any Platform
    private var routes: RouteClient?
    private var producer: OpenLoop?
    private var consumer: Consumer?
    private var reading = ReadingLog()
    private lazy var replicas = ReplicaNames(scenario.replicas)
    private var reportTimer: (any PlatformTimer)?

    /// How often a consumer's count is told, in scenario time.
    private static let reportInterval = Duration.seconds(1)

    /// Nothing happens before `start`.
    ///
    /// - Parameters:
    ///   - client: an index into `scenario.clients`.
    ///   - nameServers: in the order of `scenario.nodes`; at least one.
    ///   - timeScale: how many times faster than the scenario's time the platform's time goes; 1 = as fast.
    ///   - seed: decides the order of NameServers, the first queues and the phase of a producer.
    ///   - time: scenario seconds now, for the events.
    public init(
        platform: any Platform, scenario: Scenario, client: Int, nameServers: [Address], timeScale: Int, seed: UInt64,
        time: @escaping () -> Double, onEvent: @escaping (HistoryEvent) -> Void
    ) {
        self.platform = platform
        self.scenario = scenario
        self.client = client
        self.nameServers = nameServers
        self.timeScale = timeScale
        random = SeededGenerator(seed: seed)
        plan = scenario.clients[client]
        self.onEvent = { onEvent(HistoryEvent(time: time(), $0)) }
    }

    /// Starts the client; after `stop` (or the end of its platform's process), once more and knowing nothing any more.
    ///
    /// - Parameter platform: where it lives from now on; nil = where it lived before.
    public func start(on platform: (any Platform)? = nil) {
        if let platform { self.platform = platform }
        abandon()
        hasRoute = false
        let routes = RouteClient(
            platform: self.platform, nameServers: nameServers, options: options, seed: random.next())
        routes.onRouteAnswer = { [weak self] topic, answer in self?.routeAnswered(topic, answer) }
        self.routes = routes
        // A fresh client follows no topic yet: there is room for this one.
        try? routes.follow(plan.topic)
        switch plan.role {
        case .producer(let rate, _): startProducer(routes, perSecond: rate * Double(timeScale))
        case .consumer: startConsumer(routes)
        }
    }

    /// Ends it at once. Nobody will know what became of messages under way, so nothing is told of them.
    public func stop() {
        reportReading()
        abandon()
    }

    private func abandon() {
        producer?.stop()
        consumer?.onMessages = nil
        routes?.onRouteAnswer = nil
        consumer?.stop {}
        reportTimer?.cancel()
        routes?.close()
        (producer, consumer, reportTimer, routes) = (nil, nil, nil, nil)
    }

    private var options: RouteClientOptions {
        var options = RouteClientOptions()
        options.pollInterval = scaled(scenario.timings.routePoll)
        switch plan.role {
        case .producer(_, let avoidsFaults): options.avoidsFaults = avoidsFaults
        case .consumer(let readsFromSlaves): options.readsFromSlaves = readsFromSlaves
        }
        return options
    }

    private func scaled(_ duration: Duration) -> Duration { duration / timeScale }

    private func routeAnswered(_ topic: String, _ answer: Result<TopicRouteData, RouteClientError>) {
        guard topic == plan.topic else { return }
        let outcome = replicas.outcome(answer)
        if case .brokers(let brokers) = outcome, !brokers.isEmpty { hasRoute = true }
        onEvent(.route(client: client, outcome))
    }

    // MARK: Producing

    private func startProducer(_ routes: RouteClient, perSecond rate: Double) {
        let (number, topic) = (client, plan.topic)
        let loop = OpenLoop(
            platform: platform, client: routes, rate: rate,
            phase: Double.random(in: 0..<1, using: &random),
            message: { OutgoingMessage(topic: topic, body: Array("\(number):\($0)".utf8)) })
        loop.onEnd = { [weak self] result, latency in self?.sent(result, after: latency) }
        producer = loop
        loop.start()
    }

    private func sent(_ result: Result<SendReceipt, SendFailure>, after latency: Duration) {
        var outcome = HistoryEvent.SendOutcome(
            broker: nil, attempts: 0, latencyMillis: Double(latency.wholeNanoseconds / 1_000) / 1_000)
        switch result {
        case .success(let receipt):
            // Messages go to masters only.
            outcome.broker = replicas.index(group: receipt.queue.brokerName, id: 0)
            outcome.attempts = receipt.attempts
        case .failure(let failure):
            outcome.attempts = failure.attempts
            outcome.failure = failure.reason.description
        }
        onEvent(.send(client: client, outcome))
    }

    // MARK: Consuming

    private func startConsumer(_ routes: RouteClient) {
        var options = ConsumerOptions()
        options.start = .first
        let consumer = Consumer(client: routes, topic: plan.topic, options: options)
        consumer.onMessages = { [weak self] _, _, messages in self?.reading.take(messages) }
        self.consumer = consumer
        try? consumer.start()
        let timer = platform.makeTimer { [weak self] in self?.reportRegularly() }
        reportTimer = timer
        reportRegularly()
    }

    private func reportRegularly() {
        reportReading()
        reportTimer?.start(at: platform.now + scaled(Self.reportInterval))
    }

    private func reportReading() {
        guard let total = reading.news() else { return }
        onEvent(.received(client: client, total: total))
    }
}

/// Tells replicas by what routes call them.
private struct ReplicaNames {
    private struct Key: Hashable {
        var group: String
        var id: Int64
    }

    private var indices: [Key: Int] = [:]

    init(_ replicas: [Scenario.Replica]) {
        for (index, replica) in replicas.enumerated() { indices[Key(group: replica.group, id: replica.id)] = index }
    }

    func index(group: String, id: Int64) -> Int? { indices[Key(group: group, id: id)] }

    func outcome(_ answer: Result<TopicRouteData, RouteClientError>) -> HistoryEvent.RouteOutcome {
        switch answer {
        case .success(let route):
            .brokers(
                route.brokerDatas.flatMap { data in
                    data.brokerAddrs.keys.compactMap { index(group: data.brokerName, id: $0) }
                }.sorted())
        case .failure(.noRoute): .noRoute
        // The only error that a NameServer has for a route request of a known kind (protocol.md 2.6).
        case .failure(.code): .notReady
        case .failure: .unanswered
        }
    }
}

/// Counts different messages.
private struct ReadingLog {
    private(set) var total = 0
    private var told = 0
    private var keys: Set<String> = []

    /// Keys remembered: at the highest rate of a scenario, hours. Messages beyond it all count as different.
    private static let keyLimit = 1 << 20

    mutating func take(_ messages: [StoredMessage]) {
        for message in messages {
            let key = MessageProperties(message.properties)[MessageProperties.Name.uniqueKey]
            if let key, keys.count < Self.keyLimit, !keys.insert(key).inserted { continue }
            total += 1
        }
    }

    /// The total, when it has changed since it was last asked for.
    mutating func news() -> Int? {
        guard total != told else { return nil }
        told = total
        return total
    }
}
