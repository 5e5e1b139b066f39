// How a slave follows its master: it asks for the topics, then pulls every queue of every topic from where its own copy
// ends, and asks for the consumers' offsets now and then. All questions go over one connection; when one fails, the
// connection has failed, and everything starts again after a while.
//
//   follow ─▶ ask topics ─▶ ask pull of each queue ─▶ append copies ─▶ ask pull of the same queue ...
//                 └──────── ask topics and offsets again, by period or when the master says so

import Basics
import Remoting

/// The decisions of a slave about copying its master; pure, over the slave's own `BrokerCore`.
public struct MasterCopy: Sendable {
    /// What a slave asks.
    public enum Question: Hashable, Sendable {
        /// GET_ALL_TOPIC_CONFIG (21).
        case topics
        /// GET_ALL_CONSUMER_OFFSET (43).
        case offsets
        /// PULL_MESSAGE (11).
        case pull(MessageQueueKey, from: Int64)
    }

    /// Something the shell must do.
    public enum Directive: Hashable, Sendable {
        /// Use a connection to this address from now on; nil = none. An earlier one ends.
        case connect(Address?)
        /// Send a request on that connection and report the answer with the same `life`.
        case ask(Question, life: UInt64, RemotingCommand, timeout: Duration)
        /// What the slave's broker wants done.
        case broker(BrokerCore.Directive)
        /// Copying began, or ended with a reason: tell the operator.
        case changed(from: Address, isCopying: Bool, reason: String)
    }

    /// How often the consumers' offsets are copied: what a consumer may see twice after its master died.
    static let offsetsPeriod = Duration.seconds(1)
    /// How often the topics are copied without a hint; also how soon a slave that was too slow is waited for again.
    static let topicsPeriod = Duration.seconds(5)
    /// How long a question may take; a master that is paused is noticed after this time.
    static let answerTimeout = Duration.seconds(3)
    /// How long the master may hold a pull.
    static let suspension = Duration.seconds(20)
    /// Waits after a failure: doubled each time between these two, half of it by chance.
    static let firstRetry = Duration.milliseconds(500)
    static let retryLimit = Duration.seconds(5)

    /// Where the master is; nil while unknown.
    public private(set) var master: Address?
    /// Whether the master has answered since the last failure.
    public private(set) var isCopying = false

    private var life: UInt64 = 0
    private var failures = 0
    private var incarnation: String?
    private var asked: Set<Question> = []
    private var pulling: Set<MessageQueueKey> = []
    private var nextAttach: Instant?
    private var nextTopics = Instant.distantFuture
    private var nextOffsets = Instant.distantFuture

    /// Follows nobody yet.
    public init() {}

    /// When `tick` is due at the latest.
    public var nextDeadline: Instant { min(nextAttach ?? .distantFuture, nextTopics, nextOffsets) }

    /// The NameServers named another master, or none.
    public mutating func follow(_ address: Address?, now: Instant, directives: inout [Directive]) {
        guard address != master else { return }
        leave(reason: "the NameServers name \(address.map { "\($0)" } ?? "no master")", &directives)
        master = address
        failures = 0
        nextAttach = nil
        directives.append(.connect(address))
        if address != nil { attach(now: now, &directives) }
    }

    /// The master says that its topics changed.
    public mutating func topicsHinted(now: Instant, directives: inout [Directive]) {
        guard isCopying else { return }
        nextTopics = now
        tick(now: now, directives: &directives)
    }

    /// The connection ended. Questions that were open have been answered with a failure by then.
    public mutating func connectionClosed(
        reason: String, now: Instant, random: inout some RandomNumberGenerator, directives: inout [Directive]
    ) {
        guard master != nil, nextAttach == nil else { return }
        fail(reason, now: now, random: &random, &directives)
    }

    /// Asks what is due by now.
    public mutating func tick(now: Instant, directives: inout [Directive]) {
        if let due = nextAttach, due <= now {
            nextAttach = nil
            attach(now: now, &directives)
        }
        guard isCopying else { return }
        if nextTopics <= now {
            // A hint during a question is not lost: the question's answer sets the next time, so ask again then.
            if ask(.topics, &directives) { nextTopics = now + MasterCopy.topicsPeriod }
        }
        if nextOffsets <= now {
            nextOffsets = now + MasterCopy.offsetsPeriod
            _ = ask(.offsets, &directives)
        }
    }

    /// Takes the answer to a question, or the reason why there is none.
    public mutating func answered(
        _ question: Question, life: UInt64, _ result: Result<RemotingCommand, RegistrationFailure>,
        broker: inout BrokerCore, now: Instant, wallTime: WallTime, random: inout some RandomNumberGenerator,
        directives: inout [Directive]
    ) {
        guard life == self.life, asked.remove(question) != nil else { return }
        switch result {
        case .failure(let failure): fail("\(failure)", now: now, random: &random, &directives)
        case .success(let answer):
            switch question {
            case .topics: adoptTopics(answer, &broker, now: now, wallTime: wallTime, random: &random, &directives)
            case .offsets: adoptOffsets(answer, &broker)
            case .pull(let queue, _): adoptMessages(answer, of: queue, &broker, &directives)
            }
        }
    }

    // MARK: Connection

    private mutating func attach(now: Instant, _ directives: inout [Directive]) {
        life += 1
        asked.removeAll()
        pulling.removeAll()
        _ = ask(.topics, &directives)
    }

    private mutating func leave(reason: String, _ directives: inout [Directive]) {
        if isCopying, let master { directives.append(.changed(from: master, isCopying: false, reason: reason)) }
        isCopying = false
        life += 1
        asked.removeAll()
        pulling.removeAll()
        nextTopics = .distantFuture
        nextOffsets = .distantFuture
    }

    private mutating func fail(
        _ reason: String, now: Instant, random: inout some RandomNumberGenerator, _ directives: inout [Directive]
    ) {
        leave(reason: reason, &directives)
        failures += 1
        let step = min(MasterCopy.firstRetry * (1 << min(failures - 1, 10)), MasterCopy.retryLimit).wholeNanoseconds
        nextAttach = now + .nanoseconds(Int64.random(in: step / 2...step, using: &random))
        // A fresh connection: the old one may be half dead.
        directives.append(.connect(master))
    }

    /// Asks, unless the same question is open.
    private mutating func ask(_ question: Question, _ directives: inout [Directive]) -> Bool {
        guard asked.insert(question).inserted else { return false }
        var timeout = MasterCopy.answerTimeout
        let command: RemotingCommand
        switch question {
        case .topics:
            command = RemotingCommand(request: RequestCode.getAllTopicConfig, fields: [CopyProtocol.slaveField: "1"])
        case .offsets: command = RemotingCommand(request: RequestCode.getAllConsumerOffset)
        case .pull(let queue, let offset):
            timeout += MasterCopy.suspension
            command = MasterCopy.pullCommand(queue, from: offset)
        }
        directives.append(.ask(question, life: life, command, timeout: timeout))
        return true
    }

    private static func pullCommand(_ queue: MessageQueueKey, from offset: Int64) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.pullMessage,
            fields: [
                "consumerGroup": CopyProtocol.group, "topic": queue.topic, "queueId": "\(queue.queueID)",
                "queueOffset": "\(offset)", "maxMsgNums": "1024", "maxMsgBytes": "\(4 << 20)",
                "sysFlag": "\(PullFlag.suspend | PullFlag.subscription)", "commitOffset": "0",
                "suspendTimeoutMillis": "\(suspension.wholeMilliseconds)", "subscription": "*", "subVersion": "0",
                "expressionType": "TAG",
            ])
    }

    // MARK: Answers

    private mutating func adoptTopics(
        _ answer: RemotingCommand, _ broker: inout BrokerCore, now: Instant, wallTime: WallTime,
        random: inout some RandomNumberGenerator, _ directives: inout [Directive]
    ) {
        guard answer.code == ResponseCode.success,
            let told = TopicTableBody(answer.body, receivedAt: wallTime)
        else {
            fail(
                "the master answers code \(answer.code) to the question for its topics", now: now, random: &random,
                &directives)
            return
        }
        if !isCopying, let master {
            isCopying = true
            failures = 0
            nextOffsets = now
            nextTopics = now + MasterCopy.topicsPeriod
            directives.append(.changed(from: master, isCopying: true, reason: ""))
        }
        let masterLife = answer[CopyProtocol.incarnationField]
        if masterLife != incarnation, incarnation != nil { broker.forgetCopies() }
        incarnation = masterLife
        let changed = broker.topics.replace(with: told.topics, dataVersion: told.dataVersion)
        if !changed.isEmpty { directives.append(.broker(.topicsChanged(changed))) }
        for topic in broker.topics.all where !broker.topics.isSystem(topic.topicName) {
            for queueID in 0..<max(topic.readQueueNums, topic.writeQueueNums) {
                let queue = MessageQueueKey(topic: topic.topicName, queueID: queueID)
                if !pulling.contains(queue) { pull(queue, broker, &directives) }
            }
        }
        tick(now: now, directives: &directives)
    }

    private mutating func pull(
        _ queue: MessageQueueKey, _ broker: borrowing BrokerCore, _ directives: inout [Directive]
    ) {
        pulling.insert(queue)
        _ = ask(.pull(queue, from: broker.messages.bounds(of: queue).max), &directives)
    }

    private mutating func adoptOffsets(_ answer: RemotingCommand, _ broker: inout BrokerCore) {
        guard answer.code == ResponseCode.success, let table = ConsumerOffsetTable(answer.body) else { return }
        for item in table.offsets { broker.offsets.commit(item.offset, of: item.group, at: item.queue) }
    }

    private mutating func adoptMessages(
        _ answer: RemotingCommand, of queue: MessageQueueKey, _ broker: inout BrokerCore,
        _ directives: inout [Directive]
    ) {
        pulling.remove(queue)
        var wakes: [BrokerCore.Directive] = []
        switch answer.code {
        case ResponseCode.success:
            guard let messages = answer.body.withUnsafeBytes({ try? StoredMessage.decodeAll($0) }) else { return }
            for message in messages where message.queue == queue { broker.appendCopy(message) }
            broker.wakePulls(of: queue, &wakes)
        case ResponseCode.pullOffsetMoved:
            // The master dropped older messages, or lost its memory: follow it.
            guard let next = Int64(answer["nextBeginOffset"] ?? "") else { return }
            broker.restartQueue(queue, at: next)
        case ResponseCode.pullNotFound, ResponseCode.pullRetryImmediately: break
        default:
            // For example a topic that was just deleted: the next answer to `topics` decides.
            return
        }
        directives += wakes.map { .broker($0) }
        pull(queue, broker, &directives)
    }
}

extension BrokerCore {
    /// The master lost its memory: a slave keeps nothing its master does not have.
    mutating func forgetCopies() {
        messages.removeAll()
        offsets.removeAll()
    }

    mutating func restartQueue(_ queue: MessageQueueKey, at offset: Int64) { messages.restart(queue, at: offset) }

    mutating func appendCopy(_ message: StoredMessage) {
        messages.appendCopy(message)
        counters.copied += 1
    }

    /// A slave asked for what comes next: it has everything before.
    mutating func copied(_ pull: PullRequest, directives: inout [Directive]) {
        for send in copies.copied(pull.queue, before: pull.offset, by: pull.connection) {
            directives.append(.send(to: send.connection, send.answer))
        }
    }
}
