import AccessControl
import Basics
import NameServerCore
import Platform
import Remoting
import RemotingTransport
import SecureTransport

/// One accepted connection of a broker, client or tool.
///
/// Requests of one connection are handled in order. While a large registration is decoded on a worker thread, or a
/// change waits for the disk, the connection is paused: later requests stay unread, so none overtakes. One read may bring
/// thousands of requests; they are served in turns, between which the loop serves others and sees whether the peer reads.
final class ClientConnection: StreamHandler {
    /// Answer bytes after which a turn is over: a client's usual batch stays one write, and what the answers of one turn
    /// take beyond it is one answer.
    private static let turnBytes = 256 << 10
    /// Time after which a turn is over: what others may have to wait, beside the one request under way.
    private static let turnTime = Duration.milliseconds(2)

    let id: UInt64
    private unowned let node: NameServerNode
    /// What answers are written to: the accepted stream, or TLS over it.
    private var stream: any ByteStream
    /// TLS over the accepted stream, once its first byte has asked for it.
    private var secured: SecureStream?
    /// The first bytes tell a PROXY header, and whether the connection is plain.
    private var isGreeting = true
    /// Disk writes and decodes this connection's next answer waits for.
    private var waitCount = 0
    /// The answer that waits, already encoded.
    private var heldAnswer: [UInt8] = []
    private var isDraining = false
    private var isClosed = false
    /// Requests of these classes are served without a look at who sends them.
    private var unconditional: RequestClasses
    private var proxied: ProxiedSource?

    init(node: NameServerNode, stream: any ByteStream) {
        self.node = node
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
            var turnStart: Instant?
            var consumption = try Consumption.frames(
                in: UnsafeRawBufferPointer(rebasing: bytes[skipped...]), limit: node.options.frameLimit
            ) { frame throws(RemotingError) in
                let mayGoOn = try handle(frame, &turnStart, output: &output)
                return mayGoOn && output.count < Self.turnBytes && waitCount == 0 && !isClosed
            }
            consumption.consumed += skipped
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

    /// Answers a frame; says whether the turn, which begins with its first frame, has time for another.
    @inline(__always)
    private func handle(
        _ frame: Frame, _ turnStart: inout Instant?, output: inout ByteWriter
    ) throws(RemotingError) -> Bool {
        let hot = node.hot
        try hot.pointee.header.decode(frame)
        if unconditional.isSuperset(of: hot.pointee.classes[hot.pointee.header.code]) {
            return serve(frame, &turnStart, &output)
        }
        return serveIfAllowed(frame, &turnStart, &output)
    }

    /// Serves a request whose sender must be looked at, and writes down what was administered.
    @inline(never)
    private func serveIfAllowed(_ frame: Frame, _ turnStart: inout Instant?, _ output: inout ByteWriter) -> Bool {
        let (hot, access, origin) = (node.hot, node.access, origin)
        if hot.pointee.header.isResponse { return true }
        var accessKey: String?
        if access.refuses(
            hot.pointee.header, body: frame.body, from: origin, accessKey: &accessKey, output: &output)
        {
            return true
        }
        guard RequestClass(of: hot.pointee.header.code) == .administer else {
            return serve(frame, &turnStart, &output)
        }
        var record = AuditRecord(hot.pointee.header, body: frame.body, from: origin, accessKey: accessKey)
        let (start, heldStart) = (output.count, heldAnswer.count)
        let mayGoOn = serve(frame, &turnStart, &output)
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
    private func serve(_ frame: Frame, _ turnStart: inout Instant?, _ output: inout ByteWriter) -> Bool {
        let hot = node.hot
        if node.shutdownPhase != .running, sendElsewhere(&output) { return true }
        if hot.pointee.header.code == RequestCode.getGossipStatus, !hot.pointee.header.isResponse,
            !hot.pointee.header.isOneway, node.answerGossipStatus(&output)
        {
            return true
        }
        let answerStart = output.count
        let now = node.platform.now
        let start = turnStart ?? now
        turnStart = start
        let handled = hot.pointee.core.handle(
            hot.pointee.header, body: frame.body, from: id, now: now, wallTime: node.platform.wallTime,
            output: &output, directives: &hot.pointee.directives)
        switch handled {
        case .done:
            if !hot.pointee.directives.isEmpty, node.carryOut(for: self) { hold(&output, from: answerStart) }
        case .decode(let pending):
            decodeElsewhere(pending)
        }
        return now - start < Self.turnTime
    }

    /// The answer to a client that should ask another node: GO_AWAY during a graceful shutdown (protocol.md 1.13).
    private func sendElsewhere(_ output: inout ByteWriter) -> Bool {
        let hot = node.hot
        guard hot.pointee.core.properties.enableShutdownGracefully, hot.pointee.header.version > RemotingVersion.v5_3_1
        else { return false }
        if hot.pointee.header.isResponse || hot.pointee.header.isOneway { return true }
        let mark = ResponseFrame.begin(
            &output, code: ResponseCode.goAway, opaque: hot.pointee.header.opaque, remark: "please go away",
            fields: .absent)
        ResponseFrame.end(&output, mark)
        return true
    }

    private func decodeElsewhere(_ pending: PendingRegistration) {
        beginWaiting()
        node.platform.offload({ pending.decode() }) { [weak self] decoded in
            guard let self, !isClosed else { return }
            var output = ByteWriter()
            let hot = node.hot
            hot.pointee.core.finish(
                pending, decoded, now: node.platform.now, wallTime: node.platform.wallTime, output: &output,
                directives: &hot.pointee.directives)
            node.carryOut()
            heldAnswer += output.array()
            endWaiting()
        }
    }

    private func hold(_ output: inout ByteWriter, from start: Int) {
        heldAnswer += UnsafeRawBufferPointer(rebasing: output.bytes[start...])
        output.truncate(to: start)
    }

    /// Whether an answer waits for the disk or a worker thread.
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
