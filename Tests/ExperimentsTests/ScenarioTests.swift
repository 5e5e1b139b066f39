import Basics
import ClusterConfiguration
import Testing

@testable import Experiments

/// What files mean, and what is said of wrong ones.
@Suite struct ScenarioTests {
    @Test func theTemplateIsAValidScenario() throws {
        let scenario = try read(ScenarioTemplate.text(name: "mine"))
        #expect(scenario.name == "mine")
        #expect(scenario.arms == [.off, .observe, .protect, .replicate])
        #expect(
            scenario.faults == [
                PlannedFault(
                    number: 1, start: .seconds(60), end: .seconds(360),
                    fault: .cut([Link(from: .broker(0), to: .node(1))]), text: "cut broker-a:0 → ns-2")
            ])
        #expect(scenario.checks.count == 4)
    }

    private func read(_ text: String) throws -> Scenario {
        try Scenario.parse(bytes: Array(text.utf8), fileName: "s.yaml")
    }
}
