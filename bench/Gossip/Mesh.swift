import Basics
import GossipCore

// What a full mesh of many nodes costs each of them, and how fast it knows (G3). There is no relay: see ALGORITHM.md.

extension GossipBench {
    /// A full mesh in which all nodes heard the same ten brokers, and now and then one hears a further one.
    ///
    /// Time and memory go with the square of the number: 100 nodes are 15,000 frames a second of virtual time.
    public static func mesh(nodes: [Int], seconds: Int, trials: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "mesh", "A full mesh of many nodes (\(seconds) s of virtual time, \(trials) registrations)",
            columns: [
                "nodes", "links per node", "known mean", "known most", "KB/s per node", "KB/s with TCP/IP",
                "CPU ms/s per node", "longest turn us",
            ])
        for count in nodes {
            let cluster = BenchCluster(nodes: count, interval: .seconds(6), timeout: .seconds(24), seed: seed)
            for broker in 0..<10 { for node in cluster.nodes { cluster.register(broker, at: node) } }
            cluster.start()
            cluster.run(.seconds(seconds))
            let span = Double(seconds)
            let (bytes, exchanges) = cluster.nodes.indices.reduce(into: (0, 0)) {
                $0.0 += cluster.bytes(from: $1)
                $0.1 += cluster.frames(from: $1, kinds: [3])
            }
            let overhead = exchanges * NaiveModels.segmentsPerExchange * NaiveModels.segmentOverhead
            let busy = cluster.nodes.reduce(0) { $0 + $1.turns.total }
            let longest = cluster.nodes.map(\.turns.longest).max() ?? 0
            let known = knowing(cluster, trials: trials)
            // What is sent by one is received by another.
            let share = 2 / span / Double(count) / 1_000
            section.add(
                .count(count), .count(count - 1), .hundredths(known.mean), .hundredths(known.max),
                .tenths(Double(bytes) * share), .tenths(Double(bytes + overhead) * share),
                .tenths(Double(busy) / span / Double(count) / 1_000_000), .tenths(Double(longest) / 1_000))
        }
        section.notes = [
            "Known: periods (1 s) until every other node knows the difference, looked at every 10 ms.",
            "KB/s: sent and received together. CPU: thread time of the core, building frames included, sockets and TLS not.",
        ]
        return section
    }

    private static func knowing(_ cluster: BenchCluster, trials: Int) -> Sample {
        var known = Sample()
        for trial in 0..<trials {
            let broker = 100 + trial
            cluster.run(cluster.draw(below: .seconds(2)))
            let origin = cluster.nodes[trial * 7 % cluster.nodes.count]
            let begin = cluster.now
            cluster.register(broker, at: origin)
            var ignorant = cluster.nodes.filter { $0 !== origin }
            while !ignorant.isEmpty {
                precondition(cluster.now - begin < .seconds(60), "broker-\(broker) was not known after 60 periods")
                cluster.run(.milliseconds(10))
                ignorant.removeAll { $0.knows("broker-\(broker)", of: origin.name) }
            }
            known.add(Double((cluster.now - begin).wholeMilliseconds) / 1_000)
            cluster.expire(broker, at: origin)
        }
        return known
    }
}
