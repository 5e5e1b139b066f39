import Basics
import Glibc
import Platform

/// A group of child processes that live and end together.
public final class Supervisor {
    /// All children, in the order of their start.
    public private(set) var children: [ChildProcess] = []
    /// Called when a child has ended, also during `stop`.
    public var onEnded: ((ChildProcess) -> Void)?

    private let platform: any Platform
    private lazy var deadline = platform.makeTimer { [weak self] in self?.killAll() }
    private var onStopped: (() -> Void)?

    /// Calls `childEnded` must be wired to SIGCHLD by the owner.
    public init(platform: any Platform) { self.platform = platform }

    /// Starts one more child (see `ChildProcess.start`).
    @discardableResult
    public func start(
        name: String, executable: String, arguments: [String], output: String
    ) throws(PlatformError) -> ChildProcess {
        let child = try ChildProcess.start(name: name, executable: executable, arguments: arguments, output: output)
        children.append(child)
        return child
    }

    /// Looks for children that have ended. SIGCHLD says that there may be some, not which.
    public func childEnded() {
        for child in children where child.reap() { onEnded?(child) }
        finishStopIfDone()
    }

    /// Sends SIGTERM to all, SIGKILL to those left after `grace`, and calls back when none runs.
    public func stop(grace: Duration, completion: @escaping () -> Void) {
        guard onStopped == nil else { return }
        onStopped = completion
        // A paused process would not hear SIGTERM.
        for child in children {
            child.signal(SIGTERM)
            child.signal(SIGCONT)
        }
        deadline.start(at: platform.now + grace)
        finishStopIfDone()
    }

    private func killAll() {
        for child in children { child.signal(SIGKILL) }
    }

    private func finishStopIfDone() {
        guard let completion = onStopped, children.allSatisfy({ $0.ending != nil }) else { return }
        onStopped = nil
        deadline.cancel()
        completion()
    }
}
