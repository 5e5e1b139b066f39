import Basics

/// How wrong clocks may be, and the widening that makes up for it. Integer nanoseconds throughout.
///
/// Model: clock C of a node is `CLOCK_BOOTTIME`, running at a rate between 1-r and 1+r of true time.
public enum ClockRate {
    /// r in parts per million: 500, ten times the drift of poor quartz, and the most that NTP will correct.
    public static let driftPPM: Int64 = 500
    /// What two readings that belong together may be apart because an event loop reads its clock once per turn.
    public static let readingSlack: Duration = .milliseconds(2)
    /// The unit in which ages travel; an age is rounded up to it.
    public static let ageUnit: Duration = .milliseconds(1)
    /// The longest age or round trip of any use: evidence is dead after twice a broker's timeout. Keeps sums
    /// within 64 bits.
    public static let longestAge: Duration = .seconds(30 * 24 * 3_600)

    /// At least `nanoseconds` * (1 + ppm/10^6), at most `ppm` + 1 nanoseconds more; saturates. Not for negative
    /// numbers.
    static func lengthened(_ nanoseconds: Int64, ppm: Int64) -> Int64 {
        planted(.noDriftWidening) ? nanoseconds : nanoseconds.addingSaturated((nanoseconds / 1_000_000 + 1) * ppm)
    }

    /// At most `nanoseconds` * (1 - ppm/10^6), and at least 0. Not for negative numbers.
    static func shortened(_ nanoseconds: Int64, ppm: Int64) -> Int64 {
        max(0, nanoseconds - (nanoseconds / 1_000_000 + 1) * ppm)
    }
}

extension Int64 {
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}
