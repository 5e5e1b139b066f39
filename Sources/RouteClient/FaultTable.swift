import Basics

/// Bars slow and failing brokers for a while (protocol.md 7.6, the figures of v5).
///
/// | latency at least (ms) | 550 | 1800 | 3000 | 5000 | 15000 |
/// |---|---|---|---|---|---|
/// | barred for (ms) | 2000 | 5000 | 6000 | 10000 | 30000 |
///
/// Keys are broker names when sending, addresses when reading; the owner keeps them few with `retain`.
public struct FaultTable: Sendable {
    /// What a failed attempt counts as. Default 10 s, which bars for 10 s.
    public var failureLatency: Duration
    /// Whether the owner runs the detector (v5's `startDetectorEnable`). Without it a network error leaves a broker
    /// reachable, since nothing would ever find it reachable again but its own success.
    public var hasDetector: Bool

    private var faults: [String: Fault] = [:]

    private struct Fault {
        var barredUntil: Instant
        var isReachable: Bool
        var nextCheck: Instant
    }

    /// How an attempt ended.
    public enum Outcome: Hashable, Sendable {
        /// An answer that counts as success, after this time.
        case answered(after: Duration)
        /// The broker answered with an error code.
        case refused
        /// No answer: not connected, connection lost, or timed out.
        case networkError
    }

    /// The interval between two checks of one broker by the detector.
    public static let checkInterval: Duration = .seconds(2)

    /// An empty table.
    public init(failureLatency: Duration = .seconds(10), hasDetector: Bool = false) {
        self.failureLatency = failureLatency
        self.hasDetector = hasDetector
    }

    /// How long an attempt of this latency bars a broker.
    public static func barring(for latency: Duration) -> Duration {
        switch latency.wholeMilliseconds {
        case 15_000...: .milliseconds(30_000)
        case 5_000...: .milliseconds(10_000)
        case 3_000...: .milliseconds(6_000)
        case 1_800...: .milliseconds(5_000)
        case 550...: .milliseconds(2_000)
        default: .zero
        }
    }

    /// Notes how an attempt ended. A bar is only ever extended: it ends with time.
    public mutating func record(_ outcome: Outcome, of key: String, now: Instant) {
        let (latency, isReachable) =
            switch outcome {
            case .answered(let latency): (latency, true)
            case .refused: (failureLatency, false)
            case .networkError: (failureLatency, !hasDetector)
            }
        let barredUntil = now + FaultTable.barring(for: latency)
        var fault = faults[key] ?? Fault(barredUntil: now, isReachable: true, nextCheck: now)
        fault.barredUntil = max(fault.barredUntil, barredUntil)
        fault.isReachable = isReachable
        faults[key] = fault
    }

    /// Whether the broker is not barred.
    public func isAvailable(_ key: String, now: Instant) -> Bool {
        faults[key].map { now >= $0.barredUntil } ?? true
    }

    /// Whether the last attempt, or the detector, reached the broker.
    public func isReachable(_ key: String) -> Bool { faults[key]?.isReachable ?? true }

    /// Brokers the detector has to ask now, by name; each comes up again after `checkInterval`.
    public mutating func keysToCheck(now: Instant) -> [String] {
        let due = faults.filter { now >= $0.value.nextCheck }.keys.sorted()
        for key in due { faults[key]?.nextCheck = now + FaultTable.checkInterval }
        return due
    }

    /// The detector got an answer.
    public mutating func detected(_ key: String) { faults[key]?.isReachable = true }

    /// Forgets all but these.
    public mutating func retain(_ isKnown: (String) -> Bool) { faults = faults.filter { isKnown($0.key) } }
}
