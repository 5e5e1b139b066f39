import Basics
import Platform

/// `Platform` in virtual time: one life of one process on one host.
///
/// It keeps EventLoop's promises (one contract suite runs over both): callbacks never nest, `streamClosed` comes later
/// and exactly once, unconsumed bytes are offered again, timers fire in the order of their deadlines and never early by
/// the host's clock. While the host is paused nothing is called; all of it is afterwards.
public final class SimulatedPlatform: Platform {
    /// The machine it runs on.
    public let host: Host
    /// False once the process was killed or its host lost power; then nothing is called any more.
    public private(set) var isAlive = true
    /// Which of the cluster's nodes it is, for the checks; -1 = none.
    var owner = -1
    /// How long work on other threads takes, in nanoseconds; drawn for each piece.
    public var offloadTime: ClosedRange<Int64> = 20_000...500_000
    /// How long a durable write takes, in nanoseconds.
    public var fileTime: ClosedRange<Int64> = 500_000...20_000_000
    /// Whether durable writes fail.
    public var failsFileWrites = false
    /// Gets the same bytes at the same instants on every connection accepted at one of `mirroredPorts`.
    public var shadow: SimulatedPlatform?
    /// Which listening ports are mirrored to `shadow`.
    public var mirroredPorts: Set<UInt16> = []
    /// Whether this is a shadow: it accepts no connections and its own go nowhere.
    public var isShadow = false

    /// The host's files, as this process sees them.
    public private(set) lazy var files: any FileStore = SimulatedFiles(self)

    let world: World
    let timers: SimulatedTimerQueue
    var output = ByteWriter(capacity: 4 << 10)
    var afterOutput = ByteWriter()
    /// The stream whose handler is in `received`.
    var delivering: UInt64 = 0
    /// For the durations of this process; a shadow draws the same.
    var random: SeededGenerator
    /// Where whole reads land that came in several segments.
    var readBuffer: [UInt8] = []
    var shadowListeners: [UInt16: SimulatedListener] = [:]

    private var streams: [SimulatedStream] = []
    private var lastStreamID: UInt64 = 0
    private var backlog: [(target: EventTarget, argument: UInt64)] = []
    /// True time for which a timer event is queued.
    private var armedAt = Int64.max
    private let wake = Wake()
    /// Where this process's file store looks: a shadow has files of its own.
    var filePrefix: String { isShadow ? "shadow:" : "" }

    /// Starts a process on a host that has power.
    ///
    /// - Parameter seed: decides how long its threads and disk take.
    public init(on host: Host, seed: UInt64, isShadow: Bool = false) {
        precondition(host.isOn, "host \(host.name) has no power")
        self.host = host
        self.isShadow = isShadow
        world = host.world
        random = SeededGenerator(seed: seed)
        timers = SimulatedTimerQueue()
        timers.platform = self
        wake.platform = self
        host.processes.append(self)
    }

    /// The host's monotonic clock.
    public var now: Instant { host.clock.reading(at: world.time) }

    /// The host's wall clock.
    public var wallTime: WallTime { host.wallTime }

    /// A timer on the host's clock.
    public func makeTimer(_ handler: @escaping () -> Void) -> any PlatformTimer {
        SimulatedTimer(timers, handler)
    }

    /// Does the work at once, and calls back after a drawn time.
    public func offload<Result: Sendable>(
        _ work: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
    ) {
        let result = work()
        later(after: Int64.random(in: offloadTime, using: &random)) { completion(result) }
    }

    /// Listens on the host; the host part of `address` is not looked at.
    public func listen(
        at address: Address, options: StreamOptions, handler: any ListenerHandler
    ) throws(PlatformError) -> any Listener {
        let port = address.port == 0 ? host.nextPort() : address.port
        let listener = SimulatedListener(
            self, address: Address(host: address.host, port: port), options: options, handler: handler)
        if isShadow {
            shadowListeners[port] = listener
        } else if host.listeners.updateValue(listener, forKey: port) != nil {
            throw PlatformError(
                operation: "listen on \(address)", name: "EADDRINUSE", message: "address already in use")
        }
        return listener
    }

    /// Connects over the world's links; a host's name is resolved to its address.
    public func connect(
        to address: Address, timeout: Duration, options: StreamOptions, handler: any StreamHandler
    ) -> any ByteStream {
        var options = options
        options.highWaterMark = .max
        let stream = SimulatedStream(self, remote: address, options: options, handler: handler)
        add(stream)
        stream.connect(timeout: timeout)
        return stream
    }

    /// Looks a name up in the world: a host's own name, or one of `World.names`.
    public func resolve(_ address: Address, completion: @escaping (Result<[Address], PlatformError>) -> Void) {
        later(after: 1_000_000) { [world] in
            let found = world.ips(of: address.host).prefix(resolvedAddressLimit)
            if found.isEmpty {
                let operation = "look up \(address.host)"
                let error = PlatformError(operation: operation, name: "EAI_NONAME", message: "unknown node or service")
                return completion(.failure(error))
            }
            completion(.success(found.map { Address(host: $0, port: address.port) }))
        }
    }

    // MARK: Streams

    func nextStreamID() -> UInt64 {
        lastStreamID += 1
        return lastStreamID
    }

    func add(_ stream: SimulatedStream) {
        stream.place = streams.count
        streams.append(stream)
    }

    func remove(_ stream: SimulatedStream) {
        guard let place = stream.place else { return }
        stream.place = nil
        let last = streams.removeLast()
        if last !== stream {
            streams[place] = last
            last.place = place
        }
    }

    /// Those that are not closed, by id.
    var streamsInOrder: [SimulatedStream] { streams.sorted { $0.id < $1.id } }

    /// Streams that are not closed.
    public var streamCount: Int { streams.count }

    // MARK: Being called

    /// Whether a callback may be made now; while paused, the event waits until the process goes on.
    func admits(_ target: EventTarget, _ argument: UInt64) -> Bool {
        guard isAlive else { return false }
        if host.pause != nil {
            backlog.append((target, argument))
            return false
        }
        world.touch(owner)
        return true
    }

    /// Calls back once, after a while of true time.
    func later(after delay: Int64, _ task: @escaping () -> Void) {
        world.schedule(Later(self, task), 0, at: world.time + delay)
    }

    private final class Later: EventTarget {
        let platform: SimulatedPlatform
        let task: () -> Void
        init(_ platform: SimulatedPlatform, _ task: @escaping () -> Void) {
            self.platform = platform
            self.task = task
        }
        override func occur(_ argument: UInt64) {
            if platform.admits(self, argument) { task() }
        }
    }

    /// The earliest deadline moved forward, or the clock changed its course.
    func arm() {
        guard isAlive, host.pause == nil, let deadline = timers.first?.deadline else { return }
        let due = host.clock.trueTime(of: deadline, now: world.time)
        guard due < armedAt else { return }
        armedAt = due
        world.schedule(wake, 0, at: due)
    }

    private final class Wake: EventTarget {
        /// Until the process ends.
        var platform: SimulatedPlatform?
        override func occur(_ argument: UInt64) { platform?.woken() }
    }

    private func woken() {
        if armedAt <= world.time { armedAt = .max }
        guard isAlive, host.pause == nil else { return }
        fireTimers()
    }

    private func fireTimers() {
        if timers.fire(now: now) {
            world.touch(owner)
            world.trace.mix(UInt64(truncatingIfNeeded: world.time), UInt64(host.index) << 1 | 1, 0)
        }
        arm()
    }

    func clockChanged() {
        armedAt = .max
        arm()
    }

    func resumed(timersFirst: Bool) {
        armedAt = .max
        if timersFirst { fireTimers() }
        let waiting = backlog
        backlog = []
        for event in waiting { event.target.occur(event.argument) }
        // A wake-up of its own, so that what was just read counts first.
        world.schedule(wake, 0, at: world.time)
    }

    /// The process is gone. Orderly: the kernel lives on and ends each connection; else peers hear nothing.
    func end(orderly: Bool) {
        guard isAlive else { return }
        isAlive = false
        for stream in streamsInOrder { stream.processEnded(orderly: orderly) }
        streams.removeAll()
        backlog.removeAll()
        timers.removeAll()
        (timers.platform, wake.platform) = (nil, nil)
        for listener in Array(host.listeners.values) + Array(shadowListeners.values) where listener.platform === self {
            listener.close()
        }
        shadow = nil
    }
}
