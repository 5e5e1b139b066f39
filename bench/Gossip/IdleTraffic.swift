import Basics
import GossipCore

// What two nodes say to each other when nothing differs (G1).

extension GossipBench {
    /// Bytes a second on one link, both directions together, when all is well.
    public static func idleTraffic(brokers: [Int], seconds: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "idle", "Idle bytes per second on a link between two nodes, both directions (\(seconds) s of virtual time)",
            columns: [
                "brokers", "gossip frames", "with TCP/IP", "B per exchange", "whole list", "member digests",
                "CPU us per exchange and node",
            ])
        var rates: [Double] = []
        var cpu: [Double] = []
        for count in brokers {
            let cluster = pair(of: count, seed: seed)
            cluster.run(.seconds(seconds))
            let frames = Double(cluster.bytes(from: 0) + cluster.bytes(from: 1)) / Double(seconds)
            let exchanges = max(1, cluster.frames(from: 0, kinds: [3]) + cluster.frames(from: 1, kinds: [3]))
            let segments = Double(NaiveModels.segmentsPerExchange * NaiveModels.segmentOverhead)
            let wire = frames + segments * Double(exchanges) / Double(seconds)
            let time = Double(cluster.nodes[0].turns.total + cluster.nodes[1].turns.total) / Double(2 * exchanges)
            rates.append(wire)
            cpu.append(time / 1_000)
            section.add(
                .count(count), .tenths(frames), .tenths(wire),
                .tenths(frames * Double(seconds) / Double(exchanges)),
                .count(NaiveModels.wholeList(brokers: count)), .count(NaiveModels.memberDigests(brokers: count)),
                .tenths(time / 1_000))
        }
        let (most, least) = (rates.max() ?? 0, rates.min() ?? 0)
        let spread = (most - least) / (most + least) * 100
        section.goal("G1 bytes a second per link, with TCP/IP", rates.max() ?? 0, atMost: 500)
        section.goal("G1 spread over the numbers of brokers, ± per cent", spread, atMost: 2)
        section.goal("G1 CPU per exchange and node, us", cpu.max() ?? 0, atMost: 30)
        section.notes = [
            "TCP/IP: 3 segments and 2 acknowledgements of 52 bytes per exchange, without TLS (which adds 22 bytes per frame).",
            "CPU: thread time of everything the core did, watching for late brokers included; building frames, not sockets.",
            "Whole list: 16-byte rows, both ways, each second. Member digests: chitchat-like, 51 bytes per broker, both ways.",
        ]
        return section
    }

    /// Two ready nodes that heard the same brokers.
    static func pair(of brokers: Int, mode: GossipMode = .observe, seed: UInt64) -> BenchCluster {
        let cluster = BenchCluster(nodes: 2, mode: mode, seed: seed)
        for broker in 0..<brokers {
            let phase = cluster.draw(below: .seconds(30))
            for node in cluster.nodes { cluster.register(broker, at: node, phase: phase) }
        }
        cluster.start()
        return cluster
    }
}

/// Measurements of the gossip between nodes, on the production core in virtual time. Counts and bytes depend on nothing
/// but the seed; times are CPU times of this thread.
public enum GossipBench {}
