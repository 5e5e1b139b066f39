import Basics
import Glibc
import Platform
import Supervisor

/// The server under test: one that runs already, or one started here.
final class Target {
    let address: Address
    let label: String
    /// From the start of the process to the first answer; nil for a server that ran already.
    let startUpMilliseconds: Double?

    private let child: ChildProcess?
    private let log: String?

    /// How long a server started here may take until it answers.
    private static let startLimit = Duration.seconds(10)

    private init(address: Address, label: String, startUpMilliseconds: Double?, child: ChildProcess?, log: String?) {
        self.address = address
        self.label = label
        self.startUpMilliseconds = startUpMilliseconds
        self.child = child
        self.log = log
    }

    /// A server that runs already.
    static func running(at server: String) throws(PlatformError) -> Target {
        guard let address = Address(server) else {
            throw PlatformError(operation: "--server \(server)", name: "EINVAL", message: "no host:port")
        }
        return Target(address: address, label: server, startUpMilliseconds: nil, child: nil, log: nil)
    }

    /// Starts `hearsay serve` on a free port and waits for its first answer.
    static func started(hearsay: String) throws(PlatformError) -> Target {
        let log = "/tmp/hearsay-bench-\(getpid()).log"
        let address = try StartProbe.freeAddress()
        let probe = try StartProbe(address: address, limit: startLimit)
        let child = try ChildProcess.start(
            name: "server", executable: hearsay, arguments: ["serve", "--listen", address.description], output: log)
        guard let elapsed = probe.millisecondsToFirstAnswer() else {
            child.signal(SIGKILL)
            throw PlatformError(operation: "start \(hearsay)", name: "ETIMEDOUT", message: "no answer; see \(log)")
        }
        return Target(
            address: address, label: "\(hearsay) (pid \(child.processID))", startUpMilliseconds: elapsed, child: child,
            log: log)
    }

    /// Ends a server started here and waits for it.
    func stop() {
        guard let child, let log else { return }
        child.signal(SIGTERM)
        var status: Int32 = 0
        waitpid(child.processID, &status, 0)
        unlink(log)
    }

    /// User and system time the server has used, in seconds; nil for a server that was not started here.
    func cpuSeconds() -> Double? {
        guard let fields = procFields("stat") else { return nil }
        // Fields 14 and 15 of proc(5), counted behind the program's name, in clock ticks.
        guard let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Resident bytes; nil for a server that was not started here.
    func residentBytes() -> Int? {
        guard let fields = procFields("statm"), let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    private func procFields(_ file: String) -> [String]? {
        guard let child, let handle = fopen("/proc/\(child.processID)/\(file)", "r") else { return nil }
        defer { fclose(handle) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, handle)
        let text = String(decoding: buffer[..<count], as: UTF8.self)
        let behindName = text.lastIndex(of: ")").map { text[text.index(after: $0)...] } ?? text[...]
        return behindName.split(separator: " ").map(String.init)
    }
}
