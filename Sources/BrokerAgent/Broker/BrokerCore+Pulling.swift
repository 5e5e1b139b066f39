// Handing messages out: 11 and 361 with long polling (protocol.md 7.7, 7.11).

import Basics
import Remoting

extension BrokerCore {
    /// A pull waits at most this long, whatever it asks for: four times what clients ask.
    static let longestSuspension = Duration.seconds(60)

    mutating func pull(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        let pull: PullRequest
        do throws(Refusal) {
            pull = try pullRequest(command, origin)
        } catch {
            return error.answer(to: command)
        }
        commitOffset(in: command, of: pull)
        if pull.group == CopyProtocol.group { copied(pull, directives: &directives) }
        let canWait = pull.suspension > .zero && heldPulls.count < limits.heldPulls && !command.isOneway
        switch outcome(of: pull, canWait: canWait) {
        case .answer(let answer): return answer
        case .wait(let next):
            var held = pull
            held.offset = next
            heldPulls.hold(held, until: origin.now + pull.suspension)
            return nil
        }
    }

    /// A message arrived: whoever waits for its queue gets it, unless their filter does not want it.
    mutating func wakePulls(of queue: MessageQueueKey, _ directives: inout [Directive]) {
        for (id, pull) in heldPulls.waiting(for: queue) {
            switch outcome(of: pull, canWait: true) {
            case .wait(let next): heldPulls.move(id, to: next)
            case .answer(let answer):
                heldPulls.release(id)
                directives.append(.send(to: pull.connection, answer))
            }
        }
    }

    mutating func answerWithoutWaiting(_ pull: PullRequest, _ directives: inout [Directive]) {
        guard case .answer(let answer) = outcome(of: pull, canWait: false) else {
            preconditionFailure("no answer to \(pull)")
        }
        directives.append(.send(to: pull.connection, answer))
    }

    private func pullRequest(_ command: RemotingCommand, _ origin: Origin) throws(Refusal) -> PullRequest {
        func number(_ name: String) -> Int64? { Int64(command[name] ?? "") }
        guard let group = command["consumerGroup"], let topic = command["topic"],
            let queueID = Int32(command["queueId"] ?? ""), let offset = number("queueOffset")
        else { throw Refusal(code: ResponseCode.systemError, remark: "a field of the pull is missing") }
        guard let config = topics[topic] else {
            throw Refusal(
                code: ResponseCode.topicNotExist, remark: "topic[\(topic)] not exist, apply first please!")
        }
        guard config.perm & PermissionBits.read != 0 || group == CopyProtocol.group else {
            throw Refusal(code: ResponseCode.noPermission, remark: "the topic[\(topic)] pulling message is forbidden")
        }
        guard queueID >= 0, queueID < max(config.readQueueNums, config.writeQueueNums) else {
            throw Refusal(
                code: ResponseCode.systemError,
                remark: "queueId[\(queueID)] is illegal, topic:[\(topic)] readQueueNums:[\(config.readQueueNums)]")
        }
        let sysFlag = Int32(command["sysFlag"] ?? "") ?? 0
        let subscription = try subscription(in: command, group: group, topic: topic, sysFlag: sysFlag)
        let suspension = Duration.milliseconds(max(0, number("suspendTimeoutMillis") ?? 0))
        return PullRequest(
            connection: origin.connection, opaque: command.opaque, group: group,
            queue: MessageQueueKey(topic: topic, queueID: queueID), offset: offset,
            maxMessages: Int(min(max(number("maxMsgNums") ?? 32, 1), 1_024)),
            maxBytes: Int(min(max(number("maxMsgBytes") ?? 262_144, 1), 4 << 20)),
            filter: TagFilter(subscription.expression),
            suspension: sysFlag & PullFlag.suspend != 0 ? min(suspension, BrokerCore.longestSuspension) : .zero)
    }

    /// What the consumer wants: as the pull says, else as its group's heartbeats said, else everything, since clients
    /// filter by tag themselves as well.
    private func subscription(
        in command: RemotingCommand, group: String, topic: String, sysFlag: Int32
    ) throws(Refusal) -> Subscription {
        var subscription = consumers.subscription(of: group, to: topic) ?? Subscription(topic: topic)
        if sysFlag & PullFlag.subscription != 0 {
            subscription = Subscription(
                topic: topic, expression: command["subscription"] ?? "*",
                expressionType: command["expressionType"] ?? "TAG")
        }
        guard subscription.expressionType == "TAG" || subscription.expressionType.isEmpty else {
            throw Refusal(
                code: ResponseCode.systemError,
                remark: "The broker does not support consumer to filter message by \(subscription.expressionType)")
        }
        return subscription
    }

    private mutating func commitOffset(in command: RemotingCommand, of pull: PullRequest) {
        let sysFlag = Int32(command["sysFlag"] ?? "") ?? 0
        guard identity.isMaster, sysFlag & PullFlag.commitOffset != 0,
            let offset = Int64(command["commitOffset"] ?? ""), offset >= 0
        else { return }
        offsets.commit(offset, of: pull.group, at: pull.queue)
    }

    private enum PullOutcome {
        case answer(RemotingCommand)
        /// There is nothing to say yet; nothing before `from` is wanted.
        case wait(from: Int64)
    }

    private mutating func outcome(of pull: PullRequest, canWait: Bool) -> PullOutcome {
        let bounds = messages.bounds(of: pull.queue)
        var body = ByteWriter()
        var result = messages.read(
            pull.queue, from: pull.offset, maxMessages: pull.maxMessages, maxBytes: pull.maxBytes,
            filter: pull.filter, into: &body)
        // A slave that has not copied so far yet must not send the consumer back.
        if !identity.isMaster, pull.offset > bounds.max { result = .nothingNew }
        switch result {
        case .found(let count, let next):
            counters.delivered += pull.group == CopyProtocol.group ? 0 : Int64(count)
            return .answer(answer(ResponseCode.success, "FOUND", pull, next: next, bounds, body.array()))
        case .noMatch(let next):
            if canWait, next == bounds.max { return .wait(from: next) }
            return .answer(answer(ResponseCode.pullRetryImmediately, "NO_MATCHED_MESSAGE", pull, next: next, bounds))
        case .outside(let next):
            let remark = pull.offset < bounds.min ? "OFFSET_TOO_SMALL" : "OFFSET_OVERFLOW_BADLY"
            return .answer(answer(ResponseCode.pullOffsetMoved, remark, pull, next: next, bounds))
        case .nothingNew:
            if canWait { return .wait(from: pull.offset) }
            return .answer(answer(ResponseCode.pullNotFound, "OFFSET_OVERFLOW_ONE", pull, next: pull.offset, bounds))
        }
    }

    private func answer(
        _ code: Int32, _ remark: String, _ pull: PullRequest, next: Int64, _ bounds: MessageStore.Bounds,
        _ body: [UInt8] = []
    ) -> RemotingCommand {
        var request = RemotingCommand(request: RequestCode.pullMessage)
        request.opaque = pull.opaque
        return .response(
            to: request, code: code, remark: remark,
            fields: [
                "suggestWhichBrokerId": "0", "nextBeginOffset": "\(next)", "minOffset": "\(bounds.min)",
                "maxOffset": "\(bounds.max)", "topicSysFlag": "0", "groupSysFlag": "0",
            ], body: body)
    }
}

/// Bits of a pull's `sysFlag` (protocol.md 7.11).
enum PullFlag {
    /// `commitOffset` is to be remembered.
    static let commitOffset: Int32 = 1 << 0
    /// The broker may wait for a message.
    static let suspend: Int32 = 1 << 1
    /// `subscription` is included.
    static let subscription: Int32 = 1 << 2
}
