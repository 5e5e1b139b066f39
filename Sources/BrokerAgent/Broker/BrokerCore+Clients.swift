// Groups, offsets and locks: 34, 35, 38, 40, 14, 15, 29 to 32, 41, 42 (protocol.md 7.9, 7.10).

import Basics
import Remoting

extension BrokerCore {
    mutating func heartbeat(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        guard let heartbeat = ClientHeartbeat(command.body) else {
            return Refusal(code: ResponseCode.systemError, remark: "the heartbeat cannot be read").answer(to: command)
        }
        for group in heartbeat.producerGroups {
            _ = producers.heartbeat(
                group: group, clientID: heartbeat.clientID, subscriptions: [], from: origin.connection,
                now: origin.now)
        }
        for (group, subscriptions) in heartbeat.consumerGroups {
            // Failed messages come back here, so the consumer must find a route to it.
            if identity.isMaster { _ = groupTopic("%RETRY%" + group, origin.wallTime, &directives) }
            let changed = consumers.heartbeat(
                group: group, clientID: heartbeat.clientID, subscriptions: subscriptions, from: origin.connection,
                now: origin.now)
            if changed { notifyMembers(of: group, &directives) }
        }
        return .response(
            to: command, code: ResponseCode.success,
            fields: ["IS_SUPPORT_HEART_BEAT_V2": "true", "IS_SUB_CHANGE": "true"])
    }

    mutating func unregisterClient(
        _ command: RemotingCommand, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        let clientID = command["clientID"] ?? ""
        if let group = command["producerGroup"] { _ = producers.unregister(group: group, clientID: clientID) }
        if let group = command["consumerGroup"], consumers.unregister(group: group, clientID: clientID) {
            notifyMembers(of: group, &directives)
        }
        return .response(to: command, code: ResponseCode.success, fields: [:])
    }

    func consumerList(_ command: RemotingCommand) -> RemotingCommand? {
        let group = command["consumerGroup"] ?? "null"
        let members = consumers.members(of: group)
        guard !members.isEmpty else {
            return Refusal(code: ResponseCode.systemError, remark: "no consumer for this group, \(group)")
                .answer(to: command)
        }
        let body = JSONBody.object {
            $0.array("consumerIdList", members) { $0.string($1.clientID) }
        }
        return .response(to: command, code: ResponseCode.success, fields: [:], body: body)
    }

    /// NOTIFY_CONSUMER_IDS_CHANGED (40): the members share the queues out anew.
    mutating func notifyMembers(of group: String, _ directives: inout [Directive]) {
        for member in consumers.members(of: group) {
            directives.append(
                .send(to: member.connection, oneway(RequestCode.notifyConsumerIDsChanged, ["consumerGroup": group])))
        }
    }

    // MARK: Offsets

    private func queue(in command: RemotingCommand) -> MessageQueueKey? {
        guard let topic = command["topic"], let queueID = Int32(command["queueId"] ?? "") else { return nil }
        return MessageQueueKey(topic: topic, queueID: queueID)
    }

    func queryOffset(_ command: RemotingCommand) -> RemotingCommand? {
        guard let queue = queue(in: command), let group = command["consumerGroup"] else {
            return Refusal(code: ResponseCode.systemError, remark: "a field is missing").answer(to: command)
        }
        if let offset = offsets.offset(of: group, at: queue) { return answer(command, offset: offset) }
        // As RocketMQ (captured): a queue that still has its first message begins there for a new group. On a slave too:
        // the C++ client gives up when it must ask a group without a master for the largest offset.
        if topics[queue.topic] != nil, messages.bounds(of: queue).min == 0 {
            return answer(command, offset: 0)
        }
        return Refusal(
            code: ResponseCode.queryNotFound, remark: "Not found, maybe this group consumer boot first"
        ).answer(to: command)
    }

    mutating func updateOffset(_ command: RemotingCommand) -> RemotingCommand? {
        guard let queue = queue(in: command), let group = command["consumerGroup"],
            let offset = Int64(command["commitOffset"] ?? ""), offset >= 0
        else { return Refusal(code: ResponseCode.systemError, remark: "a field is missing").answer(to: command) }
        offsets.commit(offset, of: group, at: queue)
        return .response(to: command, code: ResponseCode.success, fields: [:])
    }

    /// 29 SEARCH_OFFSET_BY_TIMESTAMP, 30 GET_MAX_OFFSET, 31 GET_MIN_OFFSET, 32 GET_EARLIEST_MSG_STORETIME.
    func queueOffset(_ command: RemotingCommand) -> RemotingCommand? {
        guard let queue = queue(in: command) else {
            return Refusal(code: ResponseCode.systemError, remark: "a field is missing").answer(to: command)
        }
        let bounds = messages.bounds(of: queue)
        switch command.code {
        case RequestCode.getMaxOffset: return answer(command, offset: bounds.max)
        case RequestCode.getMinOffset: return answer(command, offset: bounds.min)
        case RequestCode.searchOffsetByTimestamp:
            let timestamp = WallTime(milliseconds: Int64(command["timestamp"] ?? "") ?? 0)
            return answer(command, offset: messages.offset(in: queue, storedAtOrAfter: timestamp))
        default:
            let earliest = messages.firstStoreTimestamp(of: queue)?.milliseconds ?? -1
            return .response(to: command, code: ResponseCode.success, fields: ["timestamp": "\(earliest)"])
        }
    }

    private func answer(_ command: RemotingCommand, offset: Int64) -> RemotingCommand {
        .response(to: command, code: ResponseCode.success, fields: ["offset": "\(offset)"])
    }

    // MARK: Locks of orderly consumers

    mutating func lock(_ command: RemotingCommand, _ origin: Origin) -> RemotingCommand? {
        guard let request = LockRequest(command.body) else {
            return Refusal(code: ResponseCode.systemError, remark: "the lock request cannot be read")
                .answer(to: command)
        }
        let locked = request.queues.filter {
            locks.lock($0.key, group: request.group, clientID: request.clientID, now: origin.now)
        }
        let body = JSONBody.object { body in
            body.array("lockOKMQSet", locked) { element, queue in
                element.object {
                    $0.member("brokerName", queue.brokerName)
                    $0.member("queueId", Int64(queue.key.queueID))
                    $0.member("topic", queue.key.topic)
                }
            }
        }
        return .response(to: command, code: ResponseCode.success, body: body)
    }

    mutating func unlock(_ command: RemotingCommand) -> RemotingCommand? {
        guard let request = LockRequest(command.body) else {
            return Refusal(code: ResponseCode.systemError, remark: "the unlock request cannot be read")
                .answer(to: command)
        }
        for queue in request.queues { locks.unlock(queue.key, group: request.group, clientID: request.clientID) }
        return .response(to: command, code: ResponseCode.success)
    }
}
