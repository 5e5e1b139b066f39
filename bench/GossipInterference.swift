import Basics
import Glibc
import GossipBench
import Platform

/// What gossip costs those who ask for routes, and in memory (G8). Three clusters of three nodes run side by side, with gossip off, observing and
/// replicating; one node of each is asked in turn, so that whatever else the machine does meets all alike.
final class GossipInterference {
    private let hearsay: String
    private let brokers: Int
    private let differing: Int
    private static let topics = 10

    init(hearsay: String, brokers: Int, differing: Int) {
        self.hearsay = hearsay
        self.brokers = brokers
        self.differing = differing
    }

    func run(rounds: Int, lookups: Int) throws(PlatformError) -> BenchSection {
        var section = BenchSection(
            "interference",
            "Route lookups of one of three nodes, \(brokers) brokers of which \(differing) differ (\(rounds) rounds, alternating)",
            columns: [
                "gossip", "p50 us", "p99 us", "p99 ratio to off, median", "resident MiB", "B per broker more than off",
            ])
        let modes = ["off", "observe", "replicate"]
        let fleet = BrokerFleet(count: brokers, topics: Self.topics)
        let common = BrokerFleet(count: brokers - differing, topics: Self.topics)
        var clusters: [GossipNodes] = []
        defer { for cluster in clusters { cluster.stopAll() } }
        var held: [BlockingConnection] = []
        for mode in modes {
            let nodes = try GossipNodes(count: 3, hearsay: hearsay, mode: mode)
            clusters.append(nodes)
            for index in 0..<3 { try nodes.start(index) }
            // All of them with the first node, the differing ones not with the others.
            held += try fleet.register(at: nodes.addresses.prefix(1))
            held += try common.register(at: nodes.addresses.dropFirst())
        }
        // Differences are known, reported and, where they may be, learned by then.
        sleep(10)
        let resident = clusters.map { $0.residentBytes(0) }
        var (p50, p99) = ([[Double]](repeating: [], count: 3), [[Double]](repeating: [], count: 3))
        for _ in 0..<rounds {
            for index in modes.indices {
                let times = try latencies(of: clusters[index].addresses[0], count: lookups)
                p50[index].append(times[times.count / 2])
                p99[index].append(times[times.count * 99 / 100])
            }
        }
        withExtendedLifetime(held) {}
        for (index, mode) in modes.enumerated() {
            let ratios = zip(p99[index], p99[0]).map { $0 / $1 }
            let more = Double(resident[index] - resident[0]) / Double(brokers)
            section.add(
                .text(mode), .tenths(median(p50[index])), .tenths(median(p99[index])), .hundredths(median(ratios)),
                .tenths(Double(resident[index]) / 1_048_576), .count(Int(more)))
            if index > 0 {
                section.goal("G8 p99 of lookups against off, \(mode)", median(ratios), atMost: 1.02)
            }
        }
        let room = Double(resident[1] - resident[0] - 262_144) / Double(brokers)
        section.goal("G8 memory per broker beyond 256 KB, observe, B", room, atMost: 150)
        section.notes = [
            "Lookups one after the other on one connection, \(lookups) a round; each round's p99 is set against the one of gossip off "
                + "in the same round. Memory holds the registration images (\(Self.topics) topics a broker)."
        ]
        return section
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private func latencies(of address: Address, count: Int) throws(PlatformError) -> [Double] {
        let connection = BlockingConnection(to: address)
        var times: [Double] = []
        for lookup in 0..<count {
            let topic = BrokerFleet.topic(lookup % Self.topics, of: lookup % max(1, (brokers - differing) / 10))
            let begin = monotonicNanoseconds()
            guard connection?.route(topic)?.code == 0 else {
                throw PlatformError(operation: "look up \(topic) at \(address)", name: "EIO", message: "no route")
            }
            times.append(Double(monotonicNanoseconds() - begin) / 1_000)
        }
        return times.sorted()
    }
}
