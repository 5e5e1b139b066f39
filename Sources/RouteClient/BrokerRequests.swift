import Basics
import Remoting

/// The requests a client sends to brokers, and how their answers are read (protocol.md 7.8 to 7.11).
enum BrokerRequests {
    /// SEND_MESSAGE_V2.
    static func send(
        _ message: OutgoingMessage, to queue: MessageQueue, producerGroup: String, properties: String,
        wallTime: WallTime
    ) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.sendMessageV2,
            fields: [
                "a": producerGroup, "b": message.topic, "c": defaultTopic, "d": "4", "e": "\(queue.queueID)", "f": "0",
                "g": "\(wallTime.milliseconds)", "h": "\(message.flag)", "i": properties, "j": "0", "k": "false",
                "m": "false", "n": queue.brokerName,
            ], body: message.body)
    }

    /// The topic whose route stands in for one that does not exist yet (7.4).
    static let defaultTopic = "TBW102"

    /// PULL_MESSAGE for everything in the queue, held by the broker up to `hold` when there is nothing.
    static func pull(
        _ queue: MessageQueue, offset: Int64, limit: Int32, group: String, commits committed: Int64?, hold: Duration
    ) -> RemotingCommand {
        let sysFlag = (committed == nil ? 0 : 1) | (hold > .zero ? 2 : 0) | 4
        return RemotingCommand(
            request: RequestCode.pullMessage,
            fields: [
                "consumerGroup": group, "topic": queue.topic, "queueId": "\(queue.queueID)", "queueOffset": "\(offset)",
                "maxMsgNums": "\(limit)", "sysFlag": "\(sysFlag)", "commitOffset": "\(committed ?? 0)",
                "suspendTimeoutMillis": "\(hold.wholeMilliseconds)", "subscription": "*", "subVersion": "0",
                "expressionType": "TAG", "maxMsgBytes": "262144", "bname": queue.brokerName,
            ])
    }

    /// Reads a pull's answer; any other code than the four of `PullAnswer.Status` is an error.
    static func pullAnswer(
        _ command: RemotingCommand, from address: Address
    ) -> Result<PullAnswer, RouteClientError> {
        guard let status = PullAnswer.Status(rawValue: command.code) else { return .failure(error(command, address)) }
        guard let suggested = command.integer("suggestWhichBrokerId"), let next = command.integer("nextBeginOffset"),
            let minimum = command.integer("minOffset"), let maximum = command.integer("maxOffset")
        else { return .failure(.malformed("a pull answer without its four fields", from: address)) }
        do throws(StoredMessageError) {
            let messages = status == .found ? try messages(in: command.body) : []
            return .success(
                PullAnswer(
                    status: status, nextOffset: next, minOffset: minimum, maxOffset: maximum,
                    suggestedBrokerID: suggested, messages: messages))
        } catch {
            return .failure(.malformed("a message that is \(error)", from: address))
        }
    }

    private static func messages(in body: [UInt8]) throws(StoredMessageError) -> [StoredMessage] {
        try body.withRawBytes { bytes throws(StoredMessageError) in try StoredMessage.decodeAll(bytes) }
    }

    /// QUERY_CONSUMER_OFFSET.
    static func queryOffset(_ queue: MessageQueue, group: String) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.queryConsumerOffset,
            fields: [
                "consumerGroup": group, "topic": queue.topic, "queueId": "\(queue.queueID)", "bname": queue.brokerName,
            ])
    }

    /// UPDATE_CONSUMER_OFFSET.
    static func commitOffset(_ offset: Int64, of queue: MessageQueue, group: String) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.updateConsumerOffset,
            fields: [
                "consumerGroup": group, "topic": queue.topic, "queueId": "\(queue.queueID)",
                "commitOffset": "\(offset)", "bname": queue.brokerName,
            ])
    }

    /// GET_MIN_OFFSET or GET_MAX_OFFSET.
    static func endOffset(_ end: StartingPoint, of queue: MessageQueue) -> RemotingCommand {
        RemotingCommand(
            request: end == .first ? RequestCode.getMinOffset : RequestCode.getMaxOffset,
            fields: ["topic": queue.topic, "queueId": "\(queue.queueID)", "bname": queue.brokerName])
    }

    /// HEART_BEAT of a consumer of one topic.
    static func heartbeat(
        clientID: String, group: String, topic: String, start: StartingPoint, wallTime: WallTime
    ) -> RemotingCommand {
        var body = ByteWriter()
        body.append("{\"clientID\":")
        body.appendJSON(string: clientID, dialect: .standard)
        body.append(",\"consumerDataSet\":[{\"consumeFromWhere\":\"")
        body.append(utf8: start == .first ? "CONSUME_FROM_FIRST_OFFSET" : "CONSUME_FROM_LAST_OFFSET")
        body.append("\",\"consumeType\":\"CONSUME_PASSIVELY\",\"groupName\":")
        body.appendJSON(string: group, dialect: .standard)
        body.append(
            ",\"messageModel\":\"CLUSTERING\",\"subscriptionDataSet\":[{\"classFilterMode\":false,\"codeSet\":[],")
        body.append("\"expressionType\":\"TAG\",\"subString\":\"*\",\"subVersion\":")
        body.append(decimal: wallTime.milliseconds)
        body.append(",\"tagsSet\":[],\"topic\":")
        body.appendJSON(string: topic, dialect: .standard)
        body.append("}],\"unitMode\":false}],\"heartbeatFingerprint\":0,\"producerDataSet\":[],\"withoutSub\":false}")
        return RemotingCommand(request: RequestCode.heartBeat, body: body.array())
    }

    /// UNREGISTER_CLIENT.
    static func unregister(clientID: String, group: String) -> RemotingCommand {
        RemotingCommand(
            request: RequestCode.unregisterClient, fields: ["clientID": clientID, "consumerGroup": group])
    }

    /// GET_CONSUMER_LIST_BY_GROUP.
    static func consumerList(group: String) -> RemotingCommand {
        RemotingCommand(request: RequestCode.getConsumerListByGroup, fields: ["consumerGroup": group])
    }

    /// The member `consumerIdList` of its answer; nil when there is none.
    static func consumerIDs(in body: [UInt8]) -> [String]? {
        do throws(RemotingError) {
            return try body.withRawBytes { bytes throws(RemotingError) in
                var reader = JSONReader(bytes)
                guard try reader.beginObject() else { return nil }
                var clientIDs: [String]?
                while let key = try reader.nextKey() {
                    guard key.string == "consumerIdList" else {
                        try reader.skipValue()
                        continue
                    }
                    guard try reader.beginArray() else { continue }
                    clientIDs = []
                    while try reader.nextElement() {
                        if let clientID = try reader.readString() { clientIDs?.append(clientID) }
                    }
                }
                return clientIDs
            }
        } catch {
            return nil
        }
    }

    /// An unexpected code as an error.
    static func error(_ command: RemotingCommand, _ address: Address) -> RouteClientError {
        .code(command.code, remark: command.remark ?? "", from: address)
    }
}

extension RemotingCommand {
    /// A field's value as a number; nil when it is absent or no number.
    func integer(_ name: String) -> Int64? { self[name].flatMap { Int64($0) } }
}

extension [UInt8] {
    /// `withUnsafeBytes` for typed throws.
    func withRawBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try withUnsafeBufferPointer { bytes throws(Failure) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
