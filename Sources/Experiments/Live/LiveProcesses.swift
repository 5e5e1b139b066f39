import Basics
import Glibc
import Platform
import Supervisor

/// The processes of an experiment by whom they play, and what is done to them.
final class LiveProcesses {
    /// Who ended without being asked to, and how.
    var onSurprise: ((Party, ChildProcess.Ending) -> Void)?
    /// A process has started, ended, or been stopped for a while.
    var onState: ((Party, HistoryEvent.ProcessState) -> Void)?

    private struct Life {
        var child: ChildProcess
        var party: Party
        var isExpectedToEnd = false
        var isPaused = false
        var afterEnd: [() -> Void] = []
    }

    private let supervisor: Supervisor
    /// Running ones.
    private var lives: [pid_t: Life] = [:]
    /// Started so far.
    private var counts: [Party: Int] = [:]

    init(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        supervisor.onEnded = { [weak self] in self?.ended($0) }
    }

    /// Starts a party's process; the output of its first life goes to `output.log`, of its second to `output.2.log`.
    func start(
        _ party: Party, name: String, executable: String, arguments: [String], output: String
    ) throws(PlatformError) {
        let life = counts[party, default: 0] + 1
        counts[party] = life
        let child = try supervisor.start(
            name: name, executable: executable, arguments: arguments,
            output: life == 1 ? "\(output).log" : "\(output).\(life).log")
        lives[child.processID] = Life(child: child, party: party)
        onState?(party, .up)
    }

    /// Whether the party has a process.
    func isRunning(_ party: Party) -> Bool { process(of: party) != nil }

    /// The number of the party's process.
    func processID(of party: Party) -> pid_t? { process(of: party) }

    /// Sends a signal that ends the process, and goes on when it has ended; at once when there is none.
    func end(_ party: Party, with signal: Int32, then action: @escaping () -> Void = {}) {
        guard let process = process(of: party) else { return action() }
        lives[process]?.isExpectedToEnd = true
        lives[process]?.afterEnd.append(action)
        send(signal, to: process)
        if signal != SIGKILL, lives[process]?.isPaused == true { send(SIGCONT, to: process) }
    }

    /// Goes on when the party's process, which is ending, has ended.
    func whenEnded(_ party: Party, then action: @escaping () -> Void) {
        guard let process = process(of: party) else { return action() }
        lives[process]?.afterEnd.append(action)
    }

    /// Stops the process where it is, for good and without a word in the history.
    func freeze(_ party: Party) {
        if let process = process(of: party) { send(SIGSTOP, to: process) }
    }

    /// Runs a tool that plays nobody.
    func run(_ executable: String, _ arguments: [String], output: String) throws(PlatformError) {
        try supervisor.start(name: executable, executable: executable, arguments: arguments, output: output)
    }

    /// Stops the process where it is.
    func pause(_ party: Party) {
        guard let process = process(of: party), lives[process]?.isPaused == false else { return }
        lives[process]?.isPaused = true
        send(SIGSTOP, to: process)
        onState?(party, .paused)
    }

    /// Lets a paused process go on.
    func resume(_ party: Party) {
        guard let process = process(of: party), lives[process]?.isPaused == true else { return }
        lives[process]?.isPaused = false
        send(SIGCONT, to: process)
        onState?(party, .up)
    }

    /// Ends everybody and calls back when nobody runs; what does not end within `grace` is killed.
    func stop(grace: Duration, completion: @escaping () -> Void) {
        onState = nil
        onSurprise = nil
        for process in lives.keys {
            lives[process]?.isExpectedToEnd = true
            // Nobody is to start anybody any more.
            lives[process]?.afterEnd = []
            // The supervisor speaks to the process it started; what that started itself is asked here.
            send(SIGTERM, to: process)
        }
        supervisor.stop(grace: grace, completion: completion)
    }

    private func process(of party: Party) -> pid_t? { lives.first { $0.value.party == party }?.key }

    /// To the whole process group, which a child leads: a NameServer may run under a shell.
    private func send(_ signal: Int32, to process: pid_t) { kill(-process, signal) }

    private func ended(_ child: ChildProcess) {
        guard let life = lives.removeValue(forKey: child.processID), let ending = child.ending else { return }
        // A shell may leave before the program it started. The group's number is ours as long as somebody is in it, and
        // nobody else's so soon.
        kill(-child.processID, SIGKILL)
        onState?(life.party, .down)
        if !life.isExpectedToEnd { onSurprise?(life.party, ending) }
        for action in life.afterEnd { action() }
    }
}
