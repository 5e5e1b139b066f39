// Who may gossip with whom, with real processes: keys, certificates, labels, and a change of keys while the cluster runs.

import Glibc
import TestSupport
import Testing

import class Foundation.FileManager

@Suite(.ownThread) struct GossipSecurityTests {
    /// A secret of its own for every number.
    private static func key(_ number: Int) -> String { String(repeating: "0\(number)c4", count: 16) }

    private static let plan = GossipCluster.Plan(modes: ["replicate", "replicate", "replicate"], groups: ["broker-a"])

    private static func cluster(keys: String) throws -> GossipCluster {
        var plan = plan
        plan.gossip = ["preSharedKeys: \(keys)"]
        let cluster = try GossipCluster(plan)
        for number in 1...3 { try cluster.directory.write(key(number) + "\n", to: "\(number).key") }
        try cluster.writeFiles()
        return cluster
    }

    /// A node that does not belong, and what both sides say about it.
    struct Stranger: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Its section gossip.
        var gossip: [String]
        /// In the log or the status of the others.
        var toldByOthers: String
        /// In its own.
        var toldByItself: String
    }

    private static let strangers = [
        Stranger(
            testDescription: "another key", gossip: ["preSharedKeys: [2.key]"],
            toldByOthers: "put the same preSharedKeys file on both nodes",
            toldByItself: "put the same preSharedKeys file on both nodes"),
        Stranger(
            testDescription: "another label", gossip: ["label: elsewhere"],
            toldByOthers: "Give both nodes the same gossip.label", toldByItself: "Give both nodes the same gossip.label"
        ),
        Stranger(
            testDescription: "plain text", gossip: ["preSharedKeys: []"],
            toldByOthers: "turn security on",
            toldByItself: "speaks TLS and this node does not: give both the same gossip.preSharedKeys"),
        Stranger(
            testDescription: "the same keys, another one first", gossip: ["preSharedKeys: [2.key, 1.key]"],
            toldByOthers: "Put the same gossip.preSharedKeys first on both nodes",
            toldByItself: "Put the same gossip.preSharedKeys first on both nodes"),
    ]

    @Test(arguments: strangers) func aStrangerIsRefused(_ stranger: Stranger) throws {
        let cluster = try Self.cluster(keys: "[1.key, 2.key]")
        if stranger.testDescription == "another key" {
            cluster.gossipOf = ["ns-1": ["preSharedKeys: [1.key]"], "ns-2": ["preSharedKeys: [1.key]"]]
        }
        cluster.gossipOf["ns-3"] = stranger.gossip
        try cluster.writeFiles()
        try cluster.start(cluster.nodes + cluster.brokers)
        let outsider = cluster.node("ns-3")
        let friends = [cluster.node("ns-1"), cluster.node("ns-2")]
        // Known to the outsider alone; a friend in mode replicate would take it over.
        let connection = try outsider.connect()
        try connection.register(
            Registration {
                $0.broker = "broker-x"
                $0.heartbeatTimeoutMillis = "600000"
            }
        ).expectOK()
        for node in friends {
            let other = node.name == "ns-1" ? "ns-2" : "ns-1"
            try cluster.wait("\(node.name) and \(other) agree, and refuse the outsider") {
                let view = try node.gossip()
                return view.state == "ready" && view.peers[other]?.agrees == true
                    && (view.counters["refusedLinks"] ?? 0) + (view.counters["malformedFrames"] ?? 0) > 0
                    && says(node, stranger.toldByOthers)
            }
        }
        try cluster.wait("the outsider is told why") {
            try says(outsider, stranger.toldByItself) && outsider.gossip().peers.values.allSatisfy { $0.problem != nil }
        }
        let before = try friends.map { try $0.gossip().counters["exchanges"] ?? 0 }
        for (node, before) in zip(friends, before) {
            try cluster.wait("ten more exchanges") { try (node.gossip().counters["exchanges"] ?? 0) >= before + 10 }
            let view = try node.gossip()
            let peer = try #require(view.peers["ns-3"])
            #expect(!peer.isConnected && peer.agrees == nil && peer.problem != nil, "\(peer)")
            #expect(view.brokers.isEmpty)
            #expect(Set(try node.view().brokers.keys) == ["broker-a:0"])
        }
        let view = try outsider.gossip()
        #expect(view.peers.values.allSatisfy { !$0.isConnected && $0.problem != nil }, "\(view)")
        #expect(view.counters["exchanges"] == 0)
        #expect(Set(try outsider.view().brokers.keys) == ["broker-a:0", "broker-x:0"])
    }

    /// Whether a node's log or status says it.
    private func says(_ node: ClusterMember, _ text: String) -> Bool {
        if node.logCount(text) > 0 { return true }
        guard let view = try? node.gossip() else { return false }
        return view.peers.values.contains { $0.problem?.contains(text) == true }
            || view.divergences.contains { $0.advice.contains(text) }
    }

    /// Add, use, remove: three rolling restarts.
    @Test func keysAreRotated() throws {
        let cluster = try Self.cluster(keys: "[1.key]")
        try cluster.start(cluster.nodes + cluster.brokers)
        try cluster.settle()
        let watches = cluster.nodes.map { RouteWatch($0, "orders") }
        for keys in ["[1.key, 2.key]", "[2.key, 1.key]", "[2.key]"] {
            for node in cluster.nodes {
                cluster.gossipOf[node.name] = ["preSharedKeys: \(keys)"]
                try cluster.writeFiles()
                try node.kill()
                try node.start()
                // While the nodes do not all use the same key first, those that differ do not compare.
                if keys != "[2.key, 1.key]" { try cluster.settle() }
            }
            try cluster.settle()
        }
        // The old key is worth nothing any more.
        let old = cluster.node("ns-3")
        cluster.gossipOf["ns-3"] = ["preSharedKeys: [1.key]"]
        try cluster.writeFiles()
        try old.kill()
        try old.start()
        try cluster.wait("it is refused") { says(old, "put the same preSharedKeys file on both nodes") }
        for watch in watches { #expect(watch.answers.allSatisfy { !$0.isRoute || $0.leads(to: "broker-a") }) }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func certificates() throws {
        let plan = Self.plan
        let cluster = try GossipCluster(plan)
        try Self.issue(in: cluster.directory, authority: "ours", nodes: ["ns-1", "ns-2", "ns-3"])
        try Self.issue(in: cluster.directory, authority: "theirs", nodes: ["stranger"])
        for node in cluster.nodes {
            cluster.gossipOf[node.name] = [
                "certificate: \(node.name).pem", "privateKey: \(node.name).key", "authority: ours.pem",
            ]
        }
        try cluster.writeFiles()
        try cluster.start(cluster.nodes + cluster.brokers)
        try cluster.settle()

        let stranger = cluster.node("ns-3")
        cluster.gossipOf["ns-3"] = ["certificate: stranger.pem", "privateKey: stranger.key", "authority: ours.pem"]
        try cluster.writeFiles()
        try stranger.kill()
        try stranger.start()
        let advice = "have it issued by the authority"
        try cluster.wait("the stranger is told") { says(stranger, "does not accept our certificate") }
        #expect(says(stranger, advice))
        for node in cluster.nodes.prefix(2) {
            try cluster.wait("\(node.name) says so") { says(node, "the peer's certificate is not accepted") }
            #expect(says(node, advice))
            #expect(try node.gossip().peers["ns-3"]?.isConnected == false)
            try cluster.wait("\(node.name) refuses what the stranger dials") {
                try node.gossip().counters["refusedLinks"] ?? 0 > 0
            }
        }
    }

    /// An authority and certificates by it, as an operator makes them.
    private static func issue(in directory: TemporaryDirectory, authority: String, nodes: [String]) throws {
        func openssl(_ arguments: String) throws {
            let process = try NodeProcess(
                "/usr/bin/openssl", arguments: arguments.split(separator: " ").map(String.init), directory: directory)
            guard try process.waitForExit() == .exit(0) else { throw TestSupportError(process.errorText) }
        }
        let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
        try openssl("\(make) -keyout \(authority).key -out \(authority).pem -subj /CN=\(authority)")
        for node in nodes {
            try openssl(
                "\(make) -keyout \(node).key -out \(node).pem -subj /CN=\(node) -CA \(authority).pem "
                    + "-CAkey \(authority).key -addext basicConstraints=critical,CA:FALSE")
        }
    }
}
