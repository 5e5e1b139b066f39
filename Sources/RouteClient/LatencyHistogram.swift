/// Counts durations in fixed buckets: exact to a microsecond up to 32 µs, then to about 3 % up to hours.
public struct LatencyHistogram: Hashable, Sendable {
    /// How many durations were recorded.
    public private(set) var count = 0
    /// The longest, exactly.
    public private(set) var maximum: Duration = .zero

    /// 32 exact buckets, then 32 for each doubling up to 2^40 µs (12 days).
    private var buckets = [Int](repeating: 0, count: 36 * 32)

    /// Nothing recorded.
    public init() {}

    /// Counts one duration; negative ones count as zero.
    public mutating func record(_ duration: Duration) {
        count += 1
        maximum = max(maximum, duration)
        let (seconds, attoseconds) = duration.components
        let microseconds = max(0, seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
        buckets[LatencyHistogram.bucket(of: Int(microseconds + max(0, attoseconds) / 1_000_000_000_000))] += 1
    }

    /// The duration that `fraction` (0 to 1) of the recorded ones do not exceed, rounded up to its bucket's end; zero
    /// when nothing was recorded.
    public func quantile(_ fraction: Double) -> Duration {
        guard count > 0 else { return .zero }
        let rank = max(1, Int((fraction * Double(count)).rounded(.up)))
        var seen = 0
        for (index, counted) in buckets.enumerated() {
            seen += counted
            if seen >= rank { return min(maximum, .microseconds(LatencyHistogram.end(of: index))) }
        }
        return maximum
    }

    private static func bucket(of microseconds: Int) -> Int {
        let value = min(microseconds, (1 << 40) - 1)
        guard value >= 32 else { return value }
        let doublings = Int.bitWidth - 6 - value.leadingZeroBitCount
        return 32 * doublings + (value >> doublings)
    }

    /// The largest number of microseconds in a bucket.
    private static func end(of bucket: Int) -> Int {
        guard bucket >= 32 else { return bucket }
        let doublings = bucket / 32 - 1
        return ((bucket % 32 + 33) << doublings) - 1
    }
}
