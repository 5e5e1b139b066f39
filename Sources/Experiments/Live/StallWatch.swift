import Basics
import Platform

/// Notices when this process did not get to run: then the nodes, brokers and clients probably did not either, and what was
/// measured says more about the machine than about them.
final class StallWatch {
    /// From one look to the next.
    private static let interval = Duration.milliseconds(100)
    /// Lateness that is told: above what a busy but usable machine shows, below what makes a broker miss a heartbeat.
    static let limit = Duration.milliseconds(500)

    private let platform: any Platform
    private let onStall: (Duration) -> Void
    private var due = Instant.distantFuture
    private lazy var timer = platform.makeTimer { [weak self] in self?.look() }

    /// - Parameter onStall: called with the lateness, once for each stall.
    init(platform: any Platform, onStall: @escaping (Duration) -> Void) {
        (self.platform, self.onStall) = (platform, onStall)
    }

    /// Looks from now on.
    func start() {
        due = platform.now + Self.interval
        timer.start(at: due)
    }

    /// Looks no more.
    func stop() { timer.cancel() }

    private func look() {
        let late = platform.now - due
        if late >= Self.limit { onStall(late) }
        start()
    }
}
