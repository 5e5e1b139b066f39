import Basics

extension Simulation {
    /// Leaves out faults, one after another, as long as the same invariant still breaks.
    ///
    /// - Parameters:
    ///   - limit: runs at most.
    ///   - progress: hears how many faults are left.
    /// - Returns: the numbers of the faults that are needed, and the last failing result.
    public static func shrink(
        _ options: SimulationOptions, failing result: SimulationResult, limit: Int = 400,
        progress: (Int) -> Void = { _ in }
    ) -> (needed: [Int], result: SimulationResult) {
        guard let number = result.violation?.number else { return (result.schedule.map(\.number), result) }
        var needed = result.schedule.map(\.number)
        var best = result
        var runs = 0
        // Halves first, then smaller pieces: a long schedule is mostly irrelevant.
        var piece = max(1, needed.count / 2)
        while true {
            var start = 0
            var hasShrunk = false
            while start < needed.count, runs < limit {
                let candidate = Array(needed[..<start] + needed[min(start + piece, needed.count)...])
                var trial = options
                trial.only = Set(candidate)
                trial.traceLines = 0
                trial.onLine = nil
                runs += 1
                let outcome = Simulation(trial).run()
                if outcome.violation?.number == number {
                    (needed, best, hasShrunk) = (candidate, outcome, true)
                    progress(needed.count)
                } else {
                    start += piece
                }
            }
            if runs >= limit || (piece == 1 && !hasShrunk) { return (needed, best) }
            if !hasShrunk || piece > needed.count { piece = max(1, piece / 2) }
        }
    }
}
