import Basics
import Platform

/// One accepted connection: requests in order, one at a time.
///
/// One read may bring many requests; they are served in turns, between which the loop serves everybody else.
final class HTTPConnection: StreamHandler {
    /// Requests after which a turn is over, and time after which it is.
    private static let turnRequests = 8
    private static let turnTime = Duration.milliseconds(1)
    /// Unsent bytes above which the next request waits until the reader has taken some.
    private static let turnBytes = 256 << 10
    /// Bytes that the reader of an event stream may still send: it has nothing to say.
    private static let chatterBytes = 8 << 10

    private static let misdirection =
        "421 Misdirected Request: this server is not known by that name; ask it by its address, or name it in "
        + "cluster.yaml's http.hosts (--http-host)"

    /// What the connection is doing.
    enum Phase: Hashable {
        /// Waiting for a request, or for the rest of one.
        case reading
        /// A request is being answered.
        case answering
        /// An event stream.
        case streaming
        /// The last answer is on its way out.
        case closing
    }

    private(set) var phase = Phase.reading
    /// When it began to wait for what it waits for: a request, or the rest of one.
    private(set) var waitsSince: Instant
    /// Some of a request has come.
    private(set) var hasPart = false
    /// Bytes that wait for the reader, and since when it has taken none of them.
    private var unsent = (bytes: 0, since: Instant.zero)

    private let stream: any ByteStream
    private unowned let server: HTTPServer
    private var parser: HTTPRequestParser
    private var request: HTTPRequest?
    private var events: HTTPEventStream?
    private var chatter = 0

    init(_ stream: any ByteStream, server: HTTPServer) {
        self.stream = stream
        self.server = server
        waitsSince = server.platform.now
        parser = HTTPRequestParser(server.options)
    }

    var id: UInt64 { stream.id }
    var isStreaming: Bool { phase == .streaming }
    var unsentBytes: Int { stream.unsentBytes }
    var remoteAddress: Address { stream.remoteAddress }

    func streamOpened(_ stream: any ByteStream) {}

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        switch phase {
        case .reading: break
        case .closing: return Consumption(consumed: bytes.count)
        case .answering: return Consumption(consumed: 0)
        case .streaming:
            chatter += bytes.count
            if chatter > Self.chatterBytes { stream.close() }
            return Consumption(consumed: bytes.count)
        }
        let start = server.platform.now
        var (consumed, served) = (0, 0)
        while consumed < bytes.count, phase == .reading {
            if served == Self.turnRequests || server.platform.now - start >= Self.turnTime
                || stream.unsentBytes > Self.turnBytes
            {
                stream.pauseReading()
                stream.resumeReading()
                break
            }
            switch parser.next(in: UnsafeRawBufferPointer(rebasing: bytes[consumed...])) {
            case .incomplete:
                if !hasPart { waitsSince = start }
                hasPart = true
                return Consumption(consumed: consumed)
            case .request(let request, let length):
                consumed += length
                served += 1
                serve(request)
            case .refused(let refusal):
                refuse(refusal)
                return Consumption(consumed: bytes.count)
            }
        }
        return Consumption(consumed: phase == .closing ? bytes.count : consumed)
    }

    private func serve(_ request: HTTPRequest) {
        self.request = request
        hasPart = false
        phase = .answering
        guard server.admits(stream.remoteAddress.host) else {
            var response = HTTPResponse(.tooManyRequests, text: "429 Too Many Requests: come back in a second")
            response.fields = [("Retry-After", "1")]
            self.request?.keepsAlive = false
            return answer(response)
        }
        guard server.options.hosts.admits(request.field("host")) || server.handler?.answersAnyHost(request) == true
        else {
            return answer(HTTPResponse(.misdirected, text: Self.misdirection))
        }
        guard server.mayAnswer else {
            self.request?.keepsAlive = false
            return answer(HTTPResponse(.serviceUnavailable, text: "503 Service Unavailable: too many unread answers"))
        }
        server.handler?.respond(to: request, HTTPReply(self))
        if phase == .answering { stream.pauseReading() }
    }

    /// Writes the answer to the present request.
    func answer(_ response: HTTPResponse) {
        guard phase == .answering, let request else { return }
        let closes = !request.keepsAlive || server.isStopping
        write(response, to: request, closes: closes)
        self.request = nil
        waitsSince = server.platform.now
        if closes { return finish() }
        phase = .reading
        stream.resumeReading()
    }

    /// Answers what is no request, or one that nobody waits with, and hangs up.
    func refuse(_ refusal: HTTPRefusal) {
        var response = HTTPResponse(
            refusal.status, text: "\(refusal.status.rawValue) \(refusal.status.reason): \(refusal.reason)")
        if refusal.status == .methodNotAllowed { response.fields = [("Allow", server.options.methods)] }
        write(response, to: nil, closes: true)
        finish()
    }

    private func write(_ response: HTTPResponse, to request: HTTPRequest?, closes: Bool) {
        server.count(response.status)
        var output = ByteWriter(capacity: 512 + response.body.count)
        output.append(response, to: request, closes: closes, at: server.platform.wallTime)
        stream.write(output.bytes)
    }

    private func finish() {
        phase = .closing
        stream.closeAfterWriting()
    }

    // MARK: Event streams

    func openEventStream() -> HTTPEventStream? {
        guard phase == .answering, let request else { return nil }
        guard server.mayOpenEventStream else {
            self.request?.keepsAlive = false
            answer(HTTPResponse(.serviceUnavailable, text: "503 Service Unavailable: too many event streams"))
            return nil
        }
        server.count(.ok)
        var output = ByteWriter()
        output.appendEventStreamHead(at: server.platform.wallTime)
        stream.write(output.bytes)
        if request.isHead {
            finish()
            return nil
        }
        phase = .streaming
        stream.resumeReading()
        let events = HTTPEventStream(self)
        self.events = events
        return events
    }

    func send(_ bytes: UnsafeRawBufferPointer) {
        guard phase == .streaming else { return }
        if stream.unsentBytes > server.options.eventStreamUnsentBytes {
            server.counters.droppedEventStreams += 1
            phase = .closing
            return stream.close()
        }
        stream.write(bytes)
    }

    // MARK: The end

    /// Looks whether the peer has kept the connection waiting for too long.
    func sweep(now: Instant) {
        let waiting = stream.unsentBytes
        if waiting == 0 || waiting < unsent.bytes || unsent.bytes == 0 { unsent.since = now }
        unsent.bytes = waiting
        let options = server.options
        if waiting > 0, now - unsent.since >= options.writeTimeout { return stream.close() }
        guard phase == .reading else { return }
        if hasPart, now - waitsSince >= options.headTimeout {
            refuse(HTTPRefusal(.requestTimeout, "the head of the request took too long"))
        } else if !hasPart, now - waitsSince >= options.idleTimeout {
            stream.close()
        }
    }

    func close() {
        if phase != .closing { finish() }
    }

    func abandon() { stream.close() }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        phase = .closing
        server.closed(self)
        events?.closed()
        events = nil
    }
}
