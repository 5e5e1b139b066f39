// S2: at start every broker registers with all NameServers, so that every node has the whole picture.

import TestSupport
import Testing

@Suite(.ownThread) struct RegistrationTests {
    /// Under load a process is scheduled late; a wrong design is late by seconds (a backoff, another node's timeout).
    private let slack: Int64 = 700

    @Test func everyBrokerRegistersWithEveryNodeAtStart() throws {
        // A heartbeat that never comes: what is listed is listed because of the start.
        let cluster = try ClusterUnderTest.started(rhythm: Rhythm(heartbeat: 60_000, scan: 100, expiry: 120_000))
        for node in cluster.nodes {
            let view = try node.view()
            #expect(view.brokers.mapValues(\.address) == addressesByName(cluster), "\(node.name)")
            #expect(try node.route("orders") == cluster.addresses(of: cluster.brokers), "\(node.name)")
            let queues = try #require(try node.connect().queues("orders"))
            #expect(queues == ["broker-a": RouteQueue(read: 4, write: 4), "broker-b": RouteQueue(read: 4, write: 4)])
        }
    }

    @Test func aDeadNodeDelaysNoOther() throws {
        // ns-1 accepts connections and never answers, ns-2 is not there at all.
        let cluster = try ClusterUnderTest(rhythm: Rhythm(heartbeat: 60_000, scan: 100, expiry: 120_000))
        try cluster.nodes[0].start()
        try cluster.nodes[0].pause()
        try cluster.start([cluster.nodes[2]] + cluster.brokers)
        try cluster.waitUntilListed(cluster.brokers, at: [cluster.nodes[2]])
        let view = try cluster.nodes[2].view()
        for broker in cluster.brokers {
            let first = try #require(view.events("registered", of: broker.name).first)
            // Brokers and node started together. Who waits for ns-1 waits at least 3 s, RocketMQ's connect timeout.
            #expect(first.wall - view.startedAt < 2_500, "\(broker.name)")
        }
    }

    @Test func aNodeThatStartsLateIsFilledWithinOneHeartbeat() throws {
        let cluster = try ClusterUnderTest(rhythm: Rhythm(heartbeat: 500, scan: 100, expiry: 2_000))
        let early = Array(cluster.nodes[..<2])
        try cluster.start(early + cluster.brokers)
        try cluster.waitUntilListed(cluster.brokers, at: early)
        try cluster.nodes[2].start()
        try expectFilledWithinOneHeartbeat(cluster, cluster.nodes[2])
    }

    @Test func aNodeThatRestartsEmptyIsFilledWithinOneHeartbeat() throws {
        let cluster = try ClusterUnderTest.started(rhythm: Rhythm(heartbeat: 500, scan: 100, expiry: 2_000))
        for node in cluster.nodes {
            try node.kill()
            try node.start()
            try expectFilledWithinOneHeartbeat(cluster, node)
        }
    }

    /// By the node's own clock, from its start to the first registration of each broker.
    private func expectFilledWithinOneHeartbeat(_ cluster: ClusterUnderTest, _ node: ClusterMember) throws {
        try cluster.waitUntilListed(cluster.brokers, at: [node])
        let view = try node.view()
        for broker in cluster.brokers {
            let first = try #require(view.events("registered", of: broker.name).first, "\(broker.name)")
            let delay = first.wall - view.startedAt
            #expect(delay <= Int64(cluster.rhythm.heartbeat) + slack, "\(broker.name) at \(node.name)")
        }
        #expect(try node.route("orders") == cluster.addresses(of: cluster.brokers))
    }

    private func addressesByName(_ cluster: ClusterUnderTest) -> [String: String] {
        Dictionary(uniqueKeysWithValues: cluster.brokers.map { ($0.name, $0.address) })
    }
}
