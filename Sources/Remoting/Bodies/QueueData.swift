import Basics

/// How many queues of a topic a broker group holds, and what may be done with them (protocol.md 3.4).
public struct QueueData: RemotingBody {
    /// The broker group.
    public var brokerName: String
    /// See `PermissionBits`.
    public var perm: Int32
    /// Queues 0 up to this may be read.
    public var readQueueNums: Int32
    /// Bit 0: unit, bit 1: unit subscription.
    public var topicSysFlag: Int32
    /// Queues 0 up to this may be written.
    public var writeQueueNums: Int32

    /// Puts the parts together; numbers default to 0 as in a body without them.
    public init(
        brokerName: String = "", readQueueNums: Int32 = 0, writeQueueNums: Int32 = 0, perm: Int32 = 0,
        topicSysFlag: Int32 = 0
    ) {
        self.brokerName = brokerName
        self.perm = perm
        self.readQueueNums = readQueueNums
        self.topicSysFlag = topicSysFlag
        self.writeQueueNums = writeQueueNums
    }

    /// See `RemotingBody`.
    public init(members reader: inout JSONReader) throws(RemotingError) {
        self.init()
        while let key = try reader.nextKey() { try read(key, &reader) }
    }

    private static let members: [StaticString] = [
        "brokerName", "perm", "readQueueNums", "topicSysFlag", "writeQueueNums",
    ]

    private mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "brokerName": brokerName = try reader.readString() ?? ""
        case "perm": perm = try reader.readInt32() ?? perm
        case "readQueueNums": readQueueNums = try reader.readInt32() ?? readQueueNums
        case "topicSysFlag": topicSysFlag = try reader.readInt32() ?? topicSysFlag
        case "writeQueueNums": writeQueueNums = try reader.readInt32() ?? writeQueueNums
        default:
            guard let known = key.spelling(among: Self.members) else { return try reader.skipValue() }
            try read(known, &reader)
        }
    }

    /// See `RemotingBody`.
    public func encode(_ dialect: JSONDialect, into output: inout ByteWriter) {
        output.appendObject(dialect) { members, output in
            members.string("brokerName", brokerName, &output)
            members.integer("perm", Int64(perm), &output)
            members.integer("readQueueNums", Int64(readQueueNums), &output)
            members.integer("topicSysFlag", Int64(topicSysFlag), &output)
            members.integer("writeQueueNums", Int64(writeQueueNums), &output)
        }
    }
}
