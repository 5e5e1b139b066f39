// S1: any one node may die, and the others go on serving.

import TestSupport
import Testing

@Suite(.ownThread) struct NodeLossTests {
    @Test func anyNodeMayDieWhileClientsGoOn() throws {
        let cluster = try ClusterUnderTest(groups: [
            GroupUnderTest(name: "broker-a", ids: [0]), GroupUnderTest(name: "broker-b", ids: [0]),
        ])
        let (a, b) = (cluster.broker("broker-a:0"), cluster.broker("broker-b:0"))
        try cluster.start(cluster.nodes + [a])
        try cluster.waitUntilListed([a], at: cluster.nodes)
        let consumer = try OwnClient.consumer(cluster, "orders", "--poll", "300ms", "--hold", "500ms")
        let producer = try OwnClient.producer(cluster, "orders", "--count", "0", "--rate", "200", "--poll", "300ms")
        for dead in cluster.nodes {
            try dead.kill()
            for other in cluster.nodes where other.name != dead.name {
                #expect(try other.route("orders") == cluster.addresses(of: [a]), "\(other.name) without \(dead.name)")
                #expect(try other.connect().call(106).code == 0)
            }
            let (ending, route) = try OwnClient.route(cluster, "orders")
            #expect(ending == .exit(0))
            #expect(route["found"] == .boolean(true))
            #expect(route["nameServer"]?.text != dead.address)
            try expectProgress(at: a)
            try dead.start()
            try cluster.waitUntilListed([a], at: [dead])
        }
        // Whichever node the producer used, it has died by now; it hears of a new group all the same.
        try b.start()
        let learned = try poll(within: .seconds(20)) { try b.messageCount("orders", queues: 4) > 0 }
        #expect(learned, "the producer pulls no routes any more")

        // Without any node clients go on with the routes they have (protocol.md 7.2).
        for node in cluster.nodes { try node.kill() }
        try expectProgress(at: a)
        try expectProgress(at: b)
        try cluster.start(cluster.nodes)

        let summary = try producer.summary(interrupting: true)
        let sent = try #require(summary["sent"]?.integer)
        #expect(summary["failed"]?.integer == 0, "\(summary)")
        #expect(Set(summary.messagesByBroker("sent").keys) == ["broker-a", "broker-b"])
        let everything = poll(within: .seconds(20), every: .milliseconds(50)) {
            Set(consumer.receivedNumbers) == Set(0..<Int(sent))
        }
        #expect(everything, "\(Set(consumer.receivedNumbers).count) of \(sent)")
    }

    @Test func everyNodeIsAskedAndADeadOneIsNamed() throws {
        let cluster = try ClusterUnderTest.started(groups: [GroupUnderTest(name: "broker-a", ids: [0])])
        try cluster.nodes[1].kill()
        let (ending, report) = try OwnClient.route(cluster, "orders", "--all-nodes")
        #expect(ending == .exit(0))
        #expect(report["agrees"] == .boolean(true))
        let states = report["nameServers"]?.elements.map { "\($0["address"]?.text ?? "") \($0["state"]?.text ?? "")" }
        #expect(
            states == [
                "\(cluster.nodes[0].address) agrees", "\(cluster.nodes[1].address) no answer",
                "\(cluster.nodes[2].address) agrees",
            ])
    }

    /// Waits until a broker has taken more messages than it has now.
    private func expectProgress(at broker: ClusterMember) throws {
        let before = try broker.messageCount("orders", queues: 4)
        let goesOn = try poll(within: .seconds(20)) { try broker.messageCount("orders", queues: 4) > before + 20 }
        #expect(goesOn, "\(broker.name) has \(before) messages and gets no more")
    }
}
