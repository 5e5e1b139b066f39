import Basics
import EventLoop
import Platform
import Testing

@testable import SecureTransport

@Suite struct EchoTests {
    private let server: TLSContext
    private let client: TLSContext

    init() throws {
        server = try TLSContext(side: .server, credentials: keys(1))
        client = try TLSContext(side: .client, credentials: keys(1))
    }

    /// Sizes around a record's and a chunk's; every byte comes back in order.
    @Test(arguments: [1, 16 << 10, (16 << 10) + 1, 64 << 10, (64 << 10) + 1, 3 << 20])
    func echoesWhole(size: Int) throws {
        let sent = pattern(size)
        try withLoop { loop in
            let listener = try loop.listenSecure(server) { _ in TestHandler.echo() }
            let caller = TestHandler()
            caller.onOpen = { $0.write(sent) }
            caller.onBytes = { [unowned caller] stream, bytes, _ in
                if caller.received.count + bytes.count >= size { stream.closeAfterWriting() }
                return Consumption(consumed: bytes.count)
            }
            caller.onClose = { [unowned caller] _, reason in
                #expect(reason == .local)
                let same = caller.received == sent
                #expect(same, "\(caller.received.count) bytes of \(size)")
                loop.stop()
            }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }

    /// Ten mebibytes each way at the same time; either side stops reading again and again.
    @Test func tenMebibytesBothWaysWithPauses() throws {
        let size = 10 << 20
        let (up, down) = (pattern(size, seed: 1), pattern(size, seed: 2))
        try withLoop { loop in
            var open = 2
            var timers: [any PlatformTimer] = []
            /// Sends while little is unsent, reads with pauses, and ends when both is done.
            func side(_ sent: [UInt8], _ expected: [UInt8]) -> TestHandler {
                let handler = TestHandler()
                var offset = 0
                var most = 0
                func pump(_ stream: any ByteStream) {
                    while offset < size, stream.unsentBytes < 256 << 10 {
                        let end = min(offset + (100 << 10), size)
                        stream.write([UInt8](sent[offset..<end]))
                        offset = end
                        most = max(most, stream.unsentBytes)
                    }
                }
                var generator = SeededGenerator(seed: UInt64(sent[0]))
                handler.onOpen = { stream in
                    pump(stream)
                    let position = timers.count
                    timers.append(
                        loop.makeTimer { [weak stream] in
                            guard let stream else { return }
                            pump(stream)
                            stream.resumeReading()
                            timers[position].start(at: loop.now + .milliseconds(1))
                        })
                    timers[position].start(at: loop.now)
                }
                handler.onBytes = { [unowned handler] stream, bytes, _ in
                    pump(stream)
                    // Sometimes a part only; what is left must come again when it reads on.
                    let pauses = generator.next() % 4 == 0
                    if pauses { stream.pauseReading() }
                    let consumed = pauses ? bytes.count / 2 : bytes.count
                    if handler.received.count + consumed == size, offset == size { stream.closeAfterWriting() }
                    return Consumption(consumed: consumed)
                }
                handler.onClose = { [unowned handler] _, reason in
                    #expect(reason == .local || reason == .endOfStream)
                    let same = handler.received == expected
                    #expect(same, "\(handler.received.count) bytes of \(size)")
                    #expect(most < 1 << 20, "backpressure kept \(most) bytes at most")
                    open -= 1
                    if open == 0 {
                        timers.forEach { $0.cancel() }
                        timers = []
                        loop.stop()
                    }
                }
                return handler
            }
            let accepted = side(down, up)
            let listener = try loop.listenSecure(server) { _ in accepted }
            loop.connectSecure(to: listener.address, client, side(up, down))
        }
    }

    /// `streamOpened` comes inside a read of the stream below; what is written there counts as unsent all the same.
    @Test func countsWhatIsWrittenOnOpening() throws {
        try withLoop { loop in
            let listener = try loop.listenSecure(server) { _ in TestHandler() }
            let caller = TestHandler()
            caller.onOpen = { stream in
                stream.write(pattern(1000))
                #expect(stream.unsentBytes >= 1000)
                stream.close()
            }
            caller.onClose = { _, reason in
                #expect(reason == .local)
                loop.stop()
            }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }

    /// Bytes written before the connection is up wait for the handshake, in order, before those written on opening.
    @Test func earlyBytesWait() throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { stream in
                stream.write("early from the server")
                #expect(stream.unsentBytes == 21)
                return accepted
            }
            accepted.onClose = { [unowned accepted] _, reason in
                #expect(reason == .endOfStream)
                #expect(String(decoding: accepted.received, as: UTF8.self) == "early then opened")
                loop.stop()
            }
            let caller = TestHandler()
            caller.onOpen = { $0.write(" opened") }
            caller.onBytes = { stream, bytes, _ in
                guard bytes.count == 21 else { return Consumption(consumed: 0) }
                stream.closeAfterWriting()
                return Consumption(consumed: 21)
            }
            let stream = loop.connectSecure(to: listener.address, client, caller)
            stream.write("early")
            stream.write(" then")
            #expect(stream.unsentBytes == 10)
            #expect(stream.session == nil)
        }
    }

    /// `closeAfterWriting` before the handshake sends what was written; without anything written it ends at once.
    @Test func closesBeforeOpening() throws {
        try withLoop { loop in
            let accepted = TestHandler()
            var handlers = [accepted, TestHandler()]
            let listener = try loop.listenSecure(server) { _ in handlers.removeFirst() }
            let caller = TestHandler()
            let stream = loop.connectSecure(to: listener.address, client, caller)
            stream.write("farewell")
            stream.closeAfterWriting()
            stream.write("too late")
            accepted.onClose = { [unowned accepted] _, reason in
                #expect(reason == .endOfStream)
                #expect(String(decoding: accepted.received, as: UTF8.self) == "farewell")
                #expect(caller.opened == 1)
                loop.stop()
            }
            let other = TestHandler()
            loop.connectSecure(to: listener.address, client, other).closeAfterWriting()
            other.onClose = { _, reason in #expect(reason == .local) }
        }
    }

    /// What `write` was given inside `received` follows what was appended to the output.
    @Test func ordersWritesBehindOutput() throws {
        try withLoop { loop in
            let listener = try loop.listenSecure(server) { _ in
                let accepted = TestHandler()
                accepted.onBytes = { stream, bytes, output in
                    stream.write("B")
                    output.append("A1" as StaticString)
                    #expect(stream.unsentBytes == 1)
                    stream.write("C")
                    output.append("A2" as StaticString)
                    stream.closeAfterWriting()
                    stream.write("too late")
                    return Consumption(consumed: bytes.count)
                }
                return accepted
            }
            let caller = TestHandler()
            caller.onOpen = { $0.write("x") }
            caller.onClose = { [unowned caller] _, reason in
                #expect(reason == .endOfStream)
                #expect(String(decoding: caller.received, as: UTF8.self) == "A1A2BC")
                loop.stop()
            }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }

    /// `close` outside of `received`, with nothing unsent, is an end in order for the peer.
    @Test func closeIsOrderlyWhenNothingIsLost() throws {
        try withLoop { loop in
            let accepted = TestHandler()
            let listener = try loop.listenSecure(server) { _ in accepted }
            accepted.onClose = { _, reason in
                #expect(reason == .endOfStream)
                loop.stop()
            }
            let caller = TestHandler()
            var timer: (any PlatformTimer)?
            accepted.onOpen = { _ in timer?.start(at: loop.now) }
            let stream = loop.connectSecure(to: listener.address, client, caller)
            timer = loop.makeTimer { stream.close() }
        }
    }

    /// A handler that leaves too much, or asks for too much, ends the stream.
    @Test func boundsUnreadPlaintext() throws {
        try withLoop { loop in
            var secure = SecureOptions.patient
            secure.plaintextLimit = 100_000
            let accepted = TestHandler()
            accepted.onBytes = { _, _, _ in Consumption(consumed: 0) }
            let listener = try loop.listenSecure(server, secure: secure) { _ in accepted }
            accepted.onClose = { _, reason in
                #expect(reason == .secure(.tooMuchUnread))
                loop.stop()
            }
            let caller = TestHandler()
            caller.onOpen = { $0.write(pattern(200_000)) }
            loop.connectSecure(to: listener.address, client, caller)
        }
    }
}
