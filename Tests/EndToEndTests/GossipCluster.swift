// Real nodes that gossip, brokers whose links to them a test can cut, and what the nodes say about it.

import Glibc
import TestSupport

/// Nodes `ns-1`, `ns-2`, … and masters `broker-a:0`, …; every link between a broker and a node, and if wanted between two
/// nodes, is a `LinkProxy`.
final class GossipCluster {
    /// What differs from one test to another.
    struct Plan {
        /// One mode for each node.
        var modes: [String]
        /// Names of the groups; each has one replica, the master.
        var groups = ["broker-a", "broker-b"]
        var topics: [(name: String, queues: Int)] = [("orders", 4)]
        var rhythm = Rhythm(heartbeat: 300, scan: 200, expiry: 3_000, routePoll: 300)
        /// Further lines of the section gossip, for all nodes.
        var gossip: [String] = []
        /// Lines of the section nameserver.
        var nameserver: [String] = []
        /// Whether nodes dial each other through links.
        var linksNodes = false
        /// Whether nodes answer HTTP.
        var answersHTTP = false
    }

    let plan: Plan
    /// Where the files are: `cluster.yaml` with everything as it is, `ns-1.yaml` as one node is told.
    let directory = TemporaryDirectory()
    let nodes: [ClusterMember]
    let brokers: [ClusterMember]
    /// Lines of the section gossip for one node, by its name.
    var gossipOf: [String: [String]] = [:]
    private let gossipPorts: [PortReservation]
    private let httpPorts: [PortReservation]
    private let reservations: [PortReservation]
    /// By `broker-a:0 ns-1` and, in the direction of the dial, `ns-1 ns-2`.
    private let links: [String: LinkProxy]

    var file: String { directory.file("cluster.yaml") }
    var nameServers: String { nodes.map(\.address).joined(separator: ";") }

    /// Writes the files and starts nothing.
    init(_ plan: Plan) throws {
        self.plan = plan
        let names = plan.modes.indices.map { "ns-\($0 + 1)" }
        let ports = try names.map { _ in try PortReservation() }
        let gossipPorts = try names.map { _ in try PortReservation() }
        let brokerPorts = try plan.groups.map { _ in try PortReservation() }
        var links: [String: LinkProxy] = [:]
        for (name, port) in zip(names, ports) {
            for group in plan.groups { links["\(group):0 \(name)"] = try LinkProxy(to: port.port) }
        }
        for (name, port) in zip(names, gossipPorts) where plan.linksNodes {
            for other in names where other != name { links["\(other) \(name)"] = try LinkProxy(to: port.port) }
        }
        let directory = directory
        nodes = zip(names, ports).map { name, port in
            ClusterMember(
                name: name, reservation: port,
                arguments: ["serve", "--config", directory.file("\(name).yaml"), "--node", name],
                greeting: "The Name Server boot success.")
        }
        brokers = zip(plan.groups, brokerPorts).map { group, port in
            ClusterMember(
                name: "\(group):0", reservation: port,
                arguments: [
                    "broker", "--config", directory.file("cluster.yaml"), "--group", group, "--id", "0",
                    "--namesrv", names.compactMap { links["\(group):0 \($0)"]?.address }.joined(separator: ","),
                ], greeting: "a stand-in for demonstrations")
        }
        self.links = links
        self.gossipPorts = gossipPorts
        httpPorts = try names.filter { _ in plan.answersHTTP }.map { _ in try PortReservation() }
        reservations = ports + brokerPorts
        try writeFiles()
    }

    /// Writes the files again, for nodes that start from now on.
    func writeFiles() throws {
        try directory.write(yaml(as: nil), to: "cluster.yaml")
        for node in nodes { try directory.write(yaml(as: node.name), to: "\(node.name).yaml") }
    }

    private func yaml(as reader: String?) -> String {
        var lines = ["cluster:", "  name: gossip-test", "nodes:"]
        for (index, node) in nodes.enumerated() {
            let link = reader.flatMap { links["\($0) \(node.name)"] }
            lines += [
                "  - name: \(node.name)", "    listen: \(node.address)", "    dataDirectory: data/\(node.name)",
                "    gossip: \(link?.address ?? gossipPorts[index].address)", "    gossipMode: \(plan.modes[index])",
            ]
            if plan.answersHTTP { lines.append("    http: \(httpPorts[index].address)") }
        }
        let rhythm = plan.rhythm
        lines += [
            "timings:", "  heartbeat: \(rhythm.heartbeat)ms", "  scan: \(rhythm.scan)ms",
            "  expiry: \(rhythm.expiry)ms", "  routePoll: \(rhythm.routePoll)ms",
            "gossip:", "  mode: observe", "  period: 100ms",
        ]
        let own = reader.flatMap { gossipOf[$0] } ?? []
        let keys = Set(own.compactMap { $0.split(separator: ":").first })
        let common = plan.gossip.filter { line in !keys.contains { line.hasPrefix("\($0):") } }
        lines += (common + own).map { "  \($0)" }
        if !plan.nameserver.isEmpty { lines += ["nameserver:"] + plan.nameserver.map { "  \($0)" } }
        if !brokers.isEmpty { lines.append("brokers:") }
        for (group, broker) in zip(plan.groups, brokers) {
            lines += ["  - group: \(group)", "    replicas:", "      - id: 0", "        listen: \(broker.address)"]
            if !plan.topics.isEmpty { lines.append("    topics:") }
            for (topic, queues) in plan.topics {
                lines += ["      - name: \(topic)", "        readQueues: \(queues)", "        writeQueues: \(queues)"]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Starts everything and waits until the nodes list all brokers and those that gossip agree.
    static func started(_ plan: Plan) throws -> GossipCluster {
        let cluster = try GossipCluster(plan)
        try cluster.start(cluster.nodes + cluster.brokers)
        try cluster.settle()
        return cluster
    }

    func start(_ members: [ClusterMember]) throws {
        for member in members { try member.launch() }
        for member in members { try member.waitUntilServing() }
    }

    /// Waits until every node lists every broker, and those that gossip agree and know each other to be ready.
    func settle() throws {
        for node in nodes {
            try wait("\(node.name) lists all brokers") {
                try Set(node.view().brokers.keys) == Set(self.brokers.map(\.name))
            }
        }
        let talking = zip(nodes, plan.modes).filter { $0.1 != "off" }.map(\.0)
        for node in talking {
            try wait("\(node.name) agrees with all peers") {
                let view = try node.gossip()
                return view.state == "ready"
                    && talking.allSatisfy { peer in
                        guard peer.name != node.name else { return true }
                        return view.peers[peer.name]?.agrees == true && view.peers[peer.name]?.state == "ready"
                    }
            }
        }
    }

    /// Waits for a condition that is sure to come; the limit allows for a machine that does much else.
    func wait(_ what: String, within limit: Duration = .seconds(40), until condition: () throws -> Bool) throws {
        if try poll(within: limit, every: .milliseconds(20), until: condition) { return }
        // What the test killed is no surprise.
        for member in nodes + brokers where ![nil, .signal(SIGKILL)].contains(member.process?.ending) {
            _ = try member.running()
        }
        let accounts = nodes.compactMap { node -> String? in
            guard let gossip = try? node.gossip() else { return node.process?.errorText }
            return "\(node.name): \(gossip)\n\(node.process?.errorText.suffix(3_000) ?? "")"
        }
        throw TestSupportError("not within \(limit): \(what)\n\(accounts.joined(separator: "\n"))")
    }

    func node(_ name: String) -> ClusterMember {
        guard let node = nodes.first(where: { $0.name == name }) else { preconditionFailure("no node \(name)") }
        return node
    }

    /// Where a node answers HTTP.
    func http(_ node: ClusterMember) -> String {
        guard let index = nodes.firstIndex(where: { $0 === node }) else { preconditionFailure("no node \(node.name)") }
        return httpPorts[index].address
    }

    func broker(_ name: String) -> ClusterMember {
        guard let broker = brokers.first(where: { $0.name == name }) else { preconditionFailure("no broker \(name)") }
        return broker
    }

    /// The link on which `caller` dials `node`: a broker, or another node.
    func link(_ caller: String, _ node: String) -> LinkProxy {
        guard let link = links["\(caller) \(node)"] else { preconditionFailure("no link \(caller) \(node)") }
        return link
    }

    /// `hearsay status`, `diff` or `explain` about this cluster.
    func command(_ arguments: String...) throws -> (status: NodeProcess.Ending, text: String) {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: arguments + ["--config", file])
        let status = try process.waitForExit()
        return (status, process.outputLines.joined(separator: "\n") + process.errorText)
    }
}

extension ClusterMember {
    /// The lines of its log in this life.
    var log: [String] { (process?.errorText ?? "").split(separator: "\n").map(String.init) }

    /// How many lines of its log contain all of `words`.
    func logCount(_ words: String...) -> Int { log.count { line in words.allSatisfy(line.contains) } }

    /// The place in its log of the first line that contains all of `words`.
    func logIndex(_ words: String...) -> Int? { log.firstIndex { line in words.allSatisfy(line.contains) } }
}
