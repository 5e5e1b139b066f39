// One thread's event loop on libuv. The parts: TimerQueue (time), TCPListener, TCPStream, Connector and Resolution
// (network), Mailbox (wake-ups from other threads), Offload and DurableFiles (worker threads), SignalWatch. Every
// libuv handle belongs to a HandleOwner, which says when its memory may go.

import Basics
import CLibuv
import Glibc
import Platform

/// `Platform` on libuv: made, used and destroyed on one thread. Only `mailbox` leaves that thread.
///
/// A loop on which something was opened must be run until it was stopped; otherwise what is open keeps it alive.
public final class EventLoop: Platform {
    /// Hears about trouble that no caller can be told of, in words for a log: that a listener refuses connections, and
    /// why (descriptors or memory run out, `connectionLimit`), at most every ten seconds for each cause.
    public var onWarning: ((String) -> Void)?

    /// Runs closures of other threads on this loop.
    public let mailbox: Mailbox<LoopTask>

    let uv: UnsafeMutablePointer<uv_loop_t>
    let core: UnsafeMutablePointer<LoopCore>
    let timers: TimerQueue
    let redelivery: RedeliveryQueue
    private let turnStart: TurnStart
    let resolutions = Resolutions()
    private var idleLists: [IdleList] = []
    private let thread = pthread_self()

    /// Durable files, written on worker threads.
    public private(set) lazy var files: any FileStore = DurableFiles(loop: self)

    /// From this size on a block of memory is a mapping of its own, which goes back to the system when it is freed. glibc would
    /// raise its limit to the largest block ever freed, and keep what hundreds of large frames took between small blocks that
    /// stay. Frames of some thousand topics are smaller, and are not mapped anew each time.
    private static let mappedBytes: Int32 = 1 << 20

    /// Makes a loop for the calling thread. From now on the process ignores SIGPIPE, since libuv writes without MSG_NOSIGNAL,
    /// and gives large blocks of memory back.
    public init() throws(PlatformError) {
        signal(SIGPIPE, SIG_IGN)
        hearsay_map_blocks(EventLoop.mappedBytes)
        uv = .allocate(capacity: 1)
        let status = uv_loop_init(uv)
        guard status == 0 else {
            uv.deallocate()
            throw PlatformError("make an event loop", status: status)
        }
        core = .allocate(capacity: 1)
        core.initialize(to: LoopCore())
        timers = TimerQueue(uv)
        redelivery = RedeliveryQueue(uv)
        turnStart = TurnStart(uv, core)
        mailbox = Mailbox()
        uv.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        timers.open()
        redelivery.open()
        turnStart.open()
        mailbox.open(self) { [unowned self] task in task(self) }
    }

    deinit {
        if !core.pointee.isStopping {
            stop()
            uv_run(uv, UV_RUN_DEFAULT)
        }
        // Busy only when a name lookup was abandoned: its thread will still touch the loop, so that memory stays.
        if uv_loop_close(uv) == 0 { uv.deallocate() }
        core.deinitialize(count: 1)
        core.deallocate()
    }

    /// Runs until `stop` was called and everything is closed. Called once, on the thread that made the loop.
    ///
    /// Work on other threads is waited for, except name lookups, which cannot be hurried.
    public func run() {
        precondition(pthread_equal(thread, pthread_self()) != 0, "a loop runs on the thread that made it")
        uv_run(uv, UV_RUN_DEFAULT)
        precondition(core.pointee.isStopping && core.pointee.handles == 0, "run ended with open handles")
    }

    /// Ends `run`: closes all that is open; streams hear `streamClosed` with `.local`, timers do not fire any more.
    ///
    /// What opens later is refused: `connect` gives a stream that closes at once, `listen` throws.
    public func stop() {
        guard !core.pointee.isStopping else { return }
        core.pointee.isStopping = true
        resolutions.abandonAll()
        uv_walk(
            uv,
            { handle, _ in
                Unmanaged<HandleOwner>.fromOpaque(handle!.pointee.data).takeUnretainedValue().close()
            }, nil)
    }

    /// Streams that are up: opened and not yet closed.
    public var openStreams: Int { core.pointee.openStreams }

    /// Blocks of memory owned by streams: partial frames and queued writes.
    var liveBlocks: Int { core.pointee.liveBlocks }

    /// Bytes that all streams together may own for partial frames and unsent answers. Default 1 GiB.
    ///
    /// Each stream has limits of its own, but thousands of them add up. Above this, streams that own more than an equal
    /// share and ask for more are closed; those with less are spared, so that a flood does not hit its bystanders.
    public var ownedBytesLimit: Int {
        get { core.pointee.ownedBytesLimit }
        set { core.pointee.ownedBytesLimit = newValue }
    }

    /// Bytes that streams own now.
    var ownedBytes: Int { core.pointee.ownedBytes }

    /// `CLOCK_BOOTTIME`, read afresh.
    public var now: Instant { Clock.monotonic() }

    /// `CLOCK_REALTIME`, read afresh.
    public var wallTime: WallTime { Clock.wall() }

    /// Listens; a host name is looked up at once, blocking, since this happens at start only.
    public func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        guard !core.pointee.isStopping else { throw PlatformError("listen on \(address)", errno: ECANCELED) }
        return try TCPListener(on: self, at: address, group: group(options), handler: handler)
    }

    /// Connects; see `Platform`. Several addresses of one name are tried in turn, each for its share of the timeout.
    public func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        var options = options
        options.highWaterMark = .max
        let stream = TCPStream(on: self, remote: address, group: group(options), handler: handler)
        if core.pointee.isStopping { stream.close() } else { stream.connect(deadline: now + timeout) }
        return stream
    }

    /// A timer of this loop; it fires in the order of deadlines, never early by `now`.
    public func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer { LoopTimer(timers, handler) }

    /// Makes another mailbox, for values of one type; `receive` hears them on this loop.
    public func makeMailbox<Message: Sendable>(
        of type: Message.Type = Message.self, _ receive: @escaping (Message) -> Void
    ) -> Mailbox<Message> {
        let mailbox = Mailbox<Message>()
        if !core.pointee.isStopping { mailbox.open(self, receive: receive) }
        return mailbox
    }

    /// Calls `handler` on this loop whenever the process gets signal `number`, until the loop stops.
    public func onSignal(_ number: Int32, _ handler: @escaping () -> Void) {
        guard !core.pointee.isStopping else { return }
        SignalWatch(handler).open(uv, number)
    }

    /// Ends `run` as soon as nothing is left that needs the loop.
    func endRunWhenIdle() {
        if core.pointee.isStopping, core.pointee.handles == 0, core.pointee.offloaded == 0 { uv_stop(uv) }
    }

    /// The loop of a live handle.
    static func of(_ handle: UnsafeMutablePointer<uv_handle_t>) -> EventLoop {
        Unmanaged<EventLoop>.fromOpaque(handle.pointee.loop.pointee.data).takeUnretainedValue()
    }

    /// Streams with equal idle timeouts share one list, whoever opened them.
    private func group(_ options: StreamOptions) -> StreamGroup {
        guard let timeout = options.idleTimeout else { return StreamGroup(options, nil) }
        let milliseconds = IdleList.milliseconds(timeout)
        if let list = idleLists.first(where: { $0.timeout == milliseconds }) { return StreamGroup(options, list) }
        idleLists.append(IdleList(self, timeout: milliseconds))
        return StreamGroup(options, idleLists[idleLists.count - 1])
    }
}

@available(*, unavailable) extension EventLoop: Sendable {}
