import Basics
import Histogram

/// Measures workloads on one server.
public struct Session {
    /// At which pace a workload is measured.
    public enum Pace: Hashable, Sendable {
        /// Open loop at this rate.
        case rate(Double)
        /// Open loop at this share of what a closed loop reaches.
        case share(Double)
        /// Closed loop.
        case closed(depth: Int)
        /// Open loop at the highest rate at which the 99th percentile stays within this bound.
        case knee(bound: Duration)
    }

    /// Whom.
    public var server: ServerUnderTest
    /// How long.
    public var phases: Phases
    /// Nil leaves the choice to the kernel.
    public var pinning: Pinning?
    /// The C server for the generator's own ceiling; nil leaves that out.
    public var limitServer: Program?

    /// Requests of one connection on their way when capacity is looked for.
    private static let capacityDepth = 4
    /// An open loop that answers less than this share of what was due is overloaded.
    private static let keepingUp = 0.98

    /// Describes a session.
    public init(server: ServerUnderTest, phases: Phases) {
        self.server = server
        self.phases = phases
    }

    /// Measures one plan.
    public func measure(_ plan: Plan, _ pace: Pace) throws(LoadError) -> Measured {
        if let pinning { try Pinning.pinThisThread(to: pinning.load) }
        switch pace {
        case .rate(let rate): return try measured(plan.paced(.open(perSecond: rate)), capacity: nil)
        case .closed(let depth): return try measured(plan.paced(.closed(depth: depth)), capacity: nil)
        case .share(let share):
            let capacity = try capacity(plan, of: server)
            return try measured(plan.paced(.open(perSecond: max(1, capacity * share))), capacity: capacity)
        case .knee(let bound):
            let capacity = try capacity(plan, of: server)
            let knee = try knee(plan, capacity, bound)
            guard knee > 0 else {
                throw LoadError(.noAnswer, "\(server.label): no rate keeps p99 of '\(plan.name)' within \(bound)")
            }
            var result = try measured(plan.paced(.open(perSecond: knee)), capacity: capacity)
            result.note("knee: the highest rate found with p99 within \(bound)")
            return result
        }
    }

    private func measured(_ plan: Plan, capacity: Double?) throws(LoadError) -> Measured {
        var result = Measured(plan)
        var generator = try Generator(plan, to: server.address)
        result.add(try generator.run(phases, usage: server.usage))
        result.set(capacity: capacity, ceiling: try ceiling(plan))
        let due = result.measurement.repetitions.reduce(0) { $0 + $1.due }
        let answered = result.measurement.repetitions.reduce(0) { $0 + $1.answered }
        if result.measurement.loop == "open", Double(answered) < Double(due) * Self.keepingUp {
            result.note("overloaded: \(answered.grouped) answers to \(due.grouped) requests that were due")
        }
        if result.measurement.isNearCeiling {
            result.note("near the generator's own ceiling of \((result.measurement.ceilingPerSecond ?? 0).short)/s")
        }
        return result
    }

    /// What a closed loop reaches, per second.
    private func capacity(_ plan: Plan, of server: ServerUnderTest) throws(LoadError) -> Double {
        let short = Phases(warmUp: phases.length / 4, repetitions: 1, length: phases.length)
        var generator = try Generator(plan.paced(.closed(depth: Self.capacityDepth)), to: server.address)
        let outcome = try generator.run(short, usage: { nil })
        return Double(outcome.intervals[0][0].answered) / (Double(outcome.lengths[0]) / 1e9)
    }

    /// The same requests to a C server that answers the same bytes without looking at them.
    private func ceiling(_ plan: Plan) throws(LoadError) -> Double? {
        guard let limitServer else { return nil }
        let body = try Exchange.answerBody(to: plan.traffics[0].lanes[0][0], of: plan, at: server.address)
        let limit = try ServerUnderTest.limit(limitServer, canned: body, pinning: pinning)
        defer { limit.stop() }
        var idle = plan
        // What the server answers is no registration; only how fast the generator is counts here.
        idle.preparation = []
        return try capacity(idle, of: limit)
    }

    private func knee(_ plan: Plan, _ capacity: Double, _ bound: Duration) throws(LoadError) -> Double {
        var search = KneeSearch(ceiling: capacity)
        while let rate = search.next {
            let short = Phases(warmUp: phases.length / 4, repetitions: 1, length: phases.length)
            var generator = try Generator(plan.paced(.open(perSecond: rate)), to: server.address)
            let interval = try generator.run(short, usage: { nil }).intervals[0][0]
            // Latency counts from when a request was due: a server that does not keep up shows it here.
            search.tried(
                isGood: interval.due > 0 && interval.latencies.valueAtPercentile(99) <= UInt64(bound.wholeNanoseconds)
                    && interval.wrong + interval.unanswered == 0)
        }
        return search.good
    }
}
