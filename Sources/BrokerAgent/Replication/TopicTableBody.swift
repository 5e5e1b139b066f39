import Basics
import Remoting

/// The body of the answer to GET_ALL_TOPIC_CONFIG (21): `{"dataVersion":{...},"topicConfigTable":{"T":{...}}}`, which is
/// also what a registration of a broker below version 37 carries (protocol.md 2.4).
struct TopicTableBody {
    var topics: [TopicConfig]
    var dataVersion: DataVersion

    private static let bareVersion = RemotingVersion.v3_0_11 - 1

    init(topics: [TopicConfig], dataVersion: DataVersion) {
        self.topics = topics
        self.dataVersion = dataVersion
    }

    /// Nil when the bytes are no such body.
    init?(_ body: [UInt8], receivedAt: WallTime) {
        let decoded = body.withUnsafeBytes {
            try? RegistrationBody.decode(
                $0, version: TopicTableBody.bareVersion, compressed: false, receivedAt: receivedAt)
        }
        guard let decoded else { return nil }
        self.init(topics: decoded.topicConfigs, dataVersion: decoded.dataVersion)
    }

    var encoded: [UInt8] {
        RegistrationBody.encode(topics: topics, dataVersion: dataVersion, version: TopicTableBody.bareVersion)
    }
}
