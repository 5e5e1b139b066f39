// What the hostile tests play on: a node with limits of its own, a broker and a client beside the attacker that behave
// well and must not notice, and a look at the node's memory and log.

import Foundation
import TestSupport
import Testing

/// A node under attack.
final class HostileStage {
    let process: NodeProcess
    let port: UInt16
    private let bystanders: Bystanders

    /// Starts a node and its bystanders.
    ///
    /// - Parameters:
    ///   - limits: lines of the `limits` section, `key: value` each.
    ///   - resources: what a shell is told before it becomes the node, for example `ulimit -n 64`.
    init(limits: [String] = [], resources: String? = nil) throws {
        let directory = TemporaryDirectory()
        var configuration = "nodes:\n  - name: ns-1\n    listen: 127.0.0.1:9876\n"
        if !limits.isEmpty { configuration += "limits:\n" + limits.map { "  \($0)\n" }.joined() }
        let serve = [
            "serve", "--config", try directory.write(configuration, to: "cluster.yaml"), "--node", "ns-1", "--listen",
            "127.0.0.1:0",
        ]
        let hearsay = ProductsDirectory.executable("hearsay")
        if let resources {
            let shell = ["-c", "\(resources); exec \"$0\" \"$@\"", hearsay]
            process = try NodeProcess("/bin/sh", arguments: shell + serve, directory: directory)
        } else {
            process = try NodeProcess(hearsay, arguments: serve, directory: directory)
        }
        port = try process.line { line in
            line.split(separator: ":").last.flatMap { UInt16($0) }
        }
        bystanders = try Bystanders(port: port)
    }

    deinit { bystanders.stop() }

    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// After the attack: the node lives, the bystanders were and are served, and the node never held more memory.
    ///
    /// - Parameter peak: of resident memory, in MiB.
    func expectUnharmed(peak: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try bystanders.expectProgress()
        let control = try connect()
        #expect(try control.group(Bystanders.broker) == ["0": Bystanders.address], sourceLocation: sourceLocation)
        #expect(process.ending == nil, sourceLocation: sourceLocation)
        let used = peakResidentMiB
        if let used { #expect(used < peak, "\(used) MiB resident at the most", sourceLocation: sourceLocation) }
        if ProcessInfo.processInfo.environment["HEARSAY_FIGURES"] != nil {
            print("\(sourceLocation.line): peak \(used ?? 0) MiB of \(peak), slowest bystander \(bystanders.slowest)")
        }
    }

    /// The longest a lookup of the well-behaved client has taken.
    var slowestBystander: Duration { bystanders.slowest }

    /// The most memory the node ever had resident; nil under a sanitizer, whose shadow is terabytes of addresses.
    private var peakResidentMiB: Int? {
        let lines = text(of: "/proc/\(process.pid)/status")?.split(separator: "\n") ?? []
        func kibibytes(_ key: String) -> Int {
            let line = lines.first { $0.hasPrefix(key) } ?? ""
            return Int(line.filter(\.isNumber)) ?? 0
        }
        return kibibytes("VmPeak:") > 1 << 30 ? nil : kibibytes("VmHWM:") >> 10
    }

    /// Descriptors the node has open.
    var openDescriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count) ?? 0
    }

    /// The first file of this name in the node's directory or below it.
    func file(named name: String) -> String? {
        let files = FileManager.default.enumerator(atPath: process.directory.path)
        for case let path as String in files ?? .init() where path.split(separator: "/").last.map(String.init) == name {
            return process.directory.file(path)
        }
        return nil
    }

    /// A number out of the `counters` of the node's status.
    func counter(_ name: String) throws -> Int64 {
        try #require(try connect().call(29001).json()["counters"]?[name]?.integer)
    }
}

/// A broker that repeats its registration and a client that looks its topic up all the time, on a thread of their own.
private final class Bystanders: @unchecked Sendable {
    static let broker = "steady"
    static let address = "10.9.9.9:10911"

    private let brokerSide: RawConnection
    private let clientSide: RawConnection
    private let condition = NSCondition()
    /// These four only with `condition` locked.
    private var lookups = 0
    private var longest = Duration.zero
    private var failure: String?
    private var isStopping = false

    init(port: UInt16) throws {
        brokerSide = try RawConnection(port: port)
        clientSide = try RawConnection(port: port)
        try register()
        Thread.detachNewThread { self.run() }
    }

    var slowest: Duration { condition.withLock { longest } }

    func stop() { condition.withLock { isStopping = true } }

    /// Waits for some more lookups; whatever went wrong since the start is thrown here.
    func expectProgress() throws {
        let before = condition.withLock { lookups }
        let goesOn = poll(within: .seconds(15)) { condition.withLock { failure != nil || lookups > before + 3 } }
        if let failure = condition.withLock({ failure }) { throw TestSupportError("a bystander: \(failure)") }
        if !goesOn { throw TestSupportError("the bystanders stand still") }
    }

    private func register() throws {
        let answer = try brokerSide.register(
            Registration {
                $0.broker = Self.broker
                $0.address = Self.address
                $0.topics = [RegisteredTopic("Steady"), RegisteredTopic("SteadyToo")]
            })
        if answer.code != 0 { throw TestSupportError("registering: \(answer.headerText)") }
    }

    private func run() {
        do {
            var rounds = 0
            while !condition.withLock({ isStopping }) {
                let start = ContinuousClock.now
                let route = try clientSide.route("Steady")
                let took = ContinuousClock.now - start
                guard route.code == 0, route.bodyText.contains(Self.address) else {
                    throw TestSupportError("lookup: \(route.headerText) \(route.bodyText)")
                }
                rounds += 1
                if rounds % 20 == 0 { try register() }
                condition.withLock {
                    lookups += 1
                    longest = max(longest, took)
                }
                pause(.milliseconds(2))
            }
        } catch {
            condition.withLock { failure = "\(error)" }
        }
    }
}

extension OwnThreadTrait: SuiteTrait {
    var isRecursive: Bool { true }
}

/// Lets this process, and the nodes it starts, hold many connections; answers how many are allowed.
func raiseDescriptorLimit(to count: Int) -> Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(max(limit.rlim_cur, rlim_t(count)), limit.rlim_max)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
}

/// A registration body of `count` topics in few bytes each, `prefix0` to `prefix<count - 1>`.
func manyTopics(_ count: Int, prefix: String = "t") -> [UInt8] {
    var body = Array(
        #"{"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":1},"topicConfigTable":{"#.utf8)
    body.reserveCapacity(count * 90)
    for index in 0..<count {
        if index > 0 { body.append(UInt8(ascii: ",")) }
        let name = "\(prefix)\(index)"
        body += Array(
            "\"\(name)\":{\"perm\":6,\"readQueueNums\":4,\"topicName\":\"\(name)\",\"writeQueueNums\":4}".utf8)
    }
    return body + Array("}}}".utf8)
}
