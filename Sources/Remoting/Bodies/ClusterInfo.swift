import Basics

/// All broker groups and clusters: the answer to GET_BROKER_CLUSTER_INFO (protocol.md 3.5).
public struct ClusterInfo: RemotingBody {
    /// Broker name to group.
    public var brokerAddrTable: [String: BrokerData] = [:]
    /// Cluster name to broker names.
    public var clusterAddrTable: [String: [String]] = [:]

    /// Nothing known.
    public init() {}

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private static let members: [StaticString] = ["brokerAddrTable", "clusterAddrTable"]

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "brokerAddrTable":
            let table = try reader.readMap { reader throws(RemotingError) in try reader.readObject(BrokerData.self) }
            brokerAddrTable = table ?? [:]
        case "clusterAddrTable":
            let table = try reader.readMap { reader throws(RemotingError) in try reader.readStrings() }
            clusterAddrTable = table ?? [:]
        default:
            guard let known = key.spelling(among: Self.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.map("brokerAddrTable", brokerAddrTable, &output) { $0.encode(dialect, into: &$1) }
            members.map("clusterAddrTable", clusterAddrTable, &output) { names, output in
                JSONMembers.array(names, dialect, &output) { $1.appendJSON(string: $0, dialect: dialect) }
            }
        }
    }
}
