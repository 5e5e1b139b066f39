/// One figure beside its goal.
public struct LimitFigure: Codable, Sendable {
    /// What was measured.
    public var name: String
    /// Of the value: `µs`, `ratio`, `B`.
    public var unit: String
    /// Medians count.
    public var value: Spread
    /// Nil: only shown.
    public var goal: Goal?
    /// What else one wants to know of it.
    public var detail: String

    /// A bound.
    public struct Goal: Hashable, Codable, Sendable {
        /// The bound itself is allowed.
        public var limit: Double
        /// Whether the value must not be below (or not above) it.
        public var isAtLeast: Bool
    }

    /// A figure that is only shown.
    public init(_ name: String, _ value: Spread, _ unit: String, detail: String = "") {
        self.name = name
        self.value = value
        self.unit = unit
        self.detail = detail
    }

    /// The same with a lower bound.
    public func atLeast(_ limit: Double) -> LimitFigure { bounded(Goal(limit: limit, isAtLeast: true)) }
    /// The same with an upper bound.
    public func atMost(_ limit: Double) -> LimitFigure { bounded(Goal(limit: limit, isAtLeast: false)) }

    private func bounded(_ goal: Goal) -> LimitFigure {
        var figure = self
        figure.goal = goal
        return figure
    }

    /// Nil without a goal.
    public var isReached: Bool? {
        goal.map { $0.isAtLeast ? value.median >= $0.limit : value.median <= $0.limit }
    }
}

extension LimitFigure {
    /// For people: verdict, value with its spread, goal, and what else one wants to know on a line of its own.
    public var line: String {
        let verdict = isReached.map { $0 ? "reached " : "MISSED  " } ?? "        "
        let bound = goal.map { ", \($0.isAtLeast ? "at least" : "at most") \($0.limit.short)" } ?? ""
        let spread = value.values.count > 1 ? " (\(value.lowest.short) to \(value.highest.short))" : ""
        let text = "\(verdict)\(name): \(value.median.short) \(unit)\(spread)\(bound)"
        return detail.isEmpty ? text : text + "\n          " + detail
    }
}
