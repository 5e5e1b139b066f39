// An upgrade without anybody noticing: three nodes are replaced one after the other under client load.
//
// With HEARSAY_OLD and HEARSAY_NEW, paths of two programs, it goes from the one to the other.

import TestSupport
import Testing

import class Foundation.NSLock
import class Foundation.ProcessInfo
import class Foundation.Thread

@Suite(.ownThread) struct RollingUpgradeTests {
    /// Without gossip a new node knows nothing before the brokers' next registrations: RocketMQ's own setting keeps it from
    /// answering so long. In protect its peers fill it.
    @Test(arguments: ["off", "protect"]) func nobodyNoticesThatAllNodesAreReplaced(_ mode: String) throws {
        let old = program("HEARSAY_OLD")
        let new = program("HEARSAY_NEW")
        let cluster = try GossipCluster(
            GossipCluster.Plan(
                modes: [mode, mode, mode],
                // Nobody dies here, so no broker is to be taken for dead when a busy machine stands still; and a new node
                // serves what its peers told it for two heartbeats, in which the brokers must have come themselves.
                rhythm: Rhythm(heartbeat: 2_000, scan: 200, expiry: 60_000, routePoll: 300),
                gossip: mode == "off" ? [] : ["gateUnknownTopics: true"],
                nameserver: mode == "off" ? ["needWaitForService: true", "waitSecondsForService: 6"] : [],
                answersHTTP: true))
        for node in cluster.nodes { node.program = old }
        try cluster.start(cluster.nodes + cluster.brokers)
        try cluster.settle()
        for node in cluster.nodes { try waitUntilReady(node, cluster) }

        let producer = try OwnClient.producer(
            cluster, "orders", "--count", "0", "--rate", "200", "--poll", "300ms", "--timeout", "20s",
            "--attempt-timeout", "10s")
        let consumer = try OwnClient.consumer(cluster, "orders", "--poll", "300ms", "--hold", "500ms")
        let apaches = try CppClient.producer(cluster, topics: ["orders"], count: 100_000, pause: 0.005)
        let newcomers = Newcomers(cluster)
        try apaches.waitUntilSent(20)

        let brokers = cluster.plan.groups
        for node in cluster.nodes {
            // One watch for each time in which the node says that it is ready.
            let before = RouteWatch(node, "orders")
            #expect(poll { !before.answers.isEmpty })
            try node.terminate()
            expectNoGap(before, node, brokers)
            let start = ContinuousClock.now
            node.program = new
            try node.start()
            try waitUntilReady(node, cluster)
            let ready = start.duration(to: .now)
            // With gossip a node that is ready knows all brokers; without, that it has waited is all it can say.
            let early = mode == "off" ? nil : RouteWatch(node, "orders")
            try cluster.wait("\(node.name) lists all brokers") {
                try Set(node.view().brokers.keys) == Set(cluster.brokers.map(\.name))
            }
            let full = start.duration(to: .now)
            let after = early ?? RouteWatch(node, "orders")
            // The next node follows when this one has been ready for a while; meanwhile clients come and go.
            try apaches.waitUntilSent((apaches.numbers("sent").last ?? 0) + 100)
            print("\(mode): \(node.name) ready after \(ready), heard all brokers itself after \(full)")
            expectNoGap(after, node, brokers)
        }

        // A client that has no route yet may come to a node that has just started: it is told so, and asks again.
        let refusals = newcomers.stop()
        #expect(refusals.allSatisfy { $0.contains("name server not ready") }, "\(refusals)")
        // Apache's client lets a send fail that comes while it connects to the next node (it holds one lock for all its
        // connections, and says "No route info"); an application sends again, as here.
        #expect(apaches.numbers("failed") == [])
        let acknowledged = apaches.numbers("sent")
        #expect(acknowledged == Array(0..<acknowledged.count))
        let summary = try producer.summary(interrupting: true)
        let sent = try #require(summary["sent"]?.integer)
        #expect(summary["failed"]?.integer == 0, "\(summary)")
        #expect(summary.messagesByBroker("sent").keys.sorted() == brokers)
        print(
            "\(mode): \(sent) and \(acknowledged.count) messages sent, \(newcomers.count) clients started, "
                + "\(refusals.count) of them told to wait; Apache's client sent \(apaches.numbers("retry").count) again"
        )
        let everything = poll(within: .seconds(30), every: .milliseconds(50)) {
            Set(consumer.receivedNumbers).isSuperset(of: 0..<Int(sent))
        }
        #expect(everything, "\(Set(consumer.receivedNumbers).count) of \(sent)")
    }

    /// Whoever asked the node while it was ready, and got an answer, got both brokers.
    private func expectNoGap(_ watch: RouteWatch, _ node: ClusterMember, _ brokers: [String]) {
        watch.stop()
        let gaps = watch.answers.filter { $0 != .unreachable && $0 != .brokers(Set(brokers)) }
        #expect(
            gaps.isEmpty && watch.answers.first == .brokers(Set(brokers)),
            "\(watch.node): \(watch.answers)\n\(node.log.joined(separator: "\n"))")
    }

    private func program(_ variable: String) -> String {
        ProcessInfo.processInfo.environment[variable] ?? ProductsDirectory.executable("hearsay")
    }

    /// Waits for what Kubernetes and other supervisors wait for.
    private func waitUntilReady(_ node: ClusterMember, _ cluster: GossipCluster) throws {
        let port = try #require(cluster.http(node).split(separator: ":").last.flatMap { UInt16($0) })
        try cluster.wait("\(node.name) is ready") { try RawConnection.get("/readyz", port: port).status == 200 }
    }
}

/// Clients that know all nodes and no route yet: one after the other looks up a topic and ends.
private final class Newcomers: Sendable {
    private let record = Record()

    init(_ cluster: GossipCluster) {
        let (nameServers, record) = (cluster.nameServers, record)
        Thread.detachNewThread {
            while !record.isStopped {
                let process = try? NodeProcess(
                    ProductsDirectory.executable("hearsay"), arguments: ["route", "orders", "--namesrv", nameServers])
                let ending = try? process?.waitForExit()
                record.note(ending == .exit(0) ? nil : "\(process?.outputLines ?? []) \(process?.errorText ?? "")")
            }
            record.end()
        }
    }

    deinit { record.stop() }

    var count: Int { record.count }

    /// Ends them and answers what those said that got no route.
    func stop() -> [String] {
        record.stop()
        poll { record.hasEnded }
        return record.failures
    }

    private final class Record: @unchecked Sendable {
        private let lock = NSLock()
        /// All only touched with `lock` held.
        private var (noted, failed, stopped, ended) = (0, [String](), false, false)

        var isStopped: Bool { lock.withLock { stopped } }
        var hasEnded: Bool { lock.withLock { ended } }
        var count: Int { lock.withLock { noted } }
        var failures: [String] { lock.withLock { failed } }

        func note(_ failure: String?) {
            lock.withLock {
                noted += 1
                if let failure { failed.append(failure) }
            }
        }

        func stop() { lock.withLock { stopped = true } }
        func end() { lock.withLock { ended = true } }
    }
}
