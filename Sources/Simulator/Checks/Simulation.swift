import Basics
import GossipCore

/// What one run does.
public struct SimulationOptions {
    /// The cluster.
    public var cluster: ClusterOptions
    /// How long faults happen; healing and quiet time follow.
    public var duration: Duration = .seconds(20 * 60)
    /// The quiet time: after it everything must be well. Default: timeout, two scans and three heartbeats, from a minute on.
    public var quiet: Duration
    /// Ends the run at this true time, before anything heals; nil = runs to the end.
    public var stopAt: Duration?
    /// Plans what happens, by `Simulation.at`, instead of what the seed draws.
    public var script: ((Simulation) -> Void)?
    /// Only these numbers of the drawn schedule happen; nil = all.
    public var only: Set<Int>?
    /// Lines of trace kept for a violation.
    public var traceLines = 0
    /// Hears every line of the trace.
    public var onLine: ((String) -> Void)?
    /// Adds invariants of the caller's own, for tests.
    public var extraInvariants: ((Cluster) -> [any Invariant])?

    /// The defaults around a cluster.
    public init(cluster: ClusterOptions) {
        self.cluster = cluster
        quiet = max(cluster.timeout + cluster.scan * 2 + cluster.heartbeat * 3, .seconds(60))
    }
}

/// What one run showed.
public struct SimulationResult: Sendable {
    /// The first broken invariant; nil = all held.
    public var violation: Violation?
    /// What happened, faults only.
    public var schedule: [ScheduledFault]
    /// Over everything delivered; equal for equal options.
    public var traceHash: UInt64
    /// Events that happened.
    public var events: Int
    /// Simulated time, in nanoseconds.
    public var time: Int64
    /// The last lines before the violation.
    public var lines: [String]
    /// Brokers that began and ended to be served, over all nodes.
    public var additions: Int, removals: Int
    /// What clients were told, summed up; the gap is the longest one.
    public var tally: SimulatedClient.Tally
}

/// One run: a cluster, a drawn schedule of faults, the checks.
public final class Simulation {
    /// As given.
    public let options: SimulationOptions
    /// What will go wrong.
    public let schedule: [ScheduledFault]
    /// The cluster under test.
    public let cluster: Cluster

    private let injector: FaultInjector
    private let invariants: [any Invariant]
    private let watch: GossipWatch?
    private var violation: Violation?
    private var nextLook: Int64 = 0

    /// Draws the schedule and makes the cluster; nothing runs before `run`.
    public init(_ options: SimulationOptions) {
        self.options = options
        let drawn =
            options.script == nil ? FaultSchedule.drawn(options.cluster, duration: options.duration) : []
        schedule = options.only.map { only in drawn.filter { only.contains($0.number) } } ?? drawn
        cluster = Cluster(options: options.cluster)
        cluster.world.trace.lineLimit = options.traceLines
        cluster.world.trace.onLine = options.onLine
        injector = FaultInjector(cluster)
        watch = options.cluster.mode == .off ? nil : GossipWatch(cluster)
        invariants =
            [NoZombies(), SameAsStock(cluster), Liveness()] + Simulation.gossipInvariants(cluster, watch)
            + (options.extraInvariants?(cluster) ?? [])
        options.script?(self)
    }

    /// Makes a fault happen at a true time in seconds.
    public func at(_ seconds: Double, _ fault: Fault) {
        at(seconds) { [unowned self] in injector.apply(fault) }
    }

    /// Makes anything happen at a true time in seconds.
    public func at(_ seconds: Double, _ task: @escaping () -> Void) { cluster.world.at(Int64(seconds * 1e9), task) }

    private static func gossipInvariants(_ cluster: Cluster, _ watch: GossipWatch?) -> [any Invariant] {
        guard let watch else { return [] }
        return [
            EvidenceBounds(watch), FrameChecks(watch), GossipCost(watch), FirstHandUntouched(watch), OneAddress(watch),
            WritesUntouched(watch), OneNodeAName(watch), LearnedAnswersNobody(cluster), DepartureChecks(watch),
            UnionBound(watch),
            NoFalseEviction(watch), WarmUpChecks(watch), TrueDifference(watch), RefusedFrames(watch),
            GossipLiveness(watch),
        ]
    }

    /// Runs everything once and tears the world down.
    public func run() -> SimulationResult {
        let world = cluster.world
        world.afterEvent = { [unowned self] in afterEvent() }
        cluster.start()
        injector.plan(schedule)
        run(until: min(options.stopAt ?? options.duration, options.duration).wholeNanoseconds)
        if options.stopAt == nil { heal() }
        let result = SimulationResult(
            violation: violation, schedule: schedule, traceHash: world.trace.hash, events: world.events,
            time: world.time, lines: world.trace.lines, additions: cluster.truth.changes.count { $0.isServed },
            removals: cluster.truth.changes.count { !$0.isServed }, tally: tally())
        world.tearDown()
        return result
    }

    private func heal() {
        injector.heal()
        let world = cluster.world
        if world.trace.wantsLines { world.trace.add("\(world.timeText) HEAL") }
        run(until: (options.duration + options.quiet).wholeNanoseconds)
        for invariant in invariants where violation == nil { note(invariant, invariant.checkAfterHealing(cluster)) }
    }

    private func run(until time: Int64) {
        while violation == nil, cluster.world.step(until: time) {}
        if violation == nil { cluster.world.run(until: time) }
    }

    private func afterEvent() {
        let truth = cluster.truth!
        truth.update()
        watch?.observe(truth.touched)
        defer { watch?.endEvent() }
        for node in truth.touched {
            for invariant in invariants { note(invariant, invariant.check(cluster, node: cluster.nodes[node])) }
        }
        guard cluster.world.time >= nextLook, cluster.world.isInstantOver else { return }
        nextLook = cluster.world.time + 1_000_000_000
        for invariant in invariants { note(invariant, invariant.check(cluster, node: nil)) }
    }

    private func note(_ invariant: any Invariant, _ text: String?) {
        guard violation == nil, let text else { return }
        violation = Violation(
            number: invariant.number, name: invariant.name, time: cluster.world.time, text: text)
    }

    private func tally() -> SimulatedClient.Tally {
        cluster.clients.reduce(into: SimulatedClient.Tally()) { sum, client in
            sum.routes += client.tally.routes
            sum.topicNotExist += client.tally.topicNotExist
            sum.noNameServer += client.tally.noNameServer
            sum.others += client.tally.others
            sum.longestGap = max(sum.longestGap, client.tally.longestGap)
        }
    }
}
