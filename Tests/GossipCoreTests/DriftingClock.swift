import Basics

/// A clock for tests: at every true time a rate within `maximumPPM` parts per million of 1, and now and then a freeze.
struct DriftingClock {
    private struct Segment {
        let start: Int64
        let reading: Int64
        /// Rate less 1, in parts per million; -1,000,000 stands still.
        let ppm: Int64
    }
    private var segments: [Segment]

    /// Rates change every few seconds up to `end` (true nanoseconds); often they are the extremes, where proofs break.
    init(generator: inout SeededGenerator, end: Int64, maximumPPM: Int64 = 500) {
        var segment = Segment(
            start: 0, reading: Int64.random(in: 0...1_000_000_000_000_000, using: &generator), ppm: 0)
        segments = []
        // One character for the whole run, so that errors add up instead of averaging out.
        let character = Int.random(in: 0..<3, using: &generator)
        while segment.start < end {
            let rates = [-maximumPPM, maximumPPM, Int64.random(in: -maximumPPM...maximumPPM, using: &generator)]
            let ppm = rates[Int.random(in: 0..<4, using: &generator) == 0 ? 2 : character]
            let length = Int64.random(in: 1_000_000_000...60_000_000_000, using: &generator)
            segments.append(Segment(start: segment.start, reading: segment.reading, ppm: ppm))
            segment = Segment(
                start: segment.start + length, reading: reading(at: segment.start + length).nanoseconds, ppm: 0)
        }
    }

    /// What the clock shows at a true time, at least 0.
    func reading(at time: Int64) -> Instant {
        let segment = segments.last { $0.start <= time } ?? segments[0]
        let elapsed = time - segment.start
        return Instant(nanoseconds: segment.reading + elapsed + elapsed * segment.ppm / 1_000_000)
    }

    /// Stands still for `length` from `time` on, then goes on at rate 1.
    mutating func freeze(at time: Int64, for length: Int64) {
        let frozen = reading(at: time).nanoseconds
        segments.removeAll { $0.start >= time }
        segments.append(Segment(start: time, reading: frozen, ppm: -1_000_000))
        segments.append(Segment(start: time + length, reading: frozen, ppm: 0))
    }
}
