import Basics
import Glibc
import Platform
import Testing

@testable import EventLoop

@Suite struct ClosingTests {
    /// The peer ends its side right after its requests, and still gets every answer.
    @Test func answersAHalfClosedPeer() throws {
        let answer = pattern(6 << 20)
        try withLoop { loop in
            let server = TestHandler()
            server.onBytes = { _, bytes, output in
                output.append(answer)
                return Consumption(consumed: bytes.count)
            }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send([1])
                client.finishSending()
                let received = client.receive()
                client.close()
                return received == answer
            } completion: { same in
                #expect(same)
                #expect(server.reasons == [.endOfStream])
                loop.stop()
            }
        }
    }

    /// A reset is no orderly end: the peer hears of it as an error, even with nothing unread between the two.
    @Test func resetsAConnection() throws {
        try withLoop { loop in
            let server = TestHandler()
            server.onOpen = { $0.reset() }
            let client = TestHandler()
            client.onClose = { _, reason in
                guard case .system(let error) = reason else {
                    Issue.record("closed with \(reason)")
                    return loop.stop()
                }
                #expect(error.name == "ECONNRESET")
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            loop.connect(to: listener.address, client)
            _ = listener
        }
    }

    /// A half-closed peer that does not take its answers is let go after the linger timeout.
    @Test func lingersOnlySoLong() throws {
        try withLoop { loop in
            var options = StreamOptions()
            options.lingerTimeout = .milliseconds(50)
            let server = TestHandler()
            var began = Instant.zero
            server.onBytes = { stream, bytes, output in
                output.append([UInt8](repeating: 1, count: 32 << 20))
                began = loop.now
                stream.closeAfterWriting()
                stream.closeAfterWriting()
                return Consumption(consumed: bytes.count)
            }
            server.onClose = { _, reason in
                #expect(reason == .local)
                #expect(loop.now - began >= .milliseconds(50))
                loop.stop()
            }
            let listener = try loop.listen(options: options) { _ in server }
            let client = TestHandler()
            client.onOpen = { stream in
                stream.pauseReading()
                stream.write("x")
            }
            loop.connect(to: listener.address, client)
        }
    }

    /// `closeAfterWriting` inside `received` sends that call's answers first; the unread rest of the peer's bytes does
    /// not turn them into a reset; later writes are ignored.
    @Test func closesAfterWriting() throws {
        let answer = pattern(4 << 20)
        try withLoop { loop in
            let server = TestHandler()
            server.onBytes = { stream, bytes, output in
                output.append(UnsafeRawBufferPointer(rebasing: answer.withUnsafeBytes { $0 }[..<1000]))
                stream.closeAfterWriting()
                output.append([UInt8](answer[1000...]))
                stream.write("ignored")
                return Consumption(consumed: 1)
            }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send(pattern(40_000))
                let received = client.receive()
                client.close()
                return received == answer
            } completion: { same in
                #expect(same)
                #expect(server.reasons == [.local] && server.calls == 1)
                loop.stop()
            }
        }
    }

    /// Where `close` may be called: from every callback, on the stream itself. The handler hears of the end once, later.
    @Test(arguments: ["accept", "opened", "received", "write", "timer"])
    func closesInsideCallbacks(place: String) throws {
        try withLoop { loop in
            let server = TestHandler()
            func closeIf(_ here: String, _ stream: any ByteStream) {
                guard here == place else { return }
                stream.close()
                stream.close()
                stream.write("ignored")
                stream.pauseReading()
                stream.resumeReading()
                stream.closeAfterWriting()
                #expect(server.reasons.isEmpty)
            }
            var timers: [any PlatformTimer] = []
            server.onOpen = { stream in
                closeIf("opened", stream)
                timers.append(loop.after(.milliseconds(20)) { closeIf("timer", stream) })
                if place == "write" {
                    stream.write([UInt8](repeating: 1, count: 32 << 20))
                    stream.close()
                }
            }
            server.onBytes = { stream, bytes, output in
                output.append("dropped" as StaticString)
                stream.write("dropped")
                closeIf("received", stream)
                return Consumption(consumed: place == "received" ? 0 : bytes.count, needed: 100)
            }
            var ends = 0
            func ended() {
                ends += 1
                guard ends == 2 else { return }
                #expect(server.reasons == [.local])
                #expect(loop.liveBlocks == 0)
                loop.stop()
            }
            server.onClose = { _, _ in
                timers = []
                ended()
            }
            let listener = try loop.listen { stream in
                closeIf("accept", stream)
                return server
            }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send([1, 2, 3])
                let received = client.receive()
                client.close()
                return received.count
            } completion: { count in
                if place == "received" || place == "accept" { #expect(count == 0) }
                ended()
            }
        }
    }

    /// One stream's handler closes all the others, and writes to them first.
    @Test func closesOtherStreamsInsideReceived() throws {
        try withLoop { loop in
            var servers: [any ByteStream] = []
            let handlers = (0..<5).map { _ in TestHandler() }
            for handler in handlers {
                handler.onBytes = { stream, bytes, output in
                    output.append("x" as StaticString)
                    for other in servers {
                        other.write("bye")
                        other.close()
                    }
                    servers = []
                    return Consumption(consumed: bytes.count)
                }
            }
            let listener = try loop.listen { stream in
                servers.append(stream)
                return handlers[servers.count - 1]
            }
            var closed = 0
            for _ in handlers {
                let client = TestHandler()
                client.onClose = { _, _ in
                    closed += 1
                    guard closed == handlers.count else { return }
                    #expect(handlers.allSatisfy { $0.reasons == [.local] })
                    loop.stop()
                }
                let stream = loop.connect(to: listener.address, client)
                client.onBytes = { _, bytes, _ in Consumption(consumed: bytes.count) }
                var timer: (any PlatformTimer)?
                timer = loop.makeTimer {
                    // All five at once, so that several are readable in the turn in which the first one closes them.
                    if servers.count == handlers.count {
                        stream.write("now")
                        timer = nil
                    } else {
                        timer?.start(at: loop.now + .milliseconds(1))
                    }
                }
                timer?.start(at: loop.now)
            }
        }
    }

    @Test func tellsOfAReset() throws {
        try withLoop { loop in
            let server = TestHandler()
            server.onClose = { _, reason in
                guard case .system(let error) = reason else { return #expect(Bool(false), "\(reason)") }
                #expect(error.name == "ECONNRESET")
                #expect(error.operation.hasPrefix("read from 127.0.0.1:"))
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                RawClient(address).reset()
            } completion: {
            }
        }
    }

    /// Writing to a peer that has gone neither kills the process (SIGPIPE) nor goes unnoticed.
    @Test func survivesWritingToAClosedPeer() throws {
        try withLoop { loop in
            var tick: (any PlatformTimer)?
            let server = TestHandler()
            server.onOpen = { stream in
                stream.pauseReading()
                tick = loop.makeTimer { [unowned stream] in
                    stream.write("anyone?")
                    tick?.start(at: loop.now + .milliseconds(1))
                }
                tick?.start(at: loop.now)
            }
            server.onClose = { _, reason in
                tick = nil
                guard case .system(let error) = reason else { return #expect(Bool(false), "\(reason)") }
                #expect(["EPIPE", "ECONNRESET"].contains(error.name))
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                RawClient(address).close()
            } completion: {
            }
        }
    }

    /// A silent stream is closed, no earlier than its timeout; one that is fed lives on.
    @Test func closesIdleStreams() throws {
        try withLoop { loop in
            var options = StreamOptions()
            let timeout = Duration.milliseconds(500)
            options.idleTimeout = timeout
            let (silent, busy) = (TestHandler.echo(), TestHandler.echo())
            var accepted = 0
            let listener = try loop.listen(options: options) { _ in
                accepted += 1
                return accepted == 1 ? silent : busy
            }
            let start = loop.now
            var busyAge = Duration.zero
            var tick: (any PlatformTimer)?
            silent.onClose = { _, reason in
                #expect(reason == .idle)
                #expect(loop.now - start >= timeout)
                #expect(busy.reasons.isEmpty)
            }
            busy.onClose = { _, reason in
                #expect(reason == .idle)
                #expect(busyAge >= timeout + timeout)
                loop.stop()
            }
            let first = TestHandler()
            first.onOpen = { _ in
                let second = TestHandler()
                second.onOpen = { stream in
                    let opened = loop.now
                    tick = loop.makeTimer { [unowned stream] in
                        busyAge = loop.now - opened
                        // Fed for more than twice the timeout, then left alone.
                        if busyAge >= timeout + timeout {
                            tick = nil
                            return
                        }
                        stream.write("x")
                        tick?.start(at: loop.now + .milliseconds(20))
                    }
                    tick?.start(at: loop.now)
                }
                loop.connect(to: listener.address, second)
            }
            loop.connect(to: listener.address, first)
        }
    }

    /// Bytes that no handler call consumes do not count as life.
    @Test func closesAStreamThatOnlyDrips() throws {
        try withLoop { loop in
            var options = StreamOptions()
            options.idleTimeout = .milliseconds(100)
            let server = framedEcho()
            let listener = try loop.listen(options: options) { _ in server }
            var tick: (any PlatformTimer)?
            let client = TestHandler()
            client.onOpen = { stream in
                stream.write([0, 0, 1, 0])
                tick = loop.makeTimer { [unowned stream] in
                    stream.write("x")
                    tick?.start(at: loop.now + .milliseconds(10))
                }
                tick?.start(at: loop.now)
            }
            server.onClose = { _, reason in
                #expect(reason == .idle)
                tick = nil
                loop.stop()
            }
            loop.connect(to: listener.address, client)
        }
    }

    /// Open, connecting and throttled streams, listeners and timers: `stop` ends them all, and what opens later.
    @Test func stopsWithOpenStreams() throws {
        try withLoop { loop in
            let servers = TestHandler()
            let listener = try loop.listen { _ in servers }
            let clients = TestHandler()
            let timer = loop.makeTimer { Issue.record("a timer fired after stop") }
            clients.onClose = { _, _ in
                // Half of what a reconnecting client would do.
                let late = loop.connect(to: listener.address, timeout: .seconds(1), options: .init(), handler: clients)
                late.write("ignored")
                timer.start(at: loop.now)
                #expect(throws: PlatformError.self) { try loop.listen { _ in nil } }
            }
            for _ in 0..<10 { loop.connect(to: listener.address, clients) }
            servers.onOpen = { stream in
                stream.write([UInt8](repeating: 1, count: 8 << 20))
                stream.closeAfterWriting()
                guard servers.opened == 10 else { return }
                let connecting = TestHandler()
                connecting.onClose = { _, reason in #expect(reason == .local) }
                loop.connect(to: listener.address, connecting).write("early")
                loop.connect(to: Address(host: "localhost", port: listener.address.port), connecting)
                timer.start(at: loop.now + .milliseconds(1))
                loop.stop()
                loop.stop()
                #expect(servers.reasons.isEmpty, "streamClosed comes later")
            }
        }
    }
}
