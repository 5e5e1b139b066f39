// The cluster of one arm as files and command lines: who is where, and what everybody is told.

import Basics

/// Where everybody is, and how each process is started.
struct LiveCluster {
    /// What is run.
    let scenario: Scenario
    /// How the nodes are run.
    let arm: Arm
    /// Where all files go; exists.
    let directory: String
    /// Where everybody is. A broker may move.
    var places: LivePlaces
    /// What each broker registers as its address: its own, or a link's.
    var advertised: [Address]
    /// Of the brokers' chance.
    let seed: UInt64

    var nodes: [Address] { places.nodes }
    var brokers: [Address] { places.brokers }

    /// Timings shorter than this are refused by cluster.yaml.
    private static let leastGossipPeriod = Duration.milliseconds(100)
    private static let leastIdle = Duration.seconds(1)

    /// Scenario time in the time that the processes live in.
    func real(_ duration: Duration) -> Duration { duration / scenario.timeScale }

    /// Sentences for the history: where to look while it runs, and what of the scenario a live node cannot do.
    var notes: [String] {
        let places = zip(scenario.nodes, nodes).map { "\($0.name) at \($1)" }.joined(separator: ", ")
        let found = ["\(places); files and outputs in \(directory)"]
        let period = real(scenario.timings.gossipPeriod)
        guard arm != .off, arm != .apache, period < Self.leastGossipPeriod else { return found }
        let shown = (Self.leastGossipPeriod * scenario.timeScale).wholeMilliseconds
        return found + ["gossip.period is \(shown) ms of scenario time: live nodes compare every 100 ms at most"]
    }

    // MARK: Files

    /// The file that a reader is told to use.
    func fileName(for node: Int?) -> String {
        node.map { "\(directory)/\(scenario.nodes[$0].name).yaml" } ?? "\(directory)/cluster.yaml"
    }

    /// Where a node keeps what survives it.
    func dataDirectory(of node: Int) -> String { "\(directory)/data/\(scenario.nodes[node].name)" }

    /// What is dialled for another node's gossip address: `dial(reader, other)`; the address itself for nobody in particular.
    func text(for reader: Int?, dial: (Int, Int) -> Address) -> String {
        var lines = ["cluster:", "  name: experiment", "nodes:"]
        for (index, node) in scenario.nodes.enumerated() {
            let own = places.gossip[index]
            let address = reader.map { $0 == index ? own : dial($0, index) } ?? own
            lines += [
                "  - name: \(node.name)", "    listen: \(nodes[index])",
                "    dataDirectory: \(dataDirectory(of: index))", "    gossip: \(address)",
            ]
        }
        let timings = scenario.timings
        lines += [
            "timings:", "  heartbeat: \(milliseconds(timings.heartbeat))", "  scan: \(milliseconds(timings.scan))",
            "  expiry: \(milliseconds(timings.expiry))", "  routePoll: \(milliseconds(timings.routePoll))",
            "limits:", "  idleConnection: \(max(real(.seconds(120)), Self.leastIdle).wholeMilliseconds)ms",
        ]
        // The experimenter may sit in a network namespace of its own.
        lines += ["access:", "  administer:", "    networks: [0.0.0.0/0, \"::/0\"]"]
        lines += gossipLines
        // An Apache NameServer has a file of its own, and may know others.
        let properties = arm == .apache ? [] : scenario.nodeProperties
        if !properties.isEmpty { lines.append("nameserver:") }
        lines += properties.map { "  \($0.key): \($0.value)" }
        return (lines + brokerLines).joined(separator: "\n") + "\n"
    }

    private func milliseconds(_ duration: Duration) -> String { "\(real(duration).wholeMilliseconds)ms" }

    private var gossipLines: [String] {
        let mode = arm == .apache ? Arm.off : arm
        let period = max(real(scenario.timings.gossipPeriod), Self.leastGossipPeriod)
        var lines = ["gossip:", "  mode: \(mode.rawValue)", "  period: \(period.wholeMilliseconds)ms"]
        let isGraceGiven = scenario.gossipSettings.contains { $0.key == "closeGrace" }
        if !isGraceGiven { lines.append("  closeGrace: \(milliseconds(.seconds(1)))") }
        if isInsecure { lines.append("  insecure: true") }
        // cluster.yaml does not take what has no effect in the mode.
        let decided = ["mode", "period"] + (arm == .replicate ? [] : ["replicate"])
        for setting in scenario.gossipSettings where !decided.contains(setting.key) {
            // The only one left that is a time.
            let grace = setting.key == "closeGrace" ? Duration(yaml: setting.value).map(milliseconds) : nil
            lines.append("  \(setting.key): \(grace ?? setting.value)")
        }
        return lines
    }

    /// Beyond loopback, nodes want keys or this.
    private var isInsecure: Bool {
        let secured = ["insecure", "preSharedKeys", "certificate"]
        return !places.gossip.allSatisfy(\.isLoopback) && !scenario.gossipSettings.contains { secured.contains($0.key) }
    }

    private var brokerLines: [String] {
        var lines: [String] = scenario.replicas.isEmpty ? [] : ["brokers:"]
        var groups: [String] = []
        for replica in scenario.replicas where !groups.contains(replica.group) { groups.append(replica.group) }
        for group in groups {
            lines += ["  - group: \(group)", "    replicas:"]
            for (index, replica) in scenario.replicas.enumerated() where replica.group == group {
                lines += ["      - id: \(replica.id)", "        listen: \(brokers[index])"]
            }
            let topics = scenario.topics.filter { $0.groups.contains(group) }
            if !topics.isEmpty { lines.append("    topics:") }
            for topic in topics {
                lines += [
                    "      - name: \"\(topic.name)\"", "        readQueues: \(topic.queues)",
                    "        writeQueues: \(topic.queues)",
                ]
            }
        }
        return lines
    }

    // MARK: Command lines

    /// `hearsay serve` for one node.
    func nodeArguments(_ node: Int) -> [String] {
        ["serve", "--config", fileName(for: node), "--node", scenario.nodes[node].name, "--exit-with-parent"]
    }

    /// `hearsay broker` for one replica, which finds the nodes at these addresses.
    func brokerArguments(_ broker: Int, nameServers: [Address]) -> [String] {
        let replica = scenario.replicas[broker]
        var arguments = [
            "broker", "--config", fileName(for: nil), "--group", replica.group, "--id", "\(replica.id)",
            "--listen", "\(brokers[broker])", "--advertise", "\(advertised[broker])",
            "--namesrv", nameServers.map(\.description).joined(separator: ","),
            "--seed", "\(seed &+ UInt64(broker))", "--exit-with-parent",
        ]
        // Apache's NameServers take the timeout from the broker only.
        if arm == .apache { arguments += ["--expiry", milliseconds(scenario.timings.expiry)] }
        return arguments
    }

    /// The properties of an Apache NameServer, in the names of its versions 4 and 5.
    func apacheProperties(_ node: Int) -> String {
        var lines = [
            "listenPort=\(nodes[node].port)",
            "scanNotActiveBrokerInterval=\(real(scenario.timings.scan).wholeMilliseconds)",
            "kvConfigPath=\(dataDirectory(of: node))/kvConfig.json",
        ]
        lines += scenario.nodeProperties.map { "\($0.key)=\($0.value)" }
        return lines.joined(separator: "\n") + "\n"
    }

    /// What a shell runs for an Apache node: `{port}` (or `%p`) and `{config}` of the user's command filled in.
    func apacheCommand(_ node: Int, _ command: String) -> String {
        var text = command
        for (mark, value) in [
            ("{port}", "\(nodes[node].port)"), ("%p", "\(nodes[node].port)"),
            ("{config}", "\(directory)/\(scenario.nodes[node].name).properties"),
        ] {
            text = text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: value)
        }
        return text
    }
}

extension Duration {
    /// Reads a duration of cluster.yaml: `300ms`, `2m`; nil when it is none.
    fileprivate init?(yaml text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int64(digits), let factor = units[String(unit)] else { return nil }
        self = .milliseconds(number * Int64(factor))
    }
}
