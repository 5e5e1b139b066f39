import Basics
import Platform

/// How late the loop comes to what is due, by a timer that looks ten times a second: what anybody had to wait who came then.
final class LoopLag {
    /// Upper ends of the classes of lateness that are counted, in milliseconds: the usual ones below a turn's 2 ms, and
    /// those that clients notice.
    static let bounds: [Int64] = [1, 2, 5, 10, 25, 50, 100, 250, 1_000, 5_000]
    private static let interval = Duration.milliseconds(100)

    /// Looks by class; the last is above all bounds.
    private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    /// Of all looks together.
    private(set) var total = Duration.zero

    private let platform: any Platform
    private var due = Instant.zero
    private lazy var timer = platform.makeTimer { [weak self] in self?.look() }

    init(platform: any Platform) { self.platform = platform }

    func start() {
        due = platform.now + Self.interval
        timer.start(at: due)
    }

    func stop() { timer.cancel() }

    private func look() {
        let lateness = max(.zero, platform.now - due)
        total += lateness
        counts[Self.bounds.firstIndex { lateness <= .milliseconds($0) } ?? Self.bounds.count] += 1
        start()
    }
}
