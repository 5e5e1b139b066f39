// Started processes must not outlive the tests, not even when the test process crashes or is killed. A shell of a few
// lines stands by: it holds the list of living children, and when the pipe from us ends it kills what is left.

import Foundation
import Glibc

/// Kills every child that is still alive when this process ends, however it ends.
enum ProcessReaper {
    // NSLock, here and below: the thread sanitizer does not see Synchronization's Mutex.
    private static let lock = NSLock()
    /// The write end of the pipe to the standby shell; -1 until the first child. Only touched with `lock` held.
    nonisolated(unsafe) private static var pipeEnd: Int32 = -1

    private static let script = """
        trap '' INT TERM HUP
        live=" "
        while read -r action pid; do
          case $action in
            +) live="$live$pid " ;;
            -) live="${live%% $pid *} ${live#* $pid }" ;;
          esac
        done
        for pid in $live; do kill -9 "$pid"; done
        """

    static func add(_ pid: pid_t) { tell("+ \(pid)\n") }

    /// To be called before the pid is given back to the system, so that a reused number is never killed.
    static func remove(_ pid: pid_t) { tell("- \(pid)\n") }

    private static func tell(_ line: String) {
        lock.withLock {
            if pipeEnd < 0 { pipeEnd = start() }
            var line = line
            let written = line.withUTF8 { write(pipeEnd, $0.baseAddress, $0.count) }
            precondition(written == line.utf8.count, "the standby shell is gone: errno \(errno)")
        }
    }

    private static func start() -> Int32 {
        SpawnLock.shared.withLock {
            let (readEnd, writeEnd) = SpawnLock.pipeClosedOnExec()
            let files: [Int32: SpawnFile] = [0: .descriptor(readEnd), 1: .null, 2: .null]
            _ = SpawnLock.spawn(
                "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin"], directory: "/", files: files)
            close(readEnd)
            return writeEnd
        }
    }
}

/// What a child's standard descriptor is connected to.
enum SpawnFile {
    case descriptor(Int32)
    case null
    case create(String)
}

/// One spawn at a time: between pipe(2) and fcntl(2) another thread's child would inherit the ends.
enum SpawnLock {
    static let shared = NSLock()

    /// Both ends close on exec. To be called with the lock held.
    static func pipeClosedOnExec() -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "pipe: errno \(errno)")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// posix_spawn_file_actions_addchdir_np(3), which the Glibc module does not show (a GNU extension).
    private static let changeDirectory: @convention(c) (UnsafeMutableRawPointer, UnsafePointer<CChar>) -> Int32 = {
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addchdir_np") else {
            preconditionFailure("glibc 2.29 or newer is needed")
        }
        return unsafeBitCast(symbol, to: (@convention(c) (UnsafeMutableRawPointer, UnsafePointer<CChar>) -> Int32).self)
    }()

    /// Starts a child and answers its pid, or nil when the executable cannot be run. To be called with the lock held.
    static func spawn(
        _ executable: String, arguments: [String], environment: [String], directory: String, files: [Int32: SpawnFile]
    ) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        _ = changeDirectory(&actions, directory)
        for (target, file) in files {
            switch file {
            case .descriptor(let source): posix_spawn_file_actions_adddup2(&actions, source, target)
            case .null: posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            case .create(let path):
                posix_spawn_file_actions_addopen(&actions, target, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child starts with default signals whatever this process blocks or ignores.
        var none = sigset_t()
        var pipeSignal = sigset_t()
        sigemptyset(&none)
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &pipeSignal)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var argv = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid = pid_t()
        return posix_spawn(&pid, executable, &actions, &attributes, &argv, &envp) == 0 ? pid : nil
    }
}
