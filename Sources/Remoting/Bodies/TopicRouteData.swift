import Basics

/// A topic's route: the answer to GET_ROUTEINFO_BY_TOPIC (protocol.md 3.4).
public struct TopicRouteData: RemotingBody {
    /// Broker groups that hold the topic.
    public var brokerDatas: [BrokerData] = []
    /// Broker address to its filter servers; normally empty.
    public var filterServerTable: [String: [String]] = [:]
    /// `brokerName:queueCount` items joined by `;`.
    public var orderTopicConf: String?
    /// One entry per broker group.
    public var queueDatas: [QueueData] = []
    /// Broker name to mapping, for static topics; nil leaves the member out.
    public var topicQueueMappingByBroker: [String: TopicQueueMappingInfo]?

    /// No brokers, no queues.
    public init() {}

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private static let members: [StaticString] = [
        "brokerDatas", "filterServerTable", "orderTopicConf", "queueDatas", "topicQueueMappingByBroker",
    ]

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "brokerDatas": brokerDatas = try reader.readObjects() ?? []
        case "filterServerTable":
            let table = try reader.readMap { reader throws(RemotingError) in try reader.readStrings() }
            filterServerTable = table ?? [:]
        case "orderTopicConf": orderTopicConf = try reader.readString()
        case "queueDatas": queueDatas = try reader.readObjects() ?? []
        case "topicQueueMappingByBroker":
            topicQueueMappingByBroker = try reader.readMap { reader throws(RemotingError) in
                try reader.readObject(TopicQueueMappingInfo.self)
            }
        default:
            guard let known = key.spelling(among: Self.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.array("brokerDatas", brokerDatas, &output) { $0.encode(dialect, into: &$1) }
            members.map("filterServerTable", filterServerTable, &output) { servers, output in
                JSONMembers.array(servers, dialect, &output) { $1.appendJSON(string: $0, dialect: dialect) }
            }
            members.string("orderTopicConf", orderTopicConf, &output)
            members.array("queueDatas", queueDatas, &output) { $0.encode(dialect, into: &$1) }
            if let topicQueueMappingByBroker {
                members.map("topicQueueMappingByBroker", topicQueueMappingByBroker, &output) {
                    $0.encode(dialect, into: &$1)
                }
            }
        }
    }
}
