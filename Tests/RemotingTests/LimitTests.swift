// Every limit of Limits.swift, at it and one beyond.

import Basics
import Remoting
import Testing

@Suite struct LimitTests {
    @Test func fieldCount() throws {
        func header(_ count: Int) -> String {
            "{\"extFields\":{" + (0..<count).map { "\"f\($0)\":\"\"" }.joined(separator: ",") + "}}"
        }
        #expect(try RemotingTests.header(header(FrameLimits.fieldCount)).fields?.count == FrameLimits.fieldCount)
        #expect(code { try RemotingTests.header(header(FrameLimits.fieldCount + 1)) } == .limit)
        let entry = hex("0001 61 00000001 62")
        func binary(_ count: Int) -> [UInt8] {
            frame(
                [UInt8](repeating: 0, count: 17) + bigEndian(Int32(entry.count * count))
                    + Array(repeatElement(entry, count: count).joined()), type: 1)
        }
        #expect(try command(binary(FrameLimits.fieldCount)).fields?.count == 1)
        #expect(code { try command(binary(FrameLimits.fieldCount + 1)) } == .limit)
    }

    @Test func headerBytes() throws {
        func bytes(_ size: Int) -> [UInt8] {
            let empty = #"{"remark":""}"#
            return frame(json: #"{"remark":""# + String(repeating: "r", count: size - empty.utf8.count) + #""}"#)
        }
        #expect(try command(bytes(FrameLimits.headerBytes)).remark?.utf8.first == UInt8(ascii: "r"))
        #expect(code { try command(bytes(FrameLimits.headerBytes + 1)) } == .headerSize)
    }

    @Test func depth() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            func nested(_ depth: Int) -> String {
                let inner = String(repeating: open, count: depth - 1) + "1" + String(repeating: close, count: depth - 1)
                return "{\"x\":\(inner)}"
            }
            #expect(throws: Never.self) { try header(nested(JSONLimits.depth)) }
            #expect(code { try header(nested(JSONLimits.depth + 1)) } == .header)
            // Endless nesting costs nothing: no recursion.
            #expect(code { try header("{\"x\":" + String(repeating: open, count: 30_000)) } == .header)
        }
    }

    @Test func inflatedBytes() throws {
        let bomb = [UInt8](repeating: 0x20, count: 1 << 20).withUnsafeBytes { Zlib.deflate($0) }
        #expect(bomb.count < 2_048)
        let inflate = { (limit: Int) in try bomb.withUnsafeBytes { try Zlib.inflate($0, limit: limit) } }
        #expect(try inflate(1 << 20).count == 1 << 20)
        #expect(code { try inflate(1 << 20 - 1) } == .limit)
        let registrationBomb = [UInt8](repeating: 0, count: BodyLimits.inflatedFloor + 1).withUnsafeBytes {
            Zlib.deflate($0)
        }
        #expect(code { try registration(registrationBomb, compressed: true) } == .limit)
    }

    @Test func topicCount() throws {
        func json(_ count: Int) -> [UInt8] {
            var writer = ByteWriter(capacity: 32 * count)
            writer.append(#"{"topicConfigSerializeWrapper":{"topicConfigTable":{"#)
            for index in 0..<count {
                writer.append(UInt8(ascii: "\""))
                writer.append(decimal: index)
                writer.append(#"":{"topicName":"t"},"#)
            }
            writer.append("}}}")
            return writer.array()
        }
        #expect(try registration(json(1_000)).topics.count == 1_000)
        #expect(code { try registration(json(BodyLimits.topicCount + 1)) } == .limit)
        // The compressed form says its count in front.
        func binary(_ count: Int) -> [UInt8] {
            let bytes = bigEndian(Int32(2)) + Array("{}".utf8) + bigEndian(Int32(count))
            return bytes.withUnsafeBytes { Zlib.deflate($0) }
        }
        #expect(code { try registration(binary(BodyLimits.topicCount), compressed: true) } == .body)
        #expect(code { try registration(binary(BodyLimits.topicCount + 1), compressed: true) } == .limit)
    }

    @Test func propertyCount() throws {
        func text(_ count: Int) -> [UInt8] { Array((0..<count).map { "k\($0)=v\n" }.joined().utf8) }
        #expect(try PropertiesText(decoding: text(BodyLimits.propertyCount)).entries.count == BodyLimits.propertyCount)
        #expect(code { try PropertiesText(decoding: text(BodyLimits.propertyCount + 1)) } == .limit)
    }

    /// Queues count over all mappings together.
    @Test func mappingQueueCount() throws {
        func body(_ mappings: Int, _ queues: Int) -> String {
            let map = (0..<queues).map { "\($0):0" }.joined(separator: ",")
            let infos = (0..<mappings).map { "\"S\($0)\":{\"currIdMap\":{\(map)}}" }.joined(separator: ",")
            return #"{"topicConfigSerializeWrapper":{"topicQueueMappingInfoMap":{"# + infos + "}}}"
        }
        let small = try registration(body(2, 1_000))
        #expect(small.mappingInfos.map(\.info.currIdMap.count) == [1_000, 1_000])
        #expect(code { try registration(body(5, BodyLimits.mappingQueueCount / 4)) } == .limit)
    }

    @Test func elementCount() throws {
        func list(_ count: Int) -> [UInt8] {
            Array("{\"topicList\":[\(String(repeating: "\"\",", count: count))]}".utf8)
        }
        #expect(try TopicList.decode(list(10_000))?.topicList.count == 10_000)
        #expect(code { try TopicList.decode(list(BodyLimits.elementCount + 1)) } == .limit)
    }

    @Test func propertiesBytes() throws {
        func text(_ size: Int) -> [UInt8] { Array("a=".utf8) + [UInt8](repeating: 0x62, count: size - 2) }
        #expect(try PropertiesText(decoding: text(BodyLimits.propertiesBytes))["a"]?.utf8.count == (1 << 20) - 2)
        #expect(code { try PropertiesText(decoding: text(BodyLimits.propertiesBytes + 1)) } == .limit)
    }
}
