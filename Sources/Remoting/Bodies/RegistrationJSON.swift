// The hot path of a changed registration: one pass over the JSON, straight into packed topics.

import Basics

/// Decodes RegisterBrokerBody and, for versions below 37, the bare wrapper (protocol.md 3.3, 3.7).
struct RegistrationJSON: ~Copyable {
    private let receivedAt: WallTime
    private var body = RegistrationBody()
    private var builder = RegistrationBuilder()
    private var mappings = MappingTable()
    /// Where names with escapes are unescaped to.
    private var keyScratch = ByteWriter(capacity: 64)
    private var nameScratch = ByteWriter(capacity: 64)

    init(receivedAt: WallTime) {
        self.receivedAt = receivedAt
        // What an object without the member stands for (3.3).
        body.dataVersion = DataVersion(counter: 0, timestamp: receivedAt.milliseconds)
    }

    mutating func decodeBody(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> RegistrationBody {
        guard var reader = try JSONReader(object: bytes) else {
            throw RemotingError(.missingValue, "the body is no object")
        }
        while let key = try reader.nextKey() { try readBodyMember(key, &reader) }
        return try finish(&reader)
    }

    mutating func decodeBareWrapper(_ bytes: UnsafeRawBufferPointer) throws(RemotingError) -> RegistrationBody {
        body.filterServers = nil
        guard var reader = try JSONReader(object: bytes) else {
            throw RemotingError(.missingValue, "the body is no object")
        }
        while let key = try reader.nextKey() { try readWrapperMember(key, &reader) }
        return try finish(&reader)
    }

    private mutating func finish(_ reader: inout JSONReader) throws(RemotingError) -> RegistrationBody {
        try reader.finish()
        body.mappingInfos = mappings.all
        builder.finish(into: &body)
        return body
    }

    // MARK: Body and wrapper

    private static let bodyMembers: [StaticString] = ["filterServerList", "topicConfigSerializeWrapper"]
    private static let wrapperMembers: [StaticString] = ["dataVersion", "topicConfigTable", "topicQueueMappingInfoMap"]

    private mutating func readBodyMember(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "filterServerList": body.filterServers = try reader.readStrings()
        case "topicConfigSerializeWrapper":
            guard try reader.beginObject() else { throw RemotingError(.missingValue, "topicConfigSerializeWrapper") }
            while let key = try reader.nextKey() { try readWrapperMember(key, &reader) }
        default:
            guard let known = key.spelling(among: Self.bodyMembers) else { return try reader.skipValue() }
            try readBodyMember(known, &reader)
        }
    }

    private mutating func readWrapperMember(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        switch key {
        case "dataVersion":
            guard try reader.beginObject() else { throw RemotingError(.missingValue, "dataVersion") }
            body.dataVersion = try DataVersion(members: &reader, receivedAt: receivedAt)
        case "topicConfigTable":
            guard try reader.beginObject() else { throw RemotingError(.missingValue, "topicConfigTable") }
            while let key = try reader.nextKey() { try readTopic(key, &reader) }
        case "topicQueueMappingInfoMap":
            guard try reader.beginObject() else { return }
            while let key = try reader.nextKey() {
                guard let info = try reader.readObject(TopicQueueMappingInfo.self) else { continue }
                try mappings.put(TopicQueueMapping(topic: key.string, info: info))
            }
        default:
            guard let known = key.spelling(among: Self.wrapperMembers) else { return try reader.skipValue() }
            try readWrapperMember(known, &reader)
        }
    }

    // MARK: Topics

    private static let topicMembers: [StaticString] = [
        "attributes", "order", "perm", "readQueueNums", "topicFilterType", "topicName", "topicSysFlag",
        "writeQueueNums",
    ]

    /// Reads one entry of the table. One without a name is taken for absent (2.24).
    private mutating func readTopic(_ key: JSONText, _ reader: inout JSONReader) throws(RemotingError) {
        guard try reader.beginObject() else { throw RemotingError(.missingValue, "topic \(key.string)") }
        var topic = PackedTopic()
        var name: JSONText?
        while let member = try reader.nextKey() {
            if try RegistrationJSON.readTopicMember(member, &topic, &name, &reader) { continue }
            guard let known = member.spelling(among: Self.topicMembers) else {
                try reader.skipValue()
                continue
            }
            _ = try RegistrationJSON.readTopicMember(known, &topic, &name, &reader)
        }
        guard let name else { return }
        if key.isEscaped || name.isEscaped {
            try addEscaped(topic, key: key, name: name)
        } else {
            try builder.add(topic, key: key.raw, name: name.raw)
        }
    }

    /// Reads the value of a member in its usual spelling; false, without reading, for any other.
    private static func readTopicMember(
        _ member: JSONText, _ topic: inout PackedTopic, _ name: inout JSONText?, _ reader: inout JSONReader
    ) throws(RemotingError) -> Bool {
        switch member {
        case "attributes": try reader.skipValue()
        case "order": topic.order = try reader.readBoolean() ?? topic.order
        case "perm": topic.perm = try reader.readInt32() ?? topic.perm
        case "readQueueNums": topic.readQueueNums = try reader.readInt32() ?? topic.readQueueNums
        case "topicFilterType": try reader.skipValue()
        case "topicName": name = try reader.readText()
        case "topicSysFlag": topic.topicSysFlag = try reader.readInt32() ?? topic.topicSysFlag
        case "writeQueueNums": topic.writeQueueNums = try reader.readInt32() ?? topic.writeQueueNums
        default: return false
        }
        return true
    }

    private mutating func addEscaped(_ topic: PackedTopic, key: JSONText, name: JSONText) throws(RemotingError) {
        keyScratch.removeAll()
        nameScratch.removeAll()
        key.unescape(into: &keyScratch)
        name.unescape(into: &nameScratch)
        try builder.add(topic, key: keyScratch.bytes, name: nameScratch.bytes)
    }
}
