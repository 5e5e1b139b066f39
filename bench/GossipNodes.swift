import Basics
import Glibc
import Platform
import Remoting
import Supervisor

/// Real `hearsay serve` processes on this machine that gossip with each other over loopback.
final class GossipNodes {
    private(set) var addresses: [Address] = []
    private(set) var gossip: [Address] = []
    private var children: [Int: ChildProcess] = [:]
    private let hearsay: String
    private let folder: String

    /// Prepares the nodes; none is started.
    init(count: Int, hearsay: String, mode: String) throws(PlatformError) {
        self.hearsay = hearsay
        folder = "/tmp/hearsay-bench-gossip-\(getpid())-\(mode)"
        mkdir(folder, 0o755)
        for _ in 0..<count {
            addresses.append(try GossipSupport.freeAddress())
            gossip.append(try GossipSupport.freeAddress())
        }
        var text = "cluster:\n  name: bench\nnodes:\n"
        for index in 0..<count {
            text += "  - name: ns-\(index + 1)\n    listen: \(addresses[index])\n"
            text += "    dataDirectory: \(folder)/ns-\(index + 1)\n    gossip: \(gossip[index])\n"
        }
        text += "gossip:\n  mode: \(mode)\n"
        if mode == "protect" || mode == "replicate" { text += "  gateUnknownTopics: true\n" }
        guard let file = fopen("\(folder)/cluster.yaml", "w") else {
            throw PlatformError(operation: "write \(folder)/cluster.yaml", name: "errno \(errno)", message: "")
        }
        fputs(text, file)
        fclose(file)
    }

    /// Starts a node and waits for its first answer, unless told not to.
    func start(_ index: Int, waits: Bool = true) throws(PlatformError) {
        children[index] = try ChildProcess.start(
            name: "ns-\(index + 1)", executable: hearsay,
            arguments: ["serve", "--config", "\(folder)/cluster.yaml", "--node", "ns-\(index + 1)"],
            output: "\(folder)/ns-\(index + 1).log")
        guard waits else { return }
        guard GossipSupport.answers(addresses[index], within: .seconds(10)) else {
            throw PlatformError(
                operation: "start ns-\(index + 1)", name: "ETIMEDOUT",
                message: "no answer; see \(folder)/ns-\(index + 1).log")
        }
    }

    func stop(_ index: Int) {
        guard let child = children.removeValue(forKey: index) else { return }
        child.signal(SIGKILL)
        var status: Int32 = 0
        waitpid(child.processID, &status, 0)
    }

    /// Stops all nodes and removes what they wrote.
    func stopAll() {
        for index in children.keys.sorted() { stop(index) }
        for index in addresses.indices {
            unlink("\(folder)/ns-\(index + 1).log")
            rmdir("\(folder)/ns-\(index + 1)")
        }
        unlink("\(folder)/cluster.yaml")
        rmdir(folder)
    }

    /// Resident bytes of a node.
    func residentBytes(_ index: Int) -> Int {
        guard let child = children[index] else { return 0 }
        let fields = firstLine("/proc/\(child.processID)/statm").split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    /// User and system time that a node has used, in seconds.
    func cpuSeconds(_ index: Int) -> Double {
        guard let child = children[index] else { return 0 }
        let text = firstLine("/proc/\(child.processID)/stat")
        let fields = (text.lastIndex(of: ")").map { text[text.index(after: $0)...] } ?? text[...]).split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// The first line of a file or of what a command prints.
private func firstLine(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count].prefix { $0 != 10 }, as: UTF8.self)
}

/// Brokers as a cluster of 10,000 has them: sets of ten replicated over ten broker names, each set with topics of its own.
struct BrokerFleet {
    static let brokersPerSet = 10
    let count: Int
    let topics: Int
    private let bodies: [[UInt8]]

    init(count: Int, topics: Int) {
        self.count = count
        self.topics = topics
        let version = DataVersion(counter: 1, timestamp: 1_700_000_000_000, stateVersion: 0)
        bodies = (0..<(count + Self.brokersPerSet - 1) / Self.brokersPerSet).map { set in
            let configs = (0..<topics).map { TopicConfig(topicName: Self.topic($0, of: set)) }
            return RegistrationBody.encode(topics: configs, dataVersion: version)
        }
    }

    static func topic(_ index: Int, of set: Int) -> String { "orders-of-set-\(set)-\(index)" }

    /// The registration of one broker.
    func registration(_ broker: Int) -> [UInt8] {
        GossipSupport.registration(broker: broker, body: bodies[broker / Self.brokersPerSet % bodies.count])
    }
}

/// One connection that asks and waits. It stays open while it is held, whatever else happens: the brokers that registered
/// through it live as long.
final class BlockingConnection {
    struct Answer {
        var code: Int
        var body: [UInt8]
    }

    private let descriptor: Int32

    /// Nil when nobody listens there.
    init?(to address: Address) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = UInt16(address.port).bigEndian
        target.sin_addr.s_addr = inet_addr(address.host)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { return nil }
    }

    deinit { close(descriptor) }

    /// Sends a frame and reads the next one; nil when the connection broke or nothing came within 10 s.
    func call(_ frame: [UInt8]) -> Answer? {
        var sent = 0
        while sent < frame.count {
            let count = frame.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + sent, frame.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return nil }
            sent += count
        }
        guard let length = number(read(4)), let mark = number(read(4)) else { return nil }
        let headerLength = mark & 0xFF_FFFF
        guard let header = read(headerLength), let body = read(length - 4 - headerLength) else { return nil }
        return Answer(code: Self.code(header), body: body)
    }

    /// A lookup of one topic.
    func route(_ topic: String) -> Answer? {
        call(
            GossipSupport.encoded(
                RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])))
    }

    private func read(_ count: Int) -> [UInt8]? {
        guard count >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let more = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress! + have, count - have, 0) }
            guard more > 0 else { return nil }
            have += more
        }
        return bytes
    }

    private func number(_ bytes: [UInt8]?) -> Int? { bytes.map { $0.reduce(0) { $0 << 8 | Int($1) } } }

    /// The header's first member.
    private static func code(_ header: [UInt8]) -> Int {
        var value = 0
        for byte in header.dropFirst(#"{"code":"#.utf8.count) {
            guard byte >= 48, byte <= 57 else { break }
            value = value * 10 + Int(byte) - 48
        }
        return value
    }
}

extension BrokerFleet {
    /// Registers all brokers with each node; they live as long as the connections are held.
    func register(at addresses: some Sequence<Address>) throws(PlatformError) -> [BlockingConnection] {
        var connections: [BlockingConnection] = []
        for address in addresses {
            guard let connection = BlockingConnection(to: address) else {
                throw PlatformError(operation: "connect to \(address)", name: "ECONNREFUSED", message: "")
            }
            connections.append(connection)
            for broker in 0..<count {
                guard connection.call(registration(broker))?.code == 0 else {
                    throw PlatformError(
                        operation: "register broker \(broker) at \(address)", name: "EIO", message: "not accepted")
                }
            }
        }
        return connections
    }
}

/// Real time.
func monotonicNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
