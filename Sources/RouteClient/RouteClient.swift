// The client's side over a Platform. This file: routes. RouteClient+Send.swift, RouteClient+Pull.swift: messages.
//
//   follow / send / pull ──▶ RouteBook (which topics are due) ──▶ NameServerLink (one NameServer, fails over)
//        │                        ▲ answers
//        └──▶ BrokerSelector, PullAddress, FaultTable (which broker) ──▶ BrokerConnections (one per address)

import Basics
import Platform
import Remoting
import RemotingTransport

/// Pulls routes from one NameServer at a time, and talks to the brokers they name. Used on the loop's thread only.
public final class RouteClient {
    /// As given.
    public let options: RouteClientOptions
    /// Names this client to brokers.
    public let clientID: String
    /// Called when a followed topic's route is new or has changed.
    public var onRouteChange: ((String) -> Void)?
    /// Called with what each question for a followed topic's route came to, whether or not it changed anything.
    public var onRouteAnswer: ((String, Result<TopicRouteData, RouteClientError>) -> Void)?
    /// The routes and brokers known.
    public internal(set) var book: RouteBook
    /// The NameServer in use.
    public var currentNameServer: Address { nameServers.current }

    let platform: any Platform
    let brokers: BrokerConnections
    var generator: SeededGenerator
    var keys: MessageKeys
    /// Barred broker groups when sending, by name.
    var sendFaults: FaultTable
    /// Barred addresses when reading. A failure counts as 550 ms, which bars for 2 s: the master is wanted back soon.
    var readFaults = FaultTable(failureLatency: .milliseconds(550))
    var selectors: [String: BrokerSelector] = [:]
    /// Topics that take TBW102's route while they have none.
    var borrowers: Set<String> = []
    /// Topics whose route is TBW102's.
    var borrowed: Set<String> = []
    var consumers: [Consumer] = []
    private(set) var isClosed = false

    private let nameServers: NameServerLink
    private var waiters: [String: [(Result<TopicRouteData, RouteClientError>) -> Void]] = [:]
    private var forgetsAt: Instant
    private lazy var pollTimer = platform.makeTimer { [weak self] in self?.poll() }
    private lazy var detectTimer = platform.makeTimer { [weak self] in self?.detectFaults() }

    /// Sends of this client that may wait for answers or routes at the same time.
    static let waiterLimit = 65_536

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - nameServers: at least one.
    ///   - seed: decides the order of NameServers, the first queues and the jitter; take it from the system's generator.
    public init(platform: any Platform, nameServers: [Address], options: RouteClientOptions = .init(), seed: UInt64) {
        self.platform = platform
        var generator = SeededGenerator(seed: seed)
        let suffix = String(generator.next(), radix: 16)
        clientID = options.clientID ?? "hearsay@\(suffix)"
        keys = MessageKeys(using: &generator)
        self.nameServers = NameServerLink(
            platform: platform, addresses: nameServers, options: options,
            generator: SeededGenerator(seed: generator.next()))
        self.generator = generator
        self.options = options
        book = RouteBook(pollInterval: options.pollInterval)
        sendFaults = FaultTable(hasDetector: options.detectsFaults)
        brokers = BrokerConnections(platform: platform, options: options)
        forgetsAt = platform.now + options.pollInterval
        brokers.onRequest = { [weak self] in self?.received($0) }
        if options.detectsFaults { armDetector() }
    }

    /// Takes interest in a topic: its route is asked for now and then every `pollInterval`.
    ///
    /// - Throws: `.limit` above `RouteBook.topicLimit` topics.
    public func follow(_ topic: String) throws(RouteClientError) {
        guard book.follow(topic, now: platform.now) else { throw .limit("\(RouteBook.topicLimit) topics") }
        poll()
    }

    /// Asks for a topic's route now, and follows the topic from then on.
    public func route(_ topic: String, completion: @escaping (Result<TopicRouteData, RouteClientError>) -> Void) {
        let now = platform.now
        if isClosed { return completion(.failure(.closed)) }
        guard book.follow(topic, now: now) else {
            return completion(.failure(.limit("\(RouteBook.topicLimit) topics")))
        }
        guard waiters[topic, default: []].count < RouteClient.waiterLimit else {
            return completion(.failure(.limit("\(RouteClient.waiterLimit) calls waiting for a route")))
        }
        waiters[topic, default: []].append(completion)
        if book.beginAsking(topic, now: now) { ask(topic) }
        armPoll()
    }

    /// Ends everything; calls under way fail. Stop consumers before, so that they can say goodbye.
    public func close() {
        isClosed = true
        pollTimer.cancel()
        detectTimer.cancel()
        nameServers.close()
        brokers.close()
        let waiting = waiters.sorted { $0.key < $1.key }
        waiters.removeAll()
        for waiter in waiting.flatMap(\.value) { waiter(.failure(.closed)) }
    }

    // MARK: Polling

    /// Asks for what is due. Called by the timer, and when something may have become due.
    func poll() {
        if isClosed { return }
        let now = platform.now
        for topic in book.topicsToAsk(now: now) { ask(topic) }
        if now >= forgetsAt {
            forgetsAt = now + options.pollInterval
            forgetUnused()
        }
        armPoll()
    }

    private func armPoll() { pollTimer.start(at: min(book.nextPoll, forgetsAt)) }

    private func ask(_ topic: String) {
        nameServers.ask(routeRequest(topic)) { [weak self] result in
            guard let self else { return }
            let route = result.flatMap { RouteClient.route(in: $0.answer, from: $0.from, topic: topic) }
            if !isClosed { onRouteAnswer?(topic, route) }
            guard case .failure(let error) = route, error.isAnswer, book.route(of: topic) == nil,
                borrowers.contains(topic)
            else { return adopt(topic, route) }
            borrow(for: topic, instead: error)
        }
    }

    /// A topic that does not exist yet takes the route of TBW102 (protocol.md 7.4).
    private func borrow(for topic: String, instead error: RouteClientError) {
        nameServers.ask(routeRequest(BrokerRequests.defaultTopic)) { [weak self] result in
            guard let self else { return }
            let route = result.flatMap {
                RouteClient.route(in: $0.answer, from: $0.from, topic: BrokerRequests.defaultTopic)
            }
            guard case .success(let found) = route else { return adopt(topic, .failure(error)) }
            adopt(topic, .success(QueueDerivation.borrowedRoute(from: found)), isBorrowed: true)
        }
    }

    private func adopt(_ topic: String, _ route: Result<TopicRouteData, RouteClientError>, isBorrowed: Bool = false) {
        if isClosed { return }
        let answer: RouteBook.Answer =
            switch route {
            case .success(let route): .route(route)
            case .failure(let error) where error.isAnswer: .none
            case .failure: .unreachable(retryAt: nameServers.restsUntil ?? platform.now + RouteBook.repeatInterval)
            }
        if case .success = route {
            if isBorrowed { borrowed.insert(topic) } else { borrowed.remove(topic) }
        }
        if book.answered(topic, answer) {
            onRouteChange?(topic)
            for consumer in consumers where consumer.topic == topic { consumer.routeChanged() }
        }
        for waiter in waiters.removeValue(forKey: topic) ?? [] { waiter(route) }
        armPoll()
    }

    private func routeRequest(_ topic: String) -> RemotingCommand {
        var request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        request.version = options.version
        return request
    }

    /// Reads the answer of a route query.
    static func route(
        in answer: RemotingCommand, from address: Address, topic: String
    ) -> Result<TopicRouteData, RouteClientError> {
        switch answer.code {
        case ResponseCode.success:
            do throws(RemotingError) {
                guard let route = try TopicRouteData.decode(answer.body) else {
                    return .failure(.malformed("a route that is no object", from: address))
                }
                return .success(route)
            } catch {
                return .failure(.malformed("\(error)", from: address))
            }
        case ResponseCode.topicNotExist: return .failure(.noRoute(topic: topic))
        default: return .failure(BrokerRequests.error(answer, address))
        }
    }

    private func forgetUnused() {
        book.forgetUnusedBrokers()
        let known = book.brokerDatas
        let addresses = Set(known.flatMap { $0.replicas.map(\.address) })
        let names = Set(known.map(\.brokerName))
        brokers.retain(addresses.contains)
        readFaults.retain(addresses.contains)
        sendFaults.retain(names.contains)
        let topics = Set(book.topics)
        selectors = selectors.filter { topics.contains($0.key) }
    }

    /// Brokers tell consumers that their group has changed (40).
    private func received(_ request: RemotingCommand) {
        guard request.code == RequestCode.notifyConsumerIDsChanged, let group = request["consumerGroup"] else { return }
        for consumer in consumers where consumer.options.group == group { consumer.groupChanged() }
    }

    // MARK: Detector (protocol.md 7.6)

    private func armDetector() { detectTimer.start(at: platform.now + .seconds(3)) }

    private func detectFaults() {
        let queues = book.topics.flatMap { book.publishQueues(of: $0) }
        for name in sendFaults.keysToCheck(now: platform.now) {
            guard let queue = queues.first(where: { $0.brokerName == name }),
                let address = book.broker(named: name)?.address(of: 0)
            else { continue }
            brokers.call(address, BrokerRequests.endOffset(.last, of: queue), timeout: .milliseconds(200)) {
                [weak self] result in
                if case .success = result { self?.sendFaults.detected(name) }
            }
        }
        armDetector()
    }
}

extension RouteClientError {
    /// Whether a server answered: then the question is settled until something changes.
    public var isAnswer: Bool {
        switch self {
        case .noRoute, .code, .malformed: true
        default: false
        }
    }
}
