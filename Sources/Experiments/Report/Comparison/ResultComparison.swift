import ClusterView

/// Two results of an experiment, figure by figure: two seeds, live against simulated, before and after a change.
public struct ResultComparison: Sendable {
    /// A figure of one arm that both results ran.
    public struct Row: Hashable, Sendable {
        /// Which.
        public var figure: Figure
        /// Where.
        public var arm: Arm
        /// In the first result; nil when it has no value there.
        public var first: Double?
        /// In the second.
        public var second: Double?

        /// How many times the first value the second is; nil where one is missing, or only the first is nothing. 1 where both are 0.
        public var ratio: Double? {
            guard let first, let second else { return nil }
            if first == second { return 1 }
            return first == 0 ? nil : second / first
        }

        /// `×1.25`; `=` where nothing differs, `–` where there is no ratio.
        public var ratioText: String {
            if first == second { return "=" }
            return ratio.map { "×" + ReportText.number($0) } ?? "–"
        }
    }

    /// A check that came out differently in one arm.
    public struct VerdictDifference: Hashable, Sendable {
        /// As written.
        public var check: String
        /// Where.
        public var arm: Arm
        /// Whether it held in the first result.
        public var first: Bool
        /// And in the second.
        public var second: Bool
    }

    /// Something about the runs themselves that is not the same.
    public struct SettingDifference: Hashable, Sendable {
        /// `seed`.
        public var what: String
        /// In the first result; empty where it has nothing of it.
        public var first: String
        /// In the second.
        public var second: String
    }

    /// What the first result is called.
    public let firstName: String
    /// What the second is called.
    public let secondName: String
    /// For each arm in both, the figures that have a value in one of them, in the order of `Figure`.
    public let rows: [Row]
    /// Checks in both with different outcomes.
    public let verdicts: [VerdictDifference]
    /// What else differs.
    public let settings: [SettingDifference]

    /// Compares.
    ///
    /// - Parameter names: what to call them, such as their directories; by default `A` and `B`.
    public init(_ first: ExperimentResult, _ second: ExperimentResult, names: (String, String) = ("A", "B")) {
        (firstName, secondName) = names
        let pairs = first.arms.compactMap { one in
            second.arms.first { $0.arm == one.arm }.map { (one, $0) }
        }
        rows = Figure.allCases.flatMap { figure in
            pairs.compactMap { one, other -> Row? in
                let row = Row(
                    figure: figure, arm: one.arm, first: one.figures[figure], second: other.figures[figure])
                return row.first == nil && row.second == nil ? nil : row
            }
        }
        verdicts = first.verdicts.compactMap { verdict in
            let check = first.scenario.checks[verdict.check]
            let other = second.verdicts.first { $0.arm == verdict.arm && second.scenario.checks[$0.check] == check }
            guard let other, other.held != verdict.held else { return nil }
            return VerdictDifference(check: check.text, arm: verdict.arm, first: verdict.held, second: other.held)
        }
        settings = Self.facts(first, second).filter { $0.first != $0.second }
    }

    private static func facts(_ first: ExperimentResult, _ second: ExperimentResult) -> [SettingDifference] {
        func words(_ what: String, _ text: (ExperimentResult) -> String) -> SettingDifference {
            SettingDifference(what: what, first: text(first), second: text(second))
        }
        return [
            words("experiment") { $0.scenario.name },
            words("driver") { $0.driver.rawValue },
            words("seed") { String($0.seed) },
            words("started") { $0.startedAt },
            words("program and machine") { $0.environment.joined(separator: "; ") },
            words("duration") { ReportText.seconds($0.scenario.duration / .seconds(1)) },
            words("time scale") { String($0.scenario.timeScale) },
            words("nodes") { $0.scenario.nodes.map(\.name).joined(separator: ", ") },
            words("brokers") { $0.scenario.replicas.map(\.name).joined(separator: ", ") },
            words("clients") { $0.scenario.clients.map(SettingSection.words).joined(separator: "; ") },
            words("rhythm") { SettingSection.rhythm($0.scenario) },
            words("gossip") { SettingSection.text($0.scenario.gossipSettings) },
            words("node properties") { SettingSection.text($0.scenario.nodeProperties) },
            words("arms") { $0.arms.map(\.arm.rawValue).joined(separator: ", ") },
            words("faults") { $0.scenario.faults.map(fault).joined(separator: "; ") },
            words("checks") { $0.scenario.checks.map(\.text).joined(separator: "; ") },
        ]
    }

    private static func fault(_ fault: PlannedFault) -> String {
        let from = ReportText.seconds(fault.start / .seconds(1))
        guard let end = fault.end else { return "\(fault.text) at \(from)" }
        return "\(fault.text) from \(from) to \(ReportText.seconds(end / .seconds(1)))"
    }

    /// For a terminal: what differs about the runs, the figures side by side, and the checks that came out differently.
    public var lines: [String] {
        var lines: [String] = []
        if !settings.isEmpty {
            var table = TextTable([.left("differs"), .left(firstName), .left(secondName)])
            for setting in settings { table.add([setting.what, Self.cell(setting.first), Self.cell(setting.second)]) }
            lines += table.lines + [""]
        }
        var table = TextTable([
            .left("figure"), .left("arm"), .right(firstName), .right(secondName), .right("ratio"),
        ])
        for row in rows {
            table.add([
                row.figure.title, row.arm.rawValue, row.figure.text(row.first), row.figure.text(row.second),
                row.ratioText,
            ])
        }
        lines += table.lines + [""]
        if rows.isEmpty { lines += ["They have no arm in common.", ""] }
        lines += verdicts.map {
            "\($0.check), in \($0.arm.rawValue): \(Self.word($0.first)) in \(firstName), \(Self.word($0.second)) in \(secondName)"
        }
        if verdicts.isEmpty { lines.append("No check that both have came out differently.") }
        return lines
    }

    /// A terminal has no room for more; the page shows all.
    private static func cell(_ text: String) -> String {
        text.isEmpty ? "–" : text.count > 60 ? text.prefix(59) + "…" : text
    }

    static func word(_ held: Bool) -> String { held ? "held" : "violated" }
}
