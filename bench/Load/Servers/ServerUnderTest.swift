import Basics
import Glibc
import Platform
import Supervisor

/// A server that is measured: one that runs already, or one started here and ended with `stop`.
public final class ServerUnderTest {
    /// Where it listens.
    public let address: Address
    /// For people and files.
    public let label: String
    /// Its process; nil when unknown, then there is neither CPU nor memory in the results.
    public let process: pid_t?
    /// From the start of the process to the first answer; nil for a server that ran already.
    public let startMilliseconds: Double?

    /// Empty once they were ended: their pids may belong to others then.
    private var children: [ChildProcess]
    private let folder: String?

    /// How long a server started here may take until it answers.
    private static let startLimit = Duration.seconds(10)

    /// Nothing is left behind when this program is interrupted.
    private static let endsWithUs = "--exit-with-parent"

    private init(
        address: Address, label: String, process: pid_t?, startMilliseconds: Double?, children: [ChildProcess],
        folder: String?
    ) {
        self.address = address
        self.label = label
        self.process = process
        self.startMilliseconds = startMilliseconds
        self.children = children
        self.folder = folder
    }

    /// A server that runs already, Apache's or any other.
    public static func running(
        at text: String, process: pid_t?, pinning: Pinning? = nil
    ) throws(LoadError) -> ServerUnderTest {
        guard let address = Address(text) else { throw LoadError(.usage, "'\(text)' is no host:port") }
        if let process, ServerUsage.read(process) == nil {
            throw LoadError(.usage, "there is no process \(process), or it is not ours to look at")
        }
        if let process, let pinning { try Pinning.pin(process: process, to: pinning.server) }
        return ServerUnderTest(
            address: address, label: text, process: process, startMilliseconds: nil, children: [], folder: nil)
    }

    /// Our own node on a free loopback port.
    ///
    /// - Parameter gossip: nil runs `serve --listen`; otherwise the node runs with this mode of gossip beside one peer that
    ///   hears no broker.
    public static func node(
        _ program: Program, gossip: String? = nil, pinning: Pinning? = nil
    ) throws(LoadError) -> ServerUnderTest {
        try onFreePorts { () throws(LoadError) in try startNode(program, gossip, pinning) }
    }

    private static func startNode(
        _ program: Program, _ gossip: String?, _ pinning: Pinning?
    ) throws(LoadError) -> ServerUnderTest {
        let folder = try temporaryFolder()
        let address = try freeAddress()
        var arguments = ["serve", "--listen", address.description, "--log-level", "warning", Self.endsWithUs]
        var children: [ChildProcess] = []
        if let gossip {
            let peer = try freeAddress()
            let file = "\(folder)/cluster.yaml"
            try TextFile.write(file, try cluster([address, peer], gossip, folder))
            children.append(
                try start(
                    program, ["serve", "--config", file, "--node", "ns-2", Self.endsWithUs], pinning?.load,
                    "\(folder)/ns-2.log"))
            arguments = ["serve", "--config", file, "--node", "ns-1", Self.endsWithUs]
        }
        return try started(
            program, arguments, address, label: gossip.map { "hearsay, gossip \($0)" } ?? "hearsay", pinning, children,
            folder)
    }

    /// A plain C server of bench/LimitServer.
    ///
    /// - Parameter body: what a canned answer carries; nil computes checksums instead.
    public static func limit(
        _ program: Program, canned body: [UInt8]?, pinning: Pinning? = nil
    ) throws(LoadError) -> ServerUnderTest {
        try onFreePorts { () throws(LoadError) in try startLimitServer(program, body, pinning) }
    }

    private static func startLimitServer(
        _ program: Program, _ body: [UInt8]?, _ pinning: Pinning?
    ) throws(LoadError) -> ServerUnderTest {
        let folder = try temporaryFolder()
        let address = try freeAddress()
        var arguments = [body == nil ? "heartbeat" : "canned", address.host, "\(address.port)"]
        if let body {
            try TextFile.write("\(folder)/body", body)
            arguments.append("\(folder)/body")
        }
        return try started(
            program, arguments, address, label: body == nil ? "C, checksum" : "C, canned answer", pinning, [], folder)
    }

    /// What the server has used so far.
    public func usage() -> ServerUsage? { process.flatMap(ServerUsage.read) }

    /// Ends what was started here, waits for it, and removes what it wrote.
    public func stop() {
        Self.end(children)
        children = []
        if let folder { TextFile.removeFolder(folder) }
    }

    private static func end(_ children: [ChildProcess]) {
        for child in children { child.signal(SIGKILL) }
        for child in children {
            var status: Int32 = 0
            waitpid(child.processID, &status, 0)
        }
    }

    deinit { stop() }

    // MARK: Starting

    /// How often other ports are tried.
    private static let portAttempts = 5

    /// Between the moment when a port was free and that when the server opens it, another program may take it.
    private static func onFreePorts(
        _ start: () throws(LoadError) -> ServerUnderTest
    ) throws(LoadError) -> ServerUnderTest {
        for _ in 1..<portAttempts {
            do throws(LoadError) {
                return try start()
            } catch {
                guard "\(error)".contains("address already in use") else { throw error }
            }
        }
        return try start()
    }

    private static func started(
        _ program: Program, _ arguments: [String], _ address: Address, label: String, _ pinning: Pinning?,
        _ others: [ChildProcess], _ folder: String
    ) throws(LoadError) -> ServerUnderTest {
        let log = "\(folder)/server.log"
        let begin = monotonicTime()
        let child: ChildProcess
        do throws(LoadError) {
            child = try start(program, arguments, pinning?.server, log)
        } catch {
            end(others)
            TextFile.removeFolder(folder)
            throw error
        }
        guard let elapsed = StartProbe.firstAnswer(of: address, since: begin, limit: startLimit) else {
            end(others + [child])
            let output = TextFile.read(log, limit: 2_000)
            TextFile.removeFolder(folder)
            throw LoadError(.noAnswer, "start \(program.path): no answer; its output: \(output)")
        }
        return ServerUnderTest(
            address: address, label: label, process: child.processID, startMilliseconds: Double(elapsed) / 1e6,
            children: others + [child], folder: folder)
    }

    private static func start(
        _ program: Program, _ arguments: [String], _ core: Int?, _ log: String
    ) throws(LoadError) -> ChildProcess {
        let child: ChildProcess
        do throws(PlatformError) {
            child = try ChildProcess.start(name: "server", executable: program.path, arguments: arguments, output: log)
        } catch {
            throw LoadError(.machine, error.description)
        }
        do throws(LoadError) {
            if let core { try Pinning.pin(process: child.processID, to: core) }
        } catch {
            end([child])
            throw error
        }
        return child
    }

    private static func cluster(_ nodes: [Address], _ mode: String, _ folder: String) throws(LoadError) -> String {
        var text = "cluster:\n  name: bench\nnodes:\n"
        for (index, address) in nodes.enumerated() {
            let gossip = try freeAddress()
            text += "  - name: ns-\(index + 1)\n    listen: \(address)\n"
            text += "    dataDirectory: \(folder)/ns-\(index + 1)\n    gossip: \(gossip)\n"
        }
        return text + "gossip:\n  mode: \(mode)\n"
    }

    private static func temporaryFolder() throws(LoadError) -> String {
        var template = Array("/tmp/hearsay-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw LoadError(.machine, "make a folder in /tmp: \(String(cString: strerror(errno)))")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A loopback port that was free a moment ago.
    public static func freeAddress() throws(LoadError) -> Address {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else {
            throw LoadError(.machine, "find a free port: \(String(cString: strerror(errno)))")
        }
        return Address(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port))
    }
}
