import Basics
import Remoting

/// The body of the answer to GET_ALL_TOPIC_CONFIG (21): `{"dataVersion":{...},"topicConfigTable":{"T":{...}}}`.
struct TopicTableBody {
    var topics: [TopicConfig] = []
    var dataVersion = DataVersion(counter: 0, timestamp: 0, stateVersion: 0)

    init(topics: [TopicConfig], dataVersion: DataVersion) {
        self.topics = topics
        self.dataVersion = dataVersion
    }

    /// Nil when it is no JSON.
    init?(_ body: [UInt8]) {
        let isRead = body.readsObject { reader, key throws(RemotingError) in
            switch key {
            case "dataVersion": try readVersion(&reader)
            case "topicConfigTable":
                try reader.members { reader, name throws(RemotingError) in
                    topics.append(try TopicTableBody.topic(name, &reader))
                }
            default: try reader.skipValue()
            }
        }
        guard isRead else { return nil }
    }

    /// The body as a broker sends it.
    var encoded: [UInt8] {
        JSONBody.object { body in
            body.member("dataVersion") {
                $0.member("counter", dataVersion.counter ?? 0)
                $0.member("stateVersion", dataVersion.stateVersion)
                $0.member("timestamp", dataVersion.timestamp)
            }
            body.member("topicConfigTable") { table in
                for topic in topics { table.member(topic.topicName) { TopicTableBody.write(topic, &$0) } }
            }
        }
    }

    private static func write(_ topic: TopicConfig, _ body: inout JSONBody) {
        body.member("attributes") { _ in }
        body.member("order", topic.order)
        body.member("perm", Int64(topic.perm))
        body.member("readQueueNums", Int64(topic.readQueueNums))
        body.member("topicFilterType", "SINGLE_TAG")
        body.member("topicName", topic.topicName)
        body.member("topicSysFlag", Int64(topic.topicSysFlag))
        body.member("writeQueueNums", Int64(topic.writeQueueNums))
    }

    private mutating func readVersion(_ reader: inout JSONReader) throws(RemotingError) {
        try reader.members { reader, key throws(RemotingError) in
            switch key {
            case "counter": dataVersion.counter = try reader.readInt64()
            case "timestamp": dataVersion.timestamp = try reader.readInt64() ?? 0
            case "stateVersion": dataVersion.stateVersion = try reader.readInt64() ?? 0
            default: try reader.skipValue()
            }
        }
    }

    private static func topic(_ name: String, _ reader: inout JSONReader) throws(RemotingError) -> TopicConfig {
        var topic = TopicConfig(name, queues: 8)
        try reader.members { reader, key throws(RemotingError) in
            switch key {
            case "perm": topic.perm = try reader.readInt32() ?? topic.perm
            case "readQueueNums": topic.readQueueNums = try reader.readInt32() ?? topic.readQueueNums
            case "writeQueueNums": topic.writeQueueNums = try reader.readInt32() ?? topic.writeQueueNums
            case "topicSysFlag": topic.topicSysFlag = try reader.readInt32() ?? 0
            case "order": topic.order = try reader.readBoolean() ?? false
            default: try reader.skipValue()
            }
        }
        return topic
    }
}
