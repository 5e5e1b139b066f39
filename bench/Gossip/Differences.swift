import Basics
import GossipCore

// What it costs to find out which brokers differ (G2).

extension GossipBench {
    private enum Kind {
        static let locating = (asks: [6, 8], answers: [7, 9])
        static let naming = (asks: [10], answers: [11])
    }

    /// Bytes and round trips until a node knows which brokers differ, and how they are called.
    ///
    /// - Parameter trials: for 100 differences and fewer; a tenth of it for more.
    public static func differences(
        _ counts: [Int], brokers: Int, trials: Int, seed: UInt64 = 1
    ) -> BenchSection {
        var section = BenchSection(
            "differences",
            "Finding the brokers that differ between two nodes of \(brokers) brokers (beyond the idle exchange)",
            columns: [
                "differing", "trials", "B mean", "B p99", "B most", "RTT mean", "RTT p99", "naming B mean",
                "naming RTT mean", "longest turn us", "whole list B",
            ])
        let cluster = pair(of: brokers, seed: seed)
        var next = brokers
        for count in counts {
            var (bytes, trips, naming, namingTrips) = (Sample(), Sample(), Sample(), Sample())
            cluster.resetCounts()
            let repeats = count > 100 ? max(2, trials / 10) : trials
            for trial in 0..<repeats {
                let cost = differ(cluster, by: count, from: next, trial)
                next += count
                bytes.add(Double(cost.locating.bytes))
                trips.add(Double(cost.locating.trips))
                naming.add(Double(cost.naming.bytes))
                namingTrips.add(Double(cost.naming.trips))
            }
            let longest = cluster.nodes.map(\.turns.longest).max() ?? 0
            section.add(
                .count(count), .count(repeats), .tenths(bytes.mean), .count(Int(bytes.quantile(0.99))),
                .count(Int(bytes.max)), .hundredths(trips.mean), .count(Int(trips.quantile(0.99))),
                .tenths(naming.mean), .hundredths(namingTrips.mean), .tenths(Double(longest) / 1_000),
                .count(16 * brokers))
            let limits = [1: (0.0, 0.0), 2: (300.0, 1.0), 10: (700.0, 2.0), 1_000: (27_000.0, 7.0)]
            if let (most, trip) = limits[count] {
                section.goal("G2 bytes, \(count) differing, p99", bytes.quantile(0.99), atMost: most)
                section.goal("G2 round trips, \(count) differing, p99", trips.quantile(0.99), atMost: trip)
            }
        }
        section.notes = [
            "One differing broker is one that only one node has; one whose registration differs counts as two. Each "
                + "falls to either node by chance.",
            "Counted for one of the two nodes; the other one finds out by itself and pays the same.",
            "Naming: asking for names and ages of the brokers that only the peer has, 128 at a time.",
        ]
        return section
    }

    /// Makes `count` brokers differ, lets the nodes find out, and makes them equal again.
    ///
    /// - Returns: what the first node caused, by purpose.
    private static func differ(
        _ cluster: BenchCluster, by count: Int, from first: Int, _ trial: Int
    ) -> (locating: Cost, naming: Cost) {
        var random = SeededGenerator(seed: UInt64(first) &* 7 &+ UInt64(trial))
        var placed: [(broker: Int, node: BenchNode)] = []
        for broker in first..<first + count {
            let node = cluster.nodes[Bool.random(using: &random) ? 0 : 1]
            cluster.register(broker, at: node)
            placed.append((broker, node))
        }
        cluster.resetTraffic()
        cluster.run(.milliseconds(1_500))
        let found = (cost(cluster, Kind.locating), cost(cluster, Kind.naming))
        for (broker, node) in placed { cluster.expire(broker, at: node) }
        cluster.run(.milliseconds(1_500))
        return found
    }

    private static func cost(_ cluster: BenchCluster, _ kinds: (asks: [Int], answers: [Int])) -> Cost {
        Cost(
            bytes: cluster.bytes(from: 0, kinds: kinds.asks) + cluster.bytes(from: 1, kinds: kinds.answers),
            trips: cluster.frames(from: 0, kinds: kinds.asks))
    }

    private struct Cost {
        var bytes: Int
        var trips: Int
    }
}
