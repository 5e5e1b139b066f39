// Child processes of `hearsay run`: started, watched, stopped; none is left behind.

import Basics
import Glibc
import Platform

/// One process that we started.
public final class ChildProcess {
    /// How a process ended.
    public enum Ending: Hashable, Sendable, CustomStringConvertible {
        /// It exited with this status.
        case exited(Int32)
        /// This signal ended it.
        case signalled(Int32)

        /// `exit status 1`, `signal 9`.
        public var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let number): "signal \(number)"
            }
        }
    }

    /// For people: `ns-1`, `broker-a:0`.
    public let name: String
    /// The process id; after `ending` is set it may belong to another process.
    public let processID: pid_t
    /// Nil while it runs.
    public private(set) var ending: Ending?

    private init(name: String, processID: pid_t) {
        self.name = name
        self.processID = processID
    }

    /// Starts a program with no standard input; both outputs go to the file `output`.
    ///
    /// - Parameters:
    ///   - executable: a path.
    ///   - arguments: without the program's own name.
    ///   - output: a file that is made or emptied; its directory must exist.
    /// - Throws: `PlatformError` when the file or the program cannot be opened.
    public static func start(
        name: String, executable: String, arguments: [String], output: String
    ) throws(PlatformError) -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        configure(&attributes)

        var argv: [UnsafeMutablePointer<CChar>?] = ([executable] + arguments).map { strdup($0) }
        argv.append(nil)
        defer { for pointer in argv { free(pointer) } }
        var processID: pid_t = 0
        let code = posix_spawn(&processID, executable, &actions, &attributes, argv, environ)
        guard code == 0 else {
            throw PlatformError(
                operation: "start \(executable)", name: "errno \(code)", message: String(cString: strerror(code)))
        }
        return ChildProcess(name: name, processID: processID)
    }

    /// The children leave the terminal's process group, so that Ctrl-C reaches the supervisor only, which stops them in
    /// order; and they start with no signal blocked or ignored, whatever this thread does with its own.
    private static func configure(_ attributes: inout posix_spawnattr_t) {
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    }

    /// Sends a signal, unless it has ended.
    public func signal(_ number: Int32) {
        if ending == nil { kill(processID, number) }
    }

    /// Looks whether it has ended; true exactly once, when it is found to have.
    func reap() -> Bool {
        guard ending == nil else { return false }
        var status: Int32 = 0
        let result = waitpid(processID, &status, WNOHANG)
        guard result == processID else { return false }
        // The macros WIFEXITED and so on are not imported: the low seven bits hold the signal, the next byte the status.
        let number = status & 0x7F
        ending = number == 0 ? .exited((status >> 8) & 0xFF) : .signalled(number)
        return true
    }
}
