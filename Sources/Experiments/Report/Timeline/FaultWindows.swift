/// When the faults of one arm were at work.
struct FaultWindows {
    /// More shaded windows than this in an arm are drawn as fewer and wider ones.
    static let maximumShades = 200

    struct Window: Hashable {
        /// Index into `Scenario.faults`.
        var fault: Int
        var from: Double
        /// The same as `from` for what happens once.
        var to: Double
    }

    /// As they began.
    let windows: [Window]

    init(_ windows: [Window]) { self.windows = windows }

    /// From what happened; a fault that began and did not end lasted to the end, unless it happens once.
    init(_ history: [HistoryEvent], of scenario: Scenario, in span: TimeSpan) {
        var windows: [Window] = []
        var open: [Int: Int] = [:]
        for event in history {
            if case .faultBegan(let fault) = event.kind {
                let isOnce = !scenario.faults[fault].fault.lasts
                open[fault] = windows.count
                windows.append(Window(fault: fault, from: event.time, to: isOnce ? event.time : span.end))
            } else if case .faultEnded(let fault) = event.kind, let index = open.removeValue(forKey: fault) {
                windows[index].to = event.time
            }
        }
        self.windows = windows
    }

    /// As the scenario plans them.
    init(planned scenario: Scenario, in span: TimeSpan) {
        windows = scenario.faults.indices.map { index in
            let fault = scenario.faults[index]
            let from = fault.start / .seconds(1)
            let to = fault.end.map { $0 / .seconds(1) } ?? (fault.fault.lasts ? span.end : from)
            return Window(fault: index, from: from, to: to)
        }
    }

    /// When any fault was at work: windows that overlap are one, and so are very many close ones.
    func shades(in span: TimeSpan) -> [(from: Double, to: Double)] {
        let lasting = windows.filter { $0.to > $0.from }.map { (from: $0.from, to: $0.to) }.sorted { $0.from < $1.from }
        let merged = Self.merged(lasting, gap: 0)
        if merged.count <= Self.maximumShades { return merged }
        return Self.merged(lasting, gap: (span.end - span.start) / Double(Self.maximumShades))
    }

    /// When something happened that happens once; of very many close times, the first of each column.
    func moments(in span: TimeSpan) -> [Double] {
        let moments = windows.filter { $0.to == $0.from }.map(\.from).sorted()
        if moments.count <= Self.maximumShades { return moments }
        var columns: Set<Int?> = []
        return moments.filter { columns.insert(span.column(of: $0)).inserted }
    }

    private static func merged(_ windows: [(from: Double, to: Double)], gap: Double) -> [(from: Double, to: Double)] {
        var merged: [(from: Double, to: Double)] = []
        for window in windows {
            if let last = merged.last, window.from <= last.to + gap {
                merged[merged.count - 1].to = max(last.to, window.to)
            } else {
                merged.append(window)
            }
        }
        return merged
    }
}
