import Basics

/// Lets at most `burst` lines of one kind through per `window`, and counts the rest.
///
/// A storm of 10,000 registrations is one state change for the operator, not 10,000 lines.
struct LogLimiter {
    /// Lines per window.
    static let burst = 50
    /// Length of a window.
    static let window = Duration.seconds(1)

    private var windows: [String: Window] = [:]

    private struct Window {
        var start: Instant
        var passed: Int
        var suppressed: Int
    }

    /// Whether a line may be written now, and how many of its kind were left out since the last window.
    mutating func admit(_ kind: String, now: Instant) -> (passes: Bool, suppressed: Int) {
        var entry = windows[kind] ?? Window(start: now, passed: 0, suppressed: 0)
        var reported = 0
        if now - entry.start >= Self.window {
            reported = entry.suppressed
            entry = Window(start: now, passed: 0, suppressed: 0)
        }
        let passes = entry.passed < Self.burst
        if passes { entry.passed += 1 } else { entry.suppressed += 1 }
        windows[kind] = entry
        return (passes, reported)
    }
}
