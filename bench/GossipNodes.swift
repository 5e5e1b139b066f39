import Basics
import EventLoop
import Glibc
import Platform
import Remoting
import RemotingTransport
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
            addresses.append(try StartProbe.freeAddress())
            gossip.append(try StartProbe.freeAddress())
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
        let probe = try StartProbe(address: addresses[index], limit: .seconds(10))
        guard probe.millisecondsToFirstAnswer() != nil else {
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

    func stopAll() { for index in children.keys.sorted() { stop(index) } }

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
        Workload.registration(broker: broker, body: bodies[broker / Self.brokersPerSet % bodies.count])
    }
}

/// Sends frames made one by one and waits for the answers; the connection stays open as long as this is held.
final class FrameRun: StreamHandler {
    private(set) var answered = 0
    /// Answers by code.
    private(set) var codes: [Int: Int] = [:]
    /// Answers whose body did not hold what it should.
    private(set) var incomplete = 0
    var isComplete: ((UnsafeRawBufferPointer) -> Bool)?
    private let count: Int
    private let frame: (Int) -> [UInt8]
    private let onDone: () -> Void
    private var sent = 0

    init(count: Int, frame: @escaping (Int) -> [UInt8], onDone: @escaping () -> Void) {
        self.count = count
        self.frame = frame
        self.onDone = onDone
    }

    func streamOpened(_ stream: any ByteStream) {
        for _ in 0..<min(8, count) { next().withUnsafeBytes(stream.write) }
    }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        let consumption = try? Consumption.frames(in: bytes) { frame in
            answered += 1
            codes[Self.code(frame.header), default: 0] += 1
            if isComplete?(frame.body) == false { incomplete += 1 }
            if sent < count { output.append(next()) }
            if answered == count { onDone() }
            return true
        }
        return consumption ?? Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {
        if answered < count { onDone() }
    }

    private func next() -> [UInt8] {
        defer { sent += 1 }
        return frame(sent)
    }

    /// The header's first member.
    static func code(_ header: UnsafeRawBufferPointer) -> Int {
        var value = 0
        for byte in header.dropFirst(#"{"code":"#.utf8.count) {
            guard byte >= 48, byte <= 57 else { break }
            value = value * 10 + Int(byte) - 48
        }
        return value
    }
}
