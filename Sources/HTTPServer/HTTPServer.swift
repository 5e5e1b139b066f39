// A small HTTP/1.1 server for monitoring: GET and HEAD (and POST where it is wanted), whole answers with their length, and server-sent events.
//
//     stream ──bytes──▶ HTTPConnection ──head──▶ HTTPRequestParser ──▶ HTTPHandler ──▶ HTTPReply ──▶ bytes
//
// It runs on the platform's loop, beside what matters more: whatever a client does costs it a bounded share of a turn.

import Basics
import Platform

/// Answers the requests of one server.
public protocol HTTPHandler: AnyObject {
    /// Answers by way of `reply`, now or later.
    func respond(to request: HTTPRequest, _ reply: HTTPReply)

    /// Whether a request is answered under whatever name it came (`HTTPHosts`): when the answer is no secret, and programs
    /// ask for it under names that nobody here knows. By default no.
    func answersAnyHost(_ request: HTTPRequest) -> Bool
}

extension HTTPHandler {
    /// No.
    public func answersAnyHost(_ request: HTTPRequest) -> Bool { false }
}

/// What a server did since it started.
public struct HTTPCounters: Hashable, Sendable {
    /// Answers by status, refusals among them.
    public internal(set) var answers: [HTTPStatus: Int] = [:]
    /// Connections accepted.
    public internal(set) var connections = 0
    /// Connections that gave way to newer ones, or were turned away with 503.
    public internal(set) var displacedConnections = 0
    /// Event streams whose readers did not keep up.
    public internal(set) var droppedEventStreams = 0
}

/// One listening HTTP port.
public final class HTTPServer {
    /// What was served.
    public internal(set) var counters = HTTPCounters()

    let platform: any Platform
    let options: HTTPServerOptions
    private(set) weak var handler: (any HTTPHandler)?
    private(set) var isStopping = false
    private var listener: (any Listener)?
    private var connections: [UInt64: HTTPConnection] = [:]
    private var rates: RateTable
    private lazy var sweepTimer = platform.makeTimer { [weak self] in self?.sweep() }

    /// A server that does not listen yet.
    public init(platform: any Platform, options: HTTPServerOptions = HTTPServerOptions(), handler: any HTTPHandler) {
        self.platform = platform
        self.options = options
        self.handler = handler
        rates = RateTable(perSecond: options.requestsPerSecond, burst: options.requestBurst)
    }

    /// Where it listens, with the port the system chose; nil before `start` and after `stop`.
    public var address: Address? { listener?.address }

    /// Connections open now.
    public var openConnections: Int { connections.count }

    /// Event streams open now.
    public var openEventStreams: Int { connections.values.count(where: \.isStreaming) }

    /// Opens the port.
    public func start(at address: Address) throws(PlatformError) {
        var streams = StreamOptions()
        // Some more than are served, so that the next one gets an answer; far more are closed unheard.
        streams.connectionLimit = options.connections + 32
        streams.highWaterMark = 256 << 10
        streams.backlog = 128
        listener = try platform.listen(at: address, options: streams, handler: self)
    }

    /// Closes the port and, once their answers have left, all connections.
    public func stop() {
        isStopping = true
        listener?.close()
        listener = nil
        sweepTimer.cancel()
        for id in connections.keys.sorted() { connections[id]?.close() }
    }

    func admits(_ host: String) -> Bool { rates.admit(host, now: platform.now) }

    func count(_ status: HTTPStatus) { counters.answers[status, default: 0] += 1 }

    /// Whether the readers have taken so much that one more answer may wait for them.
    var mayAnswer: Bool { connections.values.reduce(0) { $0 + $1.unsentBytes } <= options.unsentBytes }

    var mayOpenEventStream: Bool { !isStopping && openEventStreams < options.eventStreams }

    func closed(_ connection: HTTPConnection) {
        connections[connection.id] = nil
        if connections.isEmpty { sweepTimer.cancel() }
    }

    // MARK: Time

    /// How often connections are looked at: a tenth of the shortest limit, between 10 ms and 1 s.
    private var sweepInterval: Duration {
        let shortest = min(options.headTimeout, options.idleTimeout, options.writeTimeout)
        return min(.seconds(1), max(.milliseconds(10), shortest / 10))
    }

    private func sweep() {
        let now = platform.now
        for id in connections.keys.sorted() { connections[id]?.sweep(now: now) }
        if !connections.isEmpty, !isStopping { sweepTimer.start(at: now + sweepInterval) }
    }

    /// Hangs up on one that has got all it asked for, or else on whoever has waited longest without a request under way;
    /// says whether there was anybody.
    private func makeRoom() -> Bool {
        let done = connections.values.filter { $0.phase == .closing && $0.unsentBytes == 0 }
        let waiting = done.isEmpty ? connections.values.filter { $0.phase == .reading } : done
        guard let oldest = waiting.min(by: { ($0.waitsSince, $0.id) < ($1.waitsSince, $1.id) }) else { return false }
        oldest.abandon()
        closed(oldest)
        return true
    }
}

extension HTTPServer: ListenerHandler {
    /// Gives each connection its handler.
    public func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        guard !isStopping else { return nil }
        counters.connections += 1
        let isFull = connections.count >= options.connections
        if isFull { counters.displacedConnections += 1 }
        if isFull, !makeRoom() { return TurnedAway(server: self) }
        let connection = HTTPConnection(stream, server: self)
        if connections.isEmpty { sweepTimer.start(at: platform.now + sweepInterval) }
        connections[stream.id] = connection
        return connection
    }
}

/// Tells one client that there is no room.
private final class TurnedAway: StreamHandler {
    private unowned let server: HTTPServer

    init(server: HTTPServer) { self.server = server }

    func streamOpened(_ stream: any ByteStream) {
        server.count(.serviceUnavailable)
        var output = ByteWriter()
        output.append(
            HTTPResponse(.serviceUnavailable, text: "503 Service Unavailable: too many connections"), to: nil,
            closes: true, at: server.platform.wallTime)
        stream.write(output.bytes)
        stream.closeAfterWriting()
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption { Consumption(consumed: bytes.count) }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {}
}
