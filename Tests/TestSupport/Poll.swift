// Waiting for a condition instead of sleeping for a guess.

import Glibc

/// Asks `condition` every few milliseconds until it holds or `limit` has passed; answers whether it held.
///
/// - Parameters:
///   - limit: how long to ask at most; the default allows for a machine busy with several test processes.
///   - interval: the pause between two questions.
@discardableResult
public func poll(
    within limit: Duration = .seconds(10), every interval: Duration = .milliseconds(5),
    until condition: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if try condition() { return true }
        if ContinuousClock.now >= deadline { return false }
        pause(interval)
    }
}

/// Blocks this thread for `duration`. For the rhythm of a test's own traffic, never for "long enough by now".
public func pause(_ duration: Duration) {
    var wanted = duration.timespec
    var rest = wanted
    while nanosleep(&wanted, &rest) != 0 && errno == EINTR { wanted = rest }
}

extension Duration {
    /// Seconds and nanoseconds for the C library.
    var timespec: Glibc.timespec {
        let (seconds, attoseconds) = components
        return Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    }

    /// Whole milliseconds, rounded up, at least 0: what poll(2) wants.
    var pollMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
