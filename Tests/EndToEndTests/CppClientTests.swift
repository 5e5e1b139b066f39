// A client that nobody here wrote: Apache's C++ client against three nodes and two groups of stand-in brokers.
//
// What that client does (its sources, 1.2 and 2.0): it asks one NameServer, the first of its list, until a connect fails
// or an answer does not come in time; then the next one. It pulls a route when it first sends to a topic, and all routes
// 3 s after its start and every 30 s after that. A consumer's pull that a dead broker held ends after 30 s.

import TestSupport
import Testing

@Suite(.ownThread) struct CppClientTests {
    private let topics = (0..<10).map { "stream-\($0)" }

    @Test func aThousandMessagesArrive() throws {
        let cluster = try ClusterUnderTest.started()
        let consumer = try CppClient.consumer(cluster, topics: ["orders"], group: "calm")
        let producer = try CppClient.producer(cluster, topics: ["orders"], count: 1_000, pause: 0)
        try producer.waitUntilDone()
        #expect(producer.numbers("sent") == Array(0..<1_000))
        #expect(producer.numbers("retry") == [])
        try expectReceived(by: consumer, 0..<1_000, within: .seconds(30))
        // Nothing failed, so nothing was sent twice.
        #expect(consumer.numbers("received").count == 1_000)
        // Both groups took their share.
        for master in ["broker-a:0", "broker-b:0"] {
            #expect(try cluster.broker(master).messageCount("orders", queues: 4) == 500, "\(master)")
        }
    }

    /// Each topic's first message makes the producer ask a NameServer, while they die, stall and come back.
    @Test func nodesAreKilledPausedAndRestartedDuringTheStream() throws {
        let cluster = try ClusterUnderTest.started(groups: groups)
        let (first, second, third) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
        let consumer = try CppClient.consumer(cluster, topics: topics, group: "stormy")
        let producer = try CppClient.producer(cluster, topics: topics, count: 1_000, pause: 0.002, holdingAt: 6)
        try producer.waitUntilSent(150)
        #expect(try lookups(at: first) > 0)
        try first.kill()
        try producer.waitUntilSent(250)
        #expect(try lookups(at: second) > 0, "the producer found topic 2 without the first node")

        try second.pause()
        try producer.waitUntilSent(350)
        #expect(try lookups(at: third) > 0, "the producer found topic 3 though the second node did not answer")
        try second.resume()

        try first.start()
        try cluster.waitUntilListed(cluster.brokers, at: cluster.nodes)
        try third.kill()
        try producer.release(6)
        try producer.waitUntilDone()
        #expect(try lookups(at: first) > 0, "the producer found topic 6 at the node that had restarted empty")

        #expect(producer.numbers("sent") == Array(0..<1_000))
        #expect(producer.numbers("failed") == [])
        try expectReceived(by: consumer, 0..<1_000, within: .seconds(60))
    }

    /// The stand-in's promise: a master acknowledges what its slave has copied, so its death loses nothing.
    @Test func aMasterIsKilledDuringTheStream() throws {
        let cluster = try ClusterUnderTest.started()
        let (master, slave) = (cluster.broker("broker-a:0"), cluster.broker("broker-a:1"))
        let consumer = try CppClient.consumer(cluster, topics: ["orders"], group: "bereft")
        let producer = try CppClient.producer(cluster, topics: ["orders"], count: 1_000, pause: 0.002)
        try producer.waitUntilSent(200)
        let copied = try poll { try slave.messageCount("orders", queues: 4) > 0 }
        try #require(copied, "the slave copies nothing")
        // It dies with a message that its slave does not have, and that it must not have acknowledged.
        try slave.pause()
        try expectMore(at: master)
        try master.kill()
        try slave.resume()
        try producer.waitUntilDone()

        // Sends went on: every message was acknowledged in the end, most of them by the other group.
        #expect(producer.numbers("sent") == Array(0..<1_000))
        #expect(try cluster.broker("broker-b:0").messageCount("orders", queues: 4) > 500)
        // The rest of broker-a's messages come from its slave, once the consumer has pulled its route again.
        try expectReceived(by: consumer, 0..<1_000, within: .seconds(90))
    }

    /// Waits until a broker holds more messages than now.
    private func expectMore(at broker: ClusterMember) throws {
        let before = try broker.messageCount("orders", queues: 4)
        let more = try poll { try broker.messageCount("orders", queues: 4) > before }
        try #require(more, "\(broker.name) gets no message after the \(before)th")
    }

    private var groups: [GroupUnderTest] {
        ["broker-a", "broker-b"].map { GroupUnderTest(name: $0, topics: topics.map { ($0, 2) }) }
    }

    private func lookups(at node: ClusterMember) throws -> Int64 { try node.view().counters["lookups"] ?? 0 }

    private func expectReceived(by consumer: CppClient, _ numbers: Range<Int>, within limit: Duration) throws {
        var missing = Set(numbers)
        poll(within: limit, every: .milliseconds(50)) {
            missing = Set(numbers).subtracting(consumer.numbers("received"))
            return missing.isEmpty
        }
        #expect(missing.isEmpty, "\(missing.count) lost: \(missing.sorted().prefix(20))")
    }
}

extension ClusterMember {
    /// The messages a broker holds of `topic`, by GET_MAX_OFFSET of each of its queues.
    func queueLengths(_ topic: String, queues: Int) throws -> [Int] {
        let connection = try connect()
        return try (0..<queues).map { queue in
            let answer = try connection.call(30, ["topic": topic, "queueId": "\(queue)"])
            guard answer.code == 0, let offset = answer.fields?["offset"].flatMap({ Int($0) }) else {
                throw TestSupportError("\(name): \(answer.headerText)")
            }
            return offset
        }
    }

    func messageCount(_ topic: String, queues: Int) throws -> Int {
        try queueLengths(topic, queues: queues).reduce(0, +)
    }
}
