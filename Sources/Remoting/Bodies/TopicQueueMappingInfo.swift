import Basics

/// Which logical queues of a static topic a broker holds (protocol.md 3.3, 3.4; v5).
public struct TopicQueueMappingInfo: RemotingBody {
    /// The broker.
    public var bname: String?
    /// Logical queue id to physical queue id.
    public var currIdMap: [Int64: Int32] = [:]
    /// Ignored by everybody but the broker.
    public var dirty = false
    /// The higher one counts where two brokers name a queue.
    public var epoch: Int64 = 0
    /// Default `__global__`.
    public var scope: String? = "__global__"
    /// The topic.
    public var topic: String?
    /// Logical queues of the topic.
    public var totalQueues: Int32 = 0

    /// Everything at its default.
    public init() {}

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private static let members: [StaticString] = [
        "bname", "currIdMap", "dirty", "epoch", "scope", "topic", "totalQueues",
    ]

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "bname": bname = try reader.readString()
        case "currIdMap":
            let map = try reader.readIntegerMap { reader throws(RemotingError) in try reader.readInt32() }
            currIdMap = map ?? [:]
        case "dirty": dirty = try reader.readBoolean() ?? dirty
        case "epoch": epoch = try reader.readInt64() ?? epoch
        case "scope": scope = try reader.readString()
        case "topic": topic = try reader.readString()
        case "totalQueues": totalQueues = try reader.readInt32() ?? totalQueues
        default:
            guard let known = key.spelling(among: Self.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.string("bname", bname, &output)
            members.integerMap("currIdMap", currIdMap, &output) { $1.append(decimal: $0) }
            members.boolean("dirty", dirty, &output)
            members.integer("epoch", epoch, &output)
            members.string("scope", scope, &output)
            members.string("topic", topic, &output)
            members.integer("totalQueues", Int64(totalQueues), &output)
        }
    }
}

/// One entry of a registration's `topicQueueMappingInfoMap`.
public struct TopicQueueMapping: Hashable, Sendable {
    /// The key in the map; the topic the NameServer files the mapping under.
    public var topic: String
    /// The mapping.
    public var info: TopicQueueMappingInfo

    /// Puts the two together.
    public init(topic: String, info: TopicQueueMappingInfo) {
        self.topic = topic
        self.info = info
    }
}
