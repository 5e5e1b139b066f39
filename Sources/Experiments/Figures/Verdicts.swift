/// Holds figures against checks.
public enum Verdicts {
    /// One verdict for each check and each of its arms that was run, in their order.
    ///
    /// A figure without value counts as endless: it is more than any bound. A bound taken from another arm that was not
    /// run, or has no value there, is endless too, and holds for whatever has a value.
    public static func judge(_ arms: [ArmResult], by scenario: Scenario) -> [Verdict] {
        var figures: [Arm: [Figure: Double]] = [:]
        for result in arms { figures[result.arm] = result.figures }
        return scenario.checks.enumerated().flatMap { index, check in
            check.arms.compactMap { arm in
                figures[arm].map { measured in
                    let value = measured[check.figure]
                    let isHeld = holds(value, check.bound) { figures[$0]?[check.figure] }
                    return Verdict(check: index, arm: arm, value: value, held: isHeld)
                }
            }
        }
    }

    private static func holds(_ value: Double?, _ bound: Check.Bound, _ other: (Arm) -> Double?) -> Bool {
        switch bound {
        case .atMost(let limit): value.map { $0 <= limit } ?? false
        case .atLeast(let limit): value.map { $0 >= limit } ?? true
        case .atMostOf(let arm, let factor):
            value.map { value in other(arm).map { value <= $0 * factor } ?? true } ?? false
        }
    }
}
