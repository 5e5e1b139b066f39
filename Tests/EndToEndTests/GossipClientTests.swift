// A client that nobody here wrote, Apache's C++ client, while the node that it asks loses sight of the brokers, hears them
// again, has its connections reset, and comes back empty (scenarios 4, 5, 7 and 12 of the gossip design).

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct GossipClientTests {
    private static let topics = (0..<10).map { "stream-\($0)" }
    private static let count = 500

    /// The producer asks for a route with the first message of each topic, and knows of the one node that is in trouble.
    @Test(arguments: ["protect", "replicate"]) func nothingIsLostAndNoSendFails(_ mode: String) throws {
        let topics = (Self.topics + ["steady"]).map { ($0, 2) }
        let rhythm = Rhythm(heartbeat: 1_000, scan: 200, expiry: 3_000, routePoll: 300)
        let cluster = try GossipCluster.started(
            GossipCluster.Plan(
                modes: [mode, mode, mode], topics: topics, rhythm: rhythm,
                gossip: ["gateUnknownTopics: true"]))
        let first = cluster.nodes[0]
        let links = cluster.brokers.map { cluster.link($0.name, first.name) }
        let watch = RouteWatch(first, Self.topics[9])
        let consumer = try CppClient.consumer(first, topics: Self.topics, group: "gossip")
        let producer = try CppClient.producer(
            first, topics: Self.topics, count: Self.count, pause: 0.002, holdingAt: 2, 4, 6, 8)
        // Another pair knows all nodes, is never told to wait, and does not know when what happens.
        let steadyConsumer = try CppClient.consumer(cluster, topics: ["steady"], group: "steady")
        let steady = try CppClient.producer(cluster, topics: ["steady"], count: Self.count, pause: 0.015)
        try producer.waitUntilSent(99)
        try steady.waitUntilSent(19)

        // Without gossip the node would have no route by then.
        for link in links { link.cut() }
        try cluster.wait("the node keeps both brokers") {
            let view = try first.view()
            return cluster.brokers.allSatisfy { !view.events("held", of: $0.name).isEmpty }
        }
        try producer.release(2)
        try producer.waitUntilSent(199)

        for link in links { link.heal() }
        try cluster.settle()
        try producer.release(4)
        try producer.waitUntilSent(299)

        for link in links { link.reset() }
        try cluster.wait("the node has seen the resets") {
            let view = try first.view()
            return cluster.brokers.allSatisfy { !view.events("closing", of: $0.name).isEmpty }
        }
        try producer.release(6)
        try producer.waitUntilSent(399)
        // Two peers hear what the node does not: still one alarm for each broker.
        for broker in ["broker-a", "broker-b"] {
            let alarms = first.logCount(" warning ", "divergence=lateHere", "broker=\(broker)")
            #expect(alarms == 1, "\(first.log)")
        }
        #expect(!watch.hasGap(of: "broker-a") && !watch.hasGap(of: "broker-b"), "\(watch.answers)\n\(first.log)")

        try cluster.settle()
        try first.kill()
        try first.start()
        try cluster.wait("the node is ready") { try first.gossip().state == "ready" }
        try producer.release(8)
        for (producer, consumer) in [(producer, consumer), (steady, steadyConsumer)] {
            try producer.waitUntilDone()
            #expect(producer.numbers("sent") == Array(0..<Self.count))
            // Nothing is cut yet when the first are sent, and a busy machine makes that client wait too long at its start.
            let troubles = producer.process.outputLines.filter { $0.hasPrefix("failed") || $0.hasPrefix("retry") }
            #expect(!producer.numbers("retry").contains { $0 >= 20 }, "\(troubles)\n\(first.log)")
            #expect(producer.numbers("failed") == [])
            try expectReceived(by: [consumer], 0..<Self.count, within: .seconds(60))
        }
        // Every route that the producer got led to both brokers, also from the node that heard neither.
        for broker in cluster.brokers {
            for topic in Self.topics {
                #expect(try broker.messageCount(topic, queues: 2) > 10, "\(topic) on \(broker.name)")
            }
        }
        let gone = watch.answers.filter { $0 == .unknownTopic || $0 == .brokers([]) }
        #expect(gone.isEmpty, "\(watch.answers)\n\(first.log)")
    }
}
