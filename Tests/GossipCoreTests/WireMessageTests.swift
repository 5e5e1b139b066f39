import Basics
import Testing

@testable import GossipCore

@Suite("Wire: the bytes of each message")
struct WireMessageTests {
    @Test("every kind has a vector")
    func complete() {
        #expect(WireVectors.frames.count == WireSamples.all.count)
        #expect(Set(WireSamples.all.map(\.kind)) == Set(GossipMessage.Kind.allCases))
    }

    @Test("matches the vector", arguments: WireVectors.frames.indices)
    func vector(row: Int) throws {
        let (name, hex) = WireVectors.frames[row]
        let bytes = WireVectors.bytes(hex)
        #expect(frame(WireSamples.all[row]) == bytes, "\(name)")
        let decoded = try #require(try GossipMessage.decode(bytes), "\(name)")
        #expect(decoded.kind == WireSamples.all[row].kind)
        #expect(frame(decoded) == bytes, "\(name)")
    }

    @Test("comes back as it went", arguments: GossipMessage.Kind.allCases, 1...4 as ClosedRange<UInt64>)
    func roundTrip(kind: GossipMessage.Kind, seed: UInt64) throws {
        var random = RandomMessages(seed: seed)
        for _ in 0..<100 {
            let message = random.message(kind)
            let bytes = frame(message)
            #expect(try GossipMessage.decode(bytes) == message, "\(kind), seed \(seed)")
            #expect(message.kind == kind && bytes[5] == kind.rawValue)
        }
    }

    @Test("a payload cut short anywhere, its header mended, is truncated", arguments: WireVectors.frames.indices)
    func truncated(row: Int) {
        let bytes = frame(WireSamples.all[row])
        let payload = Array(bytes.dropFirst(GossipFrame.headerBytes))
        for length in payload.indices {
            let cut = frame(kind: bytes[5], payload: Array(payload.prefix(length)))
            #expect(fault(cut) == .truncated, "\(WireVectors.frames[row].name), \(length) bytes")
        }
    }

    @Test("a frame cut short anywhere is truncated", arguments: WireVectors.frames.indices)
    func frameTruncated(row: Int) {
        let bytes = frame(WireSamples.all[row])
        for length in bytes.indices { #expect(fault(Array(bytes.prefix(length))) == .truncated, "\(length) bytes") }
    }

    @Test("a byte too many is an error, inside the frame and behind it", arguments: WireVectors.frames.indices)
    func trailing(row: Int) {
        let bytes = frame(WireSamples.all[row])
        #expect(fault(bytes + [0]) == .trailing)
        #expect(fault(frame(kind: bytes[5], payload: bytes.dropFirst(GossipFrame.headerBytes) + [0])) == .trailing)
    }

    @Test("several messages go into one writer")
    func batch() throws {
        var output = ByteWriter()
        for message in WireSamples.all { message.encode(into: &output) }
        #expect(output.array() == WireVectors.frames.flatMap { WireVectors.bytes($0.hex) })
    }

    @Test("equal texts of different bytes keep their bytes")
    func normalization() throws {
        for reason in ["\u{E9}", "e\u{301}", "\u{FEFF}a"] {
            let bytes = frame(.bye(.init(reason: reason)))
            let decoded = try #require(try GossipMessage.decode(bytes))
            #expect(frame(decoded) == bytes)
            #expect(Array(bytes.dropFirst(9)) == Array(reason.utf8))
        }
    }

    @Test("ages are rounded up, and beyond 30 days older than any use")
    func ages() throws {
        let rows: [(Duration, Duration)] = [
            (.zero, .zero),
            (.nanoseconds(1), .milliseconds(1)),
            (.milliseconds(1), .milliseconds(1)),
            (.nanoseconds(1_000_001), .milliseconds(2)),
            (ClockRate.longestAge, ClockRate.longestAge),
            (ClockRate.longestAge + .nanoseconds(1), ClockRate.longestAge + .milliseconds(1)),
            (.seconds(Int64.max), ClockRate.longestAge + .milliseconds(1)),
        ]
        for (sent, received) in rows {
            let heard = AgeReport.Heard(
                hearing: ReportedHearing(age: sent, registrationAge: sent, isConnected: false), registrationHash: 0)
            let message = GossipMessage.ack(
                .init(echo: 0, clock: .zero, ages: [AgeReport(replica: 0, heard: heard)]))
            guard case .ack(let ack) = try GossipMessage.decode(frame(message)) else {
                Issue.record("no acknowledgement")
                continue
            }
            #expect(ack.ages[0].heard?.hearing.age == received)
            let bound = AgeBound(age: received, roundTrip: .zero, receivedAt: .zero)
            #expect((bound == nil) == (sent > ClockRate.longestAge))
        }
    }

    @Test("a registration is a sign of life: its age is never below the other")
    func registrationAge() throws {
        var hearing = ReportedHearing(age: .seconds(2), registrationAge: .seconds(1), isConnected: true)
        #expect(hearing.registrationAge == .seconds(2))
        hearing.registrationAge = .zero
        let report = AgeReport(replica: 1, heard: .init(hearing: hearing, registrationHash: 0))
        let bytes = frame(.ack(.init(echo: 0, clock: .zero, ages: [report])))
        guard case .ack(let ack) = try GossipMessage.decode(bytes) else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(ack.ages[0].heard?.hearing.registrationAge == .seconds(2))
    }

    @Test("a long reason is cut between characters", arguments: [("a", 256), ("ö", 256), ("経", 255), ("😀", 256)])
    func reason(character: String, bytes: Int) throws {
        let message = GossipMessage.bye(.init(reason: String(repeating: character, count: 300)))
        guard case .bye(let bye) = try GossipMessage.decode(frame(message)) else {
            Issue.record("no goodbye")
            return
        }
        #expect(bye.reason.utf8.count == bytes)
        #expect(bye.reason.allSatisfy { String($0) == character })
    }
}
