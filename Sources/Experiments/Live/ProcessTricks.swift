// What is done to a process from outside that no signal does: another wall clock, a full disk.

import Basics
import Glibc

/// libfaketime: a process sees the wall clock that a file says, and its monotonic clocks as they are.
enum FakeTime {
    /// Where Debian's package faketime puts it, on the machines that Swift runs on.
    static let library: String? = ["x86_64", "aarch64"].map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketime.so.1" }
        .first { access($0, R_OK) == 0 }

    /// For `env`: what a process needs to follow the clock of `file`.
    static func environment(_ library: String, file: String) -> [String] {
        [
            "LD_PRELOAD=\(library)", "FAKETIME_TIMESTAMP_FILE=\(file)", "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // Otherwise the library makes shared memory and names it in the environment, which thereby moves away from where
            // Swift's runtime looks for the arguments: a program would find none.
            "FAKETIME_SHARED=none none",
        ]
    }

    /// What the file says of a clock that is wrong by so much.
    static func content(_ offset: Duration) -> String {
        let milliseconds = offset.wholeMilliseconds
        let size = milliseconds.magnitude
        let rest = String(size % 1000 + 1000).dropFirst()
        return "\(milliseconds < 0 ? "-" : "+")\(size / 1000).\(rest)\n"
    }
}

/// A disk that takes no byte more, for one process: RLIMIT_FSIZE is zero, so that every write to a file fails (EFBIG), the
/// node's log included. Needs no privileges.
enum DiskLimit {
    static let program = "/usr/bin/prlimit"

    /// A process that wants to survive it ignores the signal that comes with the error.
    static let environmentOption = "--ignore-signal=XFSZ"

    /// Sets only the soft limit, so that it can be raised again.
    static func arguments(process: pid_t, isFull: Bool) -> [String] {
        ["--pid", "\(process)", isFull ? "--fsize=0:" : "--fsize=unlimited:"]
    }
}
