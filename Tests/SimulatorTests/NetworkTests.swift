import Basics
import Platform
import Simulator
import Testing

/// What the network and the kernels do when something goes wrong, as TCP's users see it.
@Suite struct NetworkTests {
    /// Two hosts, an echoing server on one and an open connection of the other.
    private final class Pair {
        let world: World
        let here: Host
        let there: Host
        let client = Recorder()
        let server = Recorder.echo()
        let platform: SimulatedPlatform
        private(set) var stream: (any ByteStream)!
        private var listener: (any Listener)?

        init(gossip: Bool = false) throws {
            world = World(seed: 1)
            here = world.makeHost("here", ip: "10.0.0.1")
            there = world.makeHost("there", ip: "10.0.0.2")
            platform = SimulatedPlatform(on: here, seed: 1)
            if gossip { world.gossipPorts = [9_877] }
            listener = try SimulatedPlatform(on: there, seed: 2).listen(
                at: Address(host: "0.0.0.0", port: 9_877), options: .init(), handler: One(server))
            stream = connect(client)
            world.run(for: .seconds(1))
            #expect(client.opened == 1 && server.opened == 1)
        }

        deinit { world.tearDown() }

        private final class One: ListenerHandler {
            let handler: Recorder
            init(_ handler: Recorder) { self.handler = handler }
            func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
                handler.opened == 0 ? handler : Recorder.echo()
            }
        }

        func connect(_ handler: Recorder) -> any ByteStream {
            platform.connect(
                to: Address(host: "there", port: 9_877), timeout: .seconds(3), options: .init(), handler: handler)
        }
    }

    /// The process dies: its kernel says so. The machine dies: nobody says anything, for ever or until it is back and
    /// asked.
    @Test func deathOfAProcessAndOfAMachine() throws {
        let first = try Pair()
        first.there.killProcesses()
        first.world.run(for: .seconds(1))
        #expect(first.client.reasons == [.endOfStream])

        let second = try Pair()
        second.there.powerOff()
        second.stream.write("x")
        second.world.run(for: .seconds(500))
        #expect(second.client.reasons.isEmpty)
        let late = Recorder()
        let lateStream = second.connect(late)
        second.world.run(for: .seconds(10))
        #expect(late.reasons == [.connectTimeout] && lateStream.localAddress == nil)
        second.there.powerOn()
        second.world.run(for: .seconds(121))
        guard case .system(let error)? = second.client.reasons.first else { return #expect(Bool(false)) }
        #expect(error.name == "ECONNRESET")
    }

    /// While one direction is cut its bytes wait; TCP brings them once it carries again. New connections time out.
    @Test(arguments: [true, false])
    func cutHoldsBytes(outward: Bool) throws {
        let pair = try Pair()
        let (from, to) = outward ? (pair.here, pair.there) : (pair.there, pair.here)
        pair.world.cut(from: from, to: to, true)
        pair.stream.write("hello")
        let other = Recorder()
        _ = pair.connect(other)
        pair.world.run(for: .seconds(30))
        #expect(pair.server.received.isEmpty == outward && pair.client.received.isEmpty)
        #expect(other.reasons == [.connectTimeout])
        pair.world.cut(from: from, to: to, false)
        pair.world.run(for: .seconds(30))
        #expect(pair.client.received == [UInt8]("hello".utf8) && pair.client.reasons.isEmpty)
    }

    /// For a quarter of an hour, then the kernel gives up, and tells only its own process.
    @Test func tcpGivesUp() throws {
        let pair = try Pair()
        pair.world.cut(from: pair.here, to: pair.there, true)
        pair.stream.write("hello")
        pair.world.run(for: .seconds(923))
        #expect(pair.client.reasons.isEmpty)
        pair.world.run(for: .seconds(5))
        guard case .system(let error)? = pair.client.reasons.first else { return #expect(Bool(false)) }
        #expect(error.name == "ETIMEDOUT" && pair.server.reasons.isEmpty)
    }

    /// A reset reaches both ends; what had arrived before can still be read.
    @Test func resetsBothEnds() throws {
        let pair = try Pair()
        pair.world.resetConnections(between: pair.here, and: pair.there)
        pair.world.run(for: .seconds(1))
        for reasons in [pair.client.reasons, pair.server.reasons] {
            guard case .system(let error)? = reasons.first else { return #expect(Bool(false)) }
            #expect(error.name == "ECONNRESET" && reasons.count == 1)
        }
    }

    /// A stopped process gets everything afterwards, in order; meanwhile its kernel accepts. A stopped machine answers
    /// nothing.
    @Test(arguments: [HostPause.process, .machine(clockRuns: true), .machine(clockRuns: false)])
    func pauseBuffers(kind: HostPause) throws {
        let pair = try Pair()
        let before = pair.there.now
        pair.there.pause(kind)
        for letter in ["a", "b", "c"] {
            pair.stream.write(letter)
            pair.world.run(for: .milliseconds(500))
        }
        let other = Recorder()
        _ = pair.connect(other)
        pair.world.run(for: .seconds(8))
        #expect(pair.client.received.isEmpty)
        #expect(other.opened == (kind == .process ? 1 : 0))
        #expect(pair.there.now - before == (kind == .machine(clockRuns: false) ? .zero : .milliseconds(9_500)))
        pair.there.resume(timersFirst: true, wallCatchesUp: true)
        pair.world.run(for: .seconds(30))
        #expect(pair.client.received == [UInt8]("abc".utf8))
        #expect(pair.there.wallTime.milliseconds - pair.here.wallTime.milliseconds == 0)
    }

    /// Loss, narrow and slow links delay; they lose and reorder nothing.
    @Test func badLinksOnlyDelay() throws {
        let pair = try Pair()
        let sent = pattern(200_000)
        for (from, to) in [(pair.here, pair.there), (pair.there, pair.here)] {
            pair.world.setConditions(from: from, to: to) {
                ($0.lossPerMille, $0.bandwidth, $0.latency) = (200, 50_000, 100_000_000)
            }
        }
        for start in stride(from: 0, to: sent.count, by: 1_000) {
            pair.stream.write(Array(sent[start..<start + 1_000]))
        }
        pair.world.run(for: .seconds(3))
        #expect(pair.client.received.count < 150_000)
        pair.world.run(for: .seconds(60))
        #expect(pair.client.received == sent)
    }

    /// On gossip links whole frames are lost, doubled and overtaken, and never cut.
    @Test func gossipFramesStayWhole() throws {
        let pair = try Pair(gossip: true)
        pair.world.setConditions(from: pair.here, to: pair.there) {
            ($0.frameDropPerMille, $0.frameDoublePerMille, $0.frameDelayPerMille) = (200, 200, 200)
        }
        let count = 1_000
        for number in 0..<count {
            let length = 8 + number % 40
            var frame = withUnsafeBytes(of: UInt32(length).bigEndian) { [UInt8]($0) }
            frame += withUnsafeBytes(of: UInt32(number).bigEndian) { [UInt8]($0) }
            frame += [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length - 8)
            pair.stream.write(frame)
            if number % 10 == 0 { pair.world.run(for: .milliseconds(100)) }
        }
        pair.world.run(for: .seconds(10))
        var reader = pair.client.received[...]
        var seen: [Int] = []
        while reader.count >= 8 {
            func word(_ offset: Int) -> Int {
                reader.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | Int($1) }
            }
            let (length, number) = (word(0), word(4))
            guard length == 8 + number % 40, reader.count >= length else { return #expect(Bool(false), "\(number)") }
            #expect(reader.dropFirst(8).prefix(length - 8).allSatisfy { $0 == UInt8(truncatingIfNeeded: number) })
            seen.append(number)
            reader = reader.dropFirst(length)
        }
        #expect(reader.isEmpty)
        let distinct = Set(seen)
        #expect(distinct.count > 700 && distinct.count < 880, "\(distinct.count) arrived")
        #expect(seen.count > distinct.count + 80, "some arrive twice")
        #expect(zip(seen, seen.dropFirst()).contains { $0 > $1 }, "some are overtaken")
    }
}
