import Basics

/// How messages of a topic are tagged. The NameServer ignores it.
public enum TopicFilterType: String, Hashable, Sendable, CaseIterable {
    /// One tag per message.
    case singleTag = "SINGLE_TAG"
    /// Several.
    case multiTag = "MULTI_TAG"
}

/// One topic as its broker configures it (protocol.md 3.3, 3.7): an owning value, for brokers and tools.
public struct TopicConfig: Hashable, Sendable {
    /// Never empty in practice.
    public var topicName: String
    /// Default 16.
    public var readQueueNums: Int32 = 16
    /// Default 16.
    public var writeQueueNums: Int32 = 16
    /// See `PermissionBits`. Default read and write.
    public var perm: Int32 = PermissionBits.read | PermissionBits.write
    /// Default one tag.
    public var topicFilterType = TopicFilterType.singleTag
    /// Bit 0: unit, bit 1: unit subscription.
    public var topicSysFlag: Int32 = 0
    /// Whether messages keep their order across broker failures.
    public var order = false
    /// v5 only.
    public var attributes: [String: String] = [:]

    /// A topic with everything else at its default.
    public init(
        topicName: String, readQueueNums: Int32 = 16, writeQueueNums: Int32 = 16,
        perm: Int32 = PermissionBits.read | PermissionBits.write
    ) {
        self.topicName = topicName
        self.readQueueNums = readQueueNums
        self.writeQueueNums = writeQueueNums
        self.perm = perm
    }

    /// Appends the JSON object.
    ///
    /// - Parameter hasAttributes: false writes v4's form, which has no such member.
    func encode(hasAttributes: Bool, into output: inout ByteWriter) {
        output.appendObject(.legacy) { members, output in
            if hasAttributes {
                members.map("attributes", attributes, &output) { $1.appendJSON(string: $0, dialect: .legacy) }
            }
            members.boolean("order", order, &output)
            members.integer("perm", Int64(perm), &output)
            members.integer("readQueueNums", Int64(readQueueNums), &output)
            members.string("topicFilterType", topicFilterType.rawValue, &output)
            members.string("topicName", topicName, &output)
            members.integer("topicSysFlag", Int64(topicSysFlag), &output)
            members.integer("writeQueueNums", Int64(writeQueueNums), &output)
        }
    }

    /// Appends the entry of a compressed registration: fields with one space between them (2.4).
    func encodeText(hasAttributes: Bool, into output: inout ByteWriter) {
        output.append(utf8: topicName)
        for number in [readQueueNums, writeQueueNums, perm] {
            output.append(UInt8(ascii: " "))
            output.append(decimal: number)
        }
        output.append(UInt8(ascii: " "))
        output.append(utf8: topicFilterType.rawValue)
        guard hasAttributes else { return }
        output.append(UInt8(ascii: " "))
        JSONMembers.map(attributes, .legacy, &output) { $1.appendJSON(string: $0, dialect: .legacy) }
    }
}
