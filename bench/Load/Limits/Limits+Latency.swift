import Basics

extension Limits {
    /// Lookups per second beside registrations.
    private static let lookupRate = 2_000.0

    /// Lookups at a steady rate while two brokers send registrations of 10,000 topics back to back.
    func lookupsBesideRegistrations() throws(LoadError) -> [LimitFigure] {
        var figures: [LimitFigure] = []
        let topics = scaled(10_000)
        for (name, changed) in [("one topic changed", 1), ("all topics changed", topics)] {
            let server = try startNode()
            defer { server.stop() }
            let plan = Self.besideRegistrations(topics: topics, changed: changed)
            let reading = try alternation.run([Arm("node", server, plan)])[0].measurement
            let detail = "slowest \((reading.latency(100).highest / 1_000).short) ms\(wrongText(reading.wrong))"
            figures.append(
                LimitFigure(
                    "p99 of lookups beside registrations of \(topics.grouped) topics, \(name)",
                    Spread(reading.latency(99).values.map { $0 / 1_000 }), "ms", detail: detail
                ).atMost(2))
        }
        return figures
    }

    private static func besideRegistrations(topics: Int, changed: Int) -> Plan {
        var asked = PlanBuilder(WorkloadSettings(fleet: Fleet(brokers: 2, topics: 2, spread: 2, label: "asked")))
        asked.registerFleet()
        var writing = PlanBuilder(WorkloadSettings(fleet: Fleet(brokers: 2, topics: topics)), book: asked.book)
        let registrations = (0..<2).map { broker in
            [2, 3].map { writing.registration(of: broker, state: $0, changed: changed) }
        }
        return Plan(
            "lookups beside registrations", book: asked.book, preparation: asked.preparation,
            traffics: [
                Traffic(
                    "lookups", lanes: asked.rotated(asked.lookups(4), over: 4), pacing: .open(perSecond: lookupRate)),
                Traffic("registrations", lanes: registrations, pacing: .closed(depth: 1)),
            ])
    }
}
