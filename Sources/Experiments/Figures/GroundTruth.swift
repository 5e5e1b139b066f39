import Basics

/// Who runs and who can be heard, as the history has told so far; never what nodes believe.
struct GroundTruth {
    let scenario: Scenario
    /// How exactly nodes are observed: each is asked four times per scan or more often.
    let observation: Double
    private(set) var nodes: [HistoryEvent.ProcessState]
    private(set) var brokers: [HistoryEvent.ProcessState]
    /// When each broker's process took its present state.
    private(set) var brokerSince: [Double]
    /// Links of cuts that go on; several cuts may share one.
    private var cuts: [Link: Int] = [:]

    init(_ scenario: Scenario) {
        self.scenario = scenario
        observation = scenario.timings.scan.inSeconds / 4
        nodes = Array(repeating: .up, count: scenario.nodes.count)
        brokers = Array(repeating: .up, count: scenario.replicas.count)
        brokerSince = Array(repeating: -.infinity, count: scenario.replicas.count)
    }

    /// Takes note of processes and cuts; answers whether the event was one of these.
    mutating func take(_ event: HistoryEvent) -> Bool {
        switch event.kind {
        case .process(.node(let node), let state): nodes[node] = state
        case .process(.broker(let broker), let state):
            if brokers[broker] != state { brokerSince[broker] = event.time }
            brokers[broker] = state
        case .faultBegan(let fault): count(fault, by: 1)
        case .faultEnded(let fault): count(fault, by: -1)
        default: return false
        }
        return true
    }

    private mutating func count(_ fault: Int, by step: Int) {
        guard case .cut(let links) = scenario.faults[fault].fault else { return }
        for link in links { cuts[link, default: 0] += step }
    }

    /// From when on the broker counts as living; nil while its process does not run.
    func livingSince(_ broker: Int) -> Double? {
        brokers[broker] == .up ? brokerSince[broker] + observation : nil
    }

    /// Since when the broker is dead; nil while its process runs.
    func deadSince(_ broker: Int) -> Double? { brokers[broker] == .up ? nil : brokerSince[broker] }

    /// Whether the broker lives at that time.
    func isLiving(_ broker: Int, at time: Double) -> Bool { livingSince(broker).map { $0 <= time } ?? false }

    /// Whether a running node receives what the broker sends, should it send anything.
    func isHeard(_ broker: Int) -> Bool {
        nodes.indices.contains {
            nodes[$0] == .up && cuts[Link(from: .broker(broker), to: .node($0)), default: 0] <= 0
        }
    }
}
