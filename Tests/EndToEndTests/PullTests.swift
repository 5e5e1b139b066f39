// S3: clients pull their routes from one node; nothing is pushed to them.

import TestSupport
import Testing

@Suite(.ownThread) struct PullTests {
    @Test func nothingIsPushedAndPullingAgainShowsTheChange() throws {
        let cluster = try ClusterUnderTest.started()
        let before = cluster.addresses(of: cluster.brokers)
        // One connection per node that does nothing but ask, as a client's does.
        let clients = try cluster.nodes.map { try $0.connect() }
        for client in clients { #expect(try client.routeAddresses("orders") == before) }

        // The route changes in each way there is: a broker dies, a group leaves, a group comes back.
        let steps: [(leaves: [String], after: [ClusterMember])] = [
            (["broker-b:1"], cluster.brokers.filter { $0.name != "broker-b:1" }),
            (["broker-b:0"], cluster.brokers.filter { !$0.name.hasPrefix("broker-b") }),
        ]
        for step in steps {
            for name in step.leaves { try cluster.broker(name).kill() }
            try expectPulled(cluster, clients, cluster.addresses(of: step.after))
        }
        for name in ["broker-b:0", "broker-b:1"] { try cluster.broker(name).start() }
        try cluster.waitUntilListed(cluster.brokers, at: cluster.nodes)
        try expectPulled(cluster, clients, before)
    }

    /// Waits on other connections until the change has happened, proves that `clients` have heard nothing of it, and
    /// lets each of them pull.
    private func expectPulled(
        _ cluster: ClusterUnderTest, _ clients: [RawConnection], _ expected: RouteAddresses
    ) throws {
        for node in cluster.nodes {
            let happened = try poll(within: .seconds(20)) { try node.route("orders") == expected }
            try #require(happened, "\(node.name) still has another route")
        }
        for (client, node) in zip(clients, cluster.nodes) {
            // Longer than a heartbeat and a scan: whoever pushes, pushes by then.
            try client.expectSilence(for: .milliseconds(cluster.rhythm.heartbeat / 2))
            #expect(try client.routeAddresses("orders") == expected, "\(node.name)")
        }
    }
}
