import Basics
import EventLoop
import Glibc
import Platform
import Remoting
import RemotingTransport
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

    init(server: String?, hearsay: String) throws(PlatformError) {
        if let server {
            guard let address = Address(server) else {
                throw PlatformError(operation: "--server \(server)", name: "EINVAL", message: "no host:port")
            }
            self.address = address
            label = server
            startUpMilliseconds = nil
            child = nil
            log = nil
            return
        }
        let log = "/tmp/hearsay-bench-\(getpid()).log"
        let loop = try EventLoop()
        let address = try Self.freeAddress(loop)
        let begin = loop.now
        let child = try ChildProcess.start(
            name: "server", executable: hearsay, arguments: ["serve", "--listen", address.description], output: log)
        guard let elapsed = Self.firstAnswer(loop, address, since: begin) else {
            child.signal(SIGKILL)
            throw PlatformError(operation: "start \(hearsay)", name: "ETIMEDOUT", message: "no answer; see \(log)")
        }
        self.address = address
        self.child = child
        self.log = log
        label = "\(hearsay) (pid \(child.processID))"
        startUpMilliseconds = elapsed
    }

    /// A port that was free a moment ago.
    private static func freeAddress(_ loop: EventLoop) throws(PlatformError) -> Address {
        let refusing = Refusing()
        let listener = try loop.listen(
            at: Address(host: "127.0.0.1", port: 0), options: StreamOptions(), handler: refusing)
        defer { listener.close() }
        return listener.address
    }

    private final class Refusing: ListenerHandler {
        func accept(_ stream: any ByteStream) -> (any StreamHandler)? { nil }
    }

    /// Asks until somebody answers; milliseconds since `begin`, or nil when nobody does in time.
    private static func firstAnswer(_ loop: EventLoop, _ address: Address, since begin: Instant) -> Double? {
        let connection = RemotingConnection(platform: loop, address: address)
        var elapsed: Double?
        func ask() {
            connection.call(RemotingCommand(request: RequestCode.getBrokerClusterInfo), timeout: .seconds(1)) {
                result in
                if case .success = result {
                    elapsed = Double(loop.now.nanoseconds - begin.nanoseconds) / 1e6
                } else if loop.now - begin < startLimit {
                    retry.start(at: loop.now + .microseconds(500))
                    return
                }
                loop.stop()
            }
        }
        let retry = loop.makeTimer { ask() }
        ask()
        loop.run()
        return elapsed
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
