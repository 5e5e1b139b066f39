import Testing

@testable import Experiments

/// Checks held against figures.
@Suite struct FigureVerdictTests {
    private static func check(_ bound: Check.Bound, _ arms: [Arm] = [.protect]) -> Check {
        Check(figure: .sendsFailed, arms: arms, bound: bound, text: "")
    }

    private static func judge(_ checks: [Check], _ values: [Arm: Double?]) -> [Verdict] {
        var scenario = Scenario.sample
        scenario.checks = checks
        let arms = Arm.allCases.compactMap { arm in
            values[arm].map { ArmResult(arm: arm, history: [], figures: $0.map { [.sendsFailed: $0] } ?? [:]) }
        }
        return Verdicts.judge(arms, by: scenario)
    }

    @Test(
        arguments: [
            (Check.Bound.atMost(3), 3.0, nil, true), (.atMost(3), 3.1, nil, false), (.atMost(3), nil, nil, false),
            (.atLeast(3), 3, nil, true), (.atLeast(3), 2.9, nil, false), (.atLeast(3), nil, nil, true),
            (.atMostOf(.off, factor: 0.5), 5, 10, true), (.atMostOf(.off, factor: 0.5), 6, 10, false),
            (.atMostOf(.off, factor: 0.5), nil, 10, false), (.atMostOf(.off, factor: 0.5), 5, nil, true),
        ] as [(Check.Bound, Double?, Double?, Bool)])
    func bounds(bound: Check.Bound, value: Double?, other: Double?, held: Bool) {
        let verdicts = FigureVerdictTests.judge([FigureVerdictTests.check(bound)], [.protect: value, .off: other])
        #expect(verdicts == [Verdict(check: 0, arm: .protect, value: value, held: held)])
    }

    @Test func everyCheckIsJudgedInEachOfItsArmsThatRan() {
        let checks = [
            FigureVerdictTests.check(.atMost(1), [.off, .protect]),
            FigureVerdictTests.check(.atLeast(1), [.apache, .off]),
        ]
        let verdicts = FigureVerdictTests.judge(checks, [.off: 2, .protect: 0])
        #expect(
            verdicts == [
                Verdict(check: 0, arm: .off, value: 2, held: false),
                Verdict(check: 0, arm: .protect, value: 0, held: true),
                Verdict(check: 1, arm: .off, value: 2, held: true),
            ])
    }

    // MARK: - Experiments

    /// Tells one failed send in each arm, and whom it was asked to run with.
    private final class ScriptedDriver: ExperimentDriver {
        var faults: [String] = []
        var ran: [(Arm, UInt64)] = []
        var failure: ExperimentError?

        func run(
            _ arm: Arm, of scenario: Scenario, onEvent: @escaping (HistoryEvent) -> Void
        ) throws(ExperimentError) {
            ran.append((arm, scenario.seed))
            onEvent(HistoryEvent(time: 1, .send(client: 0, .init(broker: nil, attempts: 3, latencyMillis: 5))))
            if let failure { throw failure }
            onEvent(HistoryEvent(time: 600, .ended))
        }

        func obstacles(to scenario: Scenario) -> [String] { faults }
    }

    @Test func anExperimentRunsEveryArmAndJudges() throws {
        var scenario = Scenario.sample
        scenario.checks = [FigureVerdictTests.check(.atMost(0))]
        let driver = ScriptedDriver()
        var told: [String] = []
        let experiment = Experiment(
            scenario: scenario, driver: driver, kind: .live, seed: 9, startedAt: "now", environment: ["here"])
        let result = try experiment.run { progress in
            switch progress {
            case .began(let arm): told.append("began \(arm)")
            case .event(let arm, let event): told.append("\(event.time) \(arm)")
            case .finished(let result): told.append("finished \(result.arm)")
            }
        }
        #expect(driver.ran.map(\.0) == [.off, .protect] && driver.ran.map(\.1) == [9, 9])
        #expect(
            told == [
                "began off", "1.0 off", "600.0 off", "finished off", "began protect", "1.0 protect", "600.0 protect",
                "finished protect",
            ])
        #expect(result.arms.map(\.figures[.sendsFailed]) == [1, 1] && result.arms[0].history.count == 2)
        #expect(result.verdicts == [Verdict(check: 0, arm: .protect, value: 1, held: false)] && !result.held)
        #expect((result.seed, result.startedAt, result.environment) == (9, "now", ["here"]))
    }

    @Test func aSimulatedRunDoesNotSayWhenItWas() throws {
        let experiment = Experiment(
            scenario: .sample, driver: ScriptedDriver(), kind: .simulated, startedAt: "now")
        let result = try experiment.run { _ in }
        #expect(result.startedAt.isEmpty && result.seed == Scenario.sample.seed)
    }

    @Test func whatADriverCannotDoIsSaidBeforeAnythingStarts() {
        let driver = ScriptedDriver()
        driver.faults = ["no drift here", "no apache"]
        let experiment = Experiment(scenario: .sample, driver: driver, kind: .live)
        #expect(throws: ExperimentError("no drift here\nno apache")) { try experiment.run { _ in } }
        #expect(driver.ran.isEmpty)
        (driver.faults, driver.failure) = ([], ExperimentError("a node died"))
        #expect(throws: ExperimentError("a node died")) { try experiment.run { _ in } }
        #expect(driver.ran.count == 1)
    }
}
