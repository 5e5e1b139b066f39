import Basics
import EventLoop
import GossipBench
import Platform
import Remoting
import RemotingTransport

/// How long a node takes from its start until it serves what the others know (G7).
final class GossipWarmUp {
    private let hearsay: String
    private let brokers: Int
    private let topics: Int

    init(hearsay: String, brokers: Int, topics: Int) {
        self.hearsay = hearsay
        self.brokers = brokers
        self.topics = topics
    }

    /// Starts two nodes, registers all brokers with both, and starts a third node again and again.
    func run(modes: [String], repeats: Int) throws(PlatformError) -> BenchSection {
        var section = BenchSection(
            "warmUp",
            "From the start of the third process until it is ready, \(brokers) brokers × \(topics) topics (two real nodes, loopback)",
            columns: [
                "mode", "ready ms, minimum", "median", "most", "first answer ms", "no such topic", "gated",
                "routes incomplete when ready", "CPU s of the new node",
            ])
        let fleet = BrokerFleet(count: brokers, topics: topics)
        for mode in modes {
            let nodes = try GossipNodes(count: 3, hearsay: hearsay, mode: mode)
            defer { nodes.stopAll() }
            try nodes.start(0)
            try nodes.start(1)
            let loop = try EventLoop()
            let fleets = try register(fleet, at: nodes.addresses.prefix(2), on: loop)
            waitUntilReady(nodes.addresses.prefix(2), on: loop)
            var results: [Result] = []
            for _ in 0..<repeats {
                results.append(try restart(2, of: nodes, on: loop))
                nodes.stop(2)
            }
            withExtendedLifetime(fleets) {}
            let ready = results.map(\.ready).sorted()
            let median = ready[ready.count / 2]
            section.add(
                .text(mode), .count(Int(ready[0])), .count(Int(median)), .count(Int(ready[ready.count - 1])),
                .count(Int(results.map(\.firstAnswer).sorted()[results.count / 2])),
                .count(results.reduce(0) { $0 + $1.missing }), .count(results.reduce(0) { $0 + $1.gated }),
                .count(results.reduce(0) { $0 + $1.incomplete }),
                .hundredths(results.map(\.cpu).sorted()[results.count / 2]))
            section.goal("G7 ready within ms, \(mode), median of \(repeats)", median, atMost: 2_000)
            section.goal(
                "G7 TOPIC_NOT_EXIST for known topics, \(mode)", Double(results.reduce(0) { $0 + $1.missing }), atMost: 0
            )
            section.goal(
                "G7 incomplete routes once ready, \(mode)", Double(results.reduce(0) { $0 + $1.incomplete }), atMost: 0)
        }
        section.notes = [
            "The process is started anew each time, with empty tables; no broker registers with it. From its first answer on it is "
                + "asked for known topics every 2 ms; ready is when it says of an unknown topic that there is none "
                + "(gateUnknownTopics). Then one topic of every ten brokers is looked up and its brokers are counted."
        ]
        return section
    }

    /// Registers the fleet with each node over four connections, which must be held on to.
    func register(
        _ fleet: BrokerFleet, at addresses: some Collection<Address>, on loop: EventLoop
    ) throws(PlatformError) -> [FrameRun] {
        let connections = 4
        var open = connections * addresses.count
        var runs: [FrameRun] = []
        for address in addresses {
            for part in 0..<connections {
                let count = (fleet.count - part + connections - 1) / connections
                let run = FrameRun(count: count) {
                    fleet.registration($0 * connections + part)
                } onDone: {
                    open -= 1
                    if open == 0 { loop.stop() }
                }
                runs.append(run)
                _ = loop.connect(to: address, timeout: .seconds(3), options: StreamOptions(), handler: run)
            }
        }
        loop.run()
        let accepted = runs.reduce(0) { $0 + $1.codes[0, default: 0] }
        guard accepted == fleet.count * addresses.count else {
            throw PlatformError(
                operation: "register \(fleet.count) brokers", name: "EIO", message: "\(accepted) registrations accepted"
            )
        }
        return runs
    }

    private func waitUntilReady(_ addresses: some Collection<Address>, on loop: EventLoop) {
        for address in addresses {
            let probe = ReadyProbe(loop: loop, address: address, knownTopics: [])
            probe.run(limit: .seconds(120))
        }
    }

    private struct Result {
        var ready: Double
        var firstAnswer: Double
        var missing: Int
        var gated: Int
        var incomplete: Int
        var cpu: Double
    }

    private func restart(_ index: Int, of nodes: GossipNodes, on loop: EventLoop) throws(PlatformError) -> Result {
        let sets = max(1, brokers / BrokerFleet.brokersPerSet)
        let known = (0..<sets).map { BrokerFleet.topic($0 % topics, of: $0) }
        let probe = ReadyProbe(loop: loop, address: nodes.addresses[index], knownTopics: known)
        try nodes.start(index, waits: false)
        probe.run(limit: .seconds(60))
        let cpu = nodes.cpuSeconds(index)
        let lookups = FrameRun(count: known.count) {
            Workload.encoded(
                RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": known[$0]]))
        } onDone: {
            loop.stop()
        }
        let expected = min(BrokerFleet.brokersPerSet, brokers)
        lookups.isComplete = { Self.count("brokerAddrs", in: $0) == expected }
        let stream = loop.connect(
            to: nodes.addresses[index], timeout: .seconds(3), options: StreamOptions(), handler: lookups)
        loop.run()
        stream.close()
        return Result(
            ready: probe.readyMilliseconds ?? 60_000, firstAnswer: probe.firstAnswerMilliseconds ?? 60_000,
            missing: probe.missing + lookups.codes[17, default: 0], gated: probe.gated,
            incomplete: lookups.incomplete, cpu: cpu)
    }

    private static func count(_ word: String, in body: UnsafeRawBufferPointer) -> Int {
        let word = Array(word.utf8)
        var (found, position) = (0, 0)
        while position + word.count <= body.count {
            if body[position] == word[0], body[position..<position + word.count].elementsEqual(word) {
                found += 1
                position += word.count
            } else {
                position += 1
            }
        }
        return found
    }
}

/// Asks a node again and again for an unknown topic and for known ones, until it is ready.
final class ReadyProbe {
    private(set) var readyMilliseconds: Double?
    private(set) var firstAnswerMilliseconds: Double?
    /// Known topics of which it said that there are none.
    private(set) var missing = 0
    /// Known topics for which it asked for patience.
    private(set) var gated = 0

    private static let pause = Duration.milliseconds(2)
    private let loop: EventLoop
    private let connection: RemotingConnection
    private let known: [String]
    private let begin: Instant
    private var asked = 0
    private var limit = Duration.zero
    private lazy var timer = loop.makeTimer { [weak self] in self?.ask() }

    /// The clock starts here.
    init(loop: EventLoop, address: Address, knownTopics: [String]) {
        self.loop = loop
        known = knownTopics
        connection = RemotingConnection(platform: loop, address: address)
        begin = loop.now
    }

    func run(limit: Duration) {
        self.limit = limit
        ask()
        loop.run()
        connection.close()
    }

    private func ask() {
        let isKnown = !known.isEmpty && !asked.isMultiple(of: 2)
        let topic = isKnown ? known[asked / 2 % known.count] : "nobody-has-it"
        asked += 1
        let question = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
        connection.call(question, timeout: .seconds(5)) { [weak self] result in self?.answered(result, isKnown) }
    }

    private func answered(_ result: Result<RemotingCommand, RemotingCallError>, _ isKnown: Bool) {
        let passed = Double((loop.now - begin).wholeNanoseconds) / 1e6
        if case .success(let answer) = result {
            firstAnswerMilliseconds = firstAnswerMilliseconds ?? passed
            if isKnown, answer.code == 17 { missing += 1 }
            if isKnown, answer.code == 1 { gated += 1 }
            if !isKnown, answer.code == 17 {
                readyMilliseconds = passed
                return loop.stop()
            }
        }
        if passed > Double(limit.wholeMilliseconds) { return loop.stop() }
        timer.start(at: loop.now + Self.pause)
    }
}
