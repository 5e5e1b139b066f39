import Glibc

/// The terminal on standard output, drawn on its alternate screen.
final class Terminal {
    private var lastFrame = ""

    /// Nil when standard output is no terminal.
    init?() {
        guard isatty(1) == 1 else { return nil }
    }

    /// Columns and rows; 80 × 24 when unknown.
    var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Switches to the alternate screen and hides the cursor.
    func enter() { writeAll(1, "\u{1B}[?1049h\u{1B}[?25l") }

    /// Gives the screen back as it was.
    func leave() { writeAll(1, "\u{1B}[?25h\u{1B}[?1049l") }

    /// Replaces what is shown, without flicker: each line overwrites the old one and clears its rest.
    func draw(_ lines: [String]) {
        let visible = lines.prefix(max(1, size.rows))
        let frame = "\u{1B}[H" + visible.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
        if frame == lastFrame { return }
        lastFrame = frame
        writeAll(1, frame)
    }
}
