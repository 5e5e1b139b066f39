import Basics
import Platform

/// How a host stands still.
public enum HostPause: Hashable, Sendable {
    /// Only our process (SIGSTOP, a long collection): the clock runs on, the kernel answers and its sockets buffer.
    case process
    /// The whole machine: peers' packets are not acknowledged. The clock runs on, or stands still with it.
    case machine(clockRuns: Bool)
}

/// One simulated machine: a clock, files that survive restarts, and a network address. Processes come and go on it.
public final class Host {
    /// Unique in its world; DNS and traces know it by this.
    public let name: String
    /// Its number in the world, from 0.
    public let index: Int
    /// Its only IP address.
    public let ip: String
    /// How it stands still at the moment; nil = it runs.
    public private(set) var pause: HostPause?
    /// Whether it has power.
    public private(set) var isOn = true

    unowned let world: World
    var clock: HostClock
    /// Wall clock minus monotonic clock.
    private(set) var wallOffset: Int64
    /// Contents by path.
    var files: [String: [UInt8]] = [:]
    /// The processes of the current power-on; the first is the node, the second its shadow.
    var processes: [SimulatedPlatform] = []
    var listeners: [UInt16: SimulatedListener] = [:]
    private var lastPort: UInt16 = 32_767
    private var pausedWallAt: Int64 = 0

    init(_ world: World, name: String, index: Int, ip: String, clock: HostClock, wallOffset: Int64) {
        self.world = world
        self.name = name
        self.index = index
        self.ip = ip
        self.clock = clock
        self.wallOffset = wallOffset
    }

    /// What its monotonic clock shows.
    public var now: Instant { clock.reading(at: world.time) }

    /// What its wall clock shows.
    public var wallTime: WallTime { WallTime(milliseconds: (now.nanoseconds + wallOffset) / 1_000_000) }

    /// Whether its kernel answers packets.
    var answersPackets: Bool {
        guard isOn else { return false }
        if case .machine = pause { return false }
        return true
    }

    /// A port for an outgoing connection or a listener that leaves the choice to the system.
    func nextPort() -> UInt16 {
        repeat { lastPort = lastPort >= 60_999 ? 32_768 : lastPort + 1 } while listeners[lastPort] != nil
        return lastPort
    }

    // MARK: Clock faults

    /// Steps the wall clock; the monotonic one is not touched.
    public func stepWallClock(by nanoseconds: Int64) { wallOffset += nanoseconds }

    /// Changes the rate of both clocks.
    public func setDrift(ppm: Int64) {
        clock.setDrift(ppm: ppm, at: world.time)
        for process in processes { process.clockChanged() }
    }

    // MARK: Pauses

    /// Stands still until `resume`. Nested pauses are ignored.
    public func pause(_ kind: HostPause) {
        guard isOn, pause == nil else { return }
        pause = kind
        pausedWallAt = world.time
        if kind == .machine(clockRuns: false) { clock.setFrozen(true, at: world.time) }
    }

    /// Goes on: what came meanwhile is handled now, in the order it came.
    ///
    /// - Parameters:
    ///   - timersFirst: whether due timers fire before what waits in the sockets: a process stopped in the middle of a
    ///     turn does that, one stopped in its poll does not.
    ///   - wallCatchesUp: after a frozen clock, whether the wall clock is set right again (by NTP or the hypervisor).
    public func resume(timersFirst: Bool, wallCatchesUp: Bool) {
        guard let kind = pause else { return }
        pause = nil
        if kind == .machine(clockRuns: false) {
            clock.setFrozen(false, at: world.time)
            if wallCatchesUp { wallOffset += world.time - pausedWallAt }
        }
        for process in processes { process.resumed(timersFirst: timersFirst) }
    }

    // MARK: Ends

    /// kill -9: the kernel ends every connection of the processes, in order where nothing is unread.
    public func killProcesses() {
        for process in processes { process.end(orderly: true) }
        processes.removeAll()
        listeners.removeAll()
        if pause == .process { pause = nil }
    }

    /// The power goes: peers hear nothing, and what was not yet on the wire is lost. Files stay.
    public func powerOff() {
        for process in processes { process.end(orderly: false) }
        processes.removeAll()
        listeners.removeAll()
        if pause == .machine(clockRuns: false) { clock.setFrozen(false, at: world.time) }
        pause = nil
        isOn = false
    }

    /// The power is back; the monotonic clock starts anew, near zero.
    public func powerOn() {
        guard !isOn else { return }
        isOn = true
        let wall = now.nanoseconds + wallOffset
        clock = HostClock(origin: 5_000_000_000 - world.time, driftPPM: 0)
        clock.setDrift(ppm: driftAtStart, at: world.time)
        wallOffset = wall - now.nanoseconds
    }

    /// The drift it was made with, and has again after a restart.
    private lazy var driftAtStart = clock.driftPPM
    func rememberDrift() { _ = driftAtStart }
}
