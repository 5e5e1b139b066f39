import Basics
import Glibc
import Platform

/// Notices that the process that started us has ended, however it ended, so that `hearsay run` leaves nothing behind
/// even when it is killed.
final class ParentWatch {
    /// How soon it is noticed.
    static let interval = Duration.milliseconds(500)

    private let platform: any Platform
    private let parent = getppid()
    private let onGone: () -> Void
    private lazy var timer = platform.makeTimer { [weak self] in self?.look() }

    init(platform: any Platform, onGone: @escaping () -> Void) {
        self.platform = platform
        self.onGone = onGone
    }

    func start() { timer.start(at: platform.now + Self.interval) }

    private func look() {
        if getppid() == parent { start() } else { onGone() }
    }
}
