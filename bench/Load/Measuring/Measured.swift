import Histogram

/// A measurement in the making: runs of one plan, and all their latencies.
public struct Measured {
    /// Microseconds by which the generator may be late before a reader must know.
    private static let lateLimit = 2_000.0
    private static let latePrefix = "the generator itself sent"

    /// For tables and files.
    public private(set) var measurement: Measurement
    /// Of the plan's first traffic, all runs together.
    public private(set) var latencies = emptyLatencies()

    /// Nothing measured yet.
    init(_ plan: Plan) {
        let traffic = plan.traffics[0]
        let (loop, pace) =
            switch traffic.pacing {
            case .open(let perSecond): ("open", perSecond)
            case .closed(let depth): ("closed", Double(depth))
            }
        measurement = Measurement(
            name: plan.name, loop: loop, pace: pace, connections: traffic.lanes.count,
            bodyBytes: plan.book.bodySize(of: traffic.lanes[0][0]))
    }

    /// Adds all repetitions of a run.
    mutating func add(_ outcome: RunOutcome) {
        for (index, interval) in outcome.intervals[0].enumerated() {
            let answered = outcome.answered(index)
            measurement.repetitions.append(
                Measurement.Repetition(
                    seconds: Double(outcome.lengths[index]) / 1e9, due: interval.due, answered: interval.answered,
                    wrong: interval.wrong, unanswered: interval.unanswered,
                    cpuMicroseconds: answered > 0 ? outcome.cpu(index).map { $0 / 1_000 / Double(answered) } : nil,
                    residentBytes: outcome.usages[index + 1]?.residentBytes,
                    lateness: Double(interval.lateness) / 1_000,
                    latencies: Measurement.percentiles.map {
                        Double(interval.latencies.valueAtPercentile($0)) / 1_000
                    }))
            latencies.add(interval.latencies)
        }
        measurement.distribution = latencies.percentiles(ticksPerHalfDistance: 5).map {
            Measurement.Point(percentile: $0.percentileLevelIteratedTo, value: Double($0.value) / 1_000)
        }
        for complaint in outcome.complaints where !measurement.notes.contains(complaint.description) {
            measurement.notes.append(complaint.description)
        }
        let late = measurement.repetitions.map(\.lateness).max() ?? 0
        measurement.notes.removeAll { $0.hasPrefix(Self.latePrefix) }
        if measurement.loop == "open", late > Self.lateLimit {
            note("\(Self.latePrefix) up to \((late / 1_000).short) ms late")
        }
        if outcome.isOverloaded { note("overloaded: more requests waited than the generator keeps") }
    }

    /// Adds what was found out beside the runs.
    mutating func set(capacity: Double?, ceiling: Double?) {
        measurement.capacityPerSecond = capacity
        measurement.ceilingPerSecond = ceiling
    }

    /// Adds a remark for the reader.
    mutating func note(_ text: String) {
        if !measurement.notes.contains(text) { measurement.notes.append(text) }
    }

    /// The distribution as HdrHistogram's own tools read it (.hgrm), in microseconds.
    public func hgrm() -> String {
        var text = ""
        latencies.outputPercentileDistribution(
            to: &text, outputValueUnitScalingRatio: 1_000, percentileTicksPerHalfDistance: 5)
        return text
    }
}
