// Random bytes and damaged recordings of real traffic, over many connections.

import Basics
import TestSupport
import Testing

@Suite(.serialized, .ownThread) struct HostileGarbageTests {
    private static let tokens = [
        "\"", "\\u", "{", "}", "[", ":", "null", "1e9", "9223372036854775808", "\u{0}", "@type", "=",
    ]

    /// Some random damage: a bit, bytes, a token, or a length word.
    private func damage(_ input: inout [UInt8], _ random: inout SeededGenerator) {
        let position = Int.random(in: 0...input.count, using: &random)
        let length = min(input.count - position, Int.random(in: 1...16, using: &random))
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where length > 0: input[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: input.removeSubrange(position..<position + length)
        case 2: input.insert(contentsOf: input[position..<position + length], at: position)
        case 3: input.insert(contentsOf: Array(Self.tokens.randomElement(using: &random)!.utf8), at: position)
        case 4 where length >= 4:
            let word = [0, -1, Int32.max, 1 << 24, Int32(input.count)].randomElement(using: &random)!
            input.replaceSubrange(position..<position + 4, with: bigEndian(word))
        default:
            for index in position..<position + length { input[index] = .random(in: .min ... .max, using: &random) }
        }
    }

    /// The length words made right again, so that the damage reaches the header and the body.
    private func reframed(_ frame: [UInt8]) -> [UInt8] {
        guard frame.count >= 8 else { return frame }
        return bigEndian(Int32(frame.count - 4)) + frame[4...]
    }

    /// A failing seed is repeated by putting it in place of the random ones.
    @Test(arguments: [1, UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)])
    func damagedTraffic(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = try CaptureFile(path: capturePath("nameserver-5.3.3")).events.compactMap { event -> [UInt8]? in
            guard event.toServer, case .frame(let frame) = event.content else { return nil }
            return frame.bytes
        }
        #expect(frames.count > 50)
        let stage = try HostileStage()
        for _ in 0..<60 {
            let connection = try stage.connect()
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                if Int.random(in: 0..<20, using: &random) == 0 {
                    bytes += (0..<100).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                    continue
                }
                var frame = frames.randomElement(using: &random)!
                for _ in 0..<Int.random(in: 0...4, using: &random) { damage(&frame, &random) }
                bytes += Int.random(in: 0..<4, using: &random) == 0 ? frame : reframed(frame)
            }
            // The node may close at once.
            try? connection.send(bytes)
            connection.closeWriting()
            #expect(connection.closes(within: .seconds(20)), "seed \(seed)")
        }
        try expectIntactTables(stage, seed)
        try stage.expectUnharmed(peak: 48)
    }

    /// Everything listed can be looked up, and a broker comes and goes as on a fresh node.
    private func expectIntactTables(_ stage: HostileStage, _ seed: UInt64) throws {
        let connection = try stage.connect()
        let topics = try connection.topicList(206)
        for topic in topics { #expect(try connection.route(topic).code != nil, "seed \(seed), topic \(topic)") }
        let status = try connection.call(29001).json()
        #expect(status["brokers"]?.elements.contains { $0["name"]?.text == "steady" } == true, "seed \(seed)")
        let newcomer = Registration {
            $0.cluster = "Newcomers"
            $0.broker = "newcomer"
            $0.address = "10.7.7.7:10911"
            $0.topics = [RegisteredTopic("Newcomer"), RegisteredTopic("NewcomerToo")]
        }
        #expect(try connection.register(newcomer).code == 0, "seed \(seed)")
        #expect(try connection.queues("Newcomer") == ["newcomer": RouteQueue()], "seed \(seed)")
        #expect(
            try connection.unregister(cluster: "Newcomers", broker: "newcomer", address: "10.7.7.7:10911").code == 0)
        #expect(try connection.route("Newcomer").code == 17, "seed \(seed)")
        #expect(try connection.topicList(206) == topics, "seed \(seed)")
    }
}
