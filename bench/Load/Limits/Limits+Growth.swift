import Basics

extension Limits {
    /// How much more the largest case may cost: caches are no part of the algorithm, but they are of the machine.
    private static let flatness = 1.25

    /// What a heartbeat and a changed registration cost beside more and more of others, and with their own size.
    func growth() throws(LoadError) -> [LimitFigure] {
        // The node takes 10,000 brokers; those that heartbeat are among them.
        let brokers = [10, 1_000, 9_900].map(scaled)
        let heartbeat = Fleet(brokers: 8, topics: 100)
        let registration = Fleet(brokers: 8, topics: 1_000)
        let manyBrokers = brokers.map { Fleet(brokers: $0, topics: 10, spread: 10, label: "other") }
        let manyTopics = brokers.map { Fleet(brokers: 10, topics: max(2, $0 / 10), label: "other") }
        return try [
            flat("heartbeat, brokers known", .heartbeat, heartbeat, beside: manyBrokers) { $0.brokers },
            flat("heartbeat, topics known", .heartbeat, heartbeat, beside: manyTopics) { $0.topics * $0.brokers },
            flat("changed registration, brokers known", .changed, registration, beside: manyBrokers) { $0.brokers },
            linear("changed registration, its own topics", [100, 1_000, 10_000].map(scaled)),
        ]
    }

    private func flat(
        _ name: String, _ workload: Workload, _ fleet: Fleet, beside others: [Fleet], count: (Fleet) -> Int
    ) throws(LoadError) -> LimitFigure {
        var arms: [Arm] = []
        defer { for arm in arms { arm.server.stop() } }
        for other in others {
            var settings = WorkloadSettings(fleet: fleet)
            settings.bystanders = other
            arms.append(Arm(count(other).grouped, try startNode(), workload.plan(settings)))
        }
        let readings = try alternation.run(arms).map(\.measurement)
        return LimitFigure(
            "\(name): CPU at \(arms[arms.count - 1].label) to \(arms[0].label)",
            .ratios(readings[readings.count - 1].cpuMicroseconds, to: readings[0].cpuMicroseconds), "ratio",
            detail: costs(arms, readings)
        ).atMost(Self.flatness)
    }

    private func linear(_ name: String, _ sizes: [Int]) throws(LoadError) -> LimitFigure {
        var arms: [Arm] = []
        defer { for arm in arms { arm.server.stop() } }
        for size in sizes {
            let plan = Workload.changed.plan(WorkloadSettings(fleet: Fleet(brokers: 2, topics: size)))
            arms.append(Arm(size.grouped, try startNode(), plan))
        }
        let readings = try alternation.run(arms).map(\.measurement)
        let perTopic = zip(sizes, readings).map { size, reading in
            Spread(reading.cpuMicroseconds.values.map { $0 / Double(size) })
        }
        return LimitFigure(
            "\(name): CPU per topic at \(arms[2].label) to \(arms[1].label)", .ratios(perTopic[2], to: perTopic[1]),
            "ratio",
            detail: costs(arms, readings)
        ).atMost(Self.flatness)
    }

    private func costs(_ arms: [Arm], _ readings: [Measurement]) -> String {
        let wrong = readings.reduce(0) { $0 + $1.wrong }
        return zip(arms, readings).map { "\($0.label): \($1.cpuMicroseconds.median.short) µs" }.joined(separator: ", ")
            + wrongText(wrong)
    }
}
