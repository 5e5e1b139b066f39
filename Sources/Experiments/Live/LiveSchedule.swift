import Basics

/// When which fault begins and ends, one after another.
struct LiveSchedule {
    /// One thing to do.
    struct Step: Hashable {
        /// In scenario time.
        var time: Duration
        /// Of `Scenario.faults`; nil = the end of the run.
        var fault: Int?
        /// Whether the fault ends.
        var isEnd = false
    }

    /// In the order of time; what ends does so before what begins at the same time.
    let steps: [Step]
    private var next = 0

    init(_ scenario: Scenario) {
        var steps: [Step] = []
        for (index, fault) in scenario.faults.enumerated() where fault.start < scenario.duration {
            steps.append(Step(time: fault.start, fault: index))
            if let end = fault.end, end < scenario.duration { steps.append(Step(time: end, fault: index, isEnd: true)) }
        }
        // The end of the run comes last, whatever ends with it.
        steps.append(Step(time: scenario.duration))
        self.steps = steps.enumerated().sorted { left, right in
            let (one, other) = (left.element, right.element)
            if one.time != other.time { return one.time < other.time }
            if one.isEnd != other.isEnd { return one.isEnd }
            return left.offset < right.offset
        }.map(\.element)
    }

    /// When something is to be done next.
    var nextTime: Duration? { next < steps.count ? steps[next].time : nil }

    /// What is due by `time`, one at a time.
    mutating func take(by time: Duration) -> Step? {
        guard next < steps.count, steps[next].time <= time else { return nil }
        next += 1
        return steps[next - 1]
    }
}
