import Basics
import Platform
import Testing

@testable import EventLoop

@Suite struct FlowControlTests {
    /// The client reads nothing until the server's queue is over the mark; then everything arrives.
    @Test func stopsReadingFromAPeerThatDoesNotRead() throws {
        let answersPerByte = 20
        let requests = 2 << 20
        try withLoop { loop in
            var options = StreamOptions()
            options.highWaterMark = 512 << 10
            var server: (any ByteStream)?
            var mostUnsent = 0
            let listener = try loop.listen(options: options) { stream in
                server = stream
                let handler = TestHandler()
                handler.onBytes = { stream, bytes, output in
                    mostUnsent = max(mostUnsent, stream.unsentBytes)
                    for _ in 0..<answersPerByte { output.append(bytes) }
                    return Consumption(consumed: bytes.count)
                }
                return handler
            }
            var received = 0
            let client = TestHandler()
            client.onOpen = { stream in
                stream.pauseReading()
                stream.write(pattern(requests))
            }
            client.onBytes = { stream, bytes, _ in
                received += bytes.count
                if received == requests * answersPerByte { stream.close() }
                return Consumption(consumed: bytes.count)
            }
            client.onClose = { _, _ in
                #expect(received == requests * answersPerByte)
                // One read's answers may go over the mark; without the stop all of 40 MiB would be waiting.
                #expect(mostUnsent <= options.highWaterMark)
                #expect(loop.liveBlocks <= 1)
                loop.stop()
            }
            let stream = loop.connect(to: listener.address, client)
            var poll: (any PlatformTimer)?
            poll = loop.makeTimer {
                if let server, server.unsentBytes > options.highWaterMark {
                    #expect(server.unsentBytes <= options.highWaterMark + LoopCore.readBufferBytes * answersPerByte)
                    poll = nil
                    stream.resumeReading()
                } else {
                    poll?.start(at: loop.now + .milliseconds(1))
                }
            }
            poll?.start(at: loop.now)
        }
    }

    /// Each of many streams stays below its own limit, all together do not: who holds most is closed, the small one lives.
    @Test func closesThoseThatHoldMostWhenAllHoldTooMuch() throws {
        let hoarders = 8
        let piece = 64 << 10
        try withLoop { loop in
            loop.ownedBytesLimit = 8 << 20
            var warnings = 0
            loop.onWarning = { _ in warnings += 1 }
            var givenUp = 0
            let listener = try loop.listen { _ in
                let handler = TestHandler()
                // A frame that never ends.
                handler.onBytes = { _, _, _ in Consumption(consumed: 0, needed: 32 << 20) }
                handler.onClose = { _, reason in
                    if case .system(let error) = reason, error.name == "ENOMEM" { givenUp += 1 }
                }
                return handler
            }
            var bystanderIsOpen = true
            let bystander = TestHandler()
            bystander.onOpen = { $0.write(pattern(1_000)) }
            bystander.onClose = { _, _ in bystanderIsOpen = false }
            let small = loop.connect(to: listener.address, bystander)
            let senders = (0..<hoarders).map { _ in loop.connect(to: listener.address, TestHandler()) }
            var poll: (any PlatformTimer)?
            poll = loop.makeTimer {
                // Piece by piece, so that what the senders themselves queue does not count.
                for sender in senders where sender.unsentBytes == 0 { sender.write(pattern(piece)) }
                guard givenUp >= 2 else {
                    poll?.start(at: loop.now)
                    return
                }
                #expect(bystanderIsOpen)
                #expect(warnings == 1)
                #expect(loop.ownedBytes <= 2 * loop.ownedBytesLimit)
                poll = nil
                loop.stop()
            }
            poll?.start(at: loop.now)
            withExtendedLifetime(small) {}
        }
    }

    @Test func dropsAPeerAtTheLimit() throws {
        try withLoop { loop in
            var options = StreamOptions()
            options.highWaterMark = .max
            options.unsentLimit = 4 << 20
            let server = TestHandler()
            server.onBytes = { _, bytes, output in
                for _ in 0..<64 { output.append(pattern(16 << 10)) }
                return Consumption(consumed: bytes.count)
            }
            server.onClose = { stream, reason in
                #expect(reason == .slowPeer)
                #expect(stream.unsentBytes == 0)
                loop.stop()
            }
            let listener = try loop.listen(options: options) { _ in server }
            let client = TestHandler()
            var tick: (any PlatformTimer)?
            client.onOpen = { stream in
                stream.pauseReading()
                tick = loop.makeTimer { [unowned stream] in
                    stream.write("more")
                    tick?.start(at: loop.now + .milliseconds(1))
                }
                tick?.start(at: loop.now)
            }
            client.onClose = { _, _ in tick = nil }
            loop.connect(to: listener.address, client)
        }
    }

    /// The handler takes one byte per call, pauses, and goes on later: nothing is lost, and nothing is offered meanwhile.
    @Test func offersTheRestAgainAfterAPause() throws {
        try withLoop { loop in
            var taken: [UInt8] = []
            var isPaused = false
            var timers: [any PlatformTimer] = []
            let server = TestHandler()
            server.onBytes = { stream, bytes, _ in
                #expect(!isPaused)
                taken.append(bytes[0])
                if taken.count == 8 { loop.stop() }
                stream.pauseReading()
                isPaused = true
                timers.append(
                    loop.after(.milliseconds(1)) {
                        isPaused = false
                        let calls = server.calls
                        stream.resumeReading()
                        #expect(server.calls == calls, "offered from inside resumeReading")
                    })
                return Consumption(consumed: 1)
            }
            server.onClose = { _, _ in timers = [] }
            let listener = try loop.listen { _ in server }
            let client = TestHandler()
            client.onOpen = { stream in
                stream.write("abc")
                stream.write("defgh")
            }
            loop.connect(to: listener.address, client)
            client.onClose = { _, _ in #expect(taken == [UInt8]("abcdefgh".utf8)) }
        }
    }

    /// Resumed inside the same call: offered again in the next round, as often as it takes, never recursively.
    @Test func offersTheRestAgainWhenResumedInTheSameCall() throws {
        try withLoop { loop in
            var taken: [UInt8] = []
            var depth = 0
            let server = TestHandler()
            server.onBytes = { stream, bytes, _ in
                depth += 1
                #expect(depth == 1)
                taken.append(bytes[0])
                stream.pauseReading()
                stream.resumeReading()
                depth -= 1
                return Consumption(consumed: 1)
            }
            server.onClose = { _, reason in
                #expect(reason == .endOfStream)
                #expect(taken == [UInt8]("abcdefgh".utf8))
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            let address = listener.address
            loop.offload {
                let client = RawClient(address)
                client.send([UInt8]("abcdefgh".utf8))
                client.close()
            } completion: {
            }
        }
    }

    /// Streams that take their bytes in many turns take turns with each other, also after many of them.
    @Test func streamsTakeTurns() throws {
        try withLoop { loop in
            let bytesEach = 64
            var order: [UInt64] = []
            let listener = try loop.listen { _ in
                let handler = TestHandler()
                handler.onBytes = { stream, _, _ in
                    order.append(stream.id)
                    if order.count == 2 * bytesEach { loop.stop() }
                    stream.pauseReading()
                    stream.resumeReading()
                    return Consumption(consumed: 1)
                }
                return handler
            }
            for _ in 0..<2 {
                let client = TestHandler()
                client.onOpen = { $0.write([UInt8](repeating: 1, count: bytesEach)) }
                client.onClose = { _, _ in
                    // From when both have begun until one has had all.
                    guard let first = order.first, let start = order.firstIndex(where: { $0 != first }) else { return }
                    let both = order[start...].prefix(2 * (bytesEach - start))
                    #expect(zip(both, both.dropFirst()).allSatisfy { $0 != $1 }, "\(order)")
                }
                loop.connect(to: listener.address, client)
            }
        }
    }

    /// Without `needed` or a pause, unconsumed bytes wait for new ones and come together with them.
    @Test func offersUnconsumedBytesTogetherWithNewOnes() throws {
        try withLoop { loop in
            var offered: [[UInt8]] = []
            let server = TestHandler()
            server.onBytes = { stream, bytes, _ in
                offered.append([UInt8](bytes))
                if bytes.count == 3 { loop.stop() }
                stream.write(".")
                return Consumption(consumed: 0)
            }
            let listener = try loop.listen { _ in server }
            let client = TestHandler()
            client.onOpen = { $0.write("a") }
            client.onBytes = { stream, bytes, _ in
                stream.write("b")
                return Consumption(consumed: bytes.count)
            }
            client.onClose = { _, _ in
                #expect(offered == [[UInt8]("a".utf8), [UInt8]("ab".utf8), [UInt8]("abb".utf8)])
            }
            loop.connect(to: listener.address, client)
        }
    }

    /// A peer that announces much and sends little costs what it sent.
    @Test func believesALengthOnlyAsFarAsBytesCame() throws {
        var held = HeldBytes()
        defer { held.free() }
        ([1, 2, 3, 4, 5, 6, 7, 8] as [UInt8]).withUnsafeBytes { held.keep($0) }
        #expect(held.capacity == 8)
        let needed = 16 << 20
        ([9] as [UInt8]).withUnsafeBytes { held.append($0, needed: needed) }
        #expect(held.capacity == 18)
        var received = held.count
        while received < needed {
            let room = held.room(needed: needed)
            #expect(held.capacity <= 2 * received && held.capacity <= needed)
            let count = min(room.count, 64 << 10)
            room.baseAddress!.initializeMemory(as: UInt8.self, repeating: 1, count: count)
            held.filled(count)
            received += count
        }
        #expect(held.capacity == needed)
    }

    /// More unconsumed bytes than any frame may have: the stream ends with EMSGSIZE, whatever the handler says.
    @Test func refusesToHoldWithoutLimit() throws {
        try withLoop { loop in
            let server = TestHandler()
            server.onBytes = { _, _, _ in Consumption(consumed: 0, needed: (64 << 20) + 1) }
            server.onClose = { _, reason in
                guard case .system(let error) = reason else { return #expect(Bool(false), "\(reason)") }
                #expect(error.name == "EMSGSIZE")
                loop.stop()
            }
            let listener = try loop.listen { _ in server }
            let client = TestHandler()
            client.onOpen = { $0.write("x") }
            loop.connect(to: listener.address, client)
        }
    }

    @Test func packsTheStateOfAStream() {
        // Of which libuv's handle takes 248. One word more costs 16 bytes a connection.
        #expect(MemoryLayout<StreamState>.stride <= 344)
    }

    /// A thousand connections that have exchanged bytes, whole and in parts, own no block of memory.
    @Test func idleConnectionsHoldNoBuffers() throws {
        let count = 1000
        raiseDescriptorLimit(to: 2 * count + 500)
        try withLoop { loop in
            var answers = 0
            var rest: [any ByteStream] = []
            let sent = frame(pattern(1000))
            let listener = try loop.listen { _ in framedEcho() }
            for _ in 0..<count {
                let client = TestHandler()
                client.onOpen = { stream in
                    stream.write([UInt8](sent[..<700]))
                }
                client.onBytes = { _, bytes, _ in
                    answers += bytes.count
                    if answers == count * sent.count {
                        #expect(loop.openStreams == 2 * count)
                        #expect(loop.liveBlocks == 0)
                        loop.stop()
                    }
                    return Consumption(consumed: bytes.count)
                }
                let stream = loop.connect(to: listener.address, client)
                rest.append(stream)
            }
            var timer: (any PlatformTimer)?
            timer = loop.makeTimer {
                // All first parts have arrived when every one of them is held in a block.
                if loop.liveBlocks < count {
                    timer?.start(at: loop.now + .milliseconds(1))
                } else {
                    for stream in rest { stream.write([UInt8](sent[700...])) }
                    rest = []
                    timer = nil
                }
            }
            timer?.start(at: loop.now)
        }
    }
}
