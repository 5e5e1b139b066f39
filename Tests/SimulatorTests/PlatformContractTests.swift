import Basics
import Glibc
import Platform
import Simulator
import Testing

/// What `Platform` promises to a shell, over libuv and in virtual time: one node, two worlds.
@Suite struct PlatformContractTests {
    // MARK: Timers

    /// In the order of deadlines, equal ones in the order of their starts, never early; restarted, cancelled and
    /// released ones as they should.
    @Test(arguments: PlatformKind.allCases)
    func timersFireInOrder(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let start = bench.platform.now
        var fired: [Int] = []
        let milliseconds: [Int64] = [9, 3, 3, 6, 1, 30, 12, 12]
        var timers: [(any PlatformTimer)?] = milliseconds.enumerated().map { number, delay in
            let deadline = start + .milliseconds(delay)
            let timer = bench.platform.makeTimer {
                fired.append(number)
                #expect(bench.platform.now >= deadline)
            }
            timer.start(at: deadline)
            return timer
        }
        timers[3]?.cancel()
        timers[6] = nil
        timers[1]?.start(at: start + .milliseconds(10))
        let last = bench.after(.milliseconds(60)) { bench.stop() }
        bench.run()
        #expect(fired == [4, 2, 0, 1, 7, 5])
        _ = (last, timers)
    }

    /// What a handler starts for now does not starve the streams: it waits for the next turn.
    @Test(arguments: PlatformKind.allCases)
    func timerStartedByATimerWaits(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        var order: [String] = []
        var second: (any PlatformTimer)?
        let first = bench.after(.zero) {
            second = bench.after(.zero) {
                order.append("second")
                bench.stop()
            }
            order.append("first")
        }
        bench.run()
        #expect(order == ["first", "second"])
        _ = (first, second)
    }

    // MARK: Opening

    /// Nobody is called inside `connect`; bytes written before the stream is up arrive; both ends know the addresses.
    @Test(arguments: PlatformKind.allCases)
    func opensLater(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let server = Recorder.echo()
        var accepted: (any ByteStream)?
        let listener = try bench.listen { stream in
            accepted = stream
            return server
        }
        let client = Recorder()
        let stream = bench.connect(listener.address, client)
        #expect(client.opened == 0 && stream.localAddress == nil && stream.remoteAddress == listener.address)
        stream.write("early")
        #expect(stream.unsentBytes == 5)
        client.onOpen = { $0.write(" late") }
        client.onBytes = { stream, bytes, _ in
            if bytes.count == 10 {
                #expect(accepted?.remoteAddress == stream.localAddress)
                #expect(accepted?.localAddress == listener.address)
                #expect(accepted?.id != stream.id && stream.id > 0)
                stream.close()
            }
            return Consumption(consumed: bytes.count == 10 ? 10 : 0)
        }
        client.onClose = { stream, _ in
            #expect(stream.localAddress == nil)
            bench.stop()
        }
        bench.run()
        #expect(client.received == [UInt8]("early late".utf8))
        #expect(client.opened == 1 && server.opened == 1 && client.reasons == [.local])
    }

    /// Nobody listens there: one call, later, with the system's error.
    @Test(arguments: PlatformKind.allCases)
    func isRefused(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let listener = try bench.listen { _ in nil }
        let address = listener.address
        listener.close()
        let client = Recorder()
        client.onClose = { _, reason in
            guard case .system(let error) = reason else { return #expect(Bool(false), "\(reason)") }
            #expect(error.name == "ECONNREFUSED")
            bench.stop()
        }
        bench.connect(address, client)
        #expect(client.reasons.isEmpty)
        bench.run()
        #expect(client.opened == 0 && client.reasons.count == 1)
    }

    /// A port that is taken cannot be listened at.
    @Test(arguments: PlatformKind.allCases)
    func portIsTaken(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let listener = try bench.listen { _ in nil }
        let error = #expect(throws: PlatformError.self) {
            try bench.platform.listen(at: listener.address, options: .init(), handler: NoOne())
        }
        #expect(error?.name == "EADDRINUSE")
        let timer = bench.after(.zero) { bench.stop() }
        bench.run()
        _ = timer
    }

    private final class NoOne: ListenerHandler {
        func accept(_ stream: any ByteStream) -> (any StreamHandler)? { nil }
    }

    /// Closed before it was up: never opened, closed once.
    @Test(arguments: PlatformKind.allCases)
    func closesBeforeOpening(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let listener = try bench.listen { _ in Recorder() }
        let client = Recorder()
        client.onClose = { _, _ in bench.stop() }
        let stream = bench.connect(listener.address, client)
        stream.close()
        stream.close()
        #expect(client.reasons.isEmpty)
        bench.run()
        #expect(client.opened == 0 && client.reasons == [.local])
    }

    /// Refused by the handler, or above the limit: the peer sees the end of the stream.
    @Test(arguments: PlatformKind.allCases, [true, false])
    func refusesConnections(_ kind: PlatformKind, byLimit: Bool) throws {
        let bench = try Workbench(kind)
        var options = StreamOptions()
        options.connectionLimit = 1
        let server = Recorder()
        let listener = try bench.listen(options) { _ in byLimit ? server : nil }
        let refused = Recorder()
        refused.onClose = { _, _ in bench.stop() }
        let first = Recorder()
        first.onOpen = { _ in bench.connect(listener.address, refused) }
        if byLimit { bench.connect(listener.address, first) } else { bench.connect(listener.address, refused) }
        bench.run()
        #expect(refused.reasons == [.endOfStream])
    }

    // MARK: Bytes

    /// Every byte in order, whatever the size.
    @Test(arguments: PlatformKind.allCases, [1, 1_000, (64 << 10) + 1, 2 << 20])
    func echoes(_ kind: PlatformKind, size: Int) throws {
        let bench = try Workbench(kind)
        let sent = pattern(size)
        let listener = try bench.listen { _ in Recorder.echo() }
        let client = Recorder()
        client.onOpen = { $0.write(sent) }
        var count = 0
        client.onBytes = { stream, bytes, _ in
            count += bytes.count
            if count == size { stream.close() }
            return Consumption(consumed: bytes.count)
        }
        client.onClose = { _, _ in bench.stop() }
        bench.connect(listener.address, client)
        bench.run()
        #expect(client.received == sent)
    }

    /// Unconsumed bytes come again together with new ones, and not before `needed` are there.
    @Test(arguments: PlatformKind.allCases, [0, 3])
    func offersAgain(_ kind: PlatformKind, needed: Int) throws {
        let bench = try Workbench(kind)
        var offered: [String] = []
        let server = Recorder()
        server.onBytes = { stream, bytes, _ in
            offered.append(String(decoding: bytes, as: UTF8.self))
            if bytes.count == 3 { bench.stop() }
            return Consumption(consumed: 0, needed: needed)
        }
        let listener = try bench.listen { _ in server }
        let client = Recorder()
        var timers: [any PlatformTimer] = []
        client.onOpen = { stream in
            for (number, letter) in ["a", "b", "c"].enumerated() {
                timers.append(bench.after(.milliseconds(20 * Int64(number))) { stream.write(letter) })
            }
        }
        bench.connect(listener.address, client)
        bench.run()
        #expect(offered == (needed == 0 ? ["a", "ab", "abc"] : ["a", "abc"]))
        _ = timers
    }

    /// `pauseReading` and `resumeReading` inside `received`: the rest comes in calls of its own.
    @Test(arguments: PlatformKind.allCases)
    func takesTurns(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let server = Recorder()
        server.onBytes = { stream, bytes, _ in
            stream.pauseReading()
            stream.resumeReading()
            return Consumption(consumed: 1)
        }
        server.onClose = { _, _ in bench.stop() }
        let listener = try bench.listen { _ in server }
        let client = Recorder()
        client.onOpen = { stream in
            stream.write("abcdefgh")
            stream.closeAfterWriting()
        }
        bench.connect(listener.address, client)
        bench.run()
        #expect(server.received == [UInt8]("abcdefgh".utf8) && server.calls == 8)
        #expect(server.reasons == [.endOfStream] && client.reasons == [.local])
    }

    /// Nothing is delivered while paused, not even the end; everything is afterwards.
    @Test(arguments: PlatformKind.allCases)
    func pauses(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let server = Recorder()
        var timer: (any PlatformTimer)?
        server.onOpen = { stream in
            stream.pauseReading()
            timer = bench.after(.milliseconds(50)) {
                #expect(server.calls == 0 && server.reasons.isEmpty)
                stream.resumeReading()
                #expect(server.calls == 0)
            }
        }
        server.onClose = { _, _ in bench.stop() }
        let listener = try bench.listen { _ in server }
        let client = Recorder()
        client.onOpen = { stream in
            stream.write("all of it")
            stream.closeAfterWriting()
        }
        bench.connect(listener.address, client)
        bench.run()
        #expect(server.received == [UInt8]("all of it".utf8) && server.reasons == [.endOfStream])
        _ = timer
    }

    /// What `write` was given inside `received` follows what was appended to the output.
    @Test(arguments: PlatformKind.allCases)
    func ordersWritesBehindOutput(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let listener = try bench.listen { _ in
            let server = Recorder()
            server.onBytes = { stream, bytes, output in
                stream.write("B")
                output.append("A1" as StaticString)
                #expect(stream.unsentBytes == 1)
                stream.write("C")
                output.append("A2" as StaticString)
                stream.closeAfterWriting()
                stream.write("ignored")
                return Consumption(consumed: bytes.count)
            }
            return server
        }
        let client = Recorder()
        client.onOpen = { $0.write("x") }
        client.onClose = { _, _ in bench.stop() }
        bench.connect(listener.address, client)
        bench.run()
        #expect(client.received == [UInt8]("A1A2BC".utf8) && client.reasons == [.endOfStream])
    }

    // MARK: Ending

    /// `close` inside a callback: the answers of that call are dropped, nothing follows but one `streamClosed`, later.
    @Test(arguments: PlatformKind.allCases)
    func closesInsideReceived(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let server = Recorder()
        server.onBytes = { stream, bytes, output in
            output.append("dropped" as StaticString)
            stream.close()
            stream.write("ignored")
            stream.pauseReading()
            stream.resumeReading()
            stream.closeAfterWriting()
            #expect(server.reasons.isEmpty)
            return Consumption(consumed: 1, needed: 100)
        }
        let listener = try bench.listen { _ in server }
        let client = Recorder()
        client.onOpen = { $0.write("xyz") }
        client.onClose = { _, _ in bench.stop() }
        bench.connect(listener.address, client)
        bench.run()
        #expect(client.received.isEmpty && server.calls == 1 && server.reasons == [.local])
    }

    /// `closeAfterWriting` sends everything first.
    @Test(arguments: PlatformKind.allCases)
    func closesAfterWriting(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        let sent = pattern(2 << 20)
        let listener = try bench.listen { _ in
            let server = Recorder()
            server.onOpen = { stream in
                stream.write(sent)
                stream.closeAfterWriting()
            }
            return server
        }
        let client = Recorder()
        client.onClose = { _, _ in bench.stop() }
        bench.connect(listener.address, client)
        bench.run()
        #expect(client.received == sent && client.reasons == [.endOfStream])
    }

    /// Silence for the idle timeout closes, a little later than that at the latest; bytes put it off.
    @Test(arguments: PlatformKind.allCases)
    func closesIdleStreams(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        var options = StreamOptions()
        options.idleTimeout = .milliseconds(160)
        let server = Recorder()
        var lastByte = Instant.zero
        server.onBytes = { _, bytes, _ in
            lastByte = bench.platform.now
            return Consumption(consumed: bytes.count)
        }
        server.onClose = { _, _ in
            // In steps of a sixteenth.
            #expect(bench.platform.now - lastByte >= .milliseconds(150))
            bench.stop()
        }
        let listener = try bench.listen(options) { _ in server }
        let client = Recorder()
        var timers: [any PlatformTimer] = []
        client.onOpen = { stream in
            for number in 0..<4 {
                timers.append(bench.after(.milliseconds(50 * Int64(number))) { stream.write("x") })
            }
        }
        bench.connect(listener.address, client)
        bench.run()
        #expect(server.reasons == [.idle] && server.received.count == 4)
        _ = timers
    }

    /// A peer that does not take its bytes: above the mark the stream stops reading, above the limit it ends.
    @Test(arguments: PlatformKind.allCases)
    func endsSlowPeers(_ kind: PlatformKind) throws {
        let bench = try Workbench(kind)
        var options = StreamOptions()
        options.unsentLimit = 1 << 20
        let server = Recorder()
        server.onOpen = { stream in
            // Until the kernels' buffers are full, in pieces that each fit below the limit.
            for _ in 0..<400 where server.reasons.isEmpty { stream.write([UInt8](repeating: 1, count: 256 << 10)) }
        }
        server.onClose = { _, _ in bench.stop() }
        let listener = try bench.listen(options) { _ in server }
        let client = Recorder()
        client.onOpen = { $0.pauseReading() }
        bench.connect(listener.address, client)
        bench.run()
        #expect(server.reasons == [.slowPeer])
    }
}
