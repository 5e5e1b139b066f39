import Glibc
import TestSupport

/// One process of a cluster under test, with as many lives as a test gives it.
final class ClusterMember {
    /// `ns-1`, or `broker-a:0`.
    let name: String
    /// Where it listens, in every life.
    let address: String
    let port: UInt16
    /// The current or last life; nil before the first.
    private(set) var process: NodeProcess?
    /// The program of the next life.
    var program = ProductsDirectory.executable("hearsay")
    private let arguments: [String]
    /// What a line of standard output contains once it serves.
    private let greeting: String

    init(name: String, reservation: PortReservation, arguments: [String], greeting: String) {
        self.name = name
        self.arguments = arguments
        self.greeting = greeting
        address = reservation.address
        port = reservation.port
    }

    /// Starts a new life and does not wait.
    func launch() throws {
        process = try NodeProcess(program, arguments: arguments)
    }

    /// Waits until the new life serves.
    func waitUntilServing() throws {
        try running().line { $0.contains(greeting) ? () : nil }
    }

    /// Starts a new life and waits until it serves.
    func start() throws {
        try launch()
        try waitUntilServing()
    }

    /// SIGKILL; comes back when the process is gone.
    func kill() throws {
        try end(SIGKILL, .signal(SIGKILL))
    }

    /// SIGTERM; comes back when the process has exited with status 0.
    func terminate() throws {
        try end(SIGTERM, .exit(0))
    }

    private func end(_ signal: Int32, _ expected: NodeProcess.Ending) throws {
        let process = try running()
        process.signal(signal)
        let ending = try process.waitForExit()
        if ending != expected { throw TestSupportError("\(name): \(ending), not \(expected): \(process.errorText)") }
    }

    /// SIGSTOP: its connections stay open and nothing answers.
    func pause() throws { try running().signal(SIGSTOP) }

    /// SIGCONT.
    func resume() throws { try running().signal(SIGCONT) }

    /// The running process.
    ///
    /// - Throws: when there is none, with what it said before it ended.
    func running() throws -> NodeProcess {
        guard let process else { throw TestSupportError("\(name) was not started") }
        if let ending = process.ending {
            throw TestSupportError("\(name): \(ending)\n\(process.outputLines.suffix(20))\n\(process.errorText)")
        }
        return process
    }

    /// A new connection to it.
    func connect() throws -> RawConnection { try RawConnection(port: port) }
}
