import Basics
import Testing

@testable import GossipCore

/// What the scenarios of the simulator found.
@Suite struct GossipFindingsTests {
    /// Evidence from before an eviction proves nothing, but does not keep from asking for newer, either.
    @Test func evictedReplicaIsLearnedAtItsNextHeartbeat() {
        let cluster = CoreCluster(["a", "b"], mode: .replicate)
        let (a, b) = (cluster["a"], cluster["b"])
        for node in [a, b] { cluster.register(1, at: node) }
        // The broker's way to "a" is cut; "b" hears it every 30 s, the last time at 120 s.
        for _ in 0..<4 {
            cluster.run(.seconds(30))
            cluster.register(1, at: b)
        }
        cluster.run(.seconds(7))
        cluster.leave(1, at: a, .expired)
        cluster.run(.seconds(20))
        #expect(a.learned.isEmpty, "nothing newer than the eviction is known yet")
        cluster.run(.seconds(3))
        cluster.register(1, at: b)
        #expect(cluster.run(until: { !a.learned.isEmpty }, limit: .seconds(5)))
    }

    /// A clock that runs slow is found out at every exchange, and is one alarm all the same.
    @Test func slowClockIsOneAlarm() {
        let cluster = CoreCluster(["a", "b"], mode: .protect)
        let node = cluster["b"]
        cluster.run(.seconds(10))
        for _ in 0..<200 {
            cluster.run(.seconds(1))
            cluster.freeze(node, for: .milliseconds(20))
        }
        #expect(node.events.count { $0.kind == .stalled } == 1)
        #expect(node.core.stalls.total >= .seconds(3), "it counts all the same")
        cluster.freeze(node, for: .seconds(30))
        cluster.run(.seconds(5))
        #expect(node.events.count { $0.kind == .stalled } >= 2, "a long one is told at once")
    }
}
