import Experiments

/// Tells on standard error how far an experiment is: a line for each fault, and one every ten seconds.
final class ExperimentProgress {
    private let scenario: Scenario
    private let isQuiet: Bool
    private let clock = ContinuousClock()
    private var startedAt: ContinuousClock.Instant
    private var shownAt: ContinuousClock.Instant
    /// Indices of faults that go on.
    private var open: [Int] = []

    init(_ scenario: Scenario, isQuiet: Bool) {
        (self.scenario, self.isQuiet) = (scenario, isQuiet)
        startedAt = clock.now
        shownAt = clock.now
    }

    func show(_ progress: Experiment.Progress) {
        switch progress {
        case .began(let arm):
            startedAt = clock.now
            open = []
            write("\(arm.rawValue): starting \(scenario.nodes.count) nodes and \(scenario.replicas.count) brokers")
        case .event(let arm, let event): show(event, of: arm)
        case .finished(let result):
            write("\(result.arm.rawValue): done in \(oneDecimal((clock.now - startedAt).seconds)) s")
        }
    }

    private func show(_ event: HistoryEvent, of arm: Arm) {
        let place = "\(arm.rawValue) \(ExperimentProgress.clock(event.time))"
        switch event.kind {
        case .faultBegan(let fault):
            if scenario.faults[fault].fault.lasts { open.append(fault) }
            write("\(place) \(scenario.faults[fault].text)")
        case .faultEnded(let fault):
            open.removeAll { $0 == fault }
            write("\(place) over: \(scenario.faults[fault].text)")
        case .note(let text): write("\(place) \(text)")
        default:
            guard clock.now - shownAt >= .seconds(10) else { return }
            let now = open.map { scenario.faults[$0].text }.joined(separator: "; ")
            write(
                "\(place) of \(ExperimentProgress.clock(scenario.duration.seconds))" + (now.isEmpty ? "" : ": \(now)"))
        }
    }

    private func write(_ line: String) {
        guard !isQuiet else { return }
        shownAt = clock.now
        printError("\(scenario.name): \(line)")
    }

    /// `2:05` for 125 seconds, `-0:03` for 3 seconds before the beginning.
    static func clock(_ seconds: Double) -> String {
        let whole = Int(abs(seconds))
        let rest = whole % 60
        return "\(seconds <= -1 ? "-" : "")\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
