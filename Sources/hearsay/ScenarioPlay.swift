import ArgumentParser
import GossipCore
import Simulator

/// One written scenario, played in some modes: what `hearsay simulate --scenario` does.
struct ScenarioPlay {
    private let scenario: FaultScenario
    private let modes: [GossipMode]
    private let isLong: Bool

    init(_ word: String, modes: [GossipMode], isLong: Bool) throws {
        let found = FaultScenario.all.first { $0.name == word || "\($0.number)" == word }
        guard let found else {
            throw ValidationError("no scenario '\(word)'; hearsay simulate --scenarios lists them")
        }
        (scenario, self.modes, self.isLong) = (found, modes, isLong)
    }

    static func list(asJSON: Bool) {
        for scenario in FaultScenario.all {
            if asJSON {
                printJSON(
                    Entry(
                        number: scenario.number, name: scenario.name, title: scenario.title, limits: scenario.limits))
                continue
            }
            let number = scenario.number < 10 ? " \(scenario.number)" : "\(scenario.number)"
            let name = scenario.name + String(repeating: " ", count: max(1, 20 - scenario.name.count))
            printLine("\(number)  \(name)\(scenario.title)")
            if let limits = scenario.limits { printLine(String(repeating: " ", count: 24) + "(\(limits))") }
        }
    }

    /// Exits with 1 when something expected did not happen.
    func run(seed: UInt64, asJSON: Bool) throws {
        if !asJSON {
            printLine("scenario \(scenario.number), \(scenario.name): \(scenario.title)")
            if let limits = scenario.limits { printLine("here: \(limits)") }
        }
        var isMet = true
        for mode in modes {
            let result = scenario.run(mode, seed: seed, isLong: isLong)
            isMet = isMet && result.failures.isEmpty
            if asJSON { printJSON(Outcome(scenario, mode, result)) } else { report(mode, result) }
        }
        if !isMet { throw ExitCode(1) }
    }

    private func report(_ mode: GossipMode, _ result: ScenarioResult) {
        printLine("")
        printLine("mode \(mode.name)")
        for (name, value) in result.measures.named {
            printLine("  \(name)\(String(repeating: " ", count: max(1, 26 - name.count)))\(value)")
        }
        for note in result.notes { printLine("  \(note)") }
        if result.failures.isEmpty { printLine("  as expected") }
        for failure in result.failures { printLine("  NOT AS EXPECTED: \(failure)") }
    }

    private struct Entry: Encodable {
        var number: Int
        var name: String
        var title: String
        var limits: String?
    }

    private struct Outcome: Encodable {
        var number: Int
        var name: String
        var mode: String
        var ok: Bool
        var measures: [String: String]
        var notes: [String]
        var failures: [String]

        init(_ scenario: FaultScenario, _ mode: GossipMode, _ result: ScenarioResult) {
            (number, name, self.mode) = (scenario.number, scenario.name, mode.name)
            ok = result.failures.isEmpty
            measures = Dictionary(uniqueKeysWithValues: result.measures.named.map { ($0.name, $0.value) })
            (notes, failures) = (result.notes, result.failures)
        }
    }
}
