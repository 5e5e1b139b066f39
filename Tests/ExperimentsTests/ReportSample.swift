// A result as a run would give it, made up: four arms of ten minutes in which a link is cut, a node is restarted and a
// broker's machine loses power. Only what the report shows matters here, not that the figures follow from the history.

import Basics

@testable import Experiments

enum ReportSample {
    static let standard = result()

    /// The same for the same seed.
    static func result(seed: UInt64 = 7, title: String = "A link from one broker to one node is cut, one way")
        -> ExperimentResult
    {
        let scenario = scenario(title: title)
        let arms = scenario.arms.map { arm in
            var history = MadeUpHistory(scenario, arm: arm, seed: seed)
            return ArmResult(arm: arm, history: history.events(), figures: figures(arm, seed: seed))
        }
        let verdicts = scenario.checks.enumerated().flatMap { index, check in
            check.arms.map { arm in
                let value = arms.first { $0.arm == arm }?.figures[check.figure]
                return Verdict(check: index, arm: arm, value: value, held: isHeld(check.bound, value))
            }
        }
        return ExperimentResult(
            scenario: scenario, driver: .live, seed: seed, startedAt: "2026-11-25 22:48:07 UTC",
            environment: ["hearsay 0.3.0", "Linux 6.1, 2 cores"], arms: arms, verdicts: verdicts)
    }

    private static func isHeld(_ bound: Check.Bound, _ value: Double?) -> Bool {
        switch bound {
        case .atMost(let most): value.map { $0 <= most } ?? false
        case .atLeast(let least): value.map { $0 >= least } ?? false
        case .atMostOf: true
        }
    }

    static func scenario(title: String) -> Scenario {
        var scenario = Scenario.sample
        (scenario.name, scenario.title) = ("one-way-cut", title)
        scenario.question =
            "Does a node lose a broker that is alive, only because it cannot hear it, and do clients notice?"
        scenario.clients = [
            .init(name: "producer-1", role: .producer(rate: 5, avoidsFaults: true), topic: "Orders"),
            .init(name: "producer-2", role: .producer(rate: 5, avoidsFaults: false), topic: "Orders"),
            .init(name: "consumer-1", role: .consumer(readsFromSlaves: true), topic: "Orders"),
        ]
        scenario.arms = [.off, .observe, .protect, .replicate]
        scenario.gossipSettings = [.init(key: "period", value: "1s")]
        scenario.faults = [
            PlannedFault(
                number: 1, start: .seconds(60), end: .seconds(360), fault: .cut([Link(from: .broker(0), to: .node(1))]),
                text: "cut broker-a:0 → ns-2"),
            PlannedFault(
                number: 2, start: .seconds(400), end: .seconds(420), fault: .kill([.node(2)], keepsState: true),
                text: "kill ns-3"),
            PlannedFault(
                number: 3, start: .seconds(430), end: .seconds(575), fault: .powerLoss([.broker(2)]),
                text: "power loss of broker-b:0"),
            PlannedFault(
                number: 4, start: .seconds(465), fault: .createTopic(broker: 0, name: "Late"),
                text: "broker-a:0 creates Late"),
        ]
        scenario.checks = [
            Check(
                figure: .falseEvictions, arms: [.protect, .replicate], bound: .atMost(0),
                text: "falseEvictions: 0 in protect, replicate"),
            Check(
                figure: .timeToNotice, arms: [.observe, .protect, .replicate], bound: .atMost(60),
                text: "timeToNotice: 60s"),
            Check(figure: .zombies, arms: scenario.arms, bound: .atMost(0), text: "zombies: 0"),
            Check(
                figure: .sendsFailed, arms: [.protect, .replicate], bound: .atMostOf(.off, factor: 1),
                text: "sendsFailed: at most off"),
        ]
        return scenario
    }

    private static func figures(_ arm: Arm, seed: UInt64) -> [Figure: Double] {
        let gossips = arm != .off
        let saves = arm == .protect || arm == .replicate
        let nudge = Double(seed % 5) / 10
        var figures: [Figure: Double] = [
            .falseEvictions: saves ? 0 : 182.25, .zombies: arm == .observe ? 3.5 : 0, .routeGap: saves ? 29.5 : 182.25,
            .wrongAnswers: arm == .replicate ? 0 : 2, .unanswered: 4, .sendsFailed: arm == .off ? 37 : 31 + nudge * 10,
            .sendFailureRate: 0.52, .sendsRetried: 214, .sendLatencyMedian: 2.125 + nudge, .sendLatencyP99: 3004.75,
            .longestSendOutage: arm == .off ? 9.4 : 6.2, .gossipBytes: gossips ? 1_482_344 : 0,
        ]
        if gossips {
            figures[.timeToNotice] = 31.25 + nudge
            figures[.divergence] = saves ? 301.5 : 330.75
            figures[.alarms] = 3
        }
        figures[.timeToConverge] = arm == .replicate ? 1.5 : 24.75 + nudge
        return figures
    }
}

/// The events of one arm, made up.
private struct MadeUpHistory {
    private let scenario: Scenario
    private let arm: Arm
    private var random: SeededGenerator
    private var list: [HistoryEvent] = []

    init(_ scenario: Scenario, arm: Arm, seed: UInt64) {
        (self.scenario, self.arm) = (scenario, arm)
        random = SeededGenerator(seed: seed)
    }

    private var protects: Bool { arm == .protect || arm == .replicate }
    private mutating func add(_ time: Double, _ kind: HistoryEvent.Kind) { list.append(HistoryEvent(time: time, kind)) }
    private mutating func sight(_ time: Double, _ node: Int, _ broker: Int, _ sight: HistoryEvent.Sight) {
        add(time, .sight(node: node, broker: broker, sight))
    }

    mutating func events() -> [HistoryEvent] {
        beginning()
        cut()
        restart()
        powerLoss()
        gossip()
        clients()
        add(600, .ended)
        let order = list.indices.sorted { (list[$0].time, $0) < (list[$1].time, $1) }
        return order.map { list[$0] }
    }

    private mutating func beginning() {
        for party in [Party.node(0), .node(1), .node(2), .broker(0), .broker(1), .broker(2)] {
            add(-2, .process(party, .up))
        }
        for node in 0..<3 {
            for broker in 0..<3 { sight(-1, node, broker, .registered) }
            add(-1, .topics(node: node, count: 4))
            if arm != .off { add(-1, .divergences(node: node, count: 0)) }
        }
    }

    private mutating func cut() {
        add(60, .faultBegan(0))
        sight(182.5, 1, 0, protects ? .protected : .absent)
        if !protects { add(182.5, .topics(node: 1, count: 3)) }
        add(360, .faultEnded(0))
        sight(364.75, 1, 0, .registered)
        if !protects { add(364.75, .topics(node: 1, count: 4)) }
    }

    private mutating func restart() {
        add(400, .faultBegan(1))
        add(400.25, .process(.node(2), .down))
        add(420, .faultEnded(1))
        add(420.5, .process(.node(2), .up))
        for (broker, heard) in [(0, 427.25), (1, 441.0), (2, 426.5)] {
            if arm == .replicate {
                sight(421.75, 2, broker, .learned)
            } else {
                sight(420.75, 2, broker, .absent)
            }
            sight(heard, 2, broker, .registered)
        }
        add(420.75, .topics(node: 2, count: arm == .replicate ? 4 : 0))
        if arm != .replicate { add(427.25, .topics(node: 2, count: 4)) }
        add(466, .topics(node: 0, count: 5))
        add(466.25, .topics(node: 2, count: 5))
        add(466.5, .topics(node: 1, count: 5))
    }

    private mutating func powerLoss() {
        add(430, .faultBegan(2))
        add(430, .process(.broker(2), .down))
        add(465, .faultBegan(3))
        add(465, .note("broker-a:0 creates the topic Late with 4 queues"))
        for node in 0..<3 {
            let gone = 546.0 + Double(node) * 2.5
            sight(gone, node, 2, .absent)
            add(gone, .topics(node: node, count: 4))
            sight(577.5 + Double(node), node, 2, .registered)
            add(577.5 + Double(node), .topics(node: node, count: 5))
        }
        add(575, .faultEnded(2))
        add(575, .process(.broker(2), .up))
        add(580, .process(.broker(1), .paused))
        add(586, .process(.broker(1), .up))
    }

    private mutating func gossip() {
        guard arm != .off else { return }
        for (node, peer) in [(0, "ns-2"), (2, "ns-2"), (1, "ns-1")] {
            let noticed = 91.25 + Double(node)
            add(noticed, .divergences(node: node, count: 1))
            let kind = node == 1 ? "lateHere" : "lateThere"
            let text = "broker-a:0 is late at \(peer): heard 61 s ago there, 1 s ago elsewhere"
            add(noticed, .divergence(node: node, kind: kind, text: text))
            if !protects { add(183, .divergences(node: node, count: 2)) }
            add(365.5 + Double(node), .divergences(node: node, count: 0))
            add(151.25 + Double(node), .alarm(node: node, text: text))
        }
        for second in stride(from: 0.0, through: 600, by: 2) {
            for node in 0..<3 where !(node == 2 && (400..<421).contains(second)) {
                add(second, .gossipBytes(node: node, total: Int(second) * (700 + 40 * node)))
            }
        }
    }

    private mutating func clients() {
        var read = 0
        for step in 0..<3000 {
            let time = Double(step) / 5
            for client in 0..<2 {
                let outcome = send(at: time, by: client)
                if outcome.broker != nil { read += 1 }
                let jitter = Double(random.next() % 100) / 1000
                add(time + jitter, .send(client: client, outcome))
            }
            if step % 25 == 0 { add(time + 0.1, .received(client: 2, total: read)) }
        }
        for round in 0..<20 {
            for client in 0..<3 {
                let time = Double(round) * 30 + Double(client) * 7
                add(time, .route(client: client, route(at: time, for: client)))
            }
        }
    }

    private mutating func send(at time: Double, by client: Int) -> HistoryEvent.SendOutcome {
        let draw = Double(random.next() % 10_000) / 10_000
        let quick = 1.2 + 3 * draw * draw * draw
        let isDead = (430.0..<545.0).contains(time)
        if isDead && draw < (client == 0 ? 0.03 : 0.24) {
            let isLost = draw < 0.022 && !protects || draw < 0.012
            return isLost
                ? .init(broker: nil, attempts: 3, latencyMillis: 9003.5 + 10 * draw, failure: "no broker answered")
                : .init(broker: 0, attempts: 2, latencyMillis: 3001.25 + 20 * draw)
        }
        return .init(broker: isDead || draw < 0.5 ? 0 : 2, attempts: 1, latencyMillis: quick)
    }

    private func route(at time: Double, for client: Int) -> HistoryEvent.RouteOutcome {
        if (400..<421).contains(time) && client == 2 { return .unanswered }
        if (421..<427).contains(time) && arm != .replicate { return .noRoute }
        if (183..<364).contains(time) && client == 1 && !protects { return .brokers([1, 2]) }
        return (547..<578).contains(time) ? .brokers([0, 1]) : .brokers([0, 1, 2])
    }
}
