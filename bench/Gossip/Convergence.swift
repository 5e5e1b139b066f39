import Basics
import GossipCore

// How many periods until all nodes know what one of them heard (G3).

extension GossipBench {
    /// Periods from a registration at one node until every other node knows of the difference, and until every other
    /// node serves it (mode replicate).
    public static func convergence(nodes: [Int], trials: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "convergence", "Periods (1 s) until all nodes know a registration that one node heard",
            columns: [
                "nodes", "loss", "trials", "known mean", "known p99", "known most", "served mean", "served p99",
                "served most",
            ])
        let losses: [(String, BenchLoss)] = [
            ("none", .none), ("20 % of frames", .frames(perMille: 200)), ("20 % of segments", .segments(perMille: 200)),
        ]
        for count in nodes {
            for (name, loss) in losses {
                let times = times(
                    nodes: count, loss: loss, trials: max(3, trials / max(1, count * count / 9)), seed: seed)
                section.add(
                    .count(count), .text(name), .count(times.known.values.count), .hundredths(times.known.mean),
                    .hundredths(times.known.quantile(0.99)), .hundredths(times.known.max),
                    .hundredths(times.served.mean), .hundredths(times.served.quantile(0.99)),
                    .hundredths(times.served.max))
                if count <= 7, case .none = loss {
                    section.goal(
                        "G3 \(count) nodes know within periods, p99.9", times.known.quantile(0.999), atMost: 1.2)
                }
            }
        }
        section.notes = [
            "Full mesh: every node compares with every other one once a period, so what one node heard is known to all after one "
                + "exchange, whatever their number; served needs a second exchange and the image.",
            "There is no relay and no overlay (ALGORITHM.md says why): 64 nodes are what cluster.yaml allows; `mesh` shows what more cost.",
            "Lost frames never arrive (harsher than TCP); lost segments are sent again after 200 ms, 400 ms and so on.",
        ]
        return section
    }

    private static func times(
        nodes count: Int, loss: BenchLoss, trials: Int, seed: UInt64
    ) -> (known: Sample, served: Sample) {
        let cluster = BenchCluster(nodes: count, mode: .replicate, seed: seed)
        for broker in 0..<10 { for node in cluster.nodes { cluster.register(broker, at: node) } }
        cluster.start()
        cluster.loss = loss
        var (known, served) = (Sample(), Sample())
        var random = SeededGenerator(seed: seed)
        for trial in 0..<trials {
            let broker = 100 + trial
            cluster.run(cluster.draw(below: .seconds(2)))
            let origin = cluster.nodes[Int.random(in: 0..<count, using: &random)]
            let others = cluster.nodes.filter { $0 !== origin }
            let begin = cluster.now
            cluster.register(broker, at: origin, phase: .nanoseconds(begin.nanoseconds % 30_000_000_000))
            let name = "broker-\(broker)"
            // Once known is known: with many lost frames some link is always down, and what hung on it is shown no longer.
            var ignorant = others
            let isKnown = cluster.run(
                until: {
                    ignorant.removeAll { $0.knows(name, of: origin.name) }
                    return ignorant.isEmpty
                }, limit: .seconds(120))
            precondition(isKnown, "\(name) was not known after 120 periods")
            known.add(Double((cluster.now - begin).wholeMilliseconds) / 1_000)
            let isServed = cluster.run(
                until: { others.allSatisfy { $0.learned[name] != nil } }, limit: .seconds(120))
            precondition(isServed, "\(name) was not served after 120 periods")
            served.add(Double((cluster.now - begin).wholeMilliseconds) / 1_000)
            cluster.expire(broker, at: origin)
        }
        return (known, served)
    }
}

extension BenchNode {
    /// Whether this node knows that the peer has a broker which it lacks.
    func knows(_ broker: String, of peer: String) -> Bool {
        core.status(tables: tables, now: tables.now).divergences.contains {
            $0.kind == .missingHere && $0.peer == peer && $0.replica?.name == broker
        }
    }
}
