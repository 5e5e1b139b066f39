import AccessControl
import Basics
import NameServerCore
import Platform
import Remoting
import RemotingTransport
import SecureTransport

/// One accepted connection of a broker, client or tool.
///
/// Requests of one connection are handled in order. While a large registration is on its way into the tables, or waits for
/// room to be decoded, or a change waits for the disk, the connection is paused: later requests stay unread, so none
/// overtakes. One read may bring thousands of requests; they are served in turns, between which the loop serves others and
/// sees whether the peer reads.
final class ClientConnection: StreamHandler {
    /// Answer bytes after which a turn is over: a client's usual batch stays one write, and what the answers of one turn
    /// take beyond it is one answer.
    private static let turnBytes = 256 << 10
    /// Time after which a turn is over: what others may have to wait, beside the one request under way.
    private static let turnTime = Duration.milliseconds(2)
    /// Bytes of a lookup's answer that was copied, not made with much work.
    private static let shortAnswer = 4 << 10

    let id: UInt64
    /// Outlives its connections. Checking that would cost a fifth of a lookup: the node has weak references too, and then
    /// each check goes to memory of its own.
    private unowned(unsafe) let node: NameServerNode
    private let hot: UnsafeMutablePointer<NameServerNode.HotState>
    /// What answers are written to: the accepted stream, or TLS over it.
    private var stream: any ByteStream
    /// TLS over the accepted stream, once its first byte has asked for it.
    private var secured: SecureStream?
    /// The answer that waits, already encoded.
    private var heldAnswer: [UInt8] = []
    /// Disk writes and registrations under way that this connection waits for; few bytes, since idle connections have it, too.
    private var waitCount: Int32 = 0
    /// The first bytes tell a PROXY header, and whether the connection is plain.
    private var isGreeting = true
    private var isDraining = false
    private(set) var isClosed = false
    /// Requests of these classes are served without a look at who sends them.
    private var unconditional: RequestClasses
    private var proxied: ProxiedSource?

    init(node: NameServerNode, stream: any ByteStream) {
        self.node = node
        hot = node.hot
        self.stream = stream
        id = stream.id
        unconditional = node.access.policy.unconditional(for: RequestOrigin(peer: stream.remoteAddress))
    }

    func streamOpened(_ stream: any ByteStream) {}

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        if let secured, stream !== secured { return secured.stream(stream, received: bytes, output: &output) }
        do {
            var skipped = 0
            if isGreeting {
                switch try ProxyHeader.recognise(bytes) {
                case .absent: break
                case .incomplete(let needed): return Consumption(consumed: 0, needed: needed)
                case .header(let length, let source):
                    skipped = length
                    proxied = ProxiedSource(source)
                    policyChanged()
                }
                // Nothing behind the header yet: which protocol it is remains to be seen.
                guard skipped < bytes.count else { return Consumption(consumed: 0, needed: skipped + 1) }
                isGreeting = false
                if let tls = node.tls {
                    // No plain frame begins so: its length would exceed every limit.
                    if bytes[skipped] == SecureStream.firstByte {
                        return secure(stream, tls, bytes, behind: skipped, &output)
                    }
                    if tls.options.mode == .enforcing { return refuse(stream, bytes) }
                }
            }
            var turn = Turn()
            var consumption = try Consumption.frames(
                in: UnsafeRawBufferPointer(rebasing: bytes[skipped...]), limit: node.options.frameLimit
            ) { frame throws(RemotingError) in
                let mayGoOn = try handle(frame, &turn, output: &output)
                return mayGoOn && output.count < Self.turnBytes && waitCount == 0 && !isClosed
            }
            consumption.consumed += skipped - turn.unread
            if consumption.consumed < bytes.count, consumption.needed == 0, waitCount == 0 {
                // The turn is over: the rest is offered again after the others, once the peer has taken its answers.
                stream.pauseReading()
                stream.resumeReading()
            }
            return consumption
        } catch {
            // protocol.md 1.14: malformed input is not answered. Answers to earlier frames leave first.
            return refuse(stream, bytes)
        }
    }

    private func refuse(_ stream: any ByteStream, _ bytes: UnsafeRawBufferPointer) -> Consumption {
        stream.closeAfterWriting()
        return Consumption(consumed: bytes.count)
    }

    /// Puts TLS between the accepted stream and this connection; its first record begins behind a PROXY header.
    private func secure(
        _ outer: any ByteStream, _ tls: RemotingTLS, _ bytes: UnsafeRawBufferPointer, behind header: Int,
        _ output: inout ByteWriter
    ) -> Consumption {
        guard let context = tls.contextForConnection() else { return refuse(outer, bytes) }
        var limits = SecureOptions()
        limits.plaintextLimit = 2 * node.options.frameLimit
        let secured = SecureStream.accept(outer, on: node.platform, context: context, secure: limits)
        secured.setHandler(self)
        self.secured = secured
        stream = secured
        secured.streamOpened(outer)
        let records = UnsafeRawBufferPointer(rebasing: bytes[header...])
        var consumption = secured.stream(outer, received: records, output: &output)
        consumption.consumed += header
        return consumption
    }

    /// The frames of one read, or those for which there was time.
    private struct Turn {
        var isBegun = false
        var start = Instant.zero
        /// As of the last time the clocks were read.
        var now = Instant.zero
        var wallTime = WallTime(milliseconds: 0)
        /// Whether no time to speak of has passed since.
        var isCurrent = false
        /// Bytes of the last frame when it must be handed in again.
        var unread = 0
    }

    /// Answers a frame; says whether the turn, which begins with its first frame, has time for another.
    @inline(__always)
    private func handle(_ frame: Frame, _ turn: inout Turn, output: inout ByteWriter) throws(RemotingError) -> Bool {
        try hot.pointee.header.decode(frame)
        if unconditional.isSuperset(of: hot.pointee.classes[hot.pointee.header.code]) {
            return serve(frame, &turn, &output)
        }
        return serveIfAllowed(frame, &turn, &output)
    }

    /// Serves a request whose sender must be looked at, and writes down what was administered.
    @inline(never)
    private func serveIfAllowed(_ frame: Frame, _ turn: inout Turn, _ output: inout ByteWriter) -> Bool {
        let (access, origin) = (node.access, origin)
        if hot.pointee.header.isResponse { return true }
        if !turn.isCurrent { readClocks(&turn) }
        // Looking at signatures takes time.
        turn.isCurrent = false
        var accessKey: String?
        if access.refuses(
            hot.pointee.header, body: frame.body, from: origin, accessKey: &accessKey, output: &output)
        {
            return hasTime(&turn)
        }
        guard RequestClass(of: hot.pointee.header.code) == .administer else { return serve(frame, &turn, &output) }
        var record = AuditRecord(hot.pointee.header, body: frame.body, from: origin, accessKey: accessKey)
        let (start, heldStart) = (output.count, heldAnswer.count)
        let mayGoOn = serve(frame, &turn, &output)
        record.result = heldAnswer.withUnsafeBytes { held in
            // An answer that waits for the disk is no longer in the output.
            AuditRecord.result(of: output.count > start ? output.bytes[start...] : held[heldStart...])
        }
        access.audit.write(record)
        return mayGoOn
    }

    /// Where requests come from.
    private var origin: RequestOrigin {
        RequestOrigin(peer: stream.remoteAddress, forwarding: proxied.map { .proxied($0.address) } ?? .direct)
    }

    /// The policy has changed, or who speaks here has become known.
    func policyChanged() { unconditional = node.access.policy.unconditional(for: origin) }

    /// Serves a request that may be served.
    @inline(__always)
    private func serve(_ frame: Frame, _ turn: inout Turn, _ output: inout ByteWriter) -> Bool {
        if hot.pointee.isShuttingDown, sendElsewhere(&output) { return true }
        if hot.pointee.header.code == RequestCode.getGossipStatus, !hot.pointee.header.isResponse,
            !hot.pointee.header.isOneway, node.answerGossipStatus(&output)
        {
            return true
        }
        let answerStart = output.count
        if !turn.isCurrent { readClocks(&turn) }
        let handled = hot.pointee.core.handle(
            hot.pointee.header, body: frame.body, from: id, now: turn.now, wallTime: turn.wallTime,
            output: &output, directives: &hot.pointee.directives)
        // A lookup takes a fraction of a microsecond, and a read holds some four hundred at most; who asks for more does not.
        turn.isCurrent =
            hot.pointee.header.code == RequestCode.getRouteInfoByTopic && output.count - answerStart < Self.shortAnswer
        switch handled {
        case .done:
            if !hot.pointee.directives.isEmpty, node.carryOut(for: self) { hold(&output, from: answerStart) }
        case .decode(let pending):
            beginWaiting()
            node.registrations.add(pending, of: self)
        case .wait(let bytes):
            turn.unread = frame.length
            beginWaiting()
            node.registrations.wait(self, for: bytes)
        }
        return turn.isCurrent || hasTime(&turn)
    }

    private func hasTime(_ turn: inout Turn) -> Bool {
        readClocks(&turn)
        return turn.now - turn.start < Self.turnTime
    }

    private func readClocks(_ turn: inout Turn) {
        turn.now = node.platform.now
        turn.wallTime = node.platform.wallTime
        if !turn.isBegun { turn.start = turn.now }
        turn.isBegun = true
        turn.isCurrent = true
    }

    /// The answer to a client that should ask another node: GO_AWAY during a graceful shutdown (protocol.md 1.13).
    private func sendElsewhere(_ output: inout ByteWriter) -> Bool {
        guard hot.pointee.core.properties.enableShutdownGracefully, hot.pointee.header.version > RemotingVersion.v5_3_1
        else { return false }
        if hot.pointee.header.isResponse || hot.pointee.header.isOneway { return true }
        let mark = ResponseFrame.begin(
            &output, code: ResponseCode.goAway, opaque: hot.pointee.header.opaque, remark: "please go away",
            fields: .absent)
        ResponseFrame.end(&output, mark)
        return true
    }

    /// The large registration that this connection waited for is over.
    func answered(_ answer: UnsafeRawBufferPointer) {
        guard !isClosed else { return }
        heldAnswer += answer
        endWaiting()
    }

    /// The registration for which there was no room may be handed in again.
    func roomCame() { endWaiting() }

    private func hold(_ output: inout ByteWriter, from start: Int) {
        heldAnswer += UnsafeRawBufferPointer(rebasing: output.bytes[start...])
        output.truncate(to: start)
    }

    /// Whether it waits for the disk or a large registration.
    var isWaiting: Bool { waitCount > 0 }

    /// One more thing the next answer waits for.
    func beginWaiting() {
        waitCount += 1
        if waitCount == 1 { stream.pauseReading() }
    }

    /// One thing less; the last one sends the held answer and reads on.
    func endWaiting() {
        waitCount -= 1
        guard waitCount == 0, !isClosed else { return }
        heldAnswer.withUnsafeBytes { stream.write($0) }
        heldAnswer = []
        if isDraining { stream.closeAfterWriting() } else { stream.resumeReading() }
    }

    /// Closes once nothing of this connection waits any more.
    func drain() {
        isDraining = true
        if waitCount == 0 { stream.closeAfterWriting() }
    }

    /// Closes now.
    func abandon() { stream.close() }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        if let secured, stream !== secured {
            // Its own close comes back here.
            return secured.streamClosed(stream, reason: reason)
        }
        secured = nil
        isClosed = true
        node.connectionCounts.closed(for: reason)
        node.connectionClosed(self, isIdle: reason == .idle)
    }
}

/// What a PROXY header says; on the heap, for few connections have one.
private final class ProxiedSource {
    /// Nil when it names none.
    let address: Address?

    init(_ address: Address?) { self.address = address }
}
