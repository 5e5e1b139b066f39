import Basics
import Foundation
import Remoting
import Testing

@testable import BrokerAgent

/// What real clients, an admin tool and a slave said to a real broker's port, and what it answered.
struct BrokerCapture {
    struct Event {
        var line: Int
        var seconds: Double
        var connection: UInt64
        var toBroker: Bool
        /// Nil when the connection ended.
        var command: RemotingCommand?
    }

    var events: [Event] = []

    init(_ name: String) throws {
        struct Line: Decodable {
            var t: Double
            var conn: String
            var dir: String
            var frame: String?
            var event: String?
        }
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "jsonl", subdirectory: "Captures"))
        let text = try String(contentsOf: url, encoding: .utf8)
        for (index, source) in text.split(separator: "\n").enumerated() {
            let line = try JSONDecoder().decode(Line.self, from: Data(source.utf8))
            if line.event == "open" { continue }
            let connection = try #require(UInt64(line.conn.split(separator: "-")[1]))
            let command = try line.frame.map {
                try BrokerCapture.decode([UInt8](try #require(Data(base64Encoded: $0))))
            }
            events.append(
                Event(
                    line: index + 1, seconds: line.t, connection: connection, toBroker: line.dir == ">",
                    command: command))
        }
    }

    static func decode(_ bytes: [UInt8]) throws -> RemotingCommand {
        try bytes.withUnsafeBytes { bytes in
            guard case .frame(let frame) = try Frame.first(in: bytes) else { throw RemotingError(.body, "no frame") }
            return try RemotingCommand(decoding: frame)
        }
    }
}

@Suite("Replay of captured conversations with a real broker") struct CaptureReplayTests {
    /// Fields whose values belong to the one broker: its address, its commit log.
    static let ownValues: Set<String> = ["msgId"]

    @Test("every request gets the answer the real broker gave", arguments: ["broker-4.9.8", "broker-5.3.3"])
    func replay(name: String) throws {
        let capture = try BrokerCapture(name)
        var script = BrokerScript()
        for event in capture.events where event.toBroker {
            let target = Instant.zero + .milliseconds(Int64(event.seconds * 1_000))
            if target > script.now { script.pass(target - script.now) }
            if let command = event.command {
                script.deliver(command, from: event.connection)
            } else {
                script.close(event.connection)
            }
        }
        var compared: [Int32: Int] = [:]
        for event in capture.events where !event.toBroker {
            guard let captured = event.command, captured.isResponse else { continue }
            let request = try #require(
                capture.events.first {
                    $0.toBroker && $0.connection == event.connection && $0.command?.opaque == captured.opaque
                }?.command)
            let place = Comment(rawValue: "\(name):\(event.line), answer to code \(request.code)")
            let ours = script.sent.first {
                $0.connection == event.connection && $0.command.opaque == captured.opaque && $0.command.isResponse
            }
            try compare(captured, try #require(ours, place).command, request, place)
            compared[request.code, default: 0] += 1
        }
        for code in [10, 11, 14, 15, 17, 34, 35, 38, 43, 45, 201, 215, 300, 310] as [Int32]
        where code != 15 || name == "broker-5.3.3" {
            #expect(compared[code] ?? 0 > 0, "code \(code) is in the capture")
        }
    }

    private func compare(
        _ captured: RemotingCommand, _ ours: RemotingCommand, _ request: RemotingCommand, _ place: Comment
    ) throws {
        // Through the wire and back, as a client would see it.
        let ours = try BrokerCapture.decode(ours.encoded())
        #expect(ours.code == captured.code, place)
        let names = Set((captured.fields ?? []).map(\.name))
        #expect(names.isSubset(of: Set((ours.fields ?? []).map(\.name))), place)
        #expect((ours.fields != nil) == (captured.fields != nil) || request.code == RequestCode.heartBeat, place)
        for name in names.subtracting(CaptureReplayTests.ownValues) { #expect(ours[name] == captured[name], place) }
        switch request.code {
        case RequestCode.pullMessage:
            #expect(ours.messages.map(\.meaning) == captured.messages.map(\.meaning), place)
            #expect(ours.remark == captured.remark, place)
        case RequestCode.getConsumerListByGroup: #expect(ours.body == captured.body, place)
        case RequestCode.queryTopicConsumeByWho, RequestCode.getAllConsumerOffset, RequestCode.getAllDelayOffset,
            RequestCode.getAllSubscriptionGroupConfig, RequestCode.getAllMessageRequestMode:
            // Which members there are; what they hold belongs to the one broker.
            let members = { (body: [UInt8]) in
                try (JSONSerialization.jsonObject(with: quotedKeys(body)) as? [String: Any])?.keys.sorted() ?? []
            }
            #expect(Set(try members(captured.body)).isSubset(of: try members(ours.body)), place)
        default: #expect(ours.body.isEmpty == captured.body.isEmpty, place)
        }
    }

    /// fastjson's bare integer keys in quotes, for a strict parser.
    private func quotedKeys(_ body: [UInt8]) -> Data {
        let text = String(decoding: body, as: UTF8.self)
        return Data(text.replacing(/([{,])(\d+):/) { "\($0.output.1)\"\($0.output.2)\":" }.utf8)
    }

    @Test("group members are told when their group changes")
    func notifications() throws {
        let capture = try BrokerCapture("broker-5.3.3")
        var script = BrokerScript()
        for event in capture.events where event.toBroker {
            if let command = event.command { script.deliver(command, from: event.connection) }
        }
        func told(_ pairs: [(connection: UInt64, command: RemotingCommand)]) -> Set<String> {
            Set(
                pairs.filter { $0.command.code == 40 && !$0.command.isResponse }
                    .map { "\($0.connection) \($0.command["consumerGroup"] ?? "") \($0.command.flag)" })
        }
        let captured = told(
            capture.events.compactMap { event in
                event.toBroker ? nil : event.command.map { (event.connection, $0) }
            })
        #expect(captured.count == 2)
        #expect(told(script.sent) == captured)
    }
}

extension StoredMessage {
    /// What must be the same whoever stored it.
    fileprivate var meaning: String {
        let properties = MessageProperties(self.properties)
        return [
            topic, "\(queueID)", "\(queueOffset)", "\(flag)", "\(sysFlag)", "\(bornTimestamp.milliseconds)",
            "\(reconsumeTimes)", String(decoding: body, as: UTF8.self), properties["UNIQ_KEY"] ?? "",
            properties["TAGS"] ?? "", properties["KEYS"] ?? "", properties["CLUSTER"] ?? "",
        ].joined(separator: " ")
    }
}
