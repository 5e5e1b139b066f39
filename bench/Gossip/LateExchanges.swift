import Basics
import GossipCore

// CPU and size of exchanges that ask about late brokers, and the longest single turn (G1, G8).

extension GossipBench {
    /// Both nodes ask about `asks` brokers that have fallen silent, the most that one exchange may hold.
    public static func busyExchanges(brokers: Int, asks: Int, seconds: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "busy", "Exchanges that ask about late brokers (\(brokers) brokers, \(seconds) s)",
            columns: [
                "asked about", "B per exchange", "CPU us per exchange and node", "longest turn us", "the longest was",
            ])
        for count in [0, 1, 32, asks] {
            let cluster = pair(of: brokers, seed: seed)
            for broker in 0..<count { cluster.nodes[0].tables[broker]?.cutAt = cluster.now }
            cluster.run(.seconds(50))
            cluster.resetCounts()
            cluster.run(.seconds(seconds))
            let exchanges = max(1, cluster.frames(from: 0, kinds: [3]) + cluster.frames(from: 1, kinds: [3]))
            let total = cluster.nodes[0].turns.total + cluster.nodes[1].turns.total
            let longest = cluster.nodes.map(\.turns).max { $0.longest < $1.longest } ?? TurnTimes()
            section.add(
                .count(count), .tenths(Double(cluster.bytes(from: 0) + cluster.bytes(from: 1)) / Double(exchanges)),
                .tenths(Double(total) / Double(2 * exchanges) / 1_000), .tenths(Double(longest.longest) / 1_000),
                .text(longest.longestName))
            section.goal("G8 longest turn, \(count) late brokers, us", Double(longest.longest) / 1_000, atMost: 1_000)
        }
        section.notes = [
            "One node has lost the heartbeats of the brokers asked about; the other one answers with their ages."
        ]
        return section
    }

    /// The longest single turn while two nodes of `brokers` find `differing` differences and report them.
    public static func longestTurns(brokers: Int, differing: Int, seconds: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "turns", "The longest single turn with \(differing) of \(brokers) brokers differing (\(seconds) s)",
            columns: ["mode", "CPU us per exchange and node", "longest turn us", "the longest was"])
        for mode in [GossipMode.observe, .replicate] {
            let cluster = pair(of: brokers, mode: mode, seed: seed)
            for broker in brokers..<brokers + differing { cluster.register(broker, at: cluster.nodes[broker % 2]) }
            cluster.resetCounts()
            cluster.run(.seconds(seconds))
            let exchanges = max(1, cluster.frames(from: 0, kinds: [3]) + cluster.frames(from: 1, kinds: [3]))
            let total = cluster.nodes[0].turns.total + cluster.nodes[1].turns.total
            let longest = cluster.nodes.map(\.turns).max { $0.longest < $1.longest } ?? TurnTimes()
            section.add(
                .text(mode.name), .tenths(Double(total) / Double(2 * exchanges) / 1_000),
                .tenths(Double(longest.longest) / 1_000), .text(longest.longestName))
            section.goal(
                "G8 longest turn, \(differing) differing, \(mode.name), us", Double(longest.longest) / 1_000,
                atMost: 1_000)
        }
        return section
    }
}
