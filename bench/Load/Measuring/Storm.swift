import Basics
import Histogram

/// A cold server, and all brokers register at once while clients look up.
public struct Storm {
    /// What one storm showed.
    public struct Reading {
        /// Until the last registration was answered.
        public var registeredSeconds: Double
        /// Until a topic of every set had a route over all of its brokers.
        public var routableSeconds: Double
        /// The server's CPU time until then; nil when its pid is unknown.
        public var cpuSeconds: Double?
        /// Bytes of all registrations' bodies.
        public var bodyBytes: Int
        /// Of lookups meanwhile: from the intended send time.
        public var lookups: LatencyHistogram
        /// How late the generator itself sent a lookup at worst, in nanoseconds.
        public var lateness: Int64
        /// Resident bytes that the storm added; nil when the pid is unknown.
        public var addedBytes: Int?
        /// Wrong answers and requests without one.
        public var wrong: Int
    }

    /// The brokers that register; nothing else is known but what the lookups ask for.
    public var fleet: Fleet
    /// Lookups per second meanwhile.
    public var lookupsPerSecond = 1_000.0
    /// The longest that it may take.
    public var limit = Duration.seconds(120)

    /// A storm of these brokers with the defaults above.
    public init(_ fleet: Fleet) { self.fleet = fleet }

    /// Sweeps until all routes are whole: a server that needs more has lost a broker.
    private static let sweepLimit = 100

    /// Lets the brokers register, one connection each, and looks until all are routable.
    public func run(_ server: ServerUnderTest) throws(LoadError) -> Reading {
        var asked = PlanBuilder(
            WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2, label: "asked")), form: fleet)
        asked.registerFleet()
        let lookups = Traffic(
            "lookups", lanes: asked.rotated(asked.lookups(4), over: 4), pacing: .open(perSecond: lookupsPerSecond))
        var storm = PlanBuilder(WorkloadSettings(fleet: fleet), book: asked.book)
        let registrations = (0..<fleet.brokers).map { storm.firstRegistrations(of: $0) }
        let plan = Plan(
            "storm", book: asked.book, preparation: asked.preparation,
            traffics: [lookups, Traffic("storm", lanes: registrations, pacing: .closed(depth: 1), repeats: false)])
        let bodyBytes = registrations.joined().reduce(0) { $0 + asked.book.bodySize(of: $1) }

        // The brokers live as long as this generator.
        var generator = try Generator(plan, to: server.address)
        let outcome = try generator.run(.once(limit: limit), usage: server.usage)
        guard outcome.isComplete else {
            throw LoadError(.noAnswer, "\(server.label): the storm was not over after \(limit)")
        }
        let begin = monotonicTime() - outcome.lengths[0]
        let wrong = try sweep(server)
        let routable = Double(monotonicTime() - begin) / 1e9
        let after = server.usage()
        withExtendedLifetime(generator) {}
        let before = outcome.usages[0]
        return Reading(
            registeredSeconds: Double(outcome.lengths[0]) / 1e9, routableSeconds: routable,
            cpuSeconds: zip(before, after) { Double($1.cpuNanoseconds - $0.cpuNanoseconds) / 1e9 },
            bodyBytes: bodyBytes, lookups: outcome.intervals[0][0].latencies,
            lateness: outcome.intervals[0][0].lateness,
            addedBytes: zip(before, after) { $1.residentBytes - $0.residentBytes },
            wrong: wrong + outcome.intervals.reduce(0) { $0 + $1[0].wrong + $1[0].unanswered })
    }

    /// Looks up the last topic of every set until all routes are whole; says how many never were.
    private func sweep(_ server: ServerUnderTest) throws(LoadError) -> Int {
        var wrong = 0
        for _ in 0..<Self.sweepLimit {
            var builder = PlanBuilder(WorkloadSettings(fleet: fleet))
            let lane = (0..<fleet.sets).map { builder.lookup(fleet.topics - 1, of: $0) }
            var generator = try Generator(
                Plan(
                    "sweep", book: builder.book,
                    traffics: [Traffic("sweep", lanes: [lane], pacing: .closed(depth: 8), repeats: false)]),
                to: server.address)
            let outcome = try generator.run(.once(limit: limit), usage: { nil })
            wrong = outcome.intervals[0][0].wrong
            if wrong == 0 { break }
        }
        return wrong
    }

    private func zip<Left, Right, Result>(_ left: Left?, _ right: Right?, _ join: (Left, Right) -> Result) -> Result? {
        guard let left, let right else { return nil }
        return join(left, right)
    }
}

extension Storm {
    /// The goals of issue 5, for 300 brokers of 10,000 topics.
    private static let slowestLookup = 10.0
    private static let bytesPerEntry = 40.0

    /// What several storms of one fleet showed.
    public static func figures(_ fleet: Fleet, _ readings: [Reading], title: String = "") -> [LimitFigure] {
        var names = 0
        for set in 0..<fleet.sets {
            for topic in 0..<fleet.topics { names += fleet.topic(topic, of: set).utf8.count }
        }
        func spread(_ value: (Reading) -> Double?) -> Spread { Spread(readings.compactMap(value)) }
        let what = "\(fleet.brokers) × \(fleet.topics.grouped) topics\(title)"
        let wrong = readings.reduce(0) { $0 + $1.wrong }
        let speed = spread { reading in reading.cpuSeconds.map { Double(reading.bodyBytes) / 1e6 / $0 } }
        var figures = [
            LimitFigure(
                "storm, \(what): all routable", spread(\.routableSeconds), "s",
                detail:
                    "registered after \(spread(\.registeredSeconds).median.short) s; \(speed.median.short) MB of bodies per CPU second"
                    + (wrong == 0 ? "" : "; \(wrong) WRONG")),
            LimitFigure(
                "storm, \(what): slowest lookup meanwhile", spread { Double($0.lookups.max) / 1e6 }, "ms",
                detail: "p99 \(spread { Double($0.lookups.valueAtPercentile(99)) / 1e6 }.median.short) ms; "
                    + "the generator itself was late by \(spread { Double($0.lateness) / 1e6 }.highest.short) ms at most"
            ).atMost(slowestLookup),
        ]
        let memory = spread { reading in
            reading.addedBytes.map { Double($0 - names) / Double(fleet.queueEntries) }
        }
        if !memory.values.isEmpty {
            figures.append(
                LimitFigure(
                    "memory per queue entry over the names, \(what)", memory, "B",
                    detail: "\(fleet.queueEntries.grouped) entries, names \((names / 1_000_000).grouped) MB"
                ).atMost(bytesPerEntry))
        }
        return figures
    }
}
