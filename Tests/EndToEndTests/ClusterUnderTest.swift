// A whole cluster of real processes: `hearsay serve` and `hearsay broker`, from one cluster.yaml on reserved ports.

import TestSupport

/// Shortened timings, in milliseconds.
struct Rhythm {
    var heartbeat = 300
    var scan = 100
    var expiry = 1_200
    var routePoll = 300
}

/// A broker group to be.
struct GroupUnderTest {
    var name: String
    /// Replica ids; 0 is the master.
    var ids: [Int] = [0, 1]
    /// Topic names and their numbers of queues.
    var topics: [(name: String, queues: Int)] = [("orders", 4)]

    static let a = GroupUnderTest(name: "broker-a")
    static let b = GroupUnderTest(name: "broker-b")
}

/// Nodes `ns-1`, `ns-2`, … and brokers `broker-a:0`, …; all processes end with the last reference.
final class ClusterUnderTest {
    /// Where cluster.yaml and the nodes' data are.
    let directory = TemporaryDirectory()
    let nodes: [ClusterMember]
    let brokers: [ClusterMember]
    let rhythm: Rhythm
    let groups: [GroupUnderTest]
    private let reservations: [PortReservation]
    /// Whole lines for cluster.yaml besides.
    private let extra: [String]

    /// The path of cluster.yaml.
    var file: String { directory.file("cluster.yaml") }
    /// All nodes for a client: `127.0.0.1:1;127.0.0.1:2`.
    var nameServers: String { nodes.map(\.address).joined(separator: ";") }

    /// Writes the file and starts nothing.
    init(
        nodes nodeCount: Int = 3, groups: [GroupUnderTest] = [.a, .b], rhythm: Rhythm = Rhythm(), extra: [String] = []
    ) throws {
        self.rhythm = rhythm
        self.extra = extra
        self.groups = groups
        let file = directory.file("cluster.yaml")
        var reservations: [PortReservation] = []
        func reserve() throws -> PortReservation {
            reservations.append(try PortReservation())
            return reservations[reservations.count - 1]
        }
        nodes = try (1...nodeCount).map { number in
            ClusterMember(
                name: "ns-\(number)", reservation: try reserve(),
                arguments: ["serve", "--config", file, "--node", "ns-\(number)"],
                greeting: "The Name Server boot success.")
        }
        brokers = try groups.flatMap { group in
            try group.ids.map { id in
                ClusterMember(
                    name: "\(group.name):\(id)", reservation: try reserve(),
                    arguments: ["broker", "--config", file, "--group", group.name, "--id", "\(id)"],
                    greeting: "a stand-in for demonstrations")
            }
        }
        self.reservations = reservations
        try directory.write(yaml, to: "cluster.yaml")
    }

    private var yaml: String {
        var lines = ["cluster:", "  name: under-test", "nodes:"]
        for node in nodes {
            lines += ["  - name: \(node.name)", "    listen: \(node.address)", "    dataDirectory: data/\(node.name)"]
        }
        lines += [
            "timings:", "  heartbeat: \(rhythm.heartbeat)ms", "  scan: \(rhythm.scan)ms",
            "  expiry: \(rhythm.expiry)ms", "  routePoll: \(rhythm.routePoll)ms",
        ]
        lines += extra
        if !groups.isEmpty { lines.append("brokers:") }
        for group in groups {
            lines += ["  - group: \(group.name)", "    replicas:"]
            for id in group.ids {
                lines += ["      - id: \(id)", "        listen: \(broker("\(group.name):\(id)").address)"]
            }
            if !group.topics.isEmpty { lines.append("    topics:") }
            for (topic, queues) in group.topics {
                lines += ["      - name: \(topic)", "        readQueues: \(queues)", "        writeQueues: \(queues)"]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The broker called `name`, for example `broker-a:0`.
    func broker(_ name: String) -> ClusterMember {
        guard let broker = brokers.first(where: { $0.name == name }) else { preconditionFailure("no broker \(name)") }
        return broker
    }

    /// Starts the members at the same time and waits until they serve.
    func start(_ members: [ClusterMember]) throws {
        for member in members { try member.launch() }
        for member in members { try member.waitUntilServing() }
    }

    /// Starts everything and waits until every node lists every broker.
    static func started(
        nodes: Int = 3, groups: [GroupUnderTest] = [.a, .b], rhythm: Rhythm = Rhythm()
    ) throws -> ClusterUnderTest {
        let cluster = try ClusterUnderTest(nodes: nodes, groups: groups, rhythm: rhythm)
        try cluster.start(cluster.nodes + cluster.brokers)
        try cluster.waitUntilListed(cluster.brokers, at: cluster.nodes)
        return cluster
    }

    /// Waits until every one of `nodes` lists exactly `brokers`.
    func waitUntilListed(_ brokers: [ClusterMember], at nodes: [ClusterMember]) throws {
        let wanted = Set(brokers.map(\.name))
        for node in nodes {
            var listed: Set<String> = []
            let found = try poll(within: .seconds(30)) {
                listed = Set(try node.view().brokers.keys)
                return listed == wanted
            }
            if found { continue }
            for broker in brokers { _ = try broker.running() }
            throw TestSupportError("\(node.name) lists \(listed.sorted()), not \(wanted.sorted())")
        }
    }

    /// The addresses of a group's running replicas, as a route has them.
    func addresses(of brokers: [ClusterMember]) -> RouteAddresses {
        var addresses: RouteAddresses = [:]
        for broker in brokers {
            let parts = broker.name.split(separator: ":")
            addresses[String(parts[0]), default: [:]][String(parts[1])] = broker.address
        }
        return addresses
    }
}
