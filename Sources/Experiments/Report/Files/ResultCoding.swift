/// A whole result without its histories as JSON, and back.
enum ResultCoding {
    /// Raised whenever an old reader would misunderstand.
    static let format = 1

    static func node(of result: ExperimentResult) -> JSONNode {
        [
            "format": .integer(format), "experiment": .string(result.scenario.name), "held": .boolean(result.held),
            "driver": .string(result.driver.rawValue), "seed": .integer(result.seed),
            "startedAt": .string(result.startedAt), "environment": .strings(result.environment),
            "verdicts": .array(
                result.verdicts.map {
                    [
                        "check": .integer($0.check + 1), "text": .string(result.scenario.checks[$0.check].text),
                        "arm": .string($0.arm.rawValue), "value": $0.value.map { .number($0) } ?? .null,
                        "held": .boolean($0.held),
                    ]
                }),
            "arms": .array(
                result.arms.map { arm in
                    [
                        "arm": .string(arm.arm.rawValue), "events": .integer(arm.history.count),
                        "figures": JSONNode(
                            .object(
                                Figure.allCases.map { figure in
                                    .init(
                                        key: figure.rawValue, value: arm.figures[figure].map { .number($0) } ?? .null)
                                })),
                    ]
                }),
            "scenario": ScenarioCoding.node(of: result.scenario),
        ]
    }

    /// The result without histories, and how many events each arm's history has.
    static func result(of node: JSONNode) throws(JSONFault) -> (ExperimentResult, eventCounts: [Int]) {
        let found = try node["format"].integer(in: Int.min...Int.max)
        if found != format { throw try node["format"].fault("format \(found); this program reads format \(format)") }
        let scenario = try ScenarioCoding.scenario(of: try node["scenario"])
        var seen: Set<Arm> = []
        let arms = try node["arms"].list { (node: JSONNode) throws(JSONFault) in
            let arm: Arm = try node["arm"].word("arm")
            if !seen.insert(arm).inserted { throw try node["arm"].fault("the arm \(arm.rawValue) is there twice") }
            return ArmResult(arm: arm, history: [], figures: try figures(of: try node["figures"]))
        }
        let verdicts = try node["verdicts"].list { (node: JSONNode) throws(JSONFault) in
            guard !scenario.checks.isEmpty else { throw node.fault("a verdict, but the scenario has no check") }
            return Verdict(
                check: try node["check"].integer(in: 1...scenario.checks.count) - 1, arm: try node["arm"].word("arm"),
                value: try node.optional("value")?.double, held: try node["held"].flag)
        }
        let result = ExperimentResult(
            scenario: scenario, driver: try node["driver"].word("driver"), seed: try node["seed"].integer(),
            startedAt: try node["startedAt"].text,
            environment: try node["environment"].list { (node: JSONNode) throws(JSONFault) in try node.text },
            arms: arms, verdicts: verdicts)
        let counts = try node["arms"].list { (node: JSONNode) throws(JSONFault) in
            try node["events"].integer(in: 0...Int.max)
        }
        return (result, counts)
    }

    private static func figures(of node: JSONNode) throws(JSONFault) -> [Figure: Double] {
        var figures: [Figure: Double] = [:]
        for member in try node.members {
            guard let figure = Figure(rawValue: member.key) else {
                throw member.value.fault("no figure is called \"\(member.key)\"")
            }
            if case .null = member.value.content { continue }
            figures[figure] = try member.value.double
        }
        return figures
    }
}
