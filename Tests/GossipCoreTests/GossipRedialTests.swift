import Basics
import Testing

@testable import GossipCore

/// After an outage nodes find each other again within a few periods, and dial no more often than they must meanwhile.
@Suite("Gossip: links after an outage")
struct GossipRedialTests {
    private func isMeshed(_ cluster: CoreCluster) -> Bool {
        cluster.nodes.allSatisfy { node in node.core.peers.allSatisfy { $0.link != nil } }
    }

    private func cutOff(_ name: String, _ cluster: CoreCluster) -> Set<String> {
        Set(cluster.nodes.filter { $0.name != name }.flatMap { ["\(name)>\($0.name)", "\($0.name)>\(name)"] })
    }

    /// The rest of a dial that began before (it fails after 1 s here), the longest backoff, the other end's two periods, and frames.
    @Test("two nodes", arguments: 1...20 as ClosedRange<UInt64>)
    func two(seed: UInt64) {
        let cluster = CoreCluster(["a", "b"], seed: seed)
        cluster.run(.seconds(5))
        cluster.cut = ["a>b", "b>a"]
        cluster.run(.seconds(60 + Int(seed)))
        #expect(!isMeshed(cluster))
        cluster.cut = []
        #expect(cluster.run(until: { isMeshed(cluster) }, limit: .milliseconds(6_100)))
    }

    @Test("one of five that was cut off: when it is back with one, it is with all within a period")
    func one() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let cluster = CoreCluster(["a", "b", "c", "d", "e"], seed: seed)
            cluster.run(.seconds(5))
            cluster.cut = cutOff("c", cluster)
            cluster.run(.seconds(90))
            cluster.cut = []
            #expect(cluster.run(until: { cluster["c"].core.peers.contains { $0.link != nil } }, limit: .seconds(6)))
            // A dial that is just failing is one more.
            #expect(cluster.run(until: { isMeshed(cluster) }, limit: .milliseconds(2_200)), "seed \(seed)")
        }
    }

    @Test("ten times faster timings: ten times as soon")
    func fast() {
        let cluster = CoreCluster(["a", "b"]) { ($0.period, $0.heartbeat) = (.milliseconds(100), .seconds(3)) }
        cluster.run(.seconds(5))
        cluster.cut = ["a>b", "b>a"]
        cluster.run(.seconds(60))
        cluster.cut = []
        #expect(cluster.run(until: { isMeshed(cluster) }, limit: .milliseconds(1_600)))
    }

    @Test("a slow cluster's backoff ends at half a minute, and is a period at least")
    func backoff() {
        var settings = CoreCluster(["a"]).nodes[0].settings
        #expect(settings.longestBackoff == .seconds(5))
        settings.heartbeat = .seconds(600)
        #expect(settings.longestBackoff == .seconds(30))
        settings.period = .seconds(60)
        #expect(settings.longestBackoff == .seconds(60))
    }

    @Test("no storm: a peer that is away is dialled once in three seconds or so")
    func quiet() {
        let cluster = CoreCluster(["a", "b"])
        cluster.run(.seconds(5))
        cluster.cut = ["a>b", "b>a"]
        cluster.run(.seconds(20))
        let before = cluster.dials
        cluster.run(.seconds(300))
        // Two nodes; each dial takes 1 s to fail and is followed by 2.5 s on average, at the higher name by 4.5 s.
        #expect((100...180).contains(cluster.dials - before), "\(cluster.dials - before) dials in 300 s")
    }
}
