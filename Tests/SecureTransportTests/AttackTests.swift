import Basics
import EventLoop
import Platform
import Testing

@testable import SecureTransport

/// A machine in the middle: passes bytes on between two plain streams, keeps them, and may change them.
private final class Middle: StreamHandler {
    /// All bytes that came in here.
    private(set) var taken: [UInt8] = []
    /// What is passed on instead of the bytes of one read; nil passes nothing on any more.
    var change: ([UInt8]) -> [UInt8]? = { $0 }
    /// Which way it goes on.
    var target: (any ByteStream)?
    private var early: [UInt8] = []

    func streamOpened(_ stream: any ByteStream) {}

    func connect(_ target: any ByteStream) {
        self.target = target
        target.write(early)
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        taken.append(contentsOf: bytes)
        if let changed = change([UInt8](bytes)) {
            if let target { target.write(changed) } else { early += changed }
        }
        return Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        // Cuts the other way without a word of TLS.
        target?.closeAfterWriting()
        target = nil
    }
}

@Suite struct AttackTests {
    private let server: TLSContext
    private let client: TLSContext

    init() throws {
        server = try TLSContext(side: .server, credentials: keys(1))
        client = try TLSContext(side: .client, credentials: keys(1))
    }

    /// A listener that passes everything on to `address`; `made` hears of both ways: to the server, to the client.
    private func intercept(
        _ loop: EventLoop, _ address: Address, _ made: @escaping (Middle, Middle) -> Void
    ) throws -> any Listener {
        try loop.listenPlain { near in
            let (toServer, toClient) = (Middle(), Middle())
            made(toServer, toClient)
            toClient.connect(near)
            toServer.connect(loop.connectPlain(to: address, toClient))
            return toServer
        }
    }

    /// What is no TLS is refused at its first bytes; the handler hears of it, and nobody hears an answer.
    @Test(
        arguments: [
            // A gossip frame, a RocketMQ frame, a web browser, noise, a record of an unknown protocol, one too long.
            [0, 0, 0, 82, 1, 1, 0, 0], [0, 0, 0, 100, 0, 0, 0, 90], [UInt8]("GET / HTTP/1.1\r\n\r\n".utf8),
            [0x8F], [22, 2, 0], [22, 3, 1, 0x50, 0], [22, 3, 1, 0, 0],
        ] as [[UInt8]])
    func garbageIsRefused(bytes: [UInt8]) throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { _ in accepted }
            let stranger = TestHandler()
            stranger.onOpen = { $0.write(bytes) }
            var open = 2
            accepted.onClose = { [unowned accepted] _, reason in
                #expect(reason == .secure(.notTLS))
                #expect(accepted.opened == 0)
                open -= 1
                if open == 0 { loop.stop() }
            }
            stranger.onClose = { [unowned stranger] _, reason in
                #expect(reason == .endOfStream)
                #expect(stranger.received == [])
                open -= 1
                if open == 0 { loop.stop() }
            }
            loop.connectPlain(to: listener.address, stranger)
        }
    }

    /// Well-formed records with nonsense in them.
    @Test func nonsenseInRecordsIsRefused() throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { _ in accepted }
            let stranger = TestHandler()
            stranger.onOpen = { $0.write([22, 3, 1, 0, 4, 9, 9, 9, 9]) }
            accepted.onClose = { [unowned accepted] _, reason in
                guard case .secure = reason else {
                    Issue.record("\(reason)")
                    return
                }
                #expect(accepted.opened == 0)
                loop.stop()
            }
            loop.connectPlain(to: listener.address, stranger)
        }
    }

    /// A hello that never ends.
    @Test func endlessHandshakeIsRefused() throws {
        try withLoop { loop in
            let accepted = TestHandler()
            var secure = SecureOptions.patient
            secure.handshakeLimit = 20_000
            let listener = try loop.listenSecure(server, secure: secure) { _ in accepted }
            let stranger = TestHandler()
            // The first of many records with parts of one hello of 100,000 bytes.
            let part = [22, 3, 1, 0x40, 0, 1, 1, 0x86, 0xA0] + [UInt8](repeating: 0, count: (16 << 10) - 4)
            stranger.onOpen = {
                $0.write(part)
                $0.write([22, 3, 1, 0x40, 0] + [UInt8](repeating: 0, count: 16 << 10))
            }
            accepted.onClose = { _, reason in
                #expect(reason == .secure(.handshakeTooLong))
                loop.stop()
            }
            loop.connectPlain(to: listener.address, stranger)
        }
    }

    /// Everything a client sent, handshake and data, sent again to the same server: nothing of it is delivered.
    @Test func replayIsRefused() throws {
        try withLoop { loop in
            var accepted: [TestHandler] = []
            let listener = try loop.listenSecure(server) { _ in
                accepted.append(TestHandler())
                return accepted[accepted.count - 1]
            }
            var recorder: Middle?
            let middle = try intercept(loop, listener.address) { toServer, _ in recorder = toServer }
            let caller = TestHandler()
            caller.onOpen = { stream in
                stream.write("vote for broker-a")
                stream.closeAfterWriting()
            }
            caller.onClose = { _, _ in
                // The server has everything when its end is closed too.
                accepted[0].onClose = { _, reason in
                    #expect(reason == .endOfStream)
                    #expect(String(decoding: accepted[0].received, as: UTF8.self) == "vote for broker-a")
                    let replayer = TestHandler()
                    replayer.onOpen = { $0.write(recorder!.taken) }
                    replayer.onClose = { _, _ in
                        #expect(accepted.count == 2)
                        #expect(accepted[1].opened == 0 && accepted[1].received.isEmpty)
                        #expect(accepted[1].reasons == [.secure(.damaged)])
                        loop.stop()
                    }
                    loop.connectPlain(to: listener.address, replayer)
                }
            }
            loop.connectSecure(to: middle.address, client, caller)
        }
    }

    /// One bit of the data flipped, or one record sent twice: what came before is delivered, that and the rest is not.
    @Test(arguments: [false, true])
    func damageIsRefused(isRepetition: Bool) throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { _ in accepted }
            var middleWay: Middle?
            let middle = try intercept(loop, listener.address) { toServer, _ in middleWay = toServer }
            let caller = TestHandler()
            caller.onOpen = { $0.write("first") }
            accepted.onBytes = { stream, bytes, output in
                output.append("go on" as StaticString)
                return Consumption(consumed: bytes.count)
            }
            caller.onBytes = { stream, bytes, _ in
                middleWay?.change = { record in
                    if isRepetition { return record + record }
                    var damaged = record
                    damaged[damaged.count - 1] ^= 1
                    return damaged
                }
                stream.write("second")
                return Consumption(consumed: bytes.count)
            }
            var open = 2
            accepted.onClose = { [unowned accepted] _, reason in
                #expect(reason == .secure(.damaged))
                let expected = isRepetition ? "firstsecond" : "first"
                #expect(String(decoding: accepted.received, as: UTF8.self) == expected)
                open -= 1
                if open == 0 { loop.stop() }
            }
            caller.onClose = { _, reason in
                #expect(reason == .secure(.damaged))
                open -= 1
                if open == 0 { loop.stop() }
            }
            loop.connectSecure(to: middle.address, client, caller)
        }
    }

    /// A stream that is cut at a record's end looks whole to TCP, and must not to us.
    @Test(arguments: [false, true])
    func truncationIsReported(isCut: Bool) throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { _ in accepted }
            let middle = try intercept(loop, listener.address) { toServer, _ in
                toServer.change = { [unowned toServer] bytes in
                    // The end is a record of 24 bytes, the last one.
                    guard isCut, toServer.taken.suffix(24).starts(with: [23, 3, 3, 0, 19]) else { return bytes }
                    return [UInt8](bytes.dropLast(24))
                }
            }
            let caller = TestHandler()
            caller.onOpen = { stream in
                stream.write(pattern(1000))
                stream.closeAfterWriting()
            }
            accepted.onClose = { [unowned accepted] _, reason in
                #expect(accepted.received == pattern(1000))
                #expect(reason == (isCut ? .secure(.truncated) : .endOfStream))
                loop.stop()
            }
            loop.connectSecure(to: middle.address, client, caller)
        }
    }

    /// A peer that accepts connections and says nothing: both ends of the handshake.
    @Test func silenceEndsTheHandshake() throws {
        try withLoop { loop in
            var secure = SecureOptions()
            secure.handshakeTimeout = .milliseconds(50)
            let started = loop.now
            var open = 2
            let silent = try loop.listenPlain { _ in TestHandler() }
            let listener = try loop.listenSecure(server, secure: secure) { _ in
                let accepted = TestHandler()
                accepted.onClose = { _, reason in ended(reason) }
                return accepted
            }
            func ended(_ reason: CloseReason) {
                #expect(reason == .secure(.handshakeTimeout))
                #expect(loop.now >= started + secure.handshakeTimeout)
                open -= 1
                if open == 0 { loop.stop() }
            }
            let caller = TestHandler()
            caller.onClose = { _, reason in ended(reason) }
            loop.connectSecure(to: silent.address, client, secure: secure, caller)
            loop.connectPlain(to: listener.address, TestHandler())
        }
    }

    /// A peer that leaves in the middle of the handshake.
    @Test func peerThatLeavesIsReported() throws {
        try withLoop { loop in
            let listener = try loop.listenPlain { stream in
                let accepted = TestHandler()
                accepted.onBytes = { stream, bytes, _ in
                    stream.closeAfterWriting()
                    return Consumption(consumed: bytes.count)
                }
                return accepted
            }
            let caller = TestHandler()
            caller.onClose = { [unowned caller] _, reason in
                #expect(reason == .secure(.peerLeft))
                #expect(caller.opened == 0)
                loop.stop()
            }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }

    /// Nobody listens: the reason of the stream below comes through.
    @Test func refusedConnectionIsReported() throws {
        try withLoop { loop in
            let listener = try loop.listenPlain { _ in nil }
            listener.close()
            let caller = TestHandler()
            caller.onClose = { _, reason in
                guard case .system(let error) = reason else {
                    Issue.record("\(reason)")
                    return
                }
                #expect(error.name == "ECONNREFUSED")
                loop.stop()
            }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }
}
