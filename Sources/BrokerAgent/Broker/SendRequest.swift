import Basics
import Remoting

/// The header of SEND_MESSAGE (10) and SEND_MESSAGE_V2 (310, 320), which say the same in long and short names
/// (protocol.md 7.8).
struct SendRequest {
    var group: String
    var topic: String
    var defaultTopic: String
    var defaultTopicQueues: Int32
    var queueID: Int32
    var sysFlag: Int32
    var bornTimestamp: WallTime
    var flag: Int32
    var properties: MessageProperties
    var reconsumeTimes: Int32
    var maxReconsumeTimes: Int32
    var isBatch: Bool
    /// The properties' length as they came, in bytes.
    var propertyBytes: Int

    init(_ command: RemotingCommand) {
        let isLong = command.code == RequestCode.sendMessage
        func text(_ long: String, _ short: String) -> String { command[isLong ? long : short] ?? "" }
        func number(_ long: String, _ short: String) -> Int64 { Int64(text(long, short)) ?? 0 }
        func small(_ long: String, _ short: String) -> Int32 { Int32(text(long, short)) ?? 0 }
        group = text("producerGroup", "a")
        topic = text("topic", "b")
        defaultTopic = text("defaultTopic", "c")
        defaultTopicQueues = small("defaultTopicQueueNums", "d")
        queueID = small("queueId", "e")
        sysFlag = small("sysFlag", "f")
        bornTimestamp = WallTime(milliseconds: number("bornTimestamp", "g"))
        flag = small("flag", "h")
        let propertyText = text("properties", "i")
        propertyBytes = propertyText.utf8.count
        properties = MessageProperties(propertyText)
        reconsumeTimes = small("reconsumeTimes", "j")
        maxReconsumeTimes = small("maxReconsumeTimes", "l")
        let batch = text("batch", "m")
        // The C++ client writes booleans as digits.
        isBatch = command.code == RequestCode.sendBatchMessage || batch.lowercased() == "true" || batch == "1"
    }
}

/// The messages inside a batch's body.
///
/// Each: total size (4), magic (4), body CRC (4), flag (4), body length (4) and body, properties length (2) and text.
enum MessageBatch {
    struct Part {
        var flag: Int32
        var body: [UInt8]
        var properties: MessageProperties
        var propertyBytes: Int
    }

    /// The parts; nil when the body is no batch, or holds none or more than `limit`.
    static func parts(of body: [UInt8], limit: Int) -> [Part]? {
        body.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var parts: [Part] = []
            while reader.remaining > 0 {
                guard parts.count < limit, let part = part(&reader) else { return nil }
                parts.append(part)
            }
            return parts.isEmpty ? nil : parts
        }
    }

    private static func part(_ reader: inout ByteReader) -> Part? {
        guard let size = reader.readInteger(Int32.self), let bytes = reader.readBytes(Int(size) - 4) else { return nil }
        var fields = ByteReader(bytes)
        guard fields.readBytes(8) != nil, let flag = fields.readInteger(Int32.self),
            let bodyLength = fields.readInteger(Int32.self), let body = fields.readBytes(Int(bodyLength)),
            let propertyLength = fields.readInteger(Int16.self), let text = fields.readBytes(Int(propertyLength))
        else { return nil }
        return Part(
            flag: flag, body: [UInt8](body), properties: MessageProperties(String(decoding: text, as: UTF8.self)),
            propertyBytes: text.count)
    }
}
