/// The time that all lanes of a report share, in seconds of scenario time, and its division into columns.
struct TimeSpan: Hashable {
    /// Columns in which things are counted at most: more would be narrower than two pixels on a common screen.
    static let maximumColumns = 300

    /// Where the lanes begin: everybody is up and agrees.
    var start: Double
    /// Where they end.
    var end: Double
    /// A round number of seconds: the shortest that gives at most `maximumColumns`.
    let columnWidth: Double

    init(start: Double, end: Double) {
        (self.start, self.end) = (start, max(end, start + 1))
        let least = (self.end - start) / Double(Self.maximumColumns)
        columnWidth = Self.roundSteps(from: 0.1).first { $0 >= least } ?? least
    }

    /// From the beginning to the last thing that happened in any arm, and at least for the scenario's duration.
    init(of result: ExperimentResult) {
        let last = result.arms.compactMap(\.history.last?.time).max() ?? 0
        self.init(start: 0, end: max(last, result.scenario.duration / .seconds(1)))
    }

    /// How many columns there are; the last may be cut by the end.
    var columnCount: Int { max(1, Int(((end - start) / columnWidth).rounded(.up))) }

    /// The column of a time; nil before the start and after the end.
    func column(of time: Double) -> Int? {
        guard time >= start, time <= end else { return nil }
        return min(columnCount - 1, Int((time - start) / columnWidth))
    }

    /// Where a column begins and ends.
    func times(ofColumn column: Int) -> (from: Double, to: Double) {
        let from = start + Double(column) * columnWidth
        return (from, min(end, from + columnWidth))
    }

    /// Where a time is, in percent of the lane's width, not outside it.
    func percent(_ time: Double) -> Double { min(100, max(0, (time - start) / (end - start) * 100)) }

    /// Times to be named on the axis: at most `count` beyond the first, and round.
    func ticks(_ count: Int = 12) -> [Double] {
        let step = Self.roundSteps(from: 0.1).first { $0 * Double(count) >= end - start } ?? end - start
        return Array(stride(from: start, through: end + step / 1000, by: step))
    }

    /// 1, 2, 5 times a power of ten below a minute, then what divides minutes, hours and days.
    private static func roundSteps(from least: Double) -> [Double] {
        [
            0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200,
            86_400, 172_800, 432_000, 864_000,
        ].filter { $0 >= least }
    }
}
