// What a broker says of its topics when it registers, packed: 1,000 topics are one array of small values and one array of
// name bytes, whatever form the body came in.
//
//   JSON (RegisterBrokerBody) ─┐
//   JSON (bare wrapper)        ├─▶ RegistrationBuilder ─▶ RegistrationBody
//   zlib, binary layout        ┘

import Basics

/// One topic of a registration; its names are ranges of `RegistrationBody.names`.
public struct PackedTopic: Hashable, Sendable {
    /// Offset of the topic's name.
    public var nameStart: UInt32 = 0
    /// Bytes of the topic's name.
    public var nameLength: UInt32 = 0
    /// Offset of its key in the broker's table; the name's own offset when both are the same text.
    public var keyStart: UInt32 = 0
    /// Bytes of the key.
    public var keyLength: UInt32 = 0
    /// Default 16.
    public var readQueueNums: Int32 = 16
    /// Default 16.
    public var writeQueueNums: Int32 = 16
    /// See `PermissionBits`. Default read and write.
    public var perm: Int32 = PermissionBits.read | PermissionBits.write
    /// Bit 0: unit, bit 1: unit subscription.
    public var topicSysFlag: Int32 = 0
    /// Whether messages keep their order across broker failures.
    public var order = false

    /// Whether the key in the broker's table is the topic's name, as it should be.
    public var isUnderItsName: Bool { keyStart == nameStart }
}

/// A registration's body (protocol.md 2.4, 3.7), decoded.
public struct RegistrationBody: Hashable, Sendable {
    /// Which state of the broker's topics this is.
    public var dataVersion = DataVersion.zero
    /// In order of arrival, each key once: of a repeated one the last entry counts.
    ///
    /// Names are unique too, except when `hasForeignKeys`: then the last topic of a name counts.
    public var topics: ContiguousArray<PackedTopic> = []
    /// All names and keys, UTF-8, back to back.
    public var names: [UInt8] = []
    /// Whether some topic's key in the broker's table is not its name.
    public var hasForeignKeys = false
    /// nil when not given, which leaves the broker's list as it is; an empty list clears it.
    public var filterServers: [String]? = []
    /// Static topics' queue mappings, in order of arrival, each topic once.
    public var mappingInfos: [TopicQueueMapping] = []

    /// The body of a registration that has none: no topics, version zero, no filter servers.
    public init() {}

    /// Calls back with a topic's name.
    @inlinable public func withName<Result>(
        of topic: PackedTopic, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withNames { try body($0.part(topic.nameStart, topic.nameLength)) }
    }

    /// Calls back with all names; cut one out with `UnsafeRawBufferPointer.part`.
    @inlinable public func withNames<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try names.withUnsafeBytes(body)
    }

    /// A topic's name as a string.
    public func name(of topic: PackedTopic) -> String {
        withName(of: topic) { String(decoding: $0, as: UTF8.self) }
    }

    /// A topic's key in the broker's table as a string; mostly its name.
    public func key(of topic: PackedTopic) -> String {
        withNames { String(decoding: $0.part(topic.keyStart, topic.keyLength), as: UTF8.self) }
    }

    /// The topics as owning values. Filter type and attributes are not kept and come out at their defaults.
    public var topicConfigs: [TopicConfig] {
        topics.map { topic in
            var config = TopicConfig(
                topicName: name(of: topic), readQueueNums: topic.readQueueNums,
                writeQueueNums: topic.writeQueueNums, perm: topic.perm)
            config.topicSysFlag = topic.topicSysFlag
            config.order = topic.order
            return config
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a packed name.
    @inlinable public func part(_ start: UInt32, _ length: UInt32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Int(start)..<Int(start) + Int(length)])
    }
}
