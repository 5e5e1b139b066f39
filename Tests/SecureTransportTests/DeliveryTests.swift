import Basics
import Platform
import Testing

@testable import SecureTransport

/// Sends frames of its own and takes the other side's, as awkwardly as the contract allows.
private final class AwkwardPeer: StreamHandler {
    private var generator: SeededGenerator
    private var outgoing: [[UInt8]]
    private let expected: Int
    private(set) var incoming: [[UInt8]] = []
    private(set) var opened = 0
    private(set) var reasons: [CloseReason] = []
    private(set) var stream: (any ByteStream)?
    private var isPaused = false
    private var isInside = false

    init(seed: UInt64, sends: [[UInt8]], expects: Int) {
        generator = SeededGenerator(seed: seed)
        outgoing = sends
        expected = expects
    }

    func streamOpened(_ stream: any ByteStream) {
        opened += 1
        self.stream = stream
        sendSome(stream)
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        precondition(!isInside && !isPaused, "a call inside a call, or while paused")
        isInside = true
        defer { isInside = false }
        var reader = ByteReader(bytes)
        var consumed = 0
        // Either or: what is written follows all of the output.
        let writes = generator.next() % 2 == 0
        while let length = reader.readInteger(UInt32.self), let payload = reader.readBytes(Int(length)) {
            incoming.append([UInt8](payload))
            consumed = reader.position
            if writes {
                sendSome(stream)
            } else if !outgoing.isEmpty {
                output.append(frame(outgoing.removeFirst()))
            }
            if generator.next() % 4 == 0 {
                stream.pauseReading()
                isPaused = true
                // Sometimes it thinks better of it at once.
                if generator.next() % 3 == 0 {
                    stream.resumeReading()
                    isPaused = false
                }
                break
            }
        }
        endIfDone(stream)
        guard generator.next() % 2 == 0, !isPaused else { return Consumption(consumed: consumed) }
        var rest = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[consumed...]))
        let needed = rest.readInteger(UInt32.self).map { 4 + Int($0) } ?? 4
        return Consumption(consumed: consumed, needed: needed)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        reasons.append(reason)
        self.stream = nil
    }

    /// What a timer would do now and then.
    func act() {
        guard let stream else { return }
        if isPaused, generator.next() % 2 == 0 {
            isPaused = false
            stream.resumeReading()
        } else if !isPaused, generator.next() % 16 == 0 {
            isPaused = true
            stream.pauseReading()
        }
        if generator.next() % 2 == 0 { sendSome(stream) }
        endIfDone(stream)
    }

    private func sendSome(_ stream: any ByteStream) {
        for _ in 0..<generator.next() % 4 where !outgoing.isEmpty { stream.write(frame(outgoing.removeFirst())) }
    }

    private func endIfDone(_ stream: any ByteStream) {
        if outgoing.isEmpty, incoming.count == expected { stream.closeAfterWriting() }
    }

    private func frame(_ payload: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(payload.count).bigEndian) { [UInt8]($0) } + payload
    }
}

@Suite struct DeliveryTests {
    private let server: TLSContext
    private let client: TLSContext

    init() throws {
        server = try TLSContext(side: .server, credentials: keys(1))
        client = try TLSContext(side: .client, credentials: keys(1))
    }

    /// Byte by byte, in small pieces, in pieces around a record's size, and in pieces of many records.
    @Test(arguments: [1, 7, 300, 20_000, 300_000], [1, 2, 3, 4] as [UInt64])
    func anyPiecesGiveTheSameFrames(pieceLimit: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let largest: UInt64 = pieceLimit < 100 ? 200 : 60_000
        func frames() -> [[UInt8]] {
            (0..<40).map { pattern(Int(generator.next() % largest), seed: UInt64($0)) }
        }
        let (up, down) = (frames(), frames())
        let platform = MemoryPlatform(seed: seed, pieceLimit: pieceLimit)
        defer { platform.stop() }
        let accepted = AwkwardPeer(seed: seed + 10, sends: down, expects: up.count)
        let caller = AwkwardPeer(seed: seed + 20, sends: up, expects: down.count)
        let address = Address(host: "far", port: 1)
        _ = try platform.listen(
            at: address, options: .init(),
            handler: SecureListener(on: platform, context: server, handler: TestAcceptor { _ in accepted }))
        _ = SecureStream.connect(
            on: platform, to: address, timeout: .seconds(1), context: client, handler: caller)
        var turns = 0
        platform.run {
            turns += 1
            accepted.act()
            caller.act()
        }
        // Nothing is pending any more, unless a side still pauses.
        while accepted.reasons.isEmpty || caller.reasons.isEmpty, turns < 1_000_000 {
            platform.run {
                turns += 1
                accepted.act()
                caller.act()
            }
            turns += 1
        }
        let (upSame, downSame) = (accepted.incoming == up, caller.incoming == down)
        #expect(
            upSame && downSame,
            "seed \(seed), pieces to \(pieceLimit): \(accepted.incoming.count) up, \(caller.incoming.count) down")
        #expect(accepted.opened == 1 && caller.opened == 1)
        let reasons = accepted.reasons + caller.reasons
        #expect(reasons.count == 2 && Set(reasons).isSubset(of: [.local, .endOfStream]), "\(reasons)")
        #expect(platform.runningTimers == 0)
    }

    /// A plain stream in memory passes such frames too: the stage itself is sound.
    @Test(arguments: [1, 300, 300_000])
    func stageIsSound(pieceLimit: Int) throws {
        let frames = (0..<40).map { pattern($0 * 7, seed: UInt64($0)) }
        let platform = MemoryPlatform(seed: 3, pieceLimit: pieceLimit)
        defer { platform.stop() }
        let accepted = AwkwardPeer(seed: 1, sends: frames, expects: frames.count)
        let caller = AwkwardPeer(seed: 2, sends: frames, expects: frames.count)
        let address = Address(host: "far", port: 1)
        _ = try platform.listen(at: address, options: .init(), handler: TestAcceptor { _ in accepted })
        _ = platform.connect(to: address, timeout: .seconds(1), options: .init(), handler: caller)
        for _ in 0..<1000 where accepted.reasons.isEmpty || caller.reasons.isEmpty {
            platform.run {
                accepted.act()
                caller.act()
            }
        }
        #expect(accepted.incoming == frames && caller.incoming == frames)
    }

    /// In virtual time: the handshake ends at its limit, not before, and not after it is done.
    @Test func handshakeHasATimeLimit() throws {
        let platform = MemoryPlatform(seed: 1, pieceLimit: 1000)
        defer { platform.stop() }
        let address = Address(host: "far", port: 1)
        // The other side takes everything and says nothing.
        _ = try platform.listen(at: address, options: .init(), handler: TestAcceptor { _ in TestHandler() })
        let caller = TestHandler()
        _ = SecureStream.connect(
            on: platform, to: address, timeout: .seconds(1), context: client, handler: caller)
        platform.run()
        platform.advance(by: .milliseconds(4_999))
        platform.run()
        #expect(caller.reasons == [] && platform.runningTimers == 1)
        platform.advance(by: .milliseconds(1))
        platform.run()
        #expect(caller.reasons == [.secure(.handshakeTimeout)])
        #expect(caller.opened == 0)
    }

    /// What TLS adds to every record: a header of 5 bytes, a type and a tag of 16.
    @Test func recordsCostTwentyTwoBytes() throws {
        let platform = MemoryPlatform(seed: 1, pieceLimit: 100_000)
        defer { platform.stop() }
        let address = Address(host: "far", port: 1)
        var arrived = 0
        let tap = TestHandler()
        _ = try platform.listen(
            at: address, options: .init(),
            handler: TestAcceptor { stream in
                let secure = SecureStream.accept(stream, on: platform, context: server)
                secure.setHandler(TestHandler())
                tap.onBytes = { stream, bytes, output in
                    let used = secure.stream(stream, received: bytes, output: &output)
                    arrived += used.consumed
                    return used
                }
                tap.onOpen = { secure.streamOpened($0) }
                tap.onClose = { secure.streamClosed($0, reason: $1) }
                return tap
            })
        let caller = TestHandler()
        let stream = SecureStream.connect(
            on: platform, to: address, timeout: .seconds(1), context: client, handler: caller)
        platform.run()
        #expect(caller.opened == 1)
        let handshake = arrived
        stream.write(pattern(100))
        platform.run()
        #expect(arrived - handshake == 122)
        stream.write(pattern(16 << 10))
        platform.run()
        #expect(arrived - handshake == 122 + (16 << 10) + 22)
        stream.write(pattern(64 << 10))
        platform.run()
        #expect(arrived - handshake == 122 + 5 * ((16 << 10) + 22))
        stream.close()
        platform.run()
    }
}
