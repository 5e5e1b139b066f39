// The JSON bodies that clients and masters send to a broker (protocol.md 7.9, 7.10), read leniently: unknown members are
// passed over, missing ones are empty.

import Basics
import Remoting

/// The body of HEART_BEAT (34).
struct ClientHeartbeat {
    var clientID = ""
    var producerGroups: [String] = []
    var consumerGroups: [(name: String, subscriptions: [Subscription])] = []

    /// Nil when it is no JSON, or names no client.
    init?(_ body: [UInt8]) {
        let isRead = body.readsObject { reader, key throws(RemotingError) in
            switch key {
            case "clientID": clientID = try reader.readString() ?? ""
            case "producerDataSet":
                try reader.elements { reader throws(RemotingError) in
                    if let name = try ClientHeartbeat.groupName(&reader) { producerGroups.append(name) }
                }
            case "consumerDataSet":
                try reader.elements { reader throws(RemotingError) in
                    try readConsumer(&reader)
                }
            default: try reader.skipValue()
            }
        }
        guard isRead else { return nil }
        if clientID.isEmpty { return nil }
    }

    private static func groupName(_ reader: inout JSONReader) throws(RemotingError) -> String? {
        var name: String?
        try reader.members { reader, key throws(RemotingError) in
            if key == "groupName" { name = try reader.readString() } else { try reader.skipValue() }
        }
        return name
    }

    private mutating func readConsumer(_ reader: inout JSONReader) throws(RemotingError) {
        var name: String?
        var subscriptions: [Subscription] = []
        try reader.members { reader, key throws(RemotingError) in
            switch key {
            case "groupName": name = try reader.readString()
            case "subscriptionDataSet":
                try reader.elements { reader throws(RemotingError) in
                    if let subscription = try ClientHeartbeat.subscription(&reader) {
                        subscriptions.append(subscription)
                    }
                }
            default: try reader.skipValue()
            }
        }
        if let name { consumerGroups.append((name, subscriptions)) }
    }

    private static func subscription(_ reader: inout JSONReader) throws(RemotingError) -> Subscription? {
        var subscription = Subscription(topic: "")
        try reader.members { reader, key throws(RemotingError) in
            switch key {
            case "topic": subscription.topic = try reader.readString() ?? ""
            case "subString": subscription.expression = try reader.readString() ?? "*"
            case "expressionType": subscription.expressionType = try reader.readString() ?? "TAG"
            case "subVersion": subscription.version = try reader.readInt64() ?? 0
            default: try reader.skipValue()
            }
        }
        return subscription.topic.isEmpty ? nil : subscription
    }
}

/// The body of LOCK_BATCH_MQ (41) and UNLOCK_BATCH_MQ (42).
struct LockRequest {
    struct Queue {
        var brokerName = ""
        var key = MessageQueueKey(topic: "", queueID: 0)
    }

    var group = ""
    var clientID = ""
    var queues: [Queue] = []

    /// Nil when it is no JSON.
    init?(_ body: [UInt8]) {
        let isRead = body.readsObject { reader, key throws(RemotingError) in
            switch key {
            case "clientId": clientID = try reader.readString() ?? ""
            case "consumerGroup": group = try reader.readString() ?? ""
            case "mqSet":
                try reader.elements { reader throws(RemotingError) in
                    queues.append(try LockRequest.queue(&reader))
                }
            default: try reader.skipValue()
            }
        }
        guard isRead else { return nil }
    }

    private static func queue(_ reader: inout JSONReader) throws(RemotingError) -> Queue {
        var queue = Queue()
        try reader.members { reader, key throws(RemotingError) in
            switch key {
            case "brokerName": queue.brokerName = try reader.readString() ?? ""
            case "topic": queue.key.topic = try reader.readString() ?? ""
            case "queueId": queue.key.queueID = try reader.readInt32() ?? 0
            default: try reader.skipValue()
            }
        }
        return queue
    }
}

/// The answer to GET_ALL_CONSUMER_OFFSET (43): `{"offsetTable":{"topic@group":{0:5,1:7}}}`.
struct ConsumerOffsetTable {
    var offsets: [(group: String, queue: MessageQueueKey, offset: Int64)] = []

    /// Nil when it is no JSON.
    init?(_ body: [UInt8]) {
        let isRead = body.readsObject { reader, key throws(RemotingError) in
            guard key == "offsetTable" else { return try reader.skipValue() }
            try reader.members { reader, name throws(RemotingError) in
                let parts = name.split(separator: "@", maxSplits: 1)
                guard parts.count == 2 else { return try reader.skipValue() }
                try reader.members { reader, queueID throws(RemotingError) in
                    guard let offset = try reader.readInt64(), let queueID = Int32(queueID) else { return }
                    let queue = MessageQueueKey(topic: String(parts[0]), queueID: queueID)
                    offsets.append((String(parts[1]), queue, offset))
                }
            }
        }
        guard isRead else { return nil }
    }
}

extension [UInt8] {
    /// Reads the bytes as one JSON object; `member` reads or skips each member's value. False when they are none.
    func readsObject(_ member: (inout JSONReader, String) throws(RemotingError) -> Void) -> Bool {
        withUnsafeBytes { bytes in
            do throws(RemotingError) {
                var reader = JSONReader(bytes)
                try reader.members(member)
                try reader.finish()
                return true
            } catch {
                return false
            }
        }
    }
}

extension JSONReader {
    /// Calls `read` in front of each member's value of an object; not at all for `null`.
    mutating func members(
        _ read: (inout JSONReader, String) throws(RemotingError) -> Void
    ) throws(RemotingError) {
        guard try beginObject() else { return }
        while let key = try nextKey() { try read(&self, key.string) }
    }

    /// Calls `read` in front of each element of an array; not at all for `null`.
    mutating func elements(
        _ read: (inout JSONReader) throws(RemotingError) -> Void
    ) throws(RemotingError) {
        guard try beginArray() else { return }
        while try nextElement() { try read(&self) }
    }
}
