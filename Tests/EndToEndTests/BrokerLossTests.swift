// S6: a client may hold a dead broker until it pulls its route again: a producer tries another broker, a consumer reads
// from the group's slave.

import Glibc
import TestSupport
import Testing

@Suite(.ownThread) struct BrokerLossTests {
    /// How a master is lost: at once and for all to see, or in silence with its connections open.
    @Test(arguments: [SIGKILL, SIGSTOP])
    func theProducerGoesOnAndTheConsumerReadsFromTheSlave(signal: Int32) throws {
        let cluster = try ClusterUnderTest.started()
        let (master, slave) = (cluster.broker("broker-a:0"), cluster.broker("broker-a:1"))
        let consumer = try OwnClient.consumer(cluster, "orders", "--poll", "300ms", "--hold", "500ms")
        let count = 1_000
        // It pulls its route at the start only, and so holds the dead broker until it notices.
        let producer = try OwnClient.producer(
            cluster, "orders", "--count", "\(count)", "--rate", "300", "--concurrency", "4", "--poll", "10m",
            "--attempt-timeout", "500ms", "--timeout", "10s", "--retries", "5")
        #expect(poll { consumer.receivedNumbers.count >= 100 }, "\(consumer.process.errorText)")

        // The consumer falls behind, so that there is something only broker-a has.
        consumer.process.signal(SIGSTOP)
        let behind = try master.messageCount("orders", queues: 4)
        let grown = try poll { try master.messageCount("orders", queues: 4) > behind + 50 }
        try #require(grown)
        try #require(try slave.messageCount("orders", queues: 4) > 0)
        try cluster.lose(master, by: signal, beforeItIsCopiedBy: slave, topic: "orders", queues: 4)
        let summary = try producer.summary()
        consumer.process.signal(SIGCONT)

        // Every message was acknowledged, without a warning that only the master has it; some needed a second attempt.
        #expect(summary["sent"]?.integer == Int64(count), "\(summary)")
        #expect(summary["failed"]?.integer == 0, "\(summary)")
        #expect(try #require(summary["retried"]?.integer) > 0)
        let sent = summary.messagesByBroker("sent")
        #expect(try #require(sent["broker-b"]) > #require(sent["broker-a"]))
        // What was acknowledged with "the slave was too slow" may be lost; nothing else.
        #expect(summary["sentWithWarning"]?.integer == 0, "\(summary)")

        let everything = poll(within: .seconds(30), every: .milliseconds(50)) {
            Set(consumer.receivedNumbers).count == count
        }
        let missing = Set(0..<count).subtracting(consumer.receivedNumbers).sorted()
        #expect(everything, "\(missing.count) lost: \(missing.prefix(20)) \(consumer.process.errorText.suffix(2000))")
        let received = try consumer.summary(interrupting: true).messagesByBroker("received")
        #expect(try #require(received["broker-a:0"]) > 0)
        #expect(try #require(received["broker-a:1"], "\(received)") > 0)
        #expect(try #require(received["broker-b:0"]) > 0)
        // The nodes do not name the dead master any more.
        let left = cluster.brokers.filter { $0.name != master.name }
        for node in cluster.nodes { #expect(try node.route("orders") == cluster.addresses(of: left), "\(node.name)") }
    }
}

extension ClusterUnderTest {
    /// Loses a master, to SIGKILL or SIGSTOP, at a moment when it has messages that its slave does not have.
    ///
    /// A stand-in master acknowledges what its slave has copied, so producers stand still with the slave. One that
    /// acknowledges at once takes more messages meanwhile than the pulls under way carry: a test that counts finds it.
    func lose(
        _ master: ClusterMember, by signal: Int32, beforeItIsCopiedBy slave: ClusterMember, topic: String, queues: Int
    ) throws {
        try slave.pause()
        let before = try master.messageCount(topic, queues: queues)
        try poll(within: .milliseconds(500)) { try master.messageCount(topic, queues: queues) > before + 4 * queues }
        try master.running().signal(signal)
        if signal == SIGKILL { _ = try master.process?.waitForExit() }
        try slave.resume()
    }
}
