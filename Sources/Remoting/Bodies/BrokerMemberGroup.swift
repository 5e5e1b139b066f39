import Basics

/// One group's addresses: the answer to GET_BROKER_MEMBER_GROUP, inside its `brokerMemberGroup` (protocol.md 3.5).
public struct BrokerMemberGroup: RemotingBody {
    /// Replica id to `host:port`; empty for an unknown group.
    public var brokerAddrs: [Int64: String]
    /// As in the request; nil when it had none.
    public var brokerName: String?
    /// As in the request; nil when it had none.
    public var cluster: String?

    /// Puts the parts together.
    public init(cluster: String?, brokerName: String?, brokerAddrs: [Int64: String] = [:]) {
        self.brokerAddrs = brokerAddrs
        self.brokerName = brokerName
        self.cluster = cluster
    }

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        self.init(cluster: nil, brokerName: nil)
        while let key = try reader.nextKey() {
            switch key {
            case "brokerMemberGroup":
                guard let group = try reader.readObject(BrokerMemberGroup.self) else { continue }
                self = group
            case "brokerAddrs": brokerAddrs = try reader.readAddresses()
            case "brokerName": brokerName = try reader.readString()
            case "cluster": cluster = try reader.readString()
            default: try reader.skipValue()
            }
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.name("brokerMemberGroup", &output)
            output.appendObject(dialect) { members, output in
                members.addresses(brokerAddrs, &output)
                members.string("brokerName", brokerName, &output)
                members.string("cluster", cluster, &output)
            }
        }
    }
}
