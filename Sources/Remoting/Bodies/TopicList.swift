import Basics

/// A list of topics, or of cluster and broker names (protocol.md 3.5).
public struct TopicList: RemotingBody {
    /// The address of some broker; only in the answer to GET_SYSTEM_TOPIC_LIST_FROM_NS.
    public var brokerAddr: String?
    /// Each once.
    public var topicList: [String]

    /// Puts the parts together.
    public init(topicList: [String] = [], brokerAddr: String? = nil) {
        self.brokerAddr = brokerAddr
        self.topicList = topicList
    }

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        self.init()
        while let key = try reader.nextKey() {
            switch key {
            case "brokerAddr": brokerAddr = try reader.readString()
            case "topicList": topicList = try reader.readStrings() ?? []
            default: try reader.skipValue()
            }
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.string("brokerAddr", brokerAddr, &output)
            members.strings("topicList", topicList, &output)
        }
    }
}
