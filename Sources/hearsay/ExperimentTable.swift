import ClusterView
import Experiments

/// A result as lines of text: figures by arm, then verdicts.
struct ExperimentTable {
    let lines: [String]

    init(_ result: ExperimentResult) {
        var table = TextTable([.left("")] + result.arms.map { .right($0.arm.rawValue) })
        for figure in Figure.allCases where ExperimentTable.isShown(figure, in: result.arms) {
            table.add([figure.title] + result.arms.map { figure.text($0.figures[figure]) })
        }
        var lines = [result.scenario.title, ""] + table.lines
        if !result.verdicts.isEmpty { lines.append("") }
        for verdict in result.verdicts {
            let check = result.scenario.checks[verdict.check]
            let value = check.figure.text(verdict.value)
            lines.append(
                "\(verdict.held ? "held    " : "VIOLATED")  \(check.text), in \(verdict.arm.rawValue): \(value)")
        }
        self.lines = lines + [""]
    }

    /// Two results side by side: a line per figure and arm that both have.
    static func comparison(_ first: ExperimentResult, _ second: ExperimentResult, names: [String]) -> [String] {
        var table = TextTable([.left(""), .left("arm"), .right(names[0]), .right(names[1])])
        for figure in Figure.allCases where isShown(figure, in: first.arms + second.arms) {
            for arm in first.arms {
                guard let other = second.arms.first(where: { $0.arm == arm.arm }) else { continue }
                table.add([
                    figure.title, arm.arm.rawValue, figure.text(arm.figures[figure]),
                    figure.text(other.figures[figure]),
                ])
            }
        }
        return table.lines
    }

    /// Whether a line of it says anything: that nobody ever noticed or agreed does.
    private static func isShown(_ figure: Figure, in arms: [ArmResult]) -> Bool {
        figure == .timeToNotice || figure == .timeToConverge || arms.contains { $0.figures[figure] != nil }
    }
}

/// A result as one JSON object; the whole is in results.json.
struct ExperimentSummary: Encodable {
    private struct Outcome: Encodable {
        var check: String
        var arm: String
        var value: Double?
        var held: Bool
    }

    private var name: String
    private var driver: String
    private var seed: UInt64
    private var held: Bool
    private var folder: String
    private var figures: [String: [String: Double]]
    private var verdicts: [Outcome]

    init(_ result: ExperimentResult, folder: String) {
        name = result.scenario.name
        driver = result.driver.rawValue
        seed = result.seed
        held = result.held
        self.folder = folder
        figures = [:]
        for arm in result.arms {
            figures[arm.arm.rawValue] = Dictionary(
                uniqueKeysWithValues: arm.figures.map { ($0.key.rawValue, $0.value) })
        }
        verdicts = result.verdicts.map {
            Outcome(
                check: result.scenario.checks[$0.check].text, arm: $0.arm.rawValue, value: $0.value, held: $0.held)
        }
    }
}
