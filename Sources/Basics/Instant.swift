// Time as a value. Nothing in this module reads a clock: the Platform does, and hands the reading down.

/// A reading of a monotonic clock that also counts suspend (`CLOCK_BOOTTIME`), in nanoseconds.
///
/// Two instants of different processes or machines cannot be compared.
public struct Instant: Hashable, Comparable, Sendable {
    /// Nanoseconds since an arbitrary origin, at least 0 in practice.
    public var nanoseconds: Int64

    /// Wraps a raw reading.
    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The origin of the clock.
    public static let zero = Instant(nanoseconds: 0)
    /// Later than every instant that can be reached.
    public static let distantFuture = Instant(nanoseconds: .max)

    /// Whether the first reading came earlier.
    @inlinable public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `duration` later; saturates instead of overflowing.
    @inlinable public static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        if overflow { return duration < .zero ? Instant(nanoseconds: .min) : .distantFuture }
        return Instant(nanoseconds: sum)
    }

    /// The time from `earlier` to `later`, negative when they are the other way round.
    @inlinable public static func - (later: Instant, earlier: Instant) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }

    /// Whole milliseconds from `earlier` to this instant.
    @inlinable public func milliseconds(since earlier: Instant) -> Int64 {
        (nanoseconds - earlier.nanoseconds) / 1_000_000
    }
}

/// A reading of the wall clock, in milliseconds since 1970-01-01 UTC.
///
/// For people and for fields of the RocketMQ protocol only; no decision about liveness looks at it.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01 UTC.
    public var milliseconds: Int64

    /// Wraps a raw reading.
    @inlinable public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Whether the first reading is the smaller one.
    @inlinable public static func < (left: WallTime, right: WallTime) -> Bool { left.milliseconds < right.milliseconds }
}

extension Duration {
    /// The duration in nanoseconds, saturated to 64 bits (292 years).
    @inlinable public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }

    /// The duration in whole milliseconds, cut towards zero.
    @inlinable public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}
