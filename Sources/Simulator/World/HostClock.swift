import Basics

/// One machine's monotonic clock as a function of true time: a line, bent whenever its rate changes.
///
/// A frozen clock stands still (a paused virtual machine); production code calls a reading an `Instant`.
public struct HostClock: Sendable {
    /// True time of the last bend, in nanoseconds.
    private var bentAt: Int64 = 0
    /// The reading at the last bend.
    private var readingAtBend: Int64
    /// How much faster than true time it runs, in parts per million; -1,000,000 < rate.
    public private(set) var driftPPM: Int64
    /// Whether it stands still.
    public private(set) var isFrozen = false

    private static let million: Int64 = 1_000_000

    /// Reads `origin` at true time 0.
    public init(origin: Int64, driftPPM: Int64) {
        readingAtBend = origin
        self.driftPPM = driftPPM
    }

    /// What the clock shows.
    public func reading(at trueTime: Int64) -> Instant {
        if isFrozen { return Instant(nanoseconds: readingAtBend) }
        let elapsed = trueTime - bentAt
        return Instant(nanoseconds: readingAtBend + elapsed + elapsed * driftPPM / HostClock.million)
    }

    /// The first true time from `now` on at which the clock shows `instant` or more; `Int64.max` = never as things stand.
    public func trueTime(of instant: Instant, now: Int64) -> Int64 {
        if instant <= reading(at: now) { return now }
        if isFrozen || instant == .distantFuture { return .max }
        let wanted = instant.nanoseconds - readingAtBend
        let rate = HostClock.million + driftPPM
        let (quotient, rest) = wanted.quotientAndRemainder(dividingBy: rate)
        let (whole, overflow) = quotient.multipliedReportingOverflow(by: HostClock.million)
        if overflow { return .max }
        var time = bentAt + whole + rest * HostClock.million / rate
        // Both divisions round; the answer is within two steps.
        while time > now, reading(at: time - 1) >= instant { time -= 1 }
        while reading(at: time) < instant { time += 1 }
        return time
    }

    /// From now on the clock runs at another rate.
    public mutating func setDrift(ppm: Int64, at trueTime: Int64) {
        bend(at: trueTime)
        driftPPM = ppm
    }

    /// From now on the clock stands still, or runs again.
    public mutating func setFrozen(_ frozen: Bool, at trueTime: Int64) {
        bend(at: trueTime)
        isFrozen = frozen
    }

    private mutating func bend(at trueTime: Int64) {
        readingAtBend = reading(at: trueTime).nanoseconds
        bentAt = trueTime
    }
}
