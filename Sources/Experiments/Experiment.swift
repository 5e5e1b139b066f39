import Basics

/// A scenario with the driver that runs it.
public struct Experiment {
    /// What to run.
    public var scenario: Scenario
    /// Where, for the record; `driver` does it.
    public var kind: DriverKind
    private let driver: any ExperimentDriver
    private let startedAt: String
    private let environment: [String]

    /// An experiment.
    ///
    /// - Parameters:
    ///   - seed: decides what chance decides; nil = the scenario's.
    ///   - startedAt: UTC text for the report; a simulated run has none, so that the same run has the same report.
    ///   - environment: program and machine, a line each, for the report.
    public init(
        scenario: Scenario, driver: any ExperimentDriver, kind: DriverKind, seed: UInt64? = nil, startedAt: String = "",
        environment: [String] = []
    ) {
        (self.scenario, self.driver, self.kind) = (scenario, driver, kind)
        self.startedAt = kind == .simulated ? "" : startedAt
        self.environment = environment
        if let seed { self.scenario.seed = seed }
    }

    /// What happened a moment ago.
    public enum Progress {
        /// Everybody of the arm is being started.
        case began(Arm)
        /// Something happened in the arm.
        case event(Arm, HistoryEvent)
        /// The arm is over, with these figures.
        case finished(ArmResult)
    }

    /// Runs all arms, one after the other.
    ///
    /// - Throws: what the driver cannot do, before anything starts; or why an arm did not come to its end.
    public func run(onProgress: @escaping (Progress) -> Void) throws(ExperimentError) -> ExperimentResult {
        let obstacles = driver.obstacles(to: scenario)
        guard obstacles.isEmpty else { throw ExperimentError(obstacles.joined(separator: "\n")) }
        var results: [ArmResult] = []
        for arm in scenario.arms {
            onProgress(.began(arm))
            let history = History()
            try driver.run(arm, of: scenario) { event in
                history.events.append(event)
                onProgress(.event(arm, event))
            }
            let result = ArmResult(
                arm: arm, history: history.events,
                figures: ArmFigures.compute(history.events, of: scenario, arm: arm))
            onProgress(.finished(result))
            results.append(result)
        }
        return ExperimentResult(
            scenario: scenario, driver: kind, seed: scenario.seed, startedAt: startedAt, environment: environment,
            arms: results, verdicts: Verdicts.judge(results, by: scenario))
    }

    /// Filled while a driver runs.
    private final class History {
        var events: [HistoryEvent] = []
    }
}
