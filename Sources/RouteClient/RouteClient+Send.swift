import Basics
import Platform
import Remoting

extension RouteClient {
    /// Sends a message and calls back exactly once (protocol.md 7.4 to 7.6).
    ///
    /// A oneway message is "stored" when it was handed to a connection: its receipt has the client's key as message id
    /// and the queue offset −1.
    public func send(
        _ message: OutgoingMessage, policy: SendPolicy = .init(),
        completion: @escaping (Result<SendReceipt, SendFailure>) -> Void
    ) {
        var properties = message.properties
        let key = properties[MessageProperties.Name.uniqueKey] ?? keys.next()
        properties[MessageProperties.Name.uniqueKey] = key
        properties[MessageProperties.Name.waitStore] = properties[MessageProperties.Name.waitStore] ?? "true"
        let sending = Sending(
            message: message, key: key, properties: properties.text, policy: policy, startedAt: platform.now,
            completion: completion)
        if let problem = sending.problem { return sending.fail(problem) }
        publishQueues(of: message.topic) { [self] result in
            switch result {
            case .success: attempt(sending)
            case .failure(let error): sending.fail(error)
            }
        }
    }

    /// The queues a topic may be written to; asks for the route, or borrows TBW102's, when there are none.
    public func publishQueues(
        of topic: String, completion: @escaping (Result<[MessageQueue], RouteClientError>) -> Void
    ) {
        let known = book.publishQueues(of: topic)
        if !known.isEmpty { return completion(.success(known)) }
        borrowers.insert(topic)
        route(topic) { [self] result in
            let queues = book.publishQueues(of: topic)
            if !queues.isEmpty { return completion(.success(queues)) }
            guard case .failure(let error) = result, book.route(of: topic) == nil else {
                return completion(.failure(.noQueue(topic: topic)))
            }
            completion(.failure(error))
        }
    }

    private func attempt(_ sending: Sending) {
        let (topic, now) = (sending.message.topic, platform.now)
        var selector = selectors[topic] ?? BrokerSelector(using: &generator)
        let queue = selector.next(
            of: book.publishQueues(of: topic), avoiding: sending.attempts.lastBroker,
            faults: options.avoidsFaults ? sendFaults : nil, now: now)
        selectors[topic] = selector
        guard let queue else { return sending.fail(.noQueue(topic: topic)) }
        guard let timeout = sending.attempts.begin(on: queue.brokerName, now: now) else { return sending.fail(nil) }
        guard let address = book.broker(named: queue.brokerName)?.address(of: 0) else {
            return attemptEnded(sending, queue, began: now, .failure(.noBroker(name: queue.brokerName)))
        }
        var request = BrokerRequests.send(
            sending.message, to: queue, producerGroup: options.producerGroup, properties: sending.properties,
            wallTime: platform.wallTime)
        request.version = options.version
        if sending.policy.mode == .oneway {
            guard brokers.send(address, request) else { return sending.fail(.noBroker(name: queue.brokerName)) }
            return sending.succeed(.stored, messageID: sending.key, queue, offset: -1, now: now)
        }
        brokers.call(address, request, timeout: timeout) { [self] result in
            attemptEnded(sending, queue, began: now, result)
        }
    }

    private func attemptEnded(
        _ sending: Sending, _ queue: MessageQueue, began: Instant,
        _ result: Result<(answer: RemotingCommand, from: Address), RouteClientError>
    ) {
        let now = platform.now
        if isClosed { return sending.fail(.closed) }
        let outcome: SendAttempts.Outcome
        switch result {
        case .success(let (answer, address)):
            outcome = .answered(code: answer.code)
            if SendStatus(rawValue: answer.code) == nil { sending.lastError = BrokerRequests.error(answer, address) }
        case .failure(let error):
            outcome = .noAnswer
            sending.lastError = error
        }
        note(outcome, of: queue, latency: now - began, now: now)
        switch sending.attempts.verdict(outcome, now: now) {
        case .retry: attempt(sending)
        case .failed: sending.fail(nil)
        case .accepted(let status):
            guard case .success(let (answer, address)) = result else { preconditionFailure("accepted without answer") }
            guard let offset = answer.integer("queueOffset") else {
                return sending.fail(.malformed("a send answer without queueOffset", from: address))
            }
            sending.succeed(status, messageID: answer["msgId"] ?? "", queue, offset: offset, now: now)
        }
    }

    private func note(_ outcome: SendAttempts.Outcome, of queue: MessageQueue, latency: Duration, now: Instant) {
        let fault: FaultTable.Outcome
        switch outcome {
        case .answered(let code) where SendStatus(rawValue: code) != nil: fault = .answered(after: latency)
        case .answered: fault = .refused
        case .noAnswer: fault = .networkError
        }
        sendFaults.record(fault, of: queue.brokerName, now: now)
        // After a failure the route may be stale; a borrowed one is, since the broker has created the topic by now.
        if case .answered = fault, !borrowed.contains(queue.topic) { return }
        book.suspect(queue.topic, now: now)
        poll()
    }
}

/// One message on its way.
private final class Sending {
    let message: OutgoingMessage
    let key: String
    let properties: String
    let policy: SendPolicy
    var attempts: SendAttempts
    var lastError: RouteClientError?

    private let startedAt: Instant
    private let completion: (Result<SendReceipt, SendFailure>) -> Void

    init(
        message: OutgoingMessage, key: String, properties: String, policy: SendPolicy, startedAt: Instant,
        completion: @escaping (Result<SendReceipt, SendFailure>) -> Void
    ) {
        self.message = message
        self.key = key
        self.properties = properties
        self.policy = policy
        self.startedAt = startedAt
        self.completion = completion
        attempts = SendAttempts(policy: policy, startedAt: startedAt)
    }

    /// What a broker would refuse anyway.
    var problem: RouteClientError? {
        if message.topic.isEmpty { return .limit("a topic has at least 1 byte") }
        if message.topic.utf8.count > StoredMessage.topicLimit {
            return .limit("\(StoredMessage.topicLimit) bytes of topic")
        }
        if message.body.count > OutgoingMessage.bodyLimit {
            return .limit("\(OutgoingMessage.bodyLimit) bytes of body")
        }
        if properties.utf8.count > StoredMessage.propertiesLimit {
            return .limit("\(StoredMessage.propertiesLimit) bytes of properties")
        }
        return nil
    }

    func succeed(_ status: SendStatus, messageID: String, _ queue: MessageQueue, offset: Int64, now: Instant) {
        completion(
            .success(
                SendReceipt(
                    status: status, messageID: messageID, queue: queue, queueOffset: offset, attempts: attempts.count,
                    latency: now - startedAt)))
    }

    func fail(_ error: RouteClientError?) {
        let reason = error ?? lastError ?? .noQueue(topic: message.topic)
        completion(.failure(SendFailure(reason: reason, attempts: attempts.count)))
    }
}
