import Basics
import Remoting

struct ClientHeartbeat {
    var clientID: String
    var producerGroups: [String]
    var consumerGroups: [(String, [Subscription])]
    init?(_ body: [UInt8]) { return nil }
}
struct LockRequest {
    struct Queue {
        var brokerName: String
        var key: MessageQueueKey
    }
    var group: String
    var clientID: String
    var queues: [Queue]
    init?(_ body: [UInt8]) { return nil }
}
struct ConsumerOffsetTable {
    var offsets: [(group: String, queue: MessageQueueKey, offset: Int64)]
    init?(_ body: [UInt8]) { return nil }
}
extension RegistrationBody { static func encode(bareTopics: [TopicConfig], dataVersion: DataVersion) -> [UInt8] { [] } }
struct BareTopics {
    var topics: [TopicConfig]
    var dataVersion: DataVersion
    init?(_ body: [UInt8], receivedAt: WallTime) { return nil }
}
