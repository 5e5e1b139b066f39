import Basics
import Glibc
import Platform

/// One line a second on standard error: rewritten in place on a terminal, one after the other elsewhere.
final class ProgressLine {
    private let platform: any Platform
    private let text: (Duration) -> String
    private let startedAt: Instant
    private let isTerminal = isatty(2) == 1
    private lazy var timer = platform.makeTimer { [weak self] in self?.show() }
    private var shown = 0

    /// - Parameter text: the line's content, given the time since the start.
    init(platform: any Platform, text: @escaping (Duration) -> String) {
        self.platform = platform
        self.text = text
        startedAt = platform.now
    }

    /// The time since the start.
    var elapsed: Duration { platform.now - startedAt }

    func start() { schedule() }

    /// Stops, and clears the line on a terminal.
    func stop() {
        timer.cancel()
        if isTerminal, shown > 0 { writeAll(2, "\r\u{1B}[K") }
    }

    /// Writes a line of its own above the progress line.
    func note(_ line: String) {
        if isTerminal, shown > 0 { writeAll(2, "\r\u{1B}[K") }
        printError(line)
    }

    private func schedule() { timer.start(at: startedAt + .seconds(shown + 1)) }

    private func show() {
        let line = text(elapsed)
        if isTerminal { writeAll(2, "\r\u{1B}[K" + line) } else { printError(line) }
        // Seconds that passed while the loop was busy are left out.
        shown = max(shown + 1, Int(elapsed.components.seconds))
        schedule()
    }
}

/// `12.3` for 12.34 seconds.
func oneDecimal(_ value: Double) -> String {
    guard value.isFinite else { return "-" }
    let tenths = (value * 10).rounded()
    let whole = Int64(tenths / 10)
    return "\(whole).\(Int64(abs(tenths)) % 10)"
}

extension Duration {
    /// Seconds with their fraction.
    var seconds: Double { Double(wholeNanoseconds) / 1e9 }
    /// Milliseconds with their fraction.
    var milliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
