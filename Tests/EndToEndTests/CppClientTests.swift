// A client that nobody here wrote: Apache's C++ client against three nodes and two groups of stand-in brokers.
//
// What that client does (its sources, 1.2 and 2.0): it asks one NameServer, the first of its list, until a connect fails
// or an answer does not come in time; then the next one. It pulls a route when it first sends to a topic, and all routes
// 3 s after its start and every 30 s after that. A consumer's pull that a dead broker held ends after 30 s.

import Glibc
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
        try expectReceived(by: [consumer], 0..<1_000, within: .seconds(30))
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
        try expectReceived(by: [consumer], 0..<1_000, within: .seconds(60))
    }

    /// The stand-in's promise: a master acknowledges what its slave has copied, so its death loses nothing.
    @Test func aMasterIsKilledDuringTheStream() throws {
        let cluster = try ClusterUnderTest.started()
        let (master, slave) = (cluster.broker("broker-a:0"), cluster.broker("broker-a:1"))
        let running = try CppClient.consumer(cluster, topics: ["orders"], group: "running")
        let crashed = try CppClient.consumer(cluster, topics: ["orders"], group: "crashed")
        let producer = try CppClient.producer(cluster, topics: ["orders"], count: 1_000, pause: 0.002)
        try producer.waitUntilSent(200)
        // A consumer crashes while only broker-a's master and slave know how far it was...
        let known = try poll { try slave.knowsOffsets(of: "crashed", "orders", queues: 4) }
        try #require(known, "the slave copies no offsets")
        crashed.process.signal(SIGKILL)
        try cluster.lose(master, by: SIGKILL, beforeItIsCopiedBy: slave, topic: "orders", queues: 4)
        try producer.waitUntilDone()

        // Sends went on: every message was acknowledged in the end, most of them by the other group.
        #expect(producer.numbers("sent") == Array(0..<1_000))
        #expect(try cluster.broker("broker-b:0").messageCount("orders", queues: 4) > 500)
        // ...and reads the rest of broker-a from the slave when it is back; the other one has gone on by itself.
        let back = try CppClient.consumer(cluster, topics: ["orders"], group: "crashed")
        try expectReceived(by: [crashed, back], 0..<1_000, within: .seconds(30))
        try expectReceived(by: [running], 0..<1_000, within: .seconds(90))
    }

    private var groups: [GroupUnderTest] {
        ["broker-a", "broker-b"].map { GroupUnderTest(name: $0, topics: topics.map { ($0, 2) }) }
    }

    private func lookups(at node: ClusterMember) throws -> Int64 { try node.view().counters["lookups"] ?? 0 }
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
    /// Whether a broker can say, for each queue, where a consumer group is.
    func knowsOffsets(of group: String, _ topic: String, queues: Int) throws -> Bool {
        let connection = try connect()
        return try (0..<queues).allSatisfy { queue in
            try connection.call(14, ["consumerGroup": group, "topic": topic, "queueId": "\(queue)"]).code == 0
        }
    }
}
