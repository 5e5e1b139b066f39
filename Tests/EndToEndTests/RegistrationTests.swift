// S2: at start every broker registers with all NameServers, so that every node has the whole picture.

import Glibc
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
            let start = try broker.running().line { $0.contains("a stand-in for demonstrations") ? wallTime($0) : nil }
            // Who waits for ns-1 waits at least 3 s, RocketMQ's connect timeout.
            #expect(first.wall - start < 1_500, "\(broker.name)")
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

    /// Milliseconds since 1970 of a line that begins with `2026-11-24T22:24:38.123Z`.
    private func wallTime(_ line: String) -> Int64? {
        let numbers = line.prefix(23).split { !$0.isNumber }.compactMap { Int32($0) }
        guard numbers.count == 7 else { return nil }
        var parts = tm()
        parts.tm_year = numbers[0] - 1900
        parts.tm_mon = numbers[1] - 1
        parts.tm_mday = numbers[2]
        parts.tm_hour = numbers[3]
        parts.tm_min = numbers[4]
        parts.tm_sec = numbers[5]
        return Int64(timegm(&parts)) * 1000 + Int64(numbers[6])
    }

    private func addressesByName(_ cluster: ClusterUnderTest) -> [String: String] {
        Dictionary(uniqueKeysWithValues: cluster.brokers.map { ($0.name, $0.address) })
    }
}
