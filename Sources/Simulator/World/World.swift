// One simulated world: hosts, the network between them, and the one queue of everything that will happen. Nothing here
// reads a clock or the system's random source, and nothing depends on an address or on the order of a Set or Dictionary,
// so one seed is one run.
//
//   World ── EventQueue (true time, sequence) ──▶ EventTarget: Pipe, SimulatedStream, SimulatedPlatform, tasks
//     ├─ Host: HostClock, files, power ── SimulatedPlatform (one process; production code runs on it)
//     └─ Link: latency, loss, cuts for one direction between two hosts

import Basics

/// Virtual time and everything in it.
public final class World {
    /// True time, in nanoseconds since the world began. No host knows it.
    public private(set) var time: Int64 = 0
    /// Everything delivered so far.
    public var trace = Trace()
    /// In the order they were made.
    public private(set) var hosts: [Host] = []
    /// How links are that nobody has changed.
    public var defaultConditions = LinkConditions()
    /// Ports whose connections carry gossip frames, so that whole frames can be lost, doubled and reordered.
    public var gossipPorts: Set<UInt16> = []
    /// Puts delivered bytes into words, for traces.
    public var describe: ((UnsafeRawBufferPointer) -> String)?
    /// Hears that a node's answer differs from its shadow's, and how.
    public var onMirrorDifference: ((Host, String) -> Void)?
    /// Hears every gossip frame as it is sent, with its sender and its receiver.
    var onGossipFrame: ((Host, Host, UnsafeRawBufferPointer) -> Void)?
    /// Gossip that was delivered since this was last emptied, by the hosts' numbers; noted only while somebody hears frames.
    var gossipArrivals: [(from: Int, to: Int)] = []
    /// Hears every line that a node logs; nodes that started before it was set stay silent.
    public var onLog: ((LogLine) -> Void)?
    /// Called after each event.
    public var afterEvent: (() -> Void)?
    /// Events that have happened.
    public private(set) var events = 0
    /// Bytes that one direction of a connection holds (both kernels' buffers) before its sender has to wait.
    public var pipeCapacity = 1 << 20

    /// Owners of processes that were called or came or went since this was last emptied.
    var touched: [Int] = []

    private var queue = EventQueue()
    private var links: [UInt64: Link] = [:]
    private var addresses: [String: Int] = [:]
    /// For the network's chances.
    var random: SeededGenerator

    /// An empty world.
    public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Whether nothing more happens at this very time: then node and shadow have had the same.
    var isInstantOver: Bool { queue.nextTime > time }

    // MARK: Hosts and links

    /// Makes a machine that runs from now on.
    ///
    /// - Parameters:
    ///   - origin: what its monotonic clock shows at true time 0, in nanoseconds.
    ///   - wallSkew: its wall clock minus the right time, in nanoseconds.
    public func makeHost(
        _ name: String, ip: String, origin: Int64 = 3_600_000_000_000, driftPPM: Int64 = 0, wallSkew: Int64 = 0
    ) -> Host {
        precondition(addresses[ip] == nil && addresses[name] == nil, "host \(name) at \(ip) exists")
        let clock = HostClock(origin: origin, driftPPM: driftPPM)
        let wallOffset = World.wallOrigin - origin + wallSkew
        let host = Host(self, name: name, index: hosts.count, ip: ip, clock: clock, wallOffset: wallOffset)
        host.rememberDrift()
        addresses[ip] = hosts.count
        addresses[name] = hosts.count
        hosts.append(host)
        return host
    }

    /// The right wall time at true time 0: 2026-01-01 00:00 UTC, in nanoseconds.
    static let wallOrigin: Int64 = 1_767_225_600_000_000_000

    /// The host with this IP address or name.
    func host(at address: String) -> Host? { addresses[address].map { hosts[$0] } }

    /// DNS names of several hosts: what `Platform.resolve` finds, by name.
    public var names: [String: [Host]] = [:]

    /// In ascending order, none twice.
    func ips(of name: String) -> [String] {
        if let hosts = names[name] { return Set(hosts.map(\.ip)).sorted() }
        return host(at: name).map { [$0.ip] } ?? []
    }

    func link(from: Host, to: Host) -> Link {
        let key = UInt64(from.index) << 32 | UInt64(to.index)
        if let link = links[key] { return link }
        let link = Link(defaultConditions)
        links[key] = link
        return link
    }

    /// The conditions from one host to another; changes hold for what is sent from now on.
    public func setConditions(from: Host, to: Host, _ change: (inout LinkConditions) -> Void) {
        change(&link(from: from, to: to).conditions)
    }

    /// Cuts one direction, or takes one cut back; packets already on the way are lost, too.
    public func cut(from: Host, to: Host, _ isCut: Bool) {
        link(from: from, to: to).cuts += isCut ? 1 : -1
    }

    /// Holds everything that would arrive for a while; nothing is lost.
    public func stall(from: Host, to: Host, for duration: Int64) {
        let link = link(from: from, to: to)
        link.stalledUntil = max(link.stalledUntil, time + duration)
    }

    /// Resets every connection between two hosts, at both ends, as a middlebox does that has lost its state.
    public func resetConnections(between first: Host, and second: Host) {
        for process in first.processes {
            for stream in process.streamsInOrder where stream.peer?.platform.host === second {
                stream.peer?.resetByPeer()
                stream.resetByPeer()
            }
        }
    }

    /// Makes connections between two hosts half-open: the first host's end is gone without a word.
    public func forgetConnections(of first: Host, to second: Host) {
        for process in first.processes {
            for stream in process.streamsInOrder where stream.peer?.platform.host === second {
                stream.vanish()
            }
        }
    }

    func touch(_ owner: Int) {
        if owner >= 0, touched.last != owner { touched.append(owner) }
    }

    // MARK: Events

    func schedule(_ target: EventTarget, _ argument: UInt64, at trueTime: Int64) {
        queue.add(target, argument, at: max(trueTime, time))
    }

    /// Runs `task` at a true time: for faults and scenarios, not for the machinery.
    public func at(_ trueTime: Int64, _ task: @escaping () -> Void) { schedule(Task(task), 0, at: trueTime) }

    private final class Task: EventTarget {
        let task: () -> Void
        init(_ task: @escaping () -> Void) { self.task = task }
        override func occur(_ argument: UInt64) { task() }
    }

    /// Lets the next event happen; false when none is left or the next is after `limit`.
    public func step(until limit: Int64 = .max) -> Bool {
        guard queue.nextTime <= limit, queue.count > 0 else { return false }
        let event = queue.takeFirst()
        time = event.time
        events += 1
        event.target._withUnsafeGuaranteedRef { $0.occur(event.argument) }
        event.target.release()
        afterEvent?()
        return true
    }

    /// Runs up to and including a true time.
    public func run(until trueTime: Int64) {
        while step(until: trueTime) {}
        time = max(time, trueTime)
    }

    /// Runs for a while longer.
    public func run(for duration: Duration) { run(until: time + duration.wholeNanoseconds) }

    /// Ends all processes and forgets all events, so that nothing keeps anything else alive.
    public func tearDown() {
        afterEvent = nil
        for host in hosts { host.powerOff() }
        queue.removeAll()
    }

    /// `t=12.345678s`, for lines.
    public var timeText: String { World.text(of: time) }

    static func text(of time: Int64) -> String {
        let micros = time / 1_000
        let fraction = String(micros % 1_000_000)
        return "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }
}
