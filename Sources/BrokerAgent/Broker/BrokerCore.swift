// The stand-in broker's decisions: one request in, answers and wishes out. Topics, messages, groups and offsets are
// tables of their own; the files `BrokerCore+...` hold one family of requests each.
//
//   command ─▶ handle ─▶ tables ─▶ directives: send to a connection, register topics
//   time    ─▶ advance ─▶ held pulls, delayed messages, sends that wait for slaves

import Basics
import Remoting

/// A broker that real RocketMQ clients can use (protocol.md 7), in bounded memory and without a disk.
public struct BrokerCore: Sendable {
    /// Something the shell must do.
    public enum Directive: Hashable, Sendable {
        /// Send a command to a client: an answer, or a request of ours.
        case send(to: UInt64, RemotingCommand)
        /// Topics were created, changed or deleted: register them.
        case topicsChanged([String])
    }

    /// Where a request came from and when.
    struct Origin {
        var connection: UInt64
        var address: Address
        var now: Instant
        var wallTime: WallTime
    }

    /// Who this broker is.
    public let identity: BrokerIdentity
    /// Its memory limits.
    public let limits: BrokerLimits
    /// How long a send waits for the slaves before it is answered with code 12. Below a client's 3 s.
    static let copyTimeout = Duration.seconds(2)

    /// Tells one life of the process from the next, so that slaves start afresh with a master that lost its memory.
    let incarnation: Int64
    /// The topics of this broker.
    public internal(set) var topics: TopicTable
    /// The messages of this broker.
    public internal(set) var messages: MessageStore
    /// The offsets of the consumer groups.
    public internal(set) var offsets: OffsetTable
    var consumers: ConsumerGroups
    var producers: ConsumerGroups
    var locks: QueueLocks
    var heldPulls = HeldPulls()
    var copies = CopyProgress()
    /// Commit-log offsets of messages in SCHEDULE_TOPIC_XXXX by the time of their delivery.
    var delayed = DeadlineHeap<Int64>()
    /// Commit-log offsets of half messages whose transaction is open.
    var openTransactions: Set<Int64> = []
    var spread: Int32 = 0
    var nextExpiry: Instant
    var nextOpaque: Int32 = 0
    /// What was done since the start, for status and the answer to 28.
    public internal(set) var counters = Counters()

    /// Totals since the start.
    public struct Counters: Hashable, Sendable {
        /// Messages stored for producers.
        public var stored: Int64 = 0
        /// Messages handed to consumers.
        public var delivered: Int64 = 0
        /// Messages copied from the master.
        public var copied: Int64 = 0
    }

    /// A broker with RocketMQ's own topics and no messages.
    public init(
        identity: BrokerIdentity, topics: [TopicConfig] = [], autoCreateTopics: Bool = true,
        limits: BrokerLimits = BrokerLimits(), now: Instant, wallTime: WallTime
    ) {
        self.identity = identity
        self.limits = limits
        incarnation = wallTime.milliseconds
        self.topics = TopicTable(
            identity: identity, autoCreateTopics: autoCreateTopics, limit: limits.topics, wallTime: wallTime)
        for topic in topics { _ = self.topics.put(topic, wallTime: wallTime) }
        messages = MessageStore(limits: limits)
        offsets = OffsetTable(limit: limits.committedOffsets)
        consumers = ConsumerGroups(limits: limits)
        producers = ConsumerGroups(limits: limits)
        locks = QueueLocks(limit: limits.committedOffsets)
        nextExpiry = now + BrokerCore.expiryPeriod
    }

    /// How often silent group members are looked for. RocketMQ's 10 s.
    static let expiryPeriod = Duration.seconds(10)

    /// When `advance` is due at the latest.
    public var nextDeadline: Instant {
        min(heldPulls.nextDeadline, copies.nextDeadline, delayed.next, nextExpiry)
    }

    /// Takes one request of a client, an admin tool or a slave.
    public mutating func handle(
        _ command: RemotingCommand, from connection: UInt64, at address: Address, now: Instant, wallTime: WallTime,
        directives: inout [Directive]
    ) {
        if command.isResponse { return }
        let origin = Origin(connection: connection, address: address, now: now, wallTime: wallTime)
        guard let answer = answer(to: command, origin, &directives), !command.isOneway else { return }
        directives.append(.send(to: connection, answer))
    }

    /// A client's connection ended.
    public mutating func connectionClosed(_ connection: UInt64, directives: inout [Directive]) {
        heldPulls.connectionClosed(connection)
        for send in copies.detach(connection) { directives.append(.send(to: send.connection, send.answer)) }
        _ = producers.connectionClosed(connection)
        for group in consumers.connectionClosed(connection) { notifyMembers(of: group, &directives) }
    }

    /// Does what is due by now.
    public mutating func advance(now: Instant, wallTime: WallTime, directives: inout [Directive]) {
        deliverDelayed(now: now, wallTime: wallTime, &directives)
        answerOverdueSends(now: now, &directives)
        while let pull = heldPulls.popOverdue(now: now) { answerWithoutWaiting(pull, &directives) }
        guard nextExpiry <= now else { return }
        nextExpiry = now + BrokerCore.expiryPeriod
        _ = producers.expire(now: now)
        for group in consumers.expire(now: now) { notifyMembers(of: group, &directives) }
    }

    /// The answer to a request; nil when it comes later (a held pull, a send that waits for slaves).
    private mutating func answer(
        to command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        switch command.code {
        case RequestCode.sendMessage, RequestCode.sendMessageV2, RequestCode.sendBatchMessage:
            send(command, origin, &directives)
        case RequestCode.consumerSendMessageBack: sendBack(command, origin, &directives)
        case RequestCode.endTransaction: endTransaction(command, origin, &directives)
        case RequestCode.pullMessage, RequestCode.litePullMessage: pull(command, origin, &directives)
        case RequestCode.heartBeat: heartbeat(command, origin, &directives)
        case RequestCode.unregisterClient: unregisterClient(command, &directives)
        case RequestCode.getConsumerListByGroup: consumerList(command)
        case RequestCode.queryConsumerOffset: queryOffset(command)
        case RequestCode.updateConsumerOffset: updateOffset(command)
        case RequestCode.searchOffsetByTimestamp, RequestCode.getMaxOffset, RequestCode.getMinOffset,
            RequestCode.getEarliestMessageStoreTime:
            queueOffset(command)
        case RequestCode.lockBatchMQ: lock(command, origin)
        case RequestCode.unlockBatchMQ: unlock(command)
        case RequestCode.updateAndCreateTopic: createTopic(command, origin, &directives)
        case RequestCode.deleteTopicInBroker: deleteTopic(command, origin, &directives)
        case RequestCode.getAllTopicConfig: allTopics(command, origin)
        case RequestCode.getAllConsumerOffset, RequestCode.getAllDelayOffset, RequestCode.getAllSubscriptionGroupConfig,
            RequestCode.getAllMessageRequestMode, RequestCode.getBrokerRuntimeInfo:
            brokerState(command, origin)
        case RequestCode.queryTopicConsumeByWho, RequestCode.getTopicStatsInfo, RequestCode.getConsumerConnectionList,
            RequestCode.getConsumeStats, RequestCode.viewMessageByID:
            inspect(command)
        case RequestCode.checkClientConfig, RequestCode.updateAndCreateSubscriptionGroup,
            RequestCode.notifyMinBrokerIDChange:
            .response(to: command, code: ResponseCode.success)
        default:
            .response(
                to: command, code: ResponseCode.requestCodeNotSupported,
                remark: " request type \(command.code) not supported")
        }
    }

    /// A request of ours to a client: oneway.
    mutating func oneway(_ code: Int32, _ fields: KeyValuePairs<String, String>) -> RemotingCommand {
        var command = RemotingCommand(request: code, fields: fields)
        nextOpaque &+= 1
        command.opaque = nextOpaque
        command.flag = RemotingCommand.onewayFlag
        return command
    }
}
