// TLS on top of any ByteStream: its life. SecureReading and SecureWriting hold the two directions, TLSEngine the
// cryptography.
//
//   handler (inner) ◀── plaintext ── SecureStream ◀── records ── stream (outer) ◀── Platform
//
// To the handler it is a ByteStream like any other, that opens when the handshake is done. To the stream below it is the
// handler. It owns no timer once open, and no buffer while nothing waits.

import Basics
import COpenSSL
import Platform

/// A `ByteStream` that speaks TLS over another one. Used on the loop's thread only.
///
/// As with a plain stream, the handler hears `streamOpened` at most once (after the handshake) and `streamClosed` exactly
/// once, also when the handshake fails, with `.secure` and what to do about it. `closeAfterWriting` ends in order. After
/// `close` with bytes unsent, or inside `received`, the peer hears `.secure(.truncated)`, since something may be missing.
public final class SecureStream: ByteStream {
    /// What every TLS connection begins with: the type of a handshake record.
    public static let firstByte: UInt8 = 22

    /// There is no way back.
    enum Phase { case connecting, handshaking, open, draining, closed }

    let engine: TLSEngine
    let options: SecureOptions
    private let platform: any Platform
    /// The stream below; set before anything else happens.
    private(set) var outer: any ByteStream
    var inner: (any StreamHandler)?
    var phase = Phase.connecting
    /// The limit of the handshake; nil before and after it.
    private var timer: (any PlatformTimer)?
    /// Why the stream ends, when the stream below does not know.
    var ending: CloseReason?

    // Reading.
    /// Decrypted, and not consumed by the handler.
    var plain = PlainBytes()
    /// How many plain bytes the handler waits for.
    var needed = 0
    /// Bytes of the handshake that have arrived.
    var handshakeBytes = 0
    /// The handler wants no bytes for now.
    var isPaused = false
    /// The handler has read on: what it left is to be offered before anything new.
    var offersRest = false
    /// The first byte that the stream below offers belongs to a record that was decrypted before; see `consumption`.
    var keepsToken = false
    /// Nothing more will come, since the peer said so or since what came is damaged; acted on when the handler has all.
    var readingEnd: CloseReason?

    // Writing.
    /// Written before the handshake was done.
    var early: [UInt8] = []
    /// `closeAfterWriting` was called before the handshake was done.
    private var drainsWhenOpen = false
    /// The handler is in `received`.
    var isDelivering = false
    /// Written inside `received`: follows the handler's output.
    var afterOutput: [UInt8] = []

    private init(
        _ platform: any Platform, _ context: TLSContext, _ options: SecureOptions, outer: any ByteStream,
        inner: (any StreamHandler)?
    ) {
        self.platform = platform
        self.options = options
        self.outer = outer
        self.inner = inner
        engine = TLSEngine(context)
    }

    // MARK: Making

    /// Connects, and then shakes hands; `handler` hears `streamOpened` or `streamClosed`, later and exactly once.
    ///
    /// - Parameters:
    ///   - timeout: for the connection; the handshake has its own, `SecureOptions.handshakeTimeout`.
    ///   - context: of the client's side.
    public static func connect(
        on platform: any Platform, to address: Address, timeout: Duration, options: StreamOptions = .init(),
        context: TLSContext, secure: SecureOptions = .init(), handler: any StreamHandler
    ) -> SecureStream {
        precondition(context.side == .client, "a server's context to dial with")
        let stream = SecureStream(platform, context, secure, outer: Unconnected(), inner: handler)
        stream.outer = platform.connect(to: address, timeout: timeout, options: options, handler: stream)
        return stream
    }

    /// Secures an accepted stream: give the answer to the platform as its handler, and set `handler` on it.
    ///
    /// `SecureListener` does both. Directly of use where plain and secured connections share a port: a handler that has
    /// looked at the first byte hands on `streamOpened` and the calls that follow.
    public static func accept(
        _ stream: any ByteStream, on platform: any Platform, context: TLSContext, secure: SecureOptions = .init()
    ) -> SecureStream {
        precondition(context.side == .server, "a client's context to accept with")
        return SecureStream(platform, context, secure, outer: stream, inner: nil)
    }

    /// Who hears of this stream from now on; set once, before anything arrives.
    public func setHandler(_ handler: any StreamHandler) {
        precondition(inner == nil, "a secured stream with two handlers")
        inner = handler
    }

    // MARK: What the stream below knows

    /// That of the stream below.
    public var id: UInt64 { outer.id }
    /// That of the stream below.
    public var remoteAddress: Address { outer.remoteAddress }
    /// That of the stream below.
    public var localAddress: Address? { outer.localAddress }

    /// What was agreed on; nil until open and once closed.
    public var session: SecureSession? { phase == .open || phase == .draining ? engine.session : nil }

    // MARK: Opening

    fileprivate func outerOpened() {
        guard phase == .connecting else { return }
        phase = .handshaking
        let timer = platform.makeTimer { [weak self] in
            guard let self, phase == .handshaking else { return }
            ending = .secure(.handshakeTimeout)
            phase = .closed
            outer.close()
        }
        timer.start(at: platform.now + options.handshakeTimeout)
        self.timer = timer
        if engine.context.side == .client { shakeHands(UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    /// One step of the handshake.
    func shakeHands(_ record: UnsafeRawBufferPointer) {
        let progress = withCiphertext { engine.handshake(record) }
        switch progress {
        case .waiting: break
        case .done: open()
        case .failed(let failure): fail(failure)
        }
    }

    private func open() {
        phase = .open
        timer?.cancel()
        timer = nil
        early.withUnsafeBytes { encrypt($0) }
        early = []
        inner?.streamOpened(self)
        guard phase == .open else { return }
        if drainsWhenOpen { return closeAfterWriting() }
        if isPaused { outer.pauseReading() }
    }

    // MARK: Ending

    /// Closes now and drops queued bytes; `streamClosed` follows, later and exactly once, with `.local`.
    public func close() {
        guard phase != .closed else { return }
        // Nothing is lost, so the peer may know that this is the end. Inside `received` there is output to be dropped.
        let isInOrder = phase == .open && !engine.isLent && outer.unsentBytes == 0
        if isInOrder { withCiphertext { engine.shutdown() } }
        phase = .closed
        outer.close()
    }

    /// Sends what was written and then that nothing will follow, and closes; `streamClosed` follows with `.local`.
    public func closeAfterWriting() {
        switch phase {
        case .connecting where !early.isEmpty, .handshaking where !early.isEmpty: drainsWhenOpen = true
        case .connecting, .handshaking: close()
        case .open:
            phase = .draining
            if !isDelivering { finishDraining() }
        case .draining, .closed: break
        }
    }

    /// Everything is encrypted: says so to the peer, and lets the stream below finish.
    func finishDraining() {
        withCiphertext { engine.shutdown() }
        outer.closeAfterWriting()
    }

    /// Ends for the sake of security, after the alert that tells the peer is on its way.
    func fail(_ failure: SecureFailure) {
        guard phase != .closed else { return }
        if ending == nil { ending = .secure(failure) }
        phase = .closed
        outer.closeAfterWriting()
    }

    /// Whether bytes written now would wait for the handshake.
    var waitsForHandshake: Bool { (phase == .connecting || phase == .handshaking) && !drainsWhenOpen }

    fileprivate func outerClosed(_ reason: CloseReason) {
        let wasOpen = phase == .open || phase == .draining
        let wasShakingHands = phase == .handshaking
        phase = .closed
        timer?.cancel()
        timer = nil
        plain.free()
        early = []
        let handler = inner
        inner = nil
        var reported = ending ?? reason
        if ending == nil, reason == .endOfStream {
            if wasOpen { reported = .secure(.truncated) }
            if wasShakingHands { reported = .secure(.peerLeft) }
        }
        handler?.streamClosed(self, reason: reported)
    }
}

extension SecureStream: StreamHandler {
    /// For the platform: the stream below is up.
    public func streamOpened(_ stream: any ByteStream) { outerOpened() }

    /// For the platform: records.
    public func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        // Every record leaves in the order in which it was encrypted: during this call, through `output`.
        withUnsafeMutablePointer(to: &output) { writer in
            engine.lend(writer)
            defer { engine.lend(nil) }
            return receive(bytes)
        }
    }

    /// For the platform: the stream below has ended.
    public func streamClosed(_ stream: any ByteStream, reason: CloseReason) { outerClosed(reason) }
}

/// Stands for the stream below while `Platform.connect` makes it.
private final class Unconnected: ByteStream {
    let id: UInt64 = 0
    let remoteAddress = Address(host: "unconnected", port: 0)
    let localAddress: Address? = nil
    let unsentBytes = 0
    func write(_ bytes: UnsafeRawBufferPointer) {}
    func pauseReading() {}
    func resumeReading() {}
    func closeAfterWriting() {}
    func close() {}
}
