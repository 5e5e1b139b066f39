// The inflated form of a compressed registration.

import Basics

extension RegistrationBody {
    /// | size | field | size | field |
    /// |---|---|---|---|
    /// | 4 + n | DataVersion, JSON | 4 + n | filter servers, JSON array |
    /// | 4 | topics | 4 | mappings (request version 413 and above only) |
    /// | 4 + n | … each: `TopicTest 8 8 6 SINGLE_TAG {}` | 4 + n | … each: TopicQueueMappingInfo, JSON |
    ///
    /// (protocol.md 2.4.) A negative count is none; bytes behind the last field are ignored.
    init(binary bytes: UnsafeRawBufferPointer, hasMappings: Bool, receivedAt: WallTime) throws(RemotingError) {
        self.init()
        var reader = ByteReader(bytes)
        guard let version = try DataVersion.decode(try RegistrationBody.block(&reader), receivedAt: receivedAt) else {
            throw RemotingError(.missingValue, "dataVersion")
        }
        dataVersion = version
        var builder = RegistrationBuilder()
        let topicCount = try RegistrationBody.count(&reader, limit: BodyLimits.topicCount)
        for _ in 0..<topicCount {
            let entry = TopicEntry(try RegistrationBody.block(&reader))
            let (topic, name) = try entry.parse()
            try builder.add(topic, key: name, name: name)
        }
        builder.finish(into: &self)
        filterServers = RegistrationBody.filterServers(try RegistrationBody.block(&reader))
        guard hasMappings else { return }
        var mappings = MappingTable()
        let mappingCount = try RegistrationBody.count(&reader, limit: BodyLimits.mappingCount)
        for _ in 0..<mappingCount {
            let info = try TopicQueueMappingInfo.decode(try RegistrationBody.block(&reader))
            guard let info, let topic = info.topic else { continue }
            try mappings.put(TopicQueueMapping(topic: topic, info: info))
        }
        mappingInfos = mappings.all
    }

    private static func count(_ reader: inout ByteReader, limit: Int) throws(RemotingError) -> Int {
        guard let count = reader.readInteger(Int32.self) else { throw RemotingError(.body, "a count is missing") }
        guard count <= limit else { throw RemotingError(.limit, "\(count) entries, at most \(limit)") }
        return max(0, Int(count))
    }

    private static func block(_ reader: inout ByteReader) throws(RemotingError) -> UnsafeRawBufferPointer {
        guard let length = reader.readInteger(Int32.self), let bytes = reader.readBytes(Int(length)) else {
            throw RemotingError(.body, "a text is missing at byte \(reader.position)")
        }
        return bytes
    }

    /// A list that cannot be read is an empty one: the reference only logs it.
    private static func filterServers(_ bytes: UnsafeRawBufferPointer) -> [String] {
        guard bytes.isUTF8 else { return [] }
        do {
            var reader = JSONReader(bytes)
            let servers = try reader.readStrings()
            try reader.finish()
            return servers ?? []
        } catch {
            return []
        }
    }
}

/// `TopicTest 8 8 6 SINGLE_TAG {"a":"b"}`: at least five fields with one space between them; the sixth is not needed.
private struct TopicEntry {
    let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    func parse() throws(RemotingError) -> (PackedTopic, name: UnsafeRawBufferPointer) {
        var fields = self
        guard let name = fields.next(), let read = fields.nextNumber(), let write = fields.nextNumber(),
            let perm = fields.nextNumber(), let filterType = fields.next(),
            filterType == "SINGLE_TAG" || filterType == "MULTI_TAG", name.isUTF8
        else { throw RemotingError(.body, "topic entry \(String(decoding: text.prefix(80), as: UTF8.self))") }
        var topic = PackedTopic()
        topic.readQueueNums = read
        topic.writeQueueNums = write
        topic.perm = perm
        return (topic, name)
    }

    private mutating func next() -> UnsafeRawBufferPointer? {
        guard position <= text.count else { return nil }
        let start = position
        while position < text.count, text[position] != UInt8(ascii: " ") { position += 1 }
        defer { position += 1 }
        return UnsafeRawBufferPointer(rebasing: text[start..<position])
    }

    private mutating func nextNumber() -> Int32? { next().flatMap(IntegerText.strict).flatMap { Int32(exactly: $0) } }
}
