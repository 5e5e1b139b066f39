// One real process under test: started in its own temporary directory, its standard output read line by line on a
// thread, its standard error kept in a file, and killed at the latest when the last reference goes.

import Foundation
import Glibc

/// A child process of the test.
public final class NodeProcess: Sendable {
    /// How a process ended.
    public enum Ending: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    /// The process's home and working directory.
    public let directory: TemporaryDirectory
    /// The process number; a number of the past once `ending` is known.
    public let pid: pid_t
    private let state: ChildState
    private let command: String

    /// Starts `executable`.
    ///
    /// - Parameters:
    ///   - executable: an absolute path; see `ProductsDirectory.executable(_:)`.
    ///   - environment: added to (and overriding) this process's environment; `HOME` is the temporary directory.
    ///   - directory: an existing temporary directory to run in, e.g. that of an earlier life of the same node.
    /// - Throws: `TestSupportError` when there is nothing to run at `executable`.
    public init(
        _ executable: String, arguments: [String] = [], environment: [String: String] = [:],
        directory: TemporaryDirectory = TemporaryDirectory()
    ) throws {
        var variables = ProcessInfo.processInfo.environment
        variables["HOME"] = directory.path
        // A race in a child built with the thread sanitizer ends it, so that the test fails.
        variables["TSAN_OPTIONS"] = variables["TSAN_OPTIONS"] ?? "halt_on_error=1 abort_on_error=1"
        variables.merge(environment) { $1 }
        let block = variables.map { "\($0.key)=\($0.value)" }.sorted()
        let (pid, output) = SpawnLock.shared.withLock {
            let (readEnd, writeEnd) = SpawnLock.pipeClosedOnExec()
            let pid = SpawnLock.spawn(
                executable, arguments: arguments, environment: block, directory: directory.path,
                files: [0: .null, 1: .descriptor(writeEnd), 2: .create(directory.file("stderr.log"))])
            close(writeEnd)
            return (pid, readEnd)
        }
        guard let pid else {
            close(output)
            throw TestSupportError("cannot run \(executable): is the target built?")
        }
        ProcessReaper.add(pid)
        self.directory = directory
        self.pid = pid
        command = ([executable] + arguments).joined(separator: " ")
        let state = ChildState(pid: pid)
        self.state = state
        Thread.detachNewThread { state.readLines(from: output) }
        Thread.detachNewThread { state.waitForEnd() }
    }

    deinit {
        if case .signal(let signal)? = ending, !state.read(\.wasSignalled) {
            // Nobody may have asked; a crash must not pass unseen.
            FileHandle.standardError.write(Data("\(command) died of signal \(signal):\n\(errorText)\n".utf8))
        }
        state.send(SIGKILL)
        _ = state.wait(within: .seconds(10)) { $0.ending != nil }
    }

    /// The lines of standard output so far.
    public var outputLines: [String] { state.read(\.lines) }

    /// All of standard error so far.
    public var errorText: String { text(of: directory.file("stderr.log")) ?? "" }

    /// How the process ended, or nil while it runs.
    public var ending: Ending? { state.read(\.ending) }

    /// Waits for a line of standard output, past or to come, for which `match` gives a value, and answers the value.
    ///
    /// - Throws: `TestSupportError` with everything the process wrote, when it ends or `limit` passes without one.
    public func line<Value>(within limit: Duration = .seconds(20), _ match: (String) -> Value?) throws -> Value {
        var found: Value?
        _ = state.wait(within: limit) { state in
            found = state.lines.lazy.compactMap(match).first
            return found != nil || state.outputEnded
        }
        if let found { return found }
        throw TestSupportError("no such line from \(command)\nstdout: \(outputLines)\nstderr: \(errorText)")
    }

    /// Sends `signal`, unless the process has ended (its number may be someone else's by now).
    public func signal(_ signal: Int32) {
        state.send(signal)
    }

    /// Waits for the end of the process and of its standard output.
    ///
    /// - Throws: `TestSupportError` when it still runs after `limit`.
    public func waitForExit(within limit: Duration = .seconds(20)) throws -> Ending {
        if state.wait(within: limit, { $0.ending != nil && $0.outputEnded }), let ending { return ending }
        throw TestSupportError("\(command) still runs after \(limit)\nstdout: \(outputLines)\nstderr: \(errorText)")
    }

    /// SIGTERM, then `waitForExit`.
    public func terminate(within limit: Duration = .seconds(20)) throws -> Ending {
        signal(SIGTERM)
        return try waitForExit(within: limit)
    }
}

/// What two threads learn about the child; outlives `NodeProcess` until both are done.
private final class ChildState: @unchecked Sendable {
    struct Content {
        var lines: [String] = []
        var outputEnded = false
        var ending: NodeProcess.Ending?
        var wasSignalled = false
    }

    private let pid: pid_t
    private let condition = NSCondition()
    /// Only touched with `condition` locked.
    private var content = Content()

    init(pid: pid_t) {
        self.pid = pid
    }

    func read<Value>(_ path: KeyPath<Content, Value>) -> Value {
        condition.withLock { content[keyPath: path] }
    }

    /// Waits until `done` holds; answers whether it does.
    func wait(within limit: Duration, _ done: (Content) -> Bool) -> Bool {
        let deadline = Date(timeIntervalSinceNow: Double(limit.pollMilliseconds) / 1000)
        return condition.withLock {
            while !done(content) {
                if !condition.wait(until: deadline) { return done(content) }
            }
            return true
        }
    }

    func send(_ signal: Int32) {
        condition.withLock {
            guard content.ending == nil else { return }
            content.wasSignalled = true
            kill(pid, signal)
        }
    }

    private func change(_ body: (inout Content) -> Void) {
        condition.withLock {
            body(&content)
            condition.broadcast()
        }
    }

    func readLines(from descriptor: Int32) {
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                change { $0.lines.append(line) }
            }
        }
        close(descriptor)
        let rest = String(decoding: pending, as: UTF8.self)
        change {
            if !rest.isEmpty { $0.lines.append(rest) }
            $0.outputEnded = true
        }
    }

    func waitForEnd() {
        var info = siginfo_t()
        // Without reaping: the number stays ours until `ending` is set under the lock.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        ProcessReaper.remove(pid)
        change { content in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7f
            content.ending = signal == 0 ? .exit((status >> 8) & 0xff) : .signal(signal)
        }
    }
}
