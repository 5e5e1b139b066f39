/// When a replica's silence is unusual: the tables keep who may be, the gossip layer asks about them.
public enum Silence {
    /// Nanoseconds of silence from which on a replica counts as late: a quarter over its usual interval, or a quarter of its timeout,
    /// whichever is more (37.5 s of 30 s and 120 s; gossip.md 2.3). At least 0.
    @inlinable public static func unusual(interval: Int64, timeout: Int64) -> Int64 {
        let (longer, overflow) = interval.addingReportingOverflow(interval / 4)
        return max(0, overflow ? .max : longer, timeout / 4)
    }
}
