import Basics

/// A broker group and the addresses of its replicas (protocol.md 3.4).
public struct BrokerData: RemotingBody {
    /// Replica id to `host:port`; 0 is the master.
    public var brokerAddrs: [Int64: String]
    /// The group.
    public var brokerName: String
    /// The cluster the group belongs to.
    public var cluster: String
    /// v5; nil leaves the member out as v4 does.
    public var enableActingMaster: Bool?
    /// v5; nil leaves the member out.
    public var zoneName: String?

    /// A group as v5 writes it.
    public init(
        cluster: String, brokerName: String, brokerAddrs: [Int64: String] = [:], enableActingMaster: Bool? = false,
        zoneName: String? = nil
    ) {
        self.brokerAddrs = brokerAddrs
        self.brokerName = brokerName
        self.cluster = cluster
        self.enableActingMaster = enableActingMaster
        self.zoneName = zoneName
    }

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        self.init(cluster: "", brokerName: "", enableActingMaster: nil)
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private static let members: [StaticString] = [
        "brokerAddrs", "brokerName", "cluster", "enableActingMaster", "zoneName",
    ]

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "brokerAddrs": brokerAddrs = try reader.readAddresses()
        case "brokerName": brokerName = try reader.readString() ?? ""
        case "cluster": cluster = try reader.readString() ?? ""
        case "enableActingMaster": enableActingMaster = try reader.readBoolean() ?? enableActingMaster
        case "zoneName": zoneName = try reader.readString()
        default:
            guard let known = key.spelling(among: Self.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.addresses(brokerAddrs, &output)
            members.string("brokerName", brokerName, &output)
            members.string("cluster", cluster, &output)
            members.boolean("enableActingMaster", enableActingMaster, &output)
            members.string("zoneName", zoneName, &output)
        }
    }
}

extension JSONReader {
    /// Reads a map of replica id to address.
    mutating func readAddresses() throws(RemotingError) -> [Int64: String] {
        try readIntegerMap { reader throws(RemotingError) in try reader.readString() } ?? [:]
    }
}

extension JSONMembers {
    /// Appends `brokerAddrs`.
    mutating func addresses(_ addresses: [Int64: String], _ output: inout ByteWriter) {
        let dialect = dialect
        integerMap("brokerAddrs", addresses, &output) { $1.appendJSON(string: $0, dialect: dialect) }
    }
}
