import Basics
import Histogram

/// Many connections that asked once and do nothing, while others look up.
public struct IdleConnections {
    /// What was seen.
    public struct Reading {
        /// Connections in all.
        public var count: Int
        /// Resident bytes that the second half of the connections added, each; nil when the pid is unknown.
        public var bytesPerConnection: Double?
        /// Of lookups while all connections were open.
        public var lookups: LatencyHistogram
        /// Wrong answers and requests without one.
        public var wrong: Int
    }

    /// Connections; the descriptor limit bounds them, in this process and in the server.
    public var count: Int
    /// Lookups per second meanwhile.
    public var lookupsPerSecond = 1_000.0
    /// How long they are looked at.
    public var length = Duration.seconds(2)
    /// Of all requests.
    public var form: Fleet

    /// So many connections.
    public init(count: Int, form: Fleet = Fleet()) {
        self.count = count
        self.form = form
    }

    /// Descriptors that everything else needs.
    private static let otherDescriptors = 100

    /// The most that one process may open here.
    public static var limit: Int { DescriptorLimit.raised - otherDescriptors }

    /// Opens half of the connections, then the other half: what the server keeps anyway is there by then.
    public func run(_ server: ServerUnderTest) throws(LoadError) -> Reading {
        guard count <= Self.limit else {
            throw LoadError(.usage, "\(count) idle connections: at most \(Self.limit) descriptors are allowed here")
        }
        var first = try Generator(plan(count / 2), to: server.address)
        let before = try first.run(
            Phases(warmUp: .zero, repetitions: 1, length: .milliseconds(200)), usage: server.usage)
        var second = try Generator(plan(count - count / 2), to: server.address)
        let after = try second.run(Phases(warmUp: .zero, repetitions: 1, length: length), usage: server.usage)
        withExtendedLifetime(first) {}
        var bytes: Double?
        if let early = before.usages[1], let late = after.usages[1] {
            bytes = Double(late.residentBytes - early.residentBytes) / Double(max(1, count - count / 2))
        }
        return Reading(
            count: count, bytesPerConnection: bytes, lookups: after.intervals[0][0].latencies,
            wrong: after.intervals[0][0].wrong + after.intervals[0][0].unanswered + after.closedConnections)
    }

    private func plan(_ idle: Int) -> Plan {
        var builder = PlanBuilder(
            WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2, label: "asked")), form: form)
        builder.registerFleet()
        let miss = builder.missingLookup()
        let lookups = builder.rotated(builder.lookups(4), over: 4)
        return Plan(
            "idle connections", book: builder.book,
            preparation: builder.preparation + .init(repeating: [miss], count: idle),
            traffics: [Traffic("lookups", lanes: lookups, pacing: .open(perSecond: lookupsPerSecond))])
    }
}

extension Array where Element == IdleConnections.Reading {
    /// What several readings of one number of connections showed.
    public var figures: [LimitFigure] {
        let count = map(\.count).max() ?? 0
        let wrong = reduce(0) { $0 + $1.wrong }
        let p99 = Spread(map { Double($0.lookups.valueAtPercentile(99)) / 1e6 })
        let lookups = LimitFigure(
            "p99 of lookups beside \(count.grouped) idle connections", p99, "ms",
            detail: wrong == 0 ? "" : "\(wrong) WRONG")
        let bytes = Spread(compactMap(\.bytesPerConnection))
        guard !bytes.values.isEmpty else { return [lookups] }
        return [LimitFigure("memory of an idle connection, \(count.grouped) of them", bytes, "B").atMost(512), lookups]
    }
}

extension IdleConnections.Reading {
    /// Of this one alone.
    public var figures: [LimitFigure] { [self].figures }
}
