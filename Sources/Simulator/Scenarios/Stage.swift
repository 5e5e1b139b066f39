import Basics
import BrokerAgent
import GossipCore
import NameServerCore
import NameServerNode
import Remoting
import RemotingTransport

/// One cluster on which a scenario is played, with eyes on it: alarms, samples of who is served, route requests.
public final class Stage {
    /// The cluster and its faults.
    public let scenario: Scenario
    /// Warnings of all nodes, in order.
    public private(set) var warnings: [LogLine] = []
    /// Summed up so far.
    public private(set) var measures = ScenarioMeasures()
    /// True time, in seconds, since when all nodes have agreed; nil = they do not.
    public private(set) var agreedSince: Double?
    /// Answers to route requests, by node.
    public private(set) var answers: [ScenarioMeasures]
    /// True time, in seconds, when each node first became ready in its present life; nil = not yet.
    public private(set) var readyAt: [Double?]

    /// True time, in seconds, from which on something counts.
    public private(set) var countsFrom = Double.infinity
    /// After how many samples routes are asked for and the nodes' agreement is looked at: a second, by default.
    var stride = 4
    /// True time, in seconds, between two samples.
    private static let step = 0.25
    private var bytes: [(life: Int, sent: Int, before: Int)]
    private var bytesBefore = 0
    private var probe = 0
    private var samples = 0

    init(_ options: ClusterOptions, prepare: (Cluster) -> Void = { _ in }) {
        answers = Array(repeating: ScenarioMeasures(), count: options.nodes)
        readyAt = Array(repeating: nil, count: options.nodes)
        bytes = Array(repeating: (0, 0, 0), count: options.nodes)
        var log: ((LogLine) -> Void)?
        scenario = Scenario(options) { cluster in
            cluster.world.onLog = { log?($0) }
            prepare(cluster)
        }
        log = { [unowned self] line in
            if line.isWarning { warnings.append(line) }
            if line.metadata["event"] == "state", line.text.contains("is ready"),
                let node = cluster.nodes.firstIndex(where: { $0.host.name == line.host }), readyAt[node] == nil
            {
                readyAt[node] = time
            }
        }
        look()
    }

    /// The cluster.
    public var cluster: Cluster { scenario.cluster }
    /// True time, in seconds.
    public var time: Double { scenario.time }

    /// Makes a fault happen at a true time in seconds.
    func at(_ seconds: Double, _ fault: Fault) { scenario.at(seconds, fault) }
    /// Does anything at a true time in seconds.
    func at(_ seconds: Double, _ task: @escaping () -> Void) { scenario.at(seconds, task) }
    /// Runs up to a true time in seconds.
    func run(until seconds: Double) { scenario.run(until: seconds) }

    /// From now on what is seen counts.
    func begin() {
        countsFrom = time
        measures = ScenarioMeasures()
        answers = answers.map { _ in ScenarioMeasures() }
        bytesBefore = bytesSent
    }

    /// A node starts anew: it is not ready until it says so.
    func forgetReadiness(of node: Int) { readyAt[node] = nil }

    // MARK: Samples

    private func look() {
        at(time + Stage.step) { [unowned self] in
            sample()
            look()
        }
    }

    private func sample() {
        for node in cluster.nodes { countBytes(of: node) }
        samples += 1
        let looksCloser = samples.isMultiple(of: stride)
        if looksCloser { noteAgreement() }
        guard time > countsFrom else { return }
        let now = cluster.world.time
        let timeout = cluster.options.timeout.wholeNanoseconds
        let limit = timeout + cluster.options.scan.wholeNanoseconds + 1_000_000_000
        // What just went on after a pause needs a moment to catch up.
        for node in cluster.nodes
        where node.node != nil && node.host.pause == nil && now - cluster.truth.resumedAt[node.host.index] > 100_000_000
        {
            for broker in cluster.brokers {
                guard let heard = cluster.truth.lastHeard[broker.index] else { continue }
                let view = cluster.truth.views[node.index][broker.index]
                let isAlive = broker.isUp && broker.host.pause == nil && now - heard < timeout
                if isAlive, !view.isServed { measures.falseEviction += Stage.step }
                let frozen = cluster.truth.frozenTime(of: node.host, since: heard)
                if view.isServed, now - heard - frozen > limit + limit / 1_000, !cluster.maySpare(node.host) {
                    measures.zombie += Stage.step
                }
            }
        }
        if looksCloser { ask() }
    }

    private func countBytes(of node: SimulatedNode) {
        guard let sent = node.node?.inspectGossip({ $0.counters.bytesSent }) else { return }
        if bytes[node.index].life != node.starts {
            bytes[node.index].before += bytes[node.index].sent
            bytes[node.index].life = node.starts
        }
        bytes[node.index].sent = sent
    }

    private var bytesSent: Int { bytes.reduce(0) { $0 + $1.sent + $1.before } }

    /// All running nodes are linked to all running peers, hold the same registrations, and see no difference.
    private func noteAgreement() {
        let agree = cluster.nodes.allSatisfy { node in
            guard node.node != nil else { return false }
            guard let status = status(of: node.index) else { return node.node?.gossipAddress == nil }
            return status.divergences.isEmpty && status.peers.allSatisfy { $0.isConnected && $0.agrees == true }
        }
        if !agree { agreedSince = nil } else { agreedSince = agreedSince ?? time }
    }

    /// A node's account of its gossip; nil in mode off and while it is down.
    func status(of node: Int) -> GossipStatus? {
        let simulated = cluster.nodes[node]
        guard let server = simulated.node, let platform = simulated.platform else { return nil }
        let now = platform.now
        return server.inspectGossip { gossip in server.inspectTables { gossip.status(tables: $0, now: now) } }
    }

    /// One of a node's counters of gossip; 0 in mode off.
    func count(_ counter: KeyPath<GossipCounters, Int>, of node: Int) -> Int {
        cluster.nodes[node].node?.inspectGossip { $0.counters[keyPath: counter] } ?? 0
    }

    /// Asks each node for the route of a living broker's own topic, as a client does.
    private func ask() {
        let brokers = cluster.brokers.filter { broker in
            broker.isUp && broker.host.pause == nil && broker.replica.id == 0
                && cluster.truth.lastHeard[broker.index].map {
                    cluster.world.time - $0 < cluster.options.timeout.wholeNanoseconds
                } ?? false
        }
        guard !brokers.isEmpty else { return }
        probe += 1
        let topic = "only-\(brokers[probe % brokers.count].identity.name)"
        for node in cluster.nodes where node.node != nil && node.host.pause == nil {
            let request = RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": topic])
            cluster.administrator.send(request, to: node.index) { [weak self] in self?.count($0, from: node.index) }
        }
    }

    private func count(_ result: Result<RemotingCommand, RemotingCallError>, from node: Int) {
        guard case .success(let answer) = result else { return }
        switch answer.code {
        case ResponseCode.success: answers[node].routes += 1
        case ResponseCode.topicNotExist: answers[node].topicNotExist += 1
        case ResponseCode.systemError: answers[node].notReady += 1
        default: break
        }
    }

    // MARK: What came of it

    /// Warnings that two nodes differ, from a true time in seconds on.
    func alarms(_ kinds: DivergenceKind..., at node: Int? = nil, after seconds: Double? = nil) -> [LogLine] {
        let first = Int64((seconds ?? min(countsFrom, 1e9)) * 1e9)
        return warnings.filter { line in
            line.metadata["event"] == "diverged" && line.time >= first
                && (node == nil || line.host == SimulatedNode.name(node!))
                && (kinds.isEmpty || kinds.contains { $0.name == line.metadata["divergence"] })
        }
    }

    /// When a node's answers began or ceased to name a broker since it counts.
    func changes(_ node: Int, _ broker: Int) -> [(time: Double, isServed: Bool)] {
        scenario.changes(node: node, broker: broker, after: min(countsFrom, 1e9))
    }

    /// Everything that was measured, summed up to now.
    func finish(detectedFrom fault: Double? = nil, _ kinds: DivergenceKind..., healed: Double? = nil)
        -> ScenarioMeasures
    {
        var result = measures
        for answer in answers { result.merge(answer) }
        let alarms = alarms()
        result.alarms = alarms.count
        result.gossipBytes = bytesSent - bytesBefore
        result.routeGap = longestGap
        if let fault {
            let names = kinds.map(\.name)
            let first = alarms.first {
                $0.time >= Int64(fault * 1e9) && (names.isEmpty || names.contains($0.metadata["divergence"] ?? ""))
            }
            result.detection = first.map { Double($0.time) / 1e9 - fault }
        }
        if let healed, let agreedSince { result.periodsToConverge = max(0, agreedSince - healed) }
        return result
    }

    /// Over all nodes and the brokers that are up at the end, gaps that are over or still last.
    private var longestGap: Double {
        var longest = 0.0
        for node in cluster.nodes where node.node != nil {
            for broker in cluster.brokers where broker.isUp {
                var gone: Double?
                for change in changes(node.index, broker.index) {
                    if change.isServed { longest = max(longest, gone.map { change.time - $0 } ?? 0) }
                    gone = change.isServed ? nil : change.time
                }
                if let gone { longest = max(longest, time - gone) }
            }
        }
        return longest
    }
}
