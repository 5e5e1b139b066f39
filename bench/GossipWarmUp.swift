import Basics
import Glibc
import GossipBench
import Platform

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
            let held = try fleet.register(at: nodes.addresses.prefix(2))
            for address in nodes.addresses.prefix(2) { _ = readiness(of: address, known: [], limit: 120) }
            var results: [Readiness] = []
            for _ in 0..<repeats {
                results.append(try restart(2, of: nodes))
                nodes.stop(2)
            }
            withExtendedLifetime(held) {}
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

    private struct Readiness {
        /// Milliseconds; more than the limit when it never came.
        var ready = Double.infinity
        var firstAnswer = Double.infinity
        /// Known topics of which the node said that there are none.
        var missing = 0
        /// Known topics for which it asked for patience.
        var gated = 0
        /// Routes without all of their brokers, once it was ready.
        var incomplete = 0
        var cpu = 0.0
    }

    private func restart(_ index: Int, of nodes: GossipNodes) throws(PlatformError) -> Readiness {
        let sets = max(1, brokers / BrokerFleet.brokersPerSet)
        let known = (0..<sets).map { BrokerFleet.topic($0 % topics, of: $0) }
        let address = nodes.addresses[index]
        try nodes.start(index, waits: false)
        var result = readiness(of: address, known: known, limit: 60)
        result.cpu = nodes.cpuSeconds(index)
        guard result.ready < .infinity, let connection = BlockingConnection(to: address) else {
            throw PlatformError(operation: "wait for \(address)", name: "ETIMEDOUT", message: "not ready after 60 s")
        }
        for topic in known {
            guard let answer = connection.route(topic) else { continue }
            if answer.code == 17 { result.missing += 1 }
            if Self.count("brokerAddrs", in: answer.body) != min(BrokerFleet.brokersPerSet, brokers) {
                result.incomplete += 1
            }
        }
        return result
    }

    /// Asks a node every 2 ms for an unknown topic and a known one until it says that there is no unknown one.
    private func readiness(of address: Address, known: [String], limit: Int) -> Readiness {
        var result = Readiness()
        let begin = monotonicNanoseconds()
        var connection: BlockingConnection?
        var asked = 0
        while monotonicNanoseconds() - begin < limit * 1_000_000_000 {
            usleep(2_000)
            connection = connection ?? BlockingConnection(to: address)
            guard let open = connection else { continue }
            guard let answer = open.route("nobody-has-it") else {
                connection = nil
                continue
            }
            let passed = Double(monotonicNanoseconds() - begin) / 1e6
            result.firstAnswer = min(result.firstAnswer, passed)
            if answer.code == 17 {
                result.ready = passed
                return result
            }
            guard !known.isEmpty, let route = open.route(known[asked % known.count]) else { continue }
            asked += 1
            if route.code == 17 { result.missing += 1 }
            if route.code == 1 { result.gated += 1 }
        }
        return result
    }

    private static func count(_ word: String, in body: [UInt8]) -> Int {
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
