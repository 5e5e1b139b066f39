// One end of a connection: its life. SimulatedStream+Reading and +Writing hold the two directions, +Connecting the way to
// an open connection. Two layers meet here: the kernel's socket (buffers, FIN, RST: works while the process is paused)
// and the stream above it (callbacks: never while paused, never nested).

import Basics
import Platform

/// A `ByteStream` in virtual time.
final class SimulatedStream: EventTarget, ByteStream {
    enum Phase { case connecting, open, draining, closed }

    /// What can happen to a stream; the raw value is the event's argument.
    enum Happening: UInt64 {
        // Kernel.
        case synArrives, synAckArrives, synRetry, refused, reset
        // Process: after `admits`.
        case opened, accept, read, redeliver, flush, closed
    }

    let id: UInt64
    let platform: SimulatedPlatform
    let remoteAddress: Address
    let options: StreamOptions
    var handler: (any StreamHandler)?
    /// Of an accepted stream.
    let listener: SimulatedListener?

    /// The other end, once there is one.
    var peer: SimulatedStream?
    var outgoing: Pipe?
    var incoming: Pipe?
    /// Gets the same bytes; see `SimulatedPlatform.shadow`.
    var mirror: SimulatedStream?
    var comparison: MirrorComparison?

    var phase = Phase.connecting
    var closeReason = CloseReason.local
    /// Our address, once open.
    var ownAddress: Address?
    /// Where the platform keeps it.
    var place: Int?

    // Reading.
    /// The kernel's receive buffer.
    var inbox: [[UInt8]] = []
    var inboxHead = 0
    var inboxOffset = 0
    var inboxBytes = 0
    /// The peer has ended its side, or the connection failed: comes after the inbox.
    var isPeerEnded = false
    var socketError: PlatformError?
    var held: [UInt8] = []
    var needed = 0
    var isPaused = false
    var isThrottled = false
    var offersHeld = false
    var awaitsRedelivery = false
    var isReadQueued = false

    // Writing.
    /// Written before the stream was up, or not yet taken by the kernel.
    var unsent: [UInt8] = []
    var drainsWhenOpen = false
    var drainReason = CloseReason.local

    /// The kernel has no such socket any more: what arrives is answered with a reset.
    var isSocketClosed = false
    /// The host's power went while this end was open.
    var hasLostPower = false

    // Connecting.
    var connectStarted: Int64 = 0
    var accepter: SimulatedListener?
    /// Limit of connecting, lingering or idling.
    var timer: SimulatedTimer?
    var activeAt = Instant.zero

    init(
        _ platform: SimulatedPlatform, remote: Address, options: StreamOptions, handler: (any StreamHandler)?,
        listener: SimulatedListener? = nil
    ) {
        self.platform = platform
        self.options = options
        self.handler = handler
        self.listener = listener
        remoteAddress = remote
        id = platform.nextStreamID()
    }

    var localAddress: Address? { phase == .open || phase == .draining ? ownAddress : nil }

    var world: World { platform.world }

    func schedule(_ happening: Happening, at time: Int64) { world.schedule(self, happening.rawValue, at: time) }

    func schedule(_ happening: Happening) { schedule(happening, at: world.time) }

    override func occur(_ argument: UInt64) {
        guard let happening = Happening(rawValue: argument) else { preconditionFailure("happening \(argument)") }
        switch happening {
        case .synArrives: return synArrives()
        case .synAckArrives: return synAckArrives()
        case .synRetry: return sendSYN()
        case .refused: return refused()
        case .reset:
            if outgoing?.isAnswerBarred != true { resetByPeer() }
            return
        default: break
        }
        guard platform.admits(self, argument) else { return }
        note(happening)
        switch happening {
        case .opened: opened()
        case .accept: accepted()
        case .read:
            isReadQueued = false
            read()
        case .redeliver: redeliver()
        case .flush: flushUnsent()
        case .closed: reportClosed()
        default: break
        }
    }

    private func note(_ happening: Happening) {
        world.trace.mix(UInt64(truncatingIfNeeded: world.time), label, happening.rawValue)
        guard world.trace.wantsLines, happening != .flush, happening != .redeliver, happening != .read else { return }
        let end = happening == .closed ? " (\(closeReason))" : ""
        world.trace.add("\(world.timeText) \(name) \(remoteAddress) \(happening)\(end)")
    }

    /// The host and the stream's number, for traces.
    var label: UInt64 { UInt64(platform.host.index) << 33 | UInt64(platform.isShadow ? 1 : 0) << 32 | id }
    var name: String { "\(platform.host.name)\(platform.isShadow ? "'" : "")#\(id)" }

    // MARK: Opening

    /// Up; nobody was told yet.
    func open() {
        precondition(phase == .connecting, "stream \(id) opens in phase \(phase)")
        phase = .open
        timer = nil
        startIdleTimer()
    }

    func announce() {
        if phase != .closed { handler?.streamOpened(self) }
        updateReading()
    }

    // MARK: Idling (as EventLoop's IdleList: in steps of a sixteenth)

    private var idleStep: Duration {
        .nanoseconds(max((options.idleTimeout ?? .zero).wholeNanoseconds / 16, 1_000_000))
    }

    private func startIdleTimer() {
        guard let timeout = options.idleTimeout else { return }
        activeAt = platform.now
        let timer = SimulatedTimer(platform.timers) { [unowned self] in
            guard phase == .open else { return }
            let due = activeAt + timeout + idleStep
            if platform.now >= due { finish(.idle) } else { self.timer?.start(at: due) }
        }
        timer.start(at: activeAt + timeout + idleStep)
        self.timer = timer
    }

    func touch() {
        if options.idleTimeout != nil, platform.now - activeAt >= idleStep { activeAt = platform.now }
    }

    // MARK: Ending

    func close() { finish(.local) }

    func closeAfterWriting() {
        switch phase {
        case .connecting where unsentBytes > 0: drainsWhenOpen = true
        case .connecting: finish(.local)
        case .open: drain(.local)
        case .draining, .closed: break
        }
    }

    /// Sends what is queued, reads nothing any more, and then ends.
    func drain(_ reason: CloseReason) {
        phase = .draining
        drainReason = reason
        timer = nil
        if platform.delivering != id { finishIfDrained() }
    }

    func finishIfDrained() {
        guard phase == .draining else { return }
        if unsent.isEmpty {
            // EventLoop takes what has arrived unread, so that no reset overtakes the last answer.
            if drainReason == .local { dropInbox() }
            finish(drainReason)
        } else if timer == nil {
            let timer = SimulatedTimer(platform.timers) { [unowned self] in finish(drainReason) }
            timer.start(at: platform.now + options.lingerTimeout)
            self.timer = timer
        }
    }

    /// Ends now; `streamClosed` follows as an event of its own.
    func finish(_ reason: CloseReason) {
        guard phase != .closed else { return }
        phase = .closed
        closeReason = reason
        listener?.members -= 1
        timer = nil
        closeSocket(isAbortive: inboxBytes > 0)
        schedule(.closed)
    }

    /// The kernel's part: FIN behind what it has taken, or a reset when bytes are unread.
    private func closeSocket(isAbortive: Bool) {
        guard !isSocketClosed else { return }
        isSocketClosed = true
        unsent = []
        accepter = nil
        comparison?.ended()
        if let mirror { endMirror(mirror) }
        guard let outgoing, socketError == nil else { return }
        if isAbortive {
            outgoing.abandon()
            outgoing.to.schedule(.reset, at: world.time + outgoing.link.conditions.latency)
        } else {
            outgoing.send(.end)
        }
    }

    /// The shadow usually hangs up at the same instant; where it does not, the broker does as soon as it sees our end.
    private func endMirror(_ mirror: SimulatedStream) {
        let roundTrip = 2 * (outgoing?.link.conditions.latency ?? 0) + 1_000_000
        world.at(world.time + roundTrip) { if !mirror.isSocketClosed { mirror.peerEnded() } }
    }

    private func reportClosed() {
        let handler = handler
        self.handler = nil
        let reason = closeReason
        release()
        handler?.streamClosed(self, reason: reason)
    }

    private func release() {
        platform.remove(self)
        dropInbox()
        held = []
        peer = nil
        outgoing = nil
        incoming = nil
        mirror = nil
        comparison = nil
    }

    /// The process was killed (the kernel says so to the peer) or lost power (nobody says anything).
    func processEnded(orderly: Bool) {
        phase = .closed
        timer = nil
        hasLostPower = !orderly
        if orderly { closeSocket(isAbortive: inboxBytes > 0) } else { isSocketClosed = true }
        handler = nil
        place = nil
        listener?.members -= 1
        release()
    }

    /// Neither end hears from the other any more, and nobody is told.
    func vanish() {
        outgoing?.isBlackHole = true
        incoming?.isBlackHole = true
    }
}
