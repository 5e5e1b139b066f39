import Basics

/// What nodes list, held against who lives: evictions, zombies, gaps, convergence and gossip.
///
/// Between two events nothing changes but that time passes limits (a timeout, the first observation of a broker), so
/// every sum is made of spans between events, cut off at these limits.
struct RegistryFigures {
    private(set) var truth: GroundTruth
    private let comparesNodes: Bool
    /// How long a node may list a dead broker.
    private let patience: Double
    /// Up to here everything is summed.
    private var clock = 0.0
    /// By node, by broker.
    private var sights: [[HistoryEvent.Sight]]
    private var hasListed: [[Bool]]
    private var gaps: [[Double]]
    /// By node.
    private var divergences: [Int]
    private var gossipTotals: [Int?]

    private var falseEvictions = 0.0
    private var zombies = 0.0
    private var routeGap = 0.0
    private var divergence = 0.0
    private var gossipBytes = 0
    private var alarms = 0
    private var firstFault: Double?
    private var noticed: Double?
    private var lastFault = 0.0
    private var openFaults: Set<Int> = []
    private var lastDisagreement = 0.0

    init(_ scenario: Scenario, comparesNodes: Bool) {
        truth = GroundTruth(scenario)
        self.comparesNodes = comparesNodes
        patience = (scenario.timings.expiry + scenario.timings.scan).inSeconds + truth.observation + 1
        let brokers = scenario.replicas.count
        let nodes = scenario.nodes.count
        sights = Array(repeating: Array(repeating: .registered, count: brokers), count: nodes)
        hasListed = Array(repeating: Array(repeating: true, count: brokers), count: nodes)
        gaps = Array(repeating: Array(repeating: 0, count: brokers), count: nodes)
        divergences = Array(repeating: 0, count: nodes)
        gossipTotals = Array(repeating: nil, count: nodes)
    }

    mutating func take(_ event: HistoryEvent) {
        switch event.kind {
        case .route, .send, .received, .topics, .note: return
        case .gossipBytes(let node, let total): return takeBytes(total, of: node, at: event.time)
        case .alarm:
            notice(event.time)
            if event.time >= 0 { alarms += 1 }
            return
        case .divergence: return notice(event.time)
        default: sum(until: event.time)
        }
        _ = truth.take(event)
        switch event.kind {
        case .faultBegan(let fault):
            firstFault = firstFault ?? event.time
            if truth.scenario.faults[fault].end == nil { lastFault = event.time } else { openFaults.insert(fault) }
        case .faultEnded(let fault):
            openFaults.remove(fault)
            lastFault = event.time
        case .sight(let node, let broker, let sight):
            sights[node][broker] = sight
            if sight != .absent { hasListed[node][broker] = true }
        case .divergences(let node, let count):
            divergences[node] = count
            if count > 0 { notice(event.time) }
        default: break
        }
    }

    private mutating func notice(_ time: Double) {
        if noticed == nil, firstFault.map({ $0 <= time }) ?? false { noticed = time }
    }

    /// A node that begins again counts from 0 again.
    private mutating func takeBytes(_ total: Int, of node: Int, at time: Double) {
        if time >= 0 {
            let before = gossipTotals[node] ?? 0
            gossipBytes += total >= before ? total - before : total
        }
        gossipTotals[node] = total
    }

    private mutating func sum(until time: Double) {
        guard time > clock else { return }
        var isAgreed = true
        for broker in sights.first?.indices ?? 0..<0 {
            let isHeard = truth.isHeard(broker)
            let isListed = sights.indices.contains { truth.nodes[$0] == .up && sights[$0][broker] != .absent }
            for node in sights.indices {
                let lack = lackingSpan(node, broker, until: time)
                gaps[node][broker] = lack > 0 && hasListed[node][broker] ? gaps[node][broker] + lack : 0
                routeGap = max(routeGap, gaps[node][broker])
                if isHeard { falseEvictions += lack }
                if lack > 0, isHeard || isListed { isAgreed = false }
                zombies += zombieSpan(node, broker, until: time)
            }
        }
        for node in divergences.indices where truth.nodes[node] == .up && divergences[node] > 0 {
            divergence += Double(divergences[node]) * (time - clock)
            isAgreed = isAgreed && !comparesNodes
        }
        clock = time
        if !isAgreed { lastDisagreement = time }
    }

    /// How much of the time up to `time` the running node does not list the living broker.
    private func lackingSpan(_ node: Int, _ broker: Int, until time: Double) -> Double {
        guard truth.nodes[node] == .up, sights[node][broker] == .absent, let since = truth.livingSince(broker) else {
            return 0
        }
        return max(0, time - max(clock, since))
    }

    /// How much of the time up to `time` the running node lists the broker that should be gone.
    private func zombieSpan(_ node: Int, _ broker: Int, until time: Double) -> Double {
        guard truth.nodes[node] == .up, sights[node][broker] != .absent, let since = truth.deadSince(broker) else {
            return 0
        }
        return max(0, time - max(clock, since + patience))
    }

    mutating func values(until end: Double) -> [Figure: Double] {
        sum(until: end)
        var values: [Figure: Double] = [
            .falseEvictions: falseEvictions, .zombies: zombies, .routeGap: routeGap, .gossipBytes: Double(gossipBytes),
        ]
        if comparesNodes {
            values[.divergence] = divergence
            values[.alarms] = Double(alarms)
            if let noticed, let firstFault { values[.timeToNotice] = noticed - firstFault }
        }
        if openFaults.isEmpty, lastDisagreement < end { values[.timeToConverge] = max(0, lastDisagreement - lastFault) }
        return values
    }
}
