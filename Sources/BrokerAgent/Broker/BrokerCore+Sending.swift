// Taking messages: 10, 310, 320, and what puts messages back: 36, 37, delays (protocol.md 7.8).

import Basics
import Remoting

/// A request that is answered with an error code.
struct Refusal: Error {
    var code: Int32
    var remark: String

    func answer(to command: RemotingCommand) -> RemotingCommand {
        .response(to: command, code: code, remark: remark, fields: [:])
    }
}

extension BrokerCore {
    mutating func send(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        let request = SendRequest(command)
        do throws(Refusal) {
            let parts = try acceptableParts(of: request, command.body)
            let topic = try writableTopic(for: request, origin, &directives)
            let queueID = try self.queueID(for: request, in: topic)
            var stored: [StoredMessage] = []
            for part in parts {
                let message = newMessage(request, part, topic: topic.topicName, queueID: queueID, origin)
                stored.append(store(message, origin, &directives))
            }
            return acknowledge(command, stored, requestedQueue: queueID, origin)
        } catch {
            return error.answer(to: command)
        }
    }

    /// The messages of a request, each within the limits.
    private func acceptableParts(
        of request: SendRequest, _ body: [UInt8]
    ) throws(Refusal) -> [MessageBatch.Part] {
        guard identity.isMaster else {
            throw Refusal(code: ResponseCode.noPermission, remark: "broker role is slave, so sending is forbidden")
        }
        guard body.count <= limits.bodyBytes else {
            throw Refusal(code: ResponseCode.messageIllegal, remark: "message body of \(body.count) bytes")
        }
        let parts: [MessageBatch.Part]
        if request.isBatch {
            guard let batch = MessageBatch.parts(of: body, limit: limits.batchMessages) else {
                throw Refusal(code: ResponseCode.messageIllegal, remark: "the batch cannot be read")
            }
            parts = batch
        } else {
            parts = [
                MessageBatch.Part(
                    flag: request.flag, body: body, properties: request.properties,
                    propertyBytes: request.propertyBytes)
            ]
        }
        // What the broker adds below must fit as well.
        let added = 1_024
        for part in parts where part.propertyBytes > limits.propertyBytes - added {
            throw Refusal(code: ResponseCode.messageIllegal, remark: "properties of \(part.propertyBytes) bytes")
        }
        for part in parts {
            for entry in part.properties.entries where !MessageProperties.isRepresentable(entry.value) {
                throw Refusal(code: ResponseCode.messageIllegal, remark: "property \(entry.name) has a separator in it")
            }
        }
        return parts
    }

    /// The topic to store in, created if RocketMQ would create it.
    private mutating func writableTopic(
        for request: SendRequest, _ origin: Origin, _ directives: inout [Directive]
    ) throws(Refusal) -> TopicConfig {
        var name = request.topic
        let isRetry = name.hasPrefix("%RETRY%")
        if isRetry, request.maxReconsumeTimes > 0, request.reconsumeTimes >= request.maxReconsumeTimes {
            name = "%DLQ%" + name.dropFirst("%RETRY%".count)
        }
        try checkName(name)
        guard let topic = existingTopic(name) ?? createdTopic(name, request, origin, &directives) else {
            throw Refusal(
                code: ResponseCode.topicNotExist, remark: "topic[\(name)] not exist, apply first please!")
        }
        guard topic.perm & PermissionBits.write != 0 else {
            throw Refusal(
                code: ResponseCode.noPermission, remark: "the broker[\(identity.address)] sending message is forbidden")
        }
        return topic
    }

    func existingTopic(_ name: String) -> TopicConfig? { topics[name] }

    private mutating func createdTopic(
        _ name: String, _ request: SendRequest, _ origin: Origin, _ directives: inout [Directive]
    ) -> TopicConfig? {
        if name.hasPrefix("%RETRY%") || name.hasPrefix("%DLQ%") {
            return groupTopic(name, origin.wallTime, &directives)
        }
        let created = topics.create(
            name, inheritingFrom: request.defaultTopic,
            queues: request.defaultTopicQueues > 0 ? request.defaultTopicQueues : 4, wallTime: origin.wallTime)
        if created != nil { announce(name, &directives) }
        return created
    }

    /// A consumer group's own topic, with one queue: created when a member appears or a message comes back.
    mutating func groupTopic(
        _ name: String, _ wallTime: WallTime, _ directives: inout [Directive]
    ) -> TopicConfig? {
        if let topic = topics[name] { return topic }
        guard name.utf8.count <= limits.topicNameBytes,
            topics.put(TopicConfig(name, queues: 1), wallTime: wallTime)
        else { return nil }
        announce(name, &directives)
        return topics[name]
    }

    /// A topic changed: the NameServers and the slaves learn it at once.
    mutating func announce(_ topic: String, _ directives: inout [Directive]) {
        directives.append(.topicsChanged([topic]))
        for slave in copies.attachedSlaves {
            directives.append(.send(to: slave, oneway(CopyProtocol.topicsChanged, [:])))
        }
    }

    func checkName(_ topic: String) throws(Refusal) {
        let isPlain = topic.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "|") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        guard !topic.isEmpty, topic.utf8.count <= limits.topicNameBytes, isPlain else {
            throw Refusal(code: ResponseCode.systemError, remark: "The specified topic is not a valid name: \(topic)")
        }
    }

    private mutating func queueID(for request: SendRequest, in topic: TopicConfig) throws(Refusal) -> Int32 {
        // A dead-letter message was addressed to a queue of another topic.
        let wanted = topic.topicName == request.topic ? request.queueID : 0
        let queues = max(topic.writeQueueNums, topic.readQueueNums)
        guard wanted < queues else {
            throw Refusal(code: ResponseCode.systemError, remark: "request queueId[\(wanted)] is illegal")
        }
        if wanted >= 0 { return wanted }
        // Below zero means "any".
        spread = (spread &+ 1) & .max
        return spread % max(1, topic.writeQueueNums)
    }

    private func newMessage(
        _ request: SendRequest, _ part: MessageBatch.Part, topic: String, queueID: Int32, _ origin: Origin
    ) -> StoredMessage {
        var message = StoredMessage(topic: topic, queueID: queueID, queueOffset: 0, body: part.body)
        message.flag = part.flag
        message.sysFlag = request.sysFlag
        message.bornTimestamp = request.bornTimestamp
        message.bornHost = origin.address
        message.reconsumeTimes = request.reconsumeTimes
        var properties = part.properties
        properties["CLUSTER"] = identity.cluster
        if properties["TRAN_MSG"] == "true", request.sysFlag & StoredMessage.SysFlag.transactionMask == 4 {
            message.redirect(to: TopicTable.halfTopic, queueID: 0, &properties)
        } else if let level = Int32(properties["DELAY"] ?? ""), level > 0 {
            message.redirect(to: TopicTable.scheduleTopic, queueID: min(level, 18) - 1, &properties)
        }
        message.properties = properties.text
        return message
    }

    /// Puts a message into its queue; wakes the pulls that wait for it.
    @discardableResult
    mutating func store(
        _ message: StoredMessage, _ origin: Origin, _ directives: inout [Directive]
    ) -> StoredMessage {
        var message = message
        message.storeTimestamp = origin.wallTime
        message.storeHost = identity.address
        let stored = messages.append(message)
        counters.stored += 1
        switch stored.topic {
        case TopicTable.scheduleTopic: schedule(stored, origin, &directives)
        case TopicTable.halfTopic:
            if openTransactions.count < limits.delayedMessages { openTransactions.insert(stored.commitLogOffset) }
        default: wakePulls(of: stored.queue, &directives)
        }
        return stored
    }

    /// Answers a send at once, or when the slaves have its last message.
    private mutating func acknowledge(
        _ command: RemotingCommand, _ stored: [StoredMessage], requestedQueue: Int32, _ origin: Origin
    ) -> RemotingCommand? {
        guard let first = stored.first, let last = stored.last else { preconditionFailure("nothing stored") }
        var fields: [(String, String)] = [
            ("msgId", stored.map(\.messageID).joined(separator: ",")), ("queueId", "\(requestedQueue)"),
            ("queueOffset", "\(first.queueOffset)"), ("MSG_REGION", "DefaultRegion"), ("TRACE_ON", "true"),
        ]
        if let key = MessageProperties(first.properties)["UNIQ_KEY"] { fields.append(("transactionId", key)) }
        var answer = RemotingCommand.response(to: command, code: ResponseCode.success, fields: [:])
        answer.fields = fields.map { RemotingCommand.Field(name: $0, value: $1) }
        if command.isOneway || copies.attachedSlaves.isEmpty || topics.isSystem(last.topic)
            || copies.pendingCount >= limits.pendingSends
        {
            return answer
        }
        copies.wait(
            .init(connection: origin.connection, answer: answer, queue: last.queue, offset: last.queueOffset),
            until: origin.now + BrokerCore.copyTimeout)
        return nil
    }

    mutating func answerOverdueSends(now: Instant, _ directives: inout [Directive]) {
        var someOverdue = false
        while var send = copies.popOverdue(now: now) {
            someOverdue = true
            send.answer.code = ResponseCode.flushSlaveTimeout
            directives.append(.send(to: send.connection, send.answer))
        }
        guard someOverdue else { return }
        for send in copies.releaseAll() { directives.append(.send(to: send.connection, send.answer)) }
    }

    // MARK: Delays, retries and transactions

    private mutating func schedule(
        _ message: StoredMessage, _ origin: Origin, _ directives: inout [Directive]
    ) {
        let due = origin.now + DelayLevels.delay(of: message.queueID + 1)
        guard delayed.count < limits.delayedMessages else { return deliver(message, origin, &directives) }
        delayed.insert(message.commitLogOffset, due: due)
    }

    mutating func deliverDelayed(now: Instant, wallTime: WallTime, _ directives: inout [Directive]) {
        let origin = Origin(connection: 0, address: identity.address, now: now, wallTime: wallTime)
        while let offset = delayed.popDue(now: now) {
            // Gone when the memory limits dropped it.
            guard let message = messages.message(atCommitLogOffset: offset) else { continue }
            deliver(message, origin, &directives)
        }
    }

    /// Moves a message that waited in a system topic to where it was meant for.
    private mutating func deliver(_ message: StoredMessage, _ origin: Origin, _ directives: inout [Directive]) {
        var message = message
        guard message.restoreDestination() else { return }
        store(message, origin, &directives)
    }

    /// CONSUMER_SEND_MSG_BACK (36): a consumer failed; the message comes again later, or ends in the dead letters.
    mutating func sendBack(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        guard identity.isMaster else {
            return Refusal(code: ResponseCode.noPermission, remark: "broker role is slave").answer(to: command)
        }
        guard let group = command["group"], let offset = Int64(command["offset"] ?? ""),
            var message = messages.message(atCommitLogOffset: offset)
        else {
            return Refusal(
                code: ResponseCode.systemError, remark: "look message by offset failed, \(command["offset"] ?? "null")"
            ).answer(to: command)
        }
        let level = Int32(command["delayLevel"] ?? "") ?? 0
        let attempts = Int32(command["maxReconsumeTimes"] ?? "") ?? 16
        let isDead = level < 0 || message.reconsumeTimes >= attempts
        guard let topic = groupTopic((isDead ? "%DLQ%" : "%RETRY%") + group, origin.wallTime, &directives) else {
            return Refusal(code: ResponseCode.systemError, remark: "topic of group \(group) not exist")
                .answer(to: command)
        }
        var properties = MessageProperties(message.properties)
        if properties["RETRY_TOPIC"] == nil { properties["RETRY_TOPIC"] = message.topic }
        if properties["ORIGIN_MESSAGE_ID"] == nil { properties["ORIGIN_MESSAGE_ID"] = message.messageID }
        message.topic = topic.topicName
        message.queueID = 0
        if !isDead {
            let delay = level > 0 ? level : 3 + message.reconsumeTimes
            message.redirect(to: TopicTable.scheduleTopic, queueID: min(delay, 18) - 1, &properties)
        }
        message.properties = properties.text
        message.reconsumeTimes += 1
        store(message, origin, &directives)
        return .response(to: command, code: ResponseCode.success)
    }

    /// END_TRANSACTION (37): a half message becomes visible, or is forgotten. Nobody is asked about silent ones.
    mutating func endTransaction(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        let (commit, rollback): (Int32, Int32) = (8, 12)
        let decision = Int32(command["commitOrRollback"] ?? "") ?? 0
        guard identity.isMaster else {
            return Refusal(code: ResponseCode.slaveNotAvailable, remark: "broker role is slave").answer(to: command)
        }
        guard decision == commit || decision == rollback else { return nil }
        guard let offset = Int64(command["commitLogOffset"] ?? ""), openTransactions.remove(offset) != nil,
            var message = messages.message(atCommitLogOffset: offset)
        else {
            return Refusal(code: ResponseCode.systemError, remark: "find prepared transaction message failed")
                .answer(to: command)
        }
        if decision == commit, message.restoreDestination() {
            message.sysFlag = message.sysFlag & ~StoredMessage.SysFlag.transactionMask | commit
            message.preparedTransactionOffset = message.queueOffset
            store(message, origin, &directives)
        }
        return .response(to: command, code: ResponseCode.success)
    }
}

extension StoredMessage {
    /// Sends the message to a system topic first and keeps its own destination in properties.
    fileprivate mutating func redirect(to topic: String, queueID: Int32, _ properties: inout MessageProperties) {
        properties["REAL_TOPIC"] = self.topic
        properties["REAL_QID"] = "\(self.queueID)"
        self.topic = topic
        self.queueID = queueID
    }

    /// Undoes `redirect`; false when there is no destination in the properties.
    fileprivate mutating func restoreDestination() -> Bool {
        var properties = MessageProperties(self.properties)
        guard let topic = properties["REAL_TOPIC"], let queueID = Int32(properties["REAL_QID"] ?? "") else {
            return false
        }
        for name in ["REAL_TOPIC", "REAL_QID", "DELAY", "TRAN_MSG"] { properties[name] = nil }
        self.topic = topic
        self.queueID = queueID
        self.properties = properties.text
        return true
    }
}
