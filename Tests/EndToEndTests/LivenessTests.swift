// S4: brokers heartbeat to all nodes, and a node stamps the time of the last one.
// S5: a broker silent for longer than its expiry leaves the routes at the next scan, not before.

import TestSupport
import Testing

@Suite(.ownThread) struct LivenessTests {
    /// What a busy machine may add to a heartbeat or a scan. Far below a missed heartbeat chain or a second expiry.
    private let slack: Int64 = 800

    @Test func agesStayBelowOneHeartbeatAtEveryNode() throws {
        let heartbeat = 500
        // Masters only: a slave registers again when it has learned its master's topics.
        let groups = ["broker-a", "broker-b"].map { GroupUnderTest(name: $0, ids: [0]) }
        let cluster = try ClusterUnderTest.started(
            groups: groups, rhythm: Rhythm(heartbeat: heartbeat, scan: 100, expiry: 30_000))
        let first = try cluster.nodes.map { try $0.view() }
        var stamps: [[String: Set<Int64>]] = Array(repeating: [:], count: cluster.nodes.count)
        var oldest: Int64 = 0
        // At least four heartbeats, by the first node's clock.
        try poll(within: .seconds(30), every: .milliseconds(20)) {
            var elapsed = Int64.max
            for (index, node) in cluster.nodes.enumerated() {
                let view = try node.view()
                elapsed = min(elapsed, view.uptime - first[index].uptime)
                for broker in cluster.brokers {
                    let listed = try #require(view.brokers[broker.name], "\(broker.name) left \(node.name)")
                    oldest = max(oldest, listed.age)
                    // One stamp shows up with a jitter of a millisecond.
                    let stamp = view.wall - listed.age
                    let known = stamps[index][broker.name, default: []]
                    if !known.contains(where: { abs($0 - stamp) <= 50 }) {
                        stamps[index][broker.name, default: []].insert(stamp)
                    }
                }
            }
            return elapsed >= Int64(4 * heartbeat) + 200
        }
        #expect(oldest <= Int64(heartbeat) + slack)
        for (index, node) in cluster.nodes.enumerated() {
            for broker in cluster.brokers {
                // The stamp of each of four heartbeats, but for one that fell between two looks.
                #expect(stamps[index][broker.name, default: []].count >= 4, "\(broker.name) at \(node.name)")
            }
        }
        // Heartbeats change no table: they took the fast path.
        let last = try cluster.nodes.map { try $0.view() }
        for (before, after) in zip(first, last) {
            let beats = (after.counters["heartbeats"] ?? 0) - (before.counters["heartbeats"] ?? 0)
            #expect(beats >= 3 * Int64(cluster.brokers.count))
            #expect(after.events.count == before.events.count)
        }
    }

    @Test func theAgeOfASilentBrokerGrowsAndFallsWithItsNextHeartbeat() throws {
        let cluster = try ClusterUnderTest.started(rhythm: Rhythm(heartbeat: 300, scan: 100, expiry: 30_000))
        let broker = cluster.broker("broker-a:0")
        try broker.pause()
        for node in cluster.nodes {
            let grown = try poll { try node.view().brokers[broker.name]?.age ?? 0 > 1_500 }
            #expect(grown, "\(node.name)")
        }
        try broker.resume()
        for node in cluster.nodes {
            let fallen = try poll { try node.view().brokers[broker.name]?.age ?? .max < 300 }
            #expect(fallen, "\(node.name)")
            #expect(try node.view().events("expired", of: broker.name).isEmpty)
        }
    }

    @Test func aSilentBrokerLeavesEveryNodeAtItsExpiryAndNotBefore() throws {
        let cluster = try ClusterUnderTest.started()
        let silent = cluster.broker("broker-b:0")
        let others = cluster.brokers.filter { $0.name != silent.name }
        let all = cluster.addresses(of: cluster.brokers)
        let without = cluster.addresses(of: others)
        try silent.pause()
        var lastHeartbeats = [Int64](repeating: .min, count: cluster.nodes.count)
        var gone = Set<Int>()
        let everywhere = try poll(within: .seconds(20)) {
            for (index, node) in cluster.nodes.enumerated() where !gone.contains(index) {
                let route = try node.route("orders")
                let view = try node.view()
                if let listed = view.brokers[silent.name] {
                    lastHeartbeats[index] = view.wall - listed.age
                    // Silent, but its connection is open: only the expiry can make it leave.
                    #expect(listed.isConnected && listed.timeout == Int64(cluster.rhythm.expiry))
                    // Listed after the route was asked for, so it was in the route.
                    #expect(route == all, "\(node.name)")
                } else {
                    gone.insert(index)
                }
            }
            return gone.count == cluster.nodes.count
        }
        try #require(everywhere, "it stays in the tables")
        for (index, node) in cluster.nodes.enumerated() {
            let view = try node.view()
            let expired = try #require(view.events("expired", of: silent.name).first, "\(node.name): \(view.events)")
            let silence = expired.wall - lastHeartbeats[index]
            // Two readings of a clock in milliseconds may be one off.
            #expect(silence >= Int64(cluster.rhythm.expiry) - 2, "\(node.name)")
            #expect(silence <= Int64(cluster.rhythm.expiry + cluster.rhythm.scan) + slack, "\(node.name)")
            #expect(try node.route("orders") == without, "\(node.name)")
            for other in others { #expect(view.events("expired", of: other.name).isEmpty, "\(other.name)") }
        }
        // It was not dead: it comes back with its next registration, at every node.
        try silent.resume()
        try cluster.waitUntilListed(cluster.brokers, at: cluster.nodes)
        for node in cluster.nodes { #expect(try node.route("orders") == all, "\(node.name)") }
    }

    /// The design's reason for many nodes: each decides by its own clock and what it heard itself.
    @Test func aBrokerThatOneNodeCannotHearLeavesThatNodeOnly() throws {
        let cluster = try ClusterUnderTest.started(nodes: 2)
        let deaf = cluster.nodes[0]
        try deaf.pause()
        // The other node goes on: each broker's stamp moves by more than its expiry.
        let from = try cluster.nodes[1].view()
        let moved = try poll(within: .seconds(20)) {
            let view = try cluster.nodes[1].view()
            return try cluster.brokers.allSatisfy { broker in
                let before = try #require(from.lastHeartbeat(of: broker.name))
                let now = try #require(view.lastHeartbeat(of: broker.name), "\(broker.name) left")
                return now - before > Int64(cluster.rhythm.expiry)
            }
        }
        #expect(moved)
        try deaf.resume()
        try cluster.waitUntilListed(cluster.brokers, at: cluster.nodes)
        #expect(try deaf.route("orders") == cluster.addresses(of: cluster.brokers))
    }

    @Test func aBrokerThatSaysGoodbyeLeavesAtOnce() throws {
        let cluster = try ClusterUnderTest.started(rhythm: Rhythm(heartbeat: 1_000, scan: 100, expiry: 60_000))
        try cluster.broker("broker-a:1").terminate()
        let others = cluster.brokers.filter { $0.name != "broker-a:1" }
        for node in cluster.nodes {
            // It has exited, so every node has answered its request already.
            #expect(try node.route("orders") == cluster.addresses(of: others), "\(node.name)")
            #expect(try node.view().events("unregistered", of: "broker-a:1").count == 1, "\(node.name)")
        }
    }
}
