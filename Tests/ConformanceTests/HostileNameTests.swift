// Names with odd bytes: they are kept as they are, and cannot forge a log line or fill the disk.

import TestSupport
import Testing

@Suite(.serialized, .ownThread) struct HostileNameTests {
    /// What a log must not hold: characters that end lines, move the cursor or turn the text round.
    private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f...0x9f, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069: false
        default: true
        }
    }

    private func expectHonestLog(_ stage: HostileStage) {
        let bad = stage.process.errorText.split(separator: "\n").filter { line in
            // Outside of quotes there is one message, and then fields.
            let plain = line.replacing(#/"([^"\\]|\\.)*"/#, with: "\"\"")
            return !line.unicodeScalars.allSatisfy(isHarmless)
                || !plain.contains(#/^20[0-9T:.\-]+Z [a-z]+ ns-1 [^=]+( [a-z]+=[^ =]+)*$/#)
                || plain.contains(" forged")
        }
        #expect(bad.isEmpty, "\(bad.map(\.debugDescription).joined(separator: "\n"))")
    }

    @Test(arguments: [
        "nul\u{0}", "control\u{1}\u{8}\u{1b}[2J", "quote\"\\", "集", "cut\n2026-01-01T00:00:00.000Z info ns-1 forged",
        "return\r2026-01-01T00:00:00.000Z info ns-1 forged", "next\u{85}line", "c1\u{9b}2J", "line\u{2028}end\u{2029}",
        "turn\u{202e}round\u{2066}", "space out", "fields address=6.6.6.6:6 broker=other", "tail\\", "'single'",
        "{}[]:,",
        "%s%n", "👩‍🚀", "\u{feff}bom", "\u{10ffff}",
    ])
    func oddNames(name: String) throws {
        let stage = try HostileStage()
        let connection = try stage.connect()
        let registration = Registration {
            $0.cluster = "C" + name
            $0.broker = name
            $0.address = name + ":1"
            $0.topics = [RegisteredTopic(name), .b]
        }
        #expect(try connection.register(registration).code == 0)
        #expect(try connection.queues(name) == [name: RouteQueue()])
        #expect(RouteQueue.addresses(try connection.route(name).json()) == [name: ["0": name + ":1"]])
        #expect(try connection.group(name, cluster: "C" + name) == ["0": name + ":1"])
        #expect(try connection.topicList(206).contains(name))
        #expect(try connection.route(name + "x").code == 17)
        #expect(try connection.call(205, ["brokerName": name]).code == 0)
        #expect(try connection.call(100, ["namespace": name, "key": name, "value": name]).code == 0)
        #expect(try connection.call(101, ["namespace": name, "key": name]).fields?["value"] == name)
        #expect(try connection.call(216, ["topic": name]).code == 0)
        #expect(try connection.call(318, body: "\(name)=1").code != nil)
        #expect(try connection.call(29001).json()["brokers"]?.elements.count == 2)
        let refused = try connection.register(
            Registration {
                $0.broker = name + name
                $0.topics = [.a]
            })
        #expect(refused.code == 1)
        #expect(
            try connection.unregister(cluster: "C" + name, broker: name, address: name + ":1").code == 0)
        #expect(try connection.group(name, cluster: "C" + name).isEmpty)
        expectHonestLog(stage)
        try stage.expectUnharmed(peak: 32)
    }

    /// Bytes that are no UTF-8: a JSON header ends its connection, a body is refused, and no answer passes them on.
    @Test func invalidUTF8() throws {
        let stage = try HostileStage()
        let broken: [[UInt8]] = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe9, 0x9b]]
        for bytes in broken {
            let header = Array("{\"code\":105,\"extFields\":{\"topic\":\"".utf8) + bytes + Array("\"}}".utf8)
            let first = try stage.connect()
            try first.send(rawFrame(serializeType: 0, header: header))
            try first.expectClose()

            let second = try stage.connect()
            let body = String(decoding: Registration().body, as: UTF8.self).split(separator: "\"A\"")
            let parts = body.map { Array($0.utf8) }
            let named = Array(parts.joined(separator: [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]))
            #expect(try second.register(Registration { $0.explicitBody = named }).code == 1)

            // A binary header is not text as a whole; only its values are.
            let entry = bigEndian(UInt16(5)) + Array("topic".utf8) + bigEndian(UInt32(bytes.count)) + bytes
            let binary =
                bigEndian(UInt16(105)) + [0] + bigEndian(UInt16(479)) + bigEndian(UInt32(9)) + bigEndian(UInt32(0))
                + bigEndian(UInt32(0)) + bigEndian(UInt32(entry.count)) + entry
            try second.send(rawFrame(serializeType: 1, header: binary))
            if !second.closes(within: .milliseconds(20)) {
                #expect(try second.call(206).code == 0)
                #expect(try second.topicList(206) == ["Steady", "SteadyToo"])
            }
        }
        expectHonestLog(stage)
        try stage.expectUnharmed(peak: 32)
    }

    /// Refused names as long as a header allows neither stay in memory nor go to the log whole.
    @Test func longNamesStayOutOfTheLog() throws {
        let stage = try HostileStage()
        let connection = try stage.connect()
        let name = String(repeating: "x", count: 60_000)
        for index in 0..<20 {
            let answer = try connection.register(
                Registration {
                    $0.cluster = name
                    $0.broker = name + "\(index)"
                    $0.address = name
                })
            #expect(answer.code == 1)
            #expect(answer.remark?.contains("above the limit of 1024") == true, "\(answer.headerText)")
            let key = String(repeating: "k", count: 60_000) + "\(index)"
            #expect(try connection.call(100, ["namespace": "N", "key": key, "value": "1"]).code == 0)
            #expect(try connection.call(102, ["namespace": "N", "key": key]).code == 0)
        }
        #expect(try connection.call(318, body: (0..<4_000).map { "unknown\($0)=1\n" }.joined()).code != nil)
        #expect(try connection.call(29001).body.count < 1 << 20)
        #expect(stage.process.errorText.utf8.count < 1 << 20)
        expectHonestLog(stage)
        try stage.expectUnharmed(peak: 48)
    }
}
