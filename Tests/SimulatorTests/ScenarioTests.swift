import Glibc
import GossipCore
import Simulator
import Testing

/// gossip.md section 4: every scenario, in every mode, with its expected outcome. The expectations stand beside the
/// scripts in Sources/Simulator/Scenarios; here they are held to, and shown to be able to fail.
@Suite struct ScenarioTests {
    /// `HEARSAY_SCENARIOS=all swift test --filter ScenarioTests` plays every one in every mode, `long` also as large as
    /// they are written down.
    private static let extent = getenv("HEARSAY_SCENARIOS").map { String(cString: $0) } ?? ""
    private static let isLong = extent == "long"

    /// In all modes where modes off and replicate differ from observe and protect; elsewhere, to save time, in these two.
    private static let cases = FaultScenario.all.flatMap { scenario in
        GossipMode.allCases
            .filter { mode in
                switch mode {
                case .observe, .protect: true
                case .off: !extent.isEmpty || [4, 5, 12].contains(scenario.number)
                case .replicate: !extent.isEmpty || [8, 10, 12, 14].contains(scenario.number)
                }
            }
            .map { (scenario, $0) }
    }

    @Test(arguments: cases) func outcome(scenario: FaultScenario, mode: GossipMode) {
        let result = scenario.run(mode, isLong: Self.isLong)
        #expect(result.failures.isEmpty, "\(result.failures.joined(separator: "\n")) \(result.measures.named)")
        #expect(result.measures.zombie == 0)
        #expect(mode != .off || result.measures.gossipBytes == 0)
        #expect(mode != .off || result.measures.alarms == 0)
    }

    @Test func allOfThemAreThere() {
        #expect(FaultScenario.all.map(\.number) == Array(1...25))
        #expect(Set(FaultScenario.all.map(\.name)).count == 25)
    }

    /// What is expected of protect is too much for observe: a scenario that nobody can fail shows nothing.
    @Test(arguments: [4, 7, 12])
    func protectIsMoreThanObserve(number: Int) {
        let result = FaultScenario.all[number - 1].run(.protect, as: .observe)
        #expect(!result.failures.isEmpty)
    }

    /// And what is expected of observe is too much for a node without gossip.
    @Test(arguments: [9, 18, 19])
    func observeIsMoreThanOff(number: Int) {
        let result = FaultScenario.all[number - 1].run(.observe, as: .off)
        #expect(!result.failures.isEmpty)
    }

    /// One seed is one run, to the last byte of gossip.
    @Test(arguments: [7, 20]) func sameSeedSameNumbers(number: Int) {
        let scenario = FaultScenario.all[number - 1]
        #expect(scenario.run(.replicate, seed: 3).measures == scenario.run(.replicate, seed: 3).measures)
    }
}
