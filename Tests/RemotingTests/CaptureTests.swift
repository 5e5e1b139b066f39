// Real traffic: every captured frame is decoded and written again, fed in every way a socket may deliver it.

import Basics
import Foundation
import Remoting
import TestSupport
import Testing

private enum Captures {
    /// The recordings that the replaying tests keep.
    static let files = [
        "ConformanceTests/Captures/nameserver-4.9.8", "ConformanceTests/Captures/nameserver-5.3.3",
        "BrokerAgentTests/Captures/broker-4.9.8", "BrokerAgentTests/Captures/broker-5.3.3",
    ]

    static func events(_ name: String) throws -> [CaptureFile.Event] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try CaptureFile(path: tests.appendingPathComponent("\(name).jsonl").path).events
    }

    static func frames(_ name: String) throws -> [RawFrame] {
        try events(name).compactMap { if case .frame(let frame) = $0.content { frame } else { nil } }
    }
}

@Suite struct CaptureTests {
    /// Java's frames come out with the same bytes, the C++ client's with the same meaning.
    @Test(arguments: Captures.files) func roundTrip(_ name: String) throws {
        var (exact, total) = (0, 0)
        for raw in try Captures.frames(name) {
            let decoded = try command(raw.bytes)
            total += 1
            #expect(Int64(decoded.code) == raw.code && Int64(decoded.opaque) == raw.opaque)
            #expect(Int64(decoded.flag) == raw.flag && decoded.remark == raw.remark && decoded.body == raw.body)
            let fields = decoded.fields.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.name, $0.value) }) }
            #expect(fields == raw.fields)
            if decoded.encoded() == raw.bytes {
                exact += 1
            } else {
                #expect(decoded.language == LanguageCode.cpp.rawValue)
            }
            for type in SerializeType.allCases {
                // A binary header has no way to say "empty".
                guard type == .json || !raw.mentionsEmptyText else { continue }
                #expect(try command(decoded.encoded(as: type)).withoutEmptyFields == decoded.withoutEmptyFields)
            }
        }
        #expect(total > 100 && exact > total * 3 / 4, "\(exact) of \(total) exact")
    }

    /// Whole connections, one byte at a time and all at once, give the same frames.
    @Test(arguments: Captures.files) func deliveries(_ name: String) throws {
        let frames = Array(try Captures.frames(name).prefix(60))
        let all = frames.flatMap(\.bytes)
        var batch: [[UInt8]] = []
        var (start, end) = (0, 0)
        all.withUnsafeBytes { all in
            while start < all.count,
                case .frame(let frame)? = try? Frame.first(in: UnsafeRawBufferPointer(rebasing: all[start...]))
            {
                batch.append(Array(all[start..<start + frame.length]))
                start += frame.length
            }
        }
        #expect(batch == frames.map(\.bytes))
        var single: [[UInt8]] = []
        start = 0
        all.withUnsafeBytes { all in
            while end < all.count {
                end += 1
                guard case .frame(let frame)? = try? Frame.first(in: UnsafeRawBufferPointer(rebasing: all[start..<end]))
                else { continue }
                single.append(Array(all[start..<start + frame.length]))
                start = end
            }
        }
        #expect(single == batch)
    }

    /// Every captured NameServer body is read and written again with the same meaning, routes and clusters even in order.
    @Test(arguments: Captures.files.prefix(2)) func bodies(_ name: String) throws {
        var requests: [String: Int64] = [:]
        var seen: Set<Int64> = []
        for event in try Captures.events(name) {
            guard case .frame(let raw) = event.content, let code = raw.code, let opaque = raw.opaque else { continue }
            let key = "\(event.connection) \(opaque)"
            if event.toServer {
                requests[key] = code
                if code == 103 { try registrationIsRead(raw) }
            } else if code == 0, !raw.body.isEmpty, let request = requests[key] {
                seen.insert(request)
                try bodyIsRead(raw.body, request)
            }
        }
        #expect(seen.isSuperset(of: [105, 106, 206]))
    }

    private func bodyIsRead(_ body: [UInt8], _ request: Int64) throws {
        let again: [[UInt8]]?
        switch request {
        case 105:
            again = try TopicRouteData.decode(body).map { route in JSONDialect.allCases.map { route.encoded($0) } }
        case 106: again = try ClusterInfo.decode(body).map { [$0.encoded()] }
        case 206, 224, 304: again = try TopicList.decode(body).map { [$0.encoded()] }
        case 103, 219: again = try KVTable.decode(body).map { [$0.encoded()] }
        default: return
        }
        for bytes in try #require(again) { #expect(try JSONMeaning(bytes) == JSONMeaning(body)) }
        if request == 105 || request == 106 { #expect(again?.contains(body) == true) }
    }

    private func registrationIsRead(_ raw: RawFrame) throws {
        let request = try command(raw.bytes)
        let body = try registration(raw.body, version: request.version, compressed: request["compressed"] == "true")
        #expect(raw.body.withUnsafeBytes { "\(Checksum.bodyCRC32($0))" } == request["bodyCrc32"])
        let wrapper = try raw.json()["topicConfigSerializeWrapper"]
        let table = try #require(wrapper?["topicConfigTable"]).members
        #expect(table.count == body.topics.count && !body.hasForeignKeys)
        for config in body.topicConfigs {
            let meaning = try #require(table[config.topicName])
            #expect(meaning["topicName"]?.text == config.topicName && meaning["perm"]?.integer == Int64(config.perm))
            #expect(meaning["readQueueNums"]?.integer == Int64(config.readQueueNums))
            #expect(meaning["writeQueueNums"]?.integer == Int64(config.writeQueueNums))
            #expect(meaning["topicSysFlag"]?.integer == Int64(config.topicSysFlag))
            #expect(meaning["order"] == .boolean(config.order))
        }
        #expect(body.dataVersion.counter == wrapper?["dataVersion"]?["counter"]?.integer)
        #expect(body.dataVersion.timestamp == wrapper?["dataVersion"]?["timestamp"]?.integer)
    }

    // MARK: Damage

    /// Damaged frames are refused or read, and never crash. A failure prints what repeats it.
    @Test func mutations() throws {
        let seed = UInt64.random(in: 0..<1 << 32)
        print("mutations of captured frames: seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let frames = try Captures.files.flatMap { try Captures.frames($0) }.map(\.bytes)
        var (refused, read) = (0, 0)
        for _ in 0..<20_000 {
            var bytes = try #require(frames.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
                case 2: bytes.removeSubrange(position...min(position + 3, bytes.count - 1))
                default: bytes.insert(contentsOf: bytes[position...].prefix(5), at: position)
                }
                if bytes.isEmpty { break }
            }
            if let decoded = survivor(bytes) {
                read += 1
                _ = try? registration(decoded.body, version: decoded.version, compressed: decoded.opaque & 1 == 0)
                _ = try? TopicRouteData.decode(decoded.body)
                #expect(try command(decoded.encoded()).fields == decoded.fields, "seed \(seed)")
            } else {
                refused += 1
            }
        }
        #expect(refused > 100 && read > 100, "seed \(seed): \(refused) refused, \(read) read")
    }

    /// A damaged frame with its lengths mended, so that the damage reaches the header and the body.
    private func survivor(_ damaged: [UInt8]) -> RemotingCommand? {
        guard damaged.count > 9 else { return nil }
        let headerSize = min(Int(damaged[6]) << 8 | Int(damaged[7]), damaged.count - 8)
        guard headerSize > 0 else { return nil }
        let mended = frame(
            Array(damaged[8..<8 + headerSize]), type: damaged[4] & 1, body: Array(damaged[(8 + headerSize)...]))
        return try? command(mended)
    }
}

extension RawFrame {
    fileprivate var mentionsEmptyText: Bool { headerText.contains(#""""#) || headerText.contains("{}") }
}

extension RemotingCommand {
    fileprivate var withoutEmptyFields: RemotingCommand {
        var command = self
        if command.fields?.isEmpty == true { command.fields = nil }
        return command
    }
}
