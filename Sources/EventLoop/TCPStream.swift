// One connection: its life. StreamReading and StreamWriting hold the two directions, Connector the way to an open
// outgoing stream. All that changes stands in StreamState behind a `let` pointer (see LoopCore).

import Basics
import CLibuv
import Glibc
import Platform

/// What streams have in common that were made with equal options.
final class StreamGroup {
    let options: StreamOptions
    let idle: IdleList?
    /// Streams of this group not yet closed.
    var members = 0

    init(_ options: StreamOptions, _ idle: IdleList?) {
        self.options = options
        self.idle = idle
    }
}

/// What a stream needs only while it opens or ends.
final class StreamTransition {
    /// The limit of a connection attempt, or of lingering.
    var timer: LoopTimer?
    var connector: Connector?
    var reason = CloseReason.local
}

/// The life of a stream; there is no way back.
enum StreamPhase: UInt8 { case connecting, open, draining, closed }

/// The changing part of a stream, and its libuv handle.
struct StreamState {
    /// First, so that a pointer to the state is a pointer to the handle, and back.
    var tcp = uv_tcp_t()
    var handler: (any StreamHandler)?
    let group: StreamGroup
    var transition: StreamTransition?

    /// Unconsumed bytes, and how many the handler waits for.
    var held = HeldBytes()

    /// Links of the IdleList, and the loop time of the last move to its end.
    var idlePrevious: IdleList.Link?
    var idleNext: IdleList.Link?
    var activeAt: UInt64 = 0

    var remote: Address
    var phase = StreamPhase.connecting
    var flags: Flags = []
    private var neededBytes: UInt32 = 0

    /// In one byte, as all here is packed: every idle connection pays for it.
    struct Flags: OptionSet {
        var rawValue: UInt8
        static let paused = Flags(rawValue: 1)
        static let throttled = Flags(rawValue: 2)
        static let reading = Flags(rawValue: 4)
        static let offersHeld = Flags(rawValue: 8)
        static let awaitsRedelivery = Flags(rawValue: 16)
    }

    init(handler: (any StreamHandler)?, group: StreamGroup, remote: Address) {
        self.handler = handler
        self.group = group
        self.remote = remote
    }

    /// How many bytes the handler waits for. More than anybody may hold is as good as the most that fits.
    var needed: Int {
        get { Int(neededBytes) }
        set { neededBytes = UInt32(clamping: newValue) }
    }

    /// The handler wants no bytes for now.
    var isPaused: Bool {
        get { flags.contains(.paused) }
        set { set(.paused, newValue) }
    }

    /// The peer does not take what we send.
    var isThrottled: Bool {
        get { flags.contains(.throttled) }
        set { set(.throttled, newValue) }
    }

    /// libuv reads.
    var isReading: Bool {
        get { flags.contains(.reading) }
        set { set(.reading, newValue) }
    }

    /// The held bytes are to be offered before anything new.
    var offersHeld: Bool {
        get { flags.contains(.offersHeld) }
        set { set(.offersHeld, newValue) }
    }

    /// Stands in the RedeliveryQueue.
    var awaitsRedelivery: Bool {
        get { flags.contains(.awaitsRedelivery) }
        set { set(.awaitsRedelivery, newValue) }
    }

    private mutating func set(_ flag: Flags, _ isSet: Bool) {
        if isSet { flags.insert(flag) } else { flags.remove(flag) }
    }
}

/// A TCP connection on libuv.
final class TCPStream: HandleOwner, ByteStream {
    let id: UInt64
    let loop: EventLoop
    let state: UnsafeMutablePointer<StreamState>

    init(on loop: EventLoop, remote: Address, group: StreamGroup, handler: (any StreamHandler)?) {
        self.loop = loop
        loop.core.pointee.lastStreamID += 1
        id = loop.core.pointee.lastStreamID
        state = .allocate(capacity: 1)
        state.initialize(to: StreamState(handler: handler, group: group, remote: remote))
        group.members += 1
        super.init()
        uv_tcp_init(loop.uv, tcp)
        adopt(state)
    }

    deinit {
        state.deinitialize(count: 1)
        state.deallocate()
    }

    var tcp: UnsafeMutablePointer<uv_tcp_t> { UnsafeMutableRawPointer(state).assumingMemoryBound(to: uv_tcp_t.self) }
    var handle: UnsafeMutablePointer<uv_stream_t> {
        UnsafeMutableRawPointer(state).assumingMemoryBound(to: uv_stream_t.self)
    }

    var uvHandle: UnsafeMutablePointer<uv_handle_t> {
        UnsafeMutableRawPointer(state).assumingMemoryBound(to: uv_handle_t.self)
    }

    /// Also true for a moment between two attempts to connect.
    var isHandleClosing: Bool { uv_is_closing(uvHandle) != 0 }

    /// The stream of a live state.
    static func of(_ state: UnsafeMutablePointer<StreamState>) -> TCPStream {
        Unmanaged.fromOpaque(state.pointee.tcp.data).takeUnretainedValue()
    }

    var remoteAddress: Address { state.pointee.remote }

    /// Asked from the kernel; nil again once closed.
    var localAddress: Address? {
        guard state.pointee.phase == .open || state.pointee.phase == .draining else { return nil }
        return SocketAddress.local(of: tcp)?.address
    }

    /// What a stream has only while it opens or ends, made on first use.
    var transition: StreamTransition {
        if let transition = state.pointee.transition { return transition }
        let transition = StreamTransition()
        state.pointee.transition = transition
        return transition
    }

    // MARK: Opening

    /// Takes over a descriptor of `accept`, which the stream closes even when this fails.
    func adoptSocket(_ descriptor: Int32) -> Bool { uv_tcp_open(tcp, descriptor) == 0 }

    /// Starts to connect; the stream is `connecting` until the connector calls `open` or `finish`.
    func connect(deadline: Instant) {
        let connector = Connector(self, deadline: deadline)
        transition.connector = connector
        connector.start()
    }

    /// The connection is up; nobody was told yet.
    func open() {
        precondition(state.pointee.phase == .connecting, "stream \(id) opens in phase \(state.pointee.phase)")
        uv_tcp_nodelay(tcp, 1)
        state.pointee.transition = nil
        state.pointee.phase = .open
        loop.core.pointee.openStreams += 1
        state.pointee.group.idle?.insert(state)
    }

    /// Tells the handler, and starts to read.
    func announce() {
        if state.pointee.phase != .closed { state.pointee.handler?.streamOpened(self) }
        updateReading()
    }

    // MARK: Ending

    override func close() { finish(.local) }

    /// A socket that lingers for no time is closed with a reset (socket(7), SO_LINGER).
    func reset() {
        var descriptor: Int32 = -1
        if state.pointee.phase != .closed, uv_fileno(uvHandle, &descriptor) == 0 {
            var none = linger(l_onoff: 1, l_linger: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
        }
        finish(.local)
    }

    func closeAfterWriting() {
        switch state.pointee.phase {
        case .connecting where unsentBytes > 0: transition.connector?.drainsWhenOpen = true
        case .connecting: finish(.local)
        case .open: drain(.local)
        case .draining, .closed: break
        }
    }

    /// Sends what is queued, reads nothing any more, and then ends.
    func drain(_ reason: CloseReason) {
        state.pointee.phase = .draining
        transition.reason = reason
        updateReading()
        // The answers of the running handler call are still to be sent; `deliver` goes on.
        if loop.core.pointee.delivering != id { finishIfDrained() }
    }

    func finishIfDrained() {
        guard state.pointee.phase == .draining else { return }
        let transition = transition
        if unsentBytes == 0 {
            if transition.reason == .local { discardReceived() }
            finish(transition.reason)
        } else if transition.timer == nil {
            let timer = LoopTimer(loop.timers) { [unowned self] in finish(self.transition.reason) }
            timer.start(at: Clock.monotonic() + state.pointee.group.options.lingerTimeout)
            transition.timer = timer
        }
    }

    /// Ends now; `streamClosed` follows from the close callback, in this turn or the next.
    func finish(_ reason: CloseReason) {
        let phase = state.pointee.phase
        guard phase != .closed else { return }
        state.pointee.phase = .closed
        if phase != .connecting {
            loop.core.pointee.openStreams -= 1
            state.pointee.group.idle?.remove(state)
        }
        state.pointee.group.members -= 1
        let transition = transition
        transition.reason = reason
        transition.timer = nil
        transition.connector?.abandon()
        // The kernel forgets the socket at once; queued writes are cancelled before the close callback.
        closeHandle(state)
    }

    override func handleClosed() {
        if state.pointee.held.count > 0 { releaseHeld() }
        let reason = state.pointee.transition?.reason ?? .local
        let handler = state.pointee.handler
        state.pointee.handler = nil
        state.pointee.transition = nil
        handler?.streamClosed(self, reason: reason)
    }
}
