// S7: brokers are groups of a master and slaves; a producer picks a broker by an algorithm from its route.

import TestSupport
import Testing

@Suite(.ownThread) struct BrokerChoiceTests {
    @Test(arguments: [1, 16])
    func roundRobinOverTheQueuesOfAllMasters(concurrency: Int) throws {
        // By queue, not by broker: the group with more queues gets more.
        let cluster = try ClusterUnderTest.started(
            nodes: 2,
            groups: [
                GroupUnderTest(name: "broker-a", topics: [("orders", 6)]),
                GroupUnderTest(name: "broker-b", topics: [("orders", 2)]),
            ])
        let producer = try OwnClient.producer(
            cluster, "orders", "--count", "80", "--concurrency", "\(concurrency)", "--no-avoidance",
            "--attempt-timeout", "10s", "--timeout", "20s")
        let summary = try producer.summary()
        #expect(summary["sent"]?.integer == 80)
        #expect(summary.messagesByBroker("sent") == ["broker-a": 60, "broker-b": 20])
        #expect(try cluster.broker("broker-a:0").queueLengths("orders", queues: 6) == [10, 10, 10, 10, 10, 10])
        #expect(try cluster.broker("broker-b:0").queueLengths("orders", queues: 2) == [10, 10])
        // The slaves have them from their masters, not from the producer.
        for (slave, queues) in [("broker-a:1", 6), ("broker-b:1", 2)] {
            let copied = try poll {
                try cluster.broker(slave).queueLengths("orders", queues: queues) == Array(repeating: 10, count: queues)
            }
            #expect(copied, "\(slave)")
        }
    }

    @Test func aTopicNobodyMadeIsMadeAtBothMasters() throws {
        // No heartbeat comes during the test: a new topic is registered at once or not at all.
        let cluster = try ClusterUnderTest.started(
            nodes: 2, rhythm: Rhythm(heartbeat: 60_000, scan: 100, expiry: 120_000))
        let (ending, route) = try OwnClient.route(cluster, "fresh")
        #expect(ending == .exit(1))
        #expect(route["found"] == .boolean(false))
        let summary = try OwnClient.producer(cluster, "fresh", "--count", "64", "--concurrency", "1").summary()
        #expect(summary["sent"]?.integer == 64)
        #expect(Set(summary.messagesByBroker("sent").keys) == ["broker-a", "broker-b"])
        for node in cluster.nodes {
            let known = try poll { try node.route("fresh")?.keys.sorted() == ["broker-a", "broker-b"] }
            #expect(known, "\(node.name)")
        }
        let received = try OwnClient.consumer(cluster, "fresh", "--count", "64", "--idle-exit", "20s").summary()
        #expect(received["received"]?.integer == 64)
        #expect(received["duplicates"]?.integer == 0)
        #expect(received["missing"]?.integer == 0)
    }
}
