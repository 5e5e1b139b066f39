/// One arm of an experiment, run.
public struct ArmResult: Hashable, Sendable {
    /// Which.
    public var arm: Arm
    /// Everything that happened, in the order of time.
    public var history: [HistoryEvent]
    /// What it comes to; a figure without value was not reached (never noticed, never converged) or does not apply.
    public var figures: [Figure: Double]

    /// An arm's result.
    public init(arm: Arm, history: [HistoryEvent], figures: [Figure: Double]) {
        (self.arm, self.history, self.figures) = (arm, history, figures)
    }
}

/// A whole experiment, run: what the report shows and results.json holds.
public struct ExperimentResult: Hashable, Sendable {
    /// What was run.
    public var scenario: Scenario
    /// How.
    public var driver: DriverKind
    /// The seed used.
    public var seed: UInt64
    /// When, as UTC text; empty for a simulated run, whose results depend on nothing but file and seed.
    public var startedAt: String
    /// Program and machine, a line each: `hearsay 0.3`, `Linux 6.1, 2 cores`.
    public var environment: [String]
    /// In the order of `scenario.arms`.
    public var arms: [ArmResult]
    /// One for each check and each of its arms, in their order.
    public var verdicts: [Verdict]

    /// Whether every check held.
    public var held: Bool { verdicts.allSatisfy(\.held) }

    /// A result.
    public init(
        scenario: Scenario, driver: DriverKind, seed: UInt64, startedAt: String, environment: [String],
        arms: [ArmResult], verdicts: [Verdict]
    ) {
        (self.scenario, self.driver, self.seed, self.startedAt) = (scenario, driver, seed, startedAt)
        (self.environment, self.arms, self.verdicts) = (environment, arms, verdicts)
    }
}

/// Where an experiment runs.
public enum DriverKind: String, Hashable, Sendable, CaseIterable, Codable {
    /// Real processes, with the runner's proxies between them.
    case live
    /// Real processes in network namespaces of their own; root only.
    case netns
    /// The production code in virtual time.
    case simulated
}

/// A check's outcome in one arm.
public struct Verdict: Hashable, Sendable {
    /// Index into `Scenario.checks`.
    public var check: Int
    /// In which arm.
    public var arm: Arm
    /// What was measured; nil when the figure has no value.
    public var value: Double?
    /// Whether it held.
    public var held: Bool

    /// A verdict.
    public init(check: Int, arm: Arm, value: Double?, held: Bool) {
        (self.check, self.arm, self.value, self.held) = (check, arm, value, held)
    }
}
