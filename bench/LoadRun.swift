import Basics
import EventLoop
import Glibc
import Platform
import Remoting
import RemotingTransport

/// One workload at full speed for a while.
final class LoadRun {
    struct Outcome {
        var requestsPerSecond: Double
        /// Server CPU time per request; nil when the server was not started here.
        var cpuMicroseconds: Double?
        /// Answers whose code was neither 0 nor, for a lookup of nothing, 17.
        var wrong: Int
    }

    private let target: Target
    private let workload: Workload
    private let seconds: Double
    private let loop: EventLoop
    private var connections: [LoadConnection] = []
    private var answered: Int { connections.reduce(0) { $0 + $1.answered } }

    init(target: Target, workload: Workload, connections: Int, depth: Int, seconds: Double) throws(PlatformError) {
        self.target = target
        self.workload = workload
        self.seconds = seconds
        loop = try EventLoop()
        // The brokers of `preparation` live as long as this connection.
        let preparing = LoadConnection(frames: workload.preparation, depth: 1, limit: workload.preparation.count)
        _ = loop.connect(to: target.address, timeout: .seconds(3), options: StreamOptions(), handler: preparing)
        self.connections = (0..<connections).map {
            LoadConnection(frames: workload.frames($0), depth: depth, limit: .max)
        }
        preparing.onDone = { [weak self] in self?.startAll() }
    }

    private func startAll() {
        for connection in connections {
            _ = loop.connect(to: target.address, timeout: .seconds(3), options: StreamOptions(), handler: connection)
        }
    }

    /// Warms up, measures, and closes everything.
    func run() -> Outcome {
        var outcome = Outcome(requestsPerSecond: 0, cpuMicroseconds: nil, wrong: 0)
        var begin = (at: Instant.zero, answered: 0, cpu: Double?.none)
        var end: (any PlatformTimer)?
        let warm = loop.makeTimer { [self] in
            begin = (loop.now, answered, target.cpuSeconds())
            end?.start(at: loop.now + .seconds(seconds))
        }
        end = loop.makeTimer { [self] in
            let elapsed = Double((loop.now - begin.at).wholeNanoseconds) / 1e9
            let requests = answered - begin.answered
            outcome.requestsPerSecond = Double(requests) / elapsed
            if let before = begin.cpu, let after = target.cpuSeconds(), requests > 0 {
                outcome.cpuMicroseconds = (after - before) * 1e6 / Double(requests)
            }
            outcome.wrong = connections.reduce(0) { $0 + $1.wrong }
            loop.stop()
        }
        warm.start(at: loop.now + .seconds(seconds / 4))
        loop.run()
        return outcome
    }
}

/// Keeps `depth` requests in flight on one connection, until `limit` have been answered.
final class LoadConnection: StreamHandler {
    private(set) var answered = 0
    private(set) var wrong = 0
    var onDone: (() -> Void)?

    private let frames: [[UInt8]]
    private let depth: Int
    private let limit: Int
    private var sent = 0

    init(frames: [[UInt8]], depth: Int, limit: Int) {
        self.frames = frames
        self.depth = depth
        self.limit = limit
    }

    func streamOpened(_ stream: any ByteStream) {
        if limit == 0 { onDone?() }
        for _ in 0..<min(depth, limit) {
            nextFrame().withUnsafeBytes(stream.write)
        }
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        let consumption = try? Consumption.frames(in: bytes) { frame in
            answered += 1
            // A full decode would measure the generator: the header's code is its first member.
            if !(frame.header.starts(with: Self.success) || frame.header.starts(with: Self.noTopic)) { wrong += 1 }
            if sent < limit { output.append(nextFrame()) }
            if answered == limit { onDone?() }
            return true
        }
        return consumption ?? Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        if reason != .local { wrong += 1 }
    }

    private func nextFrame() -> [UInt8] {
        defer { sent += 1 }
        return frames[sent % frames.count]
    }

    private static let success = Array(#"{"code":0,"#.utf8)
    private static let noTopic = Array(#"{"code":17,"#.utf8)
}
