// A message as brokers keep it and pull answers carry it (protocol.md 7.11). Shared by the stand-in broker, which
// writes it, and the route client, which reads it.

import Basics

/// One message of a pull answer.
///
/// | size | field | size | field |
/// |---|---|---|---|
/// | 4 | total size, this word included | 4 or 16, + 4 | born host: address, port |
/// | 4 | magic | 8 | store timestamp |
/// | 4 | CRC-32 of the body, sign bit cleared | 4 or 16, + 4 | store host: address, port |
/// | 4 | queue id | 4 | reconsume times |
/// | 4 | flag | 8 | prepared transaction offset |
/// | 8 | queue offset | 4 + n | body length, body |
/// | 8 | commit-log offset | 1 + n (2 + n with the second magic) | topic length, topic |
/// | 4 | sysFlag | 2 + n | properties length, properties |
/// | 8 | born timestamp | | |
public struct StoredMessage: Hashable, Sendable {
    /// At most `topicLimit` bytes of UTF-8.
    public var topic: String
    /// The queue within topic and broker, from 0.
    public var queueID: Int32
    /// Position within the queue, from 0.
    public var queueOffset: Int64
    /// Position in the broker's log, in bytes; part of the message id.
    public var commitLogOffset: Int64 = 0
    /// The user's own flag; nobody else looks at it.
    public var flag: Int32 = 0
    /// See `SysFlag`. The two host bits are set by `encode` from the hosts themselves.
    public var sysFlag: Int32 = 0
    /// Milliseconds since 1970, by the producer's clock.
    public var bornTimestamp: WallTime = WallTime(milliseconds: 0)
    /// An IPv4 or IPv6 address; a name is written as 0.0.0.0.
    public var bornHost: Address = Address(host: "0.0.0.0", port: 0)
    /// Milliseconds since 1970, by the broker's clock.
    public var storeTimestamp: WallTime = WallTime(milliseconds: 0)
    /// As `bornHost`; part of the message id.
    public var storeHost: Address = Address(host: "0.0.0.0", port: 0)
    /// How often a consumer group has sent it back, from 0.
    public var reconsumeTimes: Int32 = 0
    /// Where the log holds the prepared half of a transaction; 0 for an ordinary message.
    public var preparedTransactionOffset: Int64 = 0
    /// The bytes as sent: compressed when `sysFlag` says so.
    public var body: [UInt8]
    /// The wire text, see `MessageProperties`; at most `propertiesLimit` bytes of UTF-8.
    public var properties: String = ""

    /// A message with everything else at its default.
    public init(topic: String, queueID: Int32, queueOffset: Int64, body: [UInt8]) {
        self.topic = topic
        self.queueID = queueID
        self.queueOffset = queueOffset
        self.body = body
    }

    /// Bits of `sysFlag`.
    public enum SysFlag {
        /// The body is compressed.
        public static let compressed: Int32 = 1 << 0
        /// Bits 2 and 3: 0 none, 1 prepared, 2 commit, 3 rollback.
        public static let transactionMask: Int32 = 3 << 2
        /// The born host is IPv6.
        public static let bornHostIPv6: Int32 = 1 << 4
        /// The store host is IPv6.
        public static let storeHostIPv6: Int32 = 1 << 5
        /// Bits 8 to 10 (v5): how the body is compressed; 0 and 3 are zlib, 1 LZ4, 2 Zstandard.
        public static let compressionMask: Int32 = 7 << 8
    }

    /// Longest topic in bytes: RocketMQ's own limit is 255, with the second magic's two length bytes.
    public static let topicLimit = 255
    /// Longest properties text in bytes: the length is a signed 16-bit number to Java.
    public static let propertiesLimit = 32_767

    /// Largest body after inflating: 16 MiB, four times RocketMQ's `maxMessageSize`.
    public static let plainBodyLimit = 16 << 20

    /// Topic length in one byte.
    static let magic: UInt32 = 0xDAA3_20A7
    /// Topic length in two bytes: v5, for topics above 127 bytes.
    static let secondMagic: UInt32 = 0xDAA3_20AB

    /// The customary message id in upper-case hex: store host (4 or 16 bytes), port (4), commit-log offset (8).
    public var messageID: String {
        var bytes = ByteWriter(capacity: 64)
        _ = StoredMessage.append(storeHost, to: &bytes)
        bytes.append(bigEndian: commitLogOffset)
        let digits = Array("0123456789ABCDEF".utf8)
        return String(decoding: bytes.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

extension StoredMessage {
    /// Appends the message. Traps when topic or properties are longer than their limits: who accepts messages checks.
    public func encode(into output: inout ByteWriter) {
        let (topicLength, propertiesLength) = (topic.utf8.count, properties.utf8.count)
        precondition(topicLength <= StoredMessage.topicLimit, "topic of \(topicLength) bytes")
        precondition(propertiesLength <= StoredMessage.propertiesLimit, "properties of \(propertiesLength) bytes")
        let isLong = topicLength > Int8.max
        let start = output.count
        output.reserve(128 + body.count + topicLength + propertiesLength)
        output.append(bigEndian: UInt32(0))
        output.append(bigEndian: isLong ? StoredMessage.secondMagic : StoredMessage.magic)
        output.append(bigEndian: StoredMessage.checksum(body))
        output.append(bigEndian: queueID)
        output.append(bigEndian: flag)
        output.append(bigEndian: queueOffset)
        output.append(bigEndian: commitLogOffset)
        let sysFlagPosition = output.count
        output.append(bigEndian: sysFlag)
        output.append(bigEndian: bornTimestamp.milliseconds)
        var hostBits: Int32 = 0
        if StoredMessage.append(bornHost, to: &output) == .v6 { hostBits |= SysFlag.bornHostIPv6 }
        output.append(bigEndian: storeTimestamp.milliseconds)
        if StoredMessage.append(storeHost, to: &output) == .v6 { hostBits |= SysFlag.storeHostIPv6 }
        let others = sysFlag & ~(SysFlag.bornHostIPv6 | SysFlag.storeHostIPv6)
        output.patch(bigEndian: others | hostBits, at: sysFlagPosition)
        output.append(bigEndian: reconsumeTimes)
        output.append(bigEndian: preparedTransactionOffset)
        output.append(bigEndian: UInt32(body.count))
        output.append(body)
        if isLong { output.append(bigEndian: UInt16(topicLength)) } else { output.append(UInt8(topicLength)) }
        output.append(utf8: topic)
        output.append(bigEndian: UInt16(propertiesLength))
        output.append(utf8: properties)
        output.patch(bigEndian: UInt32(output.count - start), at: start)
    }

    /// Reads one message; checks its sizes, its magic and the checksum of its body.
    public static func decode(from reader: inout ByteReader) throws(StoredMessageError) -> StoredMessage {
        guard let size = reader.readInteger(UInt32.self) else { throw .truncated }
        guard let bytes = reader.readBytes(Int(size) - 4) else { throw .truncated }
        var fields = ByteReader(bytes)
        let message = try decode(fields: &fields)
        guard fields.remaining == 0 else { throw .trailingBytes(fields.remaining) }
        return message
    }

    /// Reads the messages of a pull answer, back to back to the end.
    public static func decodeAll(_ body: UnsafeRawBufferPointer) throws(StoredMessageError) -> [StoredMessage] {
        var reader = ByteReader(body)
        var messages: [StoredMessage] = []
        while reader.remaining > 0 { messages.append(try decode(from: &reader)) }
        return messages
    }

    /// The body as the producer made it: inflated when `sysFlag` says that it is compressed with zlib.
    ///
    /// - Parameter limit: the largest result in bytes.
    public func plainBody(limit: Int = StoredMessage.plainBodyLimit) throws(StoredMessageError) -> [UInt8] {
        guard sysFlag & SysFlag.compressed != 0 else { return body }
        let compression = (sysFlag & SysFlag.compressionMask) >> 8
        guard compression == 0 || compression == 3 else { throw .unknownCompression(compression) }
        do throws(RemotingError) {
            return try body.withUnsafeBufferPointer { bytes throws(RemotingError) in
                try Zlib.inflate(UnsafeRawBufferPointer(bytes), limit: limit)
            }
        } catch {
            throw .malformedCompression
        }
    }

    private static func decode(fields: inout ByteReader) throws(StoredMessageError) -> StoredMessage {
        let magic: UInt32 = try next(&fields)
        guard magic == self.magic || magic == secondMagic else { throw .unknownMagic(magic) }
        let checksum: UInt32 = try next(&fields)
        var message = StoredMessage(topic: "", queueID: try next(&fields), queueOffset: 0, body: [])
        message.flag = try next(&fields)
        message.queueOffset = try next(&fields)
        message.commitLogOffset = try next(&fields)
        message.sysFlag = try next(&fields)
        message.bornTimestamp.milliseconds = try next(&fields)
        message.bornHost = try host(&fields, message.sysFlag & SysFlag.bornHostIPv6 != 0 ? .v6 : .v4)
        message.storeTimestamp.milliseconds = try next(&fields)
        message.storeHost = try host(&fields, message.sysFlag & SysFlag.storeHostIPv6 != 0 ? .v6 : .v4)
        message.reconsumeTimes = try next(&fields)
        message.preparedTransactionOffset = try next(&fields)
        message.body = [UInt8](try bytes(&fields, Int(try next(&fields) as Int32)))
        // 0 stands for "not computed", as in a registration (2.4).
        guard checksum == 0 || checksum == self.checksum(message.body) else { throw .wrongChecksum }
        let topicLength = magic == secondMagic ? Int(try next(&fields) as UInt16) : Int(try next(&fields) as UInt8)
        message.topic = String(decoding: try bytes(&fields, topicLength), as: UTF8.self)
        message.properties = String(decoding: try bytes(&fields, Int(try next(&fields) as UInt16)), as: UTF8.self)
        return message
    }

    private static func next<Value: FixedWidthInteger>(
        _ fields: inout ByteReader
    ) throws(StoredMessageError) -> Value {
        guard let value = fields.readInteger(Value.self) else { throw .truncated }
        return value
    }

    private static func bytes(
        _ fields: inout ByteReader, _ count: Int
    ) throws(StoredMessageError) -> UnsafeRawBufferPointer {
        guard let bytes = fields.readBytes(count) else { throw .truncated }
        return bytes
    }

    private static func host(
        _ fields: inout ByteReader, _ family: HostBytes.Family
    ) throws(StoredMessageError) -> Address {
        let host = HostBytes.text(try bytes(&fields, family.rawValue))
        return Address(host: host, port: UInt16(truncatingIfNeeded: try next(&fields) as UInt32))
    }

    /// CRC-32 with the sign bit cleared (2.4).
    private static func checksum(_ body: [UInt8]) -> UInt32 {
        body.withUnsafeBytes { UInt32(bitPattern: Checksum.bodyCRC32($0)) }
    }
    private static func append(_ address: Address, to output: inout ByteWriter) -> HostBytes.Family {
        let bytes = HostBytes.parse(address.host) ?? [0, 0, 0, 0]
        output.append(bytes)
        output.append(bigEndian: UInt32(address.port))
        return bytes.count == 16 ? .v6 : .v4
    }
}

/// Why bytes are no message.
public enum StoredMessageError: Error, Hashable, Sendable {
    /// The bytes end inside a field.
    case truncated
    /// The total size is larger than the fields.
    case trailingBytes(Int)
    /// Neither of the two known layouts.
    case unknownMagic(UInt32)
    /// The body is not what was stored.
    case wrongChecksum
    /// A compression other than zlib (`SysFlag.compressionMask`).
    case unknownCompression(Int32)
    /// The body is no zlib stream, or inflates beyond the limit.
    case malformedCompression
}
