// Reads a topic: all of its queues, or with a group the share that AverageAllocation gives this client.
//
//   route ──▶ queues ──▶ (group: heartbeat 34, members 38, share) ──▶ one QueueReader each ──▶ pulls ──▶ onMessages
//
// Small on purpose: no tag filter, no retry topic, no orderly locks; a group's offsets are committed after delivery, so
// a message may be delivered again after a crash or a change of shares, and none is skipped.

import Basics
import Platform
import Remoting

/// How a consumer reads.
public struct ConsumerOptions: Hashable, Sendable {
    /// Shares queues and keeps offsets at the brokers; nil = all queues, nothing kept. Default nil.
    public var group: String?
    /// Where to begin without a committed offset. Default last, as RocketMQ.
    public var start: StartingPoint = .last
    /// Messages per pull. Default 32.
    public var pullLimit: Int32 = 32
    /// How long a broker may hold a pull. Default 15 s.
    public var hold: Duration = .seconds(15)
    /// Default 5 s, as RocketMQ.
    public var commitInterval: Duration = .seconds(5)
    /// Default 30 s, as RocketMQ.
    public var heartbeatInterval: Duration = .seconds(30)
    /// Default 20 s, as RocketMQ.
    public var rebalanceInterval: Duration = .seconds(20)

    /// The defaults above.
    public init() {}

    /// What brokers are told when there is no group.
    static let anonymousGroup = "hearsay-reader"
}

/// Reads one topic until stopped. Used on the loop's thread only; the client holds it while it runs.
public final class Consumer {
    /// The topic read.
    public let topic: String
    /// As given.
    public let options: ConsumerOptions
    /// Called with messages in order of offset; may stop the consumer.
    public var onMessages: ((MessageQueue, Replica, [StoredMessage]) -> Void)?
    /// Called when a broker said that an offset is outside its queue: where reading stood, and where it goes on.
    public var onCorrection: ((MessageQueue, _ from: Int64, _ to: Int64) -> Void)?
    /// Called when reading a queue, or joining the group, failed; it goes on by itself.
    public var onError: ((RouteClientError) -> Void)?
    /// The queues being read, in order.
    public var queues: [MessageQueue] { assignments.map(\.queue) }

    private let client: RouteClient
    private var assignments: [Assignment] = []
    private var isRunning = false
    private var isAskingMembers = false
    private var greeted: Set<String> = []
    private var nextHeartbeat = Instant.zero
    private var nextRebalance = Instant.zero
    private var nextCommit = Instant.zero
    private lazy var timer = client.platform.makeTimer { [weak self] in self?.tick() }

    private final class Assignment {
        let queue: MessageQueue
        var reader: QueueReader
        var committed: Int64?
        var isDropped = false

        init(_ queue: MessageQueue, _ reader: QueueReader) {
            self.queue = queue
            self.reader = reader
        }
    }

    /// Members are asked again this soon after they could not be learned.
    static let rebalanceRetry: Duration = .seconds(1)

    /// Prepares a consumer; nothing happens until `start`.
    public init(client: RouteClient, topic: String, options: ConsumerOptions = .init()) {
        self.client = client
        self.topic = topic
        self.options = options
    }

    /// Begins to read; waits for a route when there is none.
    ///
    /// - Throws: `.limit` when the client follows too many topics.
    public func start() throws(RouteClientError) {
        precondition(!isRunning, "started twice")
        isRunning = true
        client.consumers.append(self)
        let now = client.platform.now
        nextCommit = now + options.commitInterval
        try client.follow(topic)
        tick()
    }

    /// Stops pulling, commits and leaves the group, waiting for the brokers at most `RouteClientOptions.brokerTimeout`.
    public func stop(completion: @escaping () -> Void) {
        guard isRunning else { return completion() }
        isRunning = false
        timer.cancel()
        client.consumers.removeAll { $0 === self }
        let last = assignments
        assign([])
        guard let group = options.group else { return completion() }
        var waiting = 1
        let done = {
            waiting -= 1
            if waiting == 0 { completion() }
        }
        for assignment in last {
            guard let offset = assignment.reader.offset, offset != assignment.committed else { continue }
            waiting += 1
            client.commit(offset, of: assignment.queue, group: group) { _ in done() }
        }
        for address in greeted.sorted() {
            waiting += 1
            let goodbye = BrokerRequests.unregister(clientID: client.clientID, group: group)
            client.brokers.call(address, goodbye, timeout: client.options.brokerTimeout) { _ in done() }
        }
        done()
    }

    // MARK: Events

    func routeChanged() {
        nextHeartbeat = .zero
        nextRebalance = .zero
        for assignment in assignments { assignment.reader.wake() }
        tick()
    }

    func groupChanged() {
        nextRebalance = .zero
        tick()
    }

    private func tick() {
        guard isRunning else { return }
        let now = client.platform.now
        if now >= nextHeartbeat {
            nextHeartbeat = now + options.heartbeatInterval
            heartbeat(now)
        }
        if now >= nextRebalance {
            nextRebalance = now + options.rebalanceInterval
            rebalance()
        }
        if now >= nextCommit {
            nextCommit = now + options.commitInterval
            for assignment in assignments { commit(assignment) }
        }
        for assignment in assignments { advance(assignment) }
        arm()
    }

    private func arm() {
        guard isRunning else { return }
        let now = client.platform.now
        var next = min(nextHeartbeat, nextRebalance, nextCommit)
        for assignment in assignments {
            if let rest = assignment.reader.restsUntil { next = min(next, rest) }
        }
        timer.start(at: max(next, now))
    }

    // MARK: Group

    /// Tells every replica of the topic's brokers that this client is there.
    private func heartbeat(_ now: Instant) {
        guard let group = options.group else { return }
        let beat = BrokerRequests.heartbeat(
            clientID: client.clientID, group: group, topic: topic, start: options.start,
            wallTime: client.platform.wallTime)
        for address in topicBrokers.flatMap({ $0.replicas.map(\.address) }) {
            greeted.insert(address)
            client.brokers.call(address, beat, timeout: client.options.brokerTimeout) { _ in }
        }
    }

    private var topicBrokers: [BrokerData] {
        (client.book.route(of: topic)?.brokerDatas ?? []).sorted { $0.brokerName.precedesAsInJava($1.brokerName) }
    }

    private func rebalance() {
        let queues = client.book.subscribeQueues(of: topic)
        guard let group = options.group else { return assign(queues) }
        guard !isAskingMembers, !queues.isEmpty else { return }
        isAskingMembers = true
        askMembers(of: group, brokers: topicBrokers.map(\.brokerName)[...])
    }

    /// Any broker of the topic knows the members; the first that answers decides.
    private func askMembers(of group: String, brokers: ArraySlice<String>) {
        guard isRunning, let broker = brokers.first else {
            isAskingMembers = false
            nextRebalance = client.platform.now + Consumer.rebalanceRetry
            return arm()
        }
        client.ask(broker, of: topic) { _ in
            BrokerRequests.consumerList(group: group)
        } completion: { [weak self] in
            guard let self else { return }
            guard case .success(let (answer, _, _)) = $0, answer.code == ResponseCode.success,
                let members = BrokerRequests.consumerIDs(in: answer.body), members.contains(client.clientID)
            else { return askMembers(of: group, brokers: brokers.dropFirst()) }
            isAskingMembers = false
            guard isRunning else { return }
            let queues = client.book.subscribeQueues(of: topic)
            assign(AverageAllocation.queues(of: client.clientID, among: members, from: queues))
            tick()
        }
    }

    private func assign(_ queues: [MessageQueue]) {
        let wanted = Set(queues)
        for assignment in assignments where !wanted.contains(assignment.queue) {
            assignment.isDropped = true
            if isRunning { commit(assignment) }
        }
        var kept: [MessageQueue: Assignment] = [:]
        for assignment in assignments where !assignment.isDropped { kept[assignment.queue] = assignment }
        assignments = queues.sorted().map {
            kept[$0] ?? Assignment($0, QueueReader(start: options.start, hasGroup: options.group != nil))
        }
    }

    private func commit(_ assignment: Assignment) {
        guard let group = options.group, let offset = assignment.reader.offset, offset != assignment.committed
        else { return }
        client.commit(offset, of: assignment.queue, group: group) {
            if case .success = $0 { assignment.committed = offset }
        }
    }

    // MARK: Reading

    private func advance(_ assignment: Assignment) {
        guard isRunning, !assignment.isDropped else { return }
        let queue = assignment.queue
        switch assignment.reader.step(now: client.platform.now) {
        case .wait, .rest: return
        case .findCommittedOffset:
            client.committedOffset(of: queue, group: options.group ?? "") { [weak self] result in
                self?.report(result, on: assignment) { $0.committedOffset($1) }
            }
        case .findEnd(let end):
            client.endOffset(end, of: queue) { [weak self] result in
                self?.report(result, on: assignment) { $0.endOffset($1) }
            }
        case .pull(let offset, let suggestedBrokerID):
            client.pull(
                queue, offset: offset, suggestedBrokerID: suggestedBrokerID, limit: options.pullLimit,
                group: options.group ?? ConsumerOptions.anonymousGroup, hold: options.hold
            ) { [weak self] in self?.pulled($0, on: assignment) }
        }
    }

    private func report<Value>(
        _ result: Result<Value, ReadFailure>, on assignment: Assignment, _ note: (inout QueueReader, Value) -> Void
    ) {
        guard isRunning, !assignment.isDropped else { return }
        switch result {
        case .success(let value): note(&assignment.reader, value)
        case .failure(let failure): failed(failure, on: assignment)
        }
        advance(assignment)
        arm()
    }

    private func pulled(
        _ result: Result<(answer: PullAnswer, from: Replica), ReadFailure>, on assignment: Assignment
    ) {
        guard isRunning, !assignment.isDropped else { return }
        switch result {
        case .success(let (answer, replica)):
            let before = assignment.reader.offset
            let messages = assignment.reader.pulled(answer, from: replica.brokerID, now: client.platform.now)
            if !messages.isEmpty { onMessages?(assignment.queue, replica, messages) }
            if answer.status == .offsetIllegal, let before, let after = assignment.reader.offset, after != before {
                onCorrection?(assignment.queue, before, after)
            }
        case .failure(let failure): failed(failure, on: assignment)
        }
        advance(assignment)
        arm()
    }

    private func failed(_ failure: ReadFailure, on assignment: Assignment) {
        assignment.reader.failed(canTryAnother: failure.canTryAnother, now: client.platform.now)
        onError?(failure.reason)
    }
}
