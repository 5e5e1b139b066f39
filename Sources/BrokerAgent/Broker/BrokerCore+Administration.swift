// What admin tools and other brokers ask: 17, 215, 21, 43, 45, 201, 402, 28, 300, 202, 203, 208, 33.

import Basics
import Remoting

extension BrokerCore {
    /// UPDATE_AND_CREATE_TOPIC (17).
    mutating func createTopic(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        func number(_ name: String) -> Int32? { Int32(command[name] ?? "") }
        let name = command["topic"] ?? ""
        do throws(Refusal) {
            try checkName(name)
            guard !topics.isSystem(name) else {
                throw Refusal(
                    code: ResponseCode.systemError, remark: "The topic[\(name)] is conflict with system topic.")
            }
            var topic = TopicConfig(name, queues: 8)
            topic.readQueueNums = number("readQueueNums") ?? topic.readQueueNums
            topic.writeQueueNums = number("writeQueueNums") ?? topic.writeQueueNums
            topic.perm = number("perm") ?? topic.perm
            topic.topicSysFlag = number("topicSysFlag") ?? 0
            topic.order = command["order"]?.lowercased() == "true"
            let queues = 0...Int32(limits.queuesPerTopic)
            guard queues.contains(topic.readQueueNums), queues.contains(topic.writeQueueNums) else {
                throw Refusal(
                    code: ResponseCode.systemError, remark: "more than \(limits.queuesPerTopic) queues, or fewer than 0"
                )
            }
            guard topics[name] != nil || topics.count < limits.topics else {
                throw Refusal(code: ResponseCode.systemError, remark: "more than \(limits.topics) topics")
            }
            if topics.put(topic, wallTime: origin.wallTime) { announce(name, &directives) }
            return .response(to: command, code: ResponseCode.success)
        } catch {
            return .response(to: command, code: error.code, remark: error.remark)
        }
    }

    /// DELETE_TOPIC_IN_BROKER (215). It registers nothing: admin tools tell the NameServers (protocol.md 6.2).
    mutating func deleteTopic(
        _ command: RemotingCommand, _ origin: Origin, _ directives: inout [Directive]
    ) -> RemotingCommand? {
        let name = command["topic"] ?? ""
        guard !topics.isSystem(name) else {
            return .response(
                to: command, code: ResponseCode.systemError,
                remark: "The topic[\(name)] is conflict with system topic.")
        }
        if topics.remove(name, wallTime: origin.wallTime) {
            messages.remove(topic: name)
            offsets.remove(topic: name)
            for slave in copies.attachedSlaves {
                directives.append(.send(to: slave, oneway(CopyProtocol.topicsChanged, [:])))
            }
        }
        return .response(to: command, code: ResponseCode.success)
    }

    /// GET_ALL_TOPIC_CONFIG (21): a slave's first question, and again every few seconds.
    mutating func allTopics(_ command: RemotingCommand, _ origin: Origin) -> RemotingCommand? {
        if command[CopyProtocol.slaveField] != nil, identity.isMaster { copies.attach(origin.connection) }
        let body = TopicTableBody(topics: topics.all, dataVersion: topics.dataVersion).encoded
        return .response(
            to: command, code: ResponseCode.success, fields: [CopyProtocol.incarnationField: "\(incarnation)"],
            body: body)
    }

    /// 43, 45, 201, 402 and 28: tables that slaves and admin tools copy.
    func brokerState(_ command: RemotingCommand, _ origin: Origin) -> RemotingCommand? {
        let body = JSONBody.object { body in
            switch command.code {
            case RequestCode.getAllConsumerOffset:
                version(&body)
                body.member("groupTopicMap") { _ in }
                body.member("offsetTable") { offsetTable(&$0) }
            case RequestCode.getAllDelayOffset:
                version(&body)
                body.member("offsetTable") { _ in }
            case RequestCode.getAllSubscriptionGroupConfig:
                version(&body)
                body.member("forbiddenTable") { _ in }
                body.member("subscriptionGroupTable") { _ in }
            case RequestCode.getAllMessageRequestMode: body.member("messageRequestModeMap") { _ in }
            default: body.member("table") { runtimeInfo(&$0, origin) }
            }
        }
        return .response(to: command, code: ResponseCode.success, body: body)
    }

    private func version(_ body: inout JSONBody) {
        body.member("dataVersion") {
            $0.member("counter", topics.dataVersion.counter ?? 0)
            $0.member("stateVersion", 0)
            $0.member("timestamp", topics.dataVersion.timestamp)
        }
    }

    private func offsetTable(_ body: inout JSONBody) {
        var rest = offsets.all[...]
        while let first = rest.first {
            let group = rest.prefix { $0.group == first.group && $0.queue.topic == first.queue.topic }
            body.member("\(first.queue.topic)@\(first.group)") { queues in
                for item in group { queues.member(item.queue.queueID, item.offset) }
            }
            rest = rest.dropFirst(group.count)
        }
    }

    /// What `mqadmin clusterList` and `brokerStatus` read. All values are text.
    private func runtimeInfo(_ body: inout JSONBody, _ origin: Origin) {
        let values: [(String, String)] = [
            ("bootTimestamp", "\(incarnation)"), ("brokerActive", "true"),
            ("brokerVersion", "\(RemotingVersion.v5_3_3)"), ("brokerVersionDesc", "V5_3_3-hearsay-stand-in"),
            ("commitLogDirCapacity", "Total : 0 B, Free : 0 B."), ("commitLogDiskRatio", "0.0"),
            ("commitLogMaxOffset", "\(messages.commitLogEnd)"), ("earliestMessageTimeStamp", "\(incarnation)"),
            ("getTransferedTps", "0.0 0.0 0.0"), ("getTransferredTps", "0.0 0.0 0.0"), ("getTotalTps", "0.0 0.0 0.0"),
            ("msgGetTotalTodayMorning", "0"), ("msgGetTotalTodayNow", "\(counters.delivered)"),
            ("msgGetTotalYesterdayMorning", "0"), ("msgPutTotalTodayMorning", "0"),
            ("msgPutTotalTodayNow", "\(counters.stored)"), ("msgPutTotalYesterdayMorning", "0"),
            ("pullThreadPoolQueueHeadWaitTimeMills", "0"), ("pullThreadPoolQueueSize", "0"),
            ("putTps", "0.0 0.0 0.0"), ("runtime", "hearsay stand-in broker: messages are not stored on disk"),
            ("sendThreadPoolQueueHeadWaitTimeMills", "0"), ("sendThreadPoolQueueSize", "0"),
            ("timerCongestNum", "0"), ("timerOffsetBehind", "0"), ("timerReadBehind", "0"),
        ]
        for (name, value) in values { body.member(name, value) }
    }

    /// 300, 202, 203, 208 and 33: who consumes, what is stored.
    func inspect(_ command: RemotingCommand) -> RemotingCommand? {
        let topic = command["topic"] ?? ""
        switch command.code {
        case RequestCode.queryTopicConsumeByWho:
            let groups = Set(offsets.groups(consuming: topic)).union(consumers.groups(subscribing: topic)).sorted()
            return .response(
                to: command, code: ResponseCode.success,
                body: JSONBody.object { $0.array("groupList", groups) { $0.string($1) } })
        case RequestCode.getTopicStatsInfo: return topicStatistics(command, topic)
        case RequestCode.getConsumeStats: return consumeStatistics(command)
        case RequestCode.getConsumerConnectionList: return consumerConnections(command)
        default:
            guard let offset = Int64(command["offset"] ?? ""),
                let message = messages.message(atCommitLogOffset: offset)
            else {
                return .response(
                    to: command, code: ResponseCode.systemError,
                    remark: "can not find message by the offset, \(command["offset"] ?? "null")")
            }
            var body = ByteWriter()
            message.encode(into: &body)
            return .response(to: command, code: ResponseCode.success, body: body.array())
        }
    }

    private func topicStatistics(_ command: RemotingCommand, _ topic: String) -> RemotingCommand {
        guard let config = topics[topic] else {
            return .response(
                to: command, code: ResponseCode.topicNotExist, remark: "topic[\(topic)] not exist")
        }
        let body = JSONBody.object { body in
            body.member("offsetTable") { table in
                for queueID in 0..<max(config.readQueueNums, config.writeQueueNums) {
                    let queue = MessageQueueKey(topic: topic, queueID: queueID)
                    let bounds = messages.bounds(of: queue)
                    table.member(objectKey: { write(queue, &$0) }) {
                        $0.member("lastUpdateTimestamp", messages.lastStoreTimestamp(of: queue)?.milliseconds ?? 0)
                        $0.member("maxOffset", bounds.max)
                        $0.member("minOffset", bounds.min)
                    }
                }
            }
        }
        return .response(to: command, code: ResponseCode.success, body: body)
    }

    private func consumeStatistics(_ command: RemotingCommand) -> RemotingCommand {
        let group = command["consumerGroup"] ?? ""
        let topic = command["topic"].flatMap { $0.isEmpty ? nil : $0 }
        let own = offsets.all.filter { $0.group == group && (topic == nil || topic == $0.queue.topic) }
        let body = JSONBody.object { body in
            body.member("consumeTps", 0)
            body.member("offsetTable") { table in
                for item in own {
                    table.member(objectKey: { write(item.queue, &$0) }) {
                        $0.member("brokerOffset", messages.bounds(of: item.queue).max)
                        $0.member("consumerOffset", item.offset)
                        $0.member("lastTimestamp", messages.lastStoreTimestamp(of: item.queue)?.milliseconds ?? 0)
                        $0.member("pullOffset", item.offset)
                    }
                }
            }
        }
        return .response(to: command, code: ResponseCode.success, body: body)
    }

    private func consumerConnections(_ command: RemotingCommand) -> RemotingCommand {
        let group = command["consumerGroup"] ?? ""
        let members = consumers.members(of: group)
        guard !members.isEmpty else {
            return .response(
                to: command, code: ResponseCode.consumerNotOnline,
                remark: "the consumer group[\(group)] not online")
        }
        let body = JSONBody.object { body in
            body.array("connectionSet", members) { set, member in
                set.object {
                    $0.member("clientAddr", "")
                    $0.member("clientId", member.clientID)
                    $0.member("language", "OTHER")
                    $0.member("version", 0)
                }
            }
            body.member("consumeFromWhere", "CONSUME_FROM_LAST_OFFSET")
            body.member("consumeType", "CONSUME_PASSIVELY")
            body.member("messageModel", "CLUSTERING")
            body.member("subscriptionTable") { _ in }
        }
        return .response(to: command, code: ResponseCode.success, body: body)
    }

    private func write(_ queue: MessageQueueKey, _ body: inout JSONBody) {
        body.member("brokerName", identity.name)
        body.member("queueId", Int64(queue.queueID))
        body.member("topic", queue.topic)
    }
}
