import Glibc
import Synchronization
import TestSupport

import class Foundation.Thread

/// A terminal for a program under test, 120 columns by 40 rows; what the program draws is collected.
final class PseudoTerminal: Sendable {
    /// The path a program opens as its terminal.
    let path: String
    private let master: Int32
    private let slave: Int32
    /// TIOCSPTLCK and TIOCGPTN of <asm-generic/ioctls.h>.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430
    private let drawn = Mutex<[UInt8]>([])

    init() throws {
        // posix_openpt(3), unlockpt(3) and ptsname(3), which the Glibc module does not show, by what they do on Linux.
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var unlocked: Int32 = 0
        var number: Int32 = 0
        guard master >= 0, ioctl(master, Self.setLock, &unlocked) == 0, ioctl(master, Self.getNumber, &number) == 0
        else { throw TestSupportError("no pseudo terminal: errno \(errno)") }
        path = "/dev/pts/\(number)"
        // Held open, so that the master does not hang up when the program ends.
        slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0 else { throw TestSupportError("open \(path): errno \(errno)") }
        var size = winsize(ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(slave, UInt(TIOCSWINSZ), &size)
        // Reads end when the slave is closed everywhere: by deinit, at the latest.
        let descriptor = dup(master)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        Thread.detachNewThread { [weak self] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0, let self else { break }
                self.drawn.withLock { $0 += buffer[..<count] }
            }
            close(descriptor)
        }
    }

    deinit {
        close(slave)
        close(master)
    }

    /// Everything drawn so far.
    var text: String { String(decoding: drawn.withLock { $0 }, as: UTF8.self) }

    /// The line settings (echo, modes, control characters), for comparison.
    var settings: [UInt32] {
        var now = termios()
        tcgetattr(slave, &now)
        return [now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag]
    }
}
