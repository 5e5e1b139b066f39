/// A time in which something stayed in one state.
struct StateSpan: Hashable {
    /// More spans than this in a lane are put together: no screen shows them apart.
    static let maximumCount = 1000

    /// Seconds of scenario time.
    var from: Double
    /// Its end.
    var to: Double
    /// `changing` where several short ones were put together.
    var state: LaneState

    /// The spans between changes, which are in the order of time. Before the first change nothing is known, and no span is.
    static func between(_ changes: [(time: Double, state: LaneState)], in span: TimeSpan) -> [StateSpan] {
        var spans: [StateSpan] = []
        for (index, change) in changes.enumerated() {
            let from = max(change.time, span.start)
            let to = min(index + 1 < changes.count ? changes[index + 1].time : span.end, span.end)
            guard from < to else { continue }
            if let last = spans.last, last.state == change.state, last.to == from {
                spans[spans.count - 1].to = to
            } else {
                spans.append(StateSpan(from: from, to: to, state: change.state))
            }
        }
        return spans.count > maximumCount ? condensed(spans, in: span) : spans
    }

    /// At most one span for each `maximumCount`th part of the time: a part with several states is `changing`.
    private static func condensed(_ spans: [StateSpan], in span: TimeSpan) -> [StateSpan] {
        let width = (span.end - span.start) / Double(maximumCount)
        func edge(_ part: Int) -> Double { part == maximumCount ? span.end : span.start + Double(part) * width }
        var parts = [LaneState?](repeating: nil, count: maximumCount)
        for one in spans {
            let first = Int((one.from - span.start) / width)
            let last = min(maximumCount - 1, Int(((one.to - span.start) / width).rounded(.up)) - 1)
            guard first <= last else { continue }
            for part in first...last {
                parts[part] = parts[part] == nil || parts[part] == one.state ? one.state : .changing
            }
        }
        var result: [StateSpan] = []
        for (index, state) in parts.enumerated() {
            guard let state else { continue }
            let (from, to) = (edge(index), edge(index + 1))
            if let last = result.last, last.state == state, last.to == from {
                result[result.count - 1].to = to
            } else {
                result.append(StateSpan(from: from, to: to, state: state))
            }
        }
        return result
    }
}

/// What a lane of states shows.
enum LaneState: String, Hashable, CaseIterable {
    // How a node sees a broker.
    case registered, protected, learned, absent
    /// The node itself does not run, so that it sees nothing.
    case silent
    // A process.
    case up, down, paused
    /// Too many changes to tell apart.
    case changing

    init(_ sight: HistoryEvent.Sight) {
        switch sight {
        case .absent: self = .absent
        case .registered: self = .registered
        case .protected: self = .protected
        case .learned: self = .learned
        }
    }

    init(_ state: HistoryEvent.ProcessState) {
        switch state {
        case .up: self = .up
        case .down: self = .down
        case .paused: self = .paused
        }
    }

    /// What people read, in the legend and at the cursor.
    var title: String {
        switch self {
        case .registered: "registered"
        case .protected: "protected"
        case .learned: "learned"
        case .absent: "absent"
        case .silent: "not running"
        case .up: "running"
        case .down: "down"
        case .paused: "paused"
        case .changing: "changing"
        }
    }

    /// What it means, for the legend.
    var meaning: String {
        switch self {
        case .registered: "the node heard the broker itself"
        case .protected: "it would have dropped it, but a peer hears it"
        case .learned: "it knows it from a peer only"
        case .absent: "it does not list it"
        case .silent: "the node itself is down or paused"
        case .up: "the process runs"
        case .down: "the process is gone"
        case .paused: "the process stands still"
        case .changing: "more changes than can be drawn"
        }
    }
}
