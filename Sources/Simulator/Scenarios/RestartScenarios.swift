import Basics
import GossipCore
import NameServerCore
import NameServerNode

// Nodes that restart with empty tables: 12 to 14.

extension FaultScenario {
    static let restartScenarios = [
        FaultScenario(
            number: 12, name: "restarted-node", title: "a node restarts with empty tables; unknown topics are gated",
            limits: "9 brokers of 5 topics; 10,000 of 80 topics are the benchmark's", script: restartedNode),
        FaultScenario(
            number: 13, name: "rolling-restart",
            title: "nodes restart in turn, every 10 s and every 60 s, with a dead broker in their tables", limits: nil,
            script: rollingRestart),
        FaultScenario(
            number: 14, name: "all-restart", title: "all nodes restart together; or one of them 20 s earlier",
            limits: nil,
            script: allRestart),
    ]

    private static func gate(_ cluster: Cluster) {
        for node in cluster.nodes { node.adjust = { $0.gossip?.gatesUnknownTopics = true } }
    }

    private static func restartedNode(_ run: ScenarioRun) {
        let stage = run.stage(change: { $0.brokers = 9 }, prepare: gate)
        stage.stride = 1
        stage.at(100) { stage.forgetReadiness(of: 1) }
        stage.at(100, .kill(.node(1), restartAfter: ns(1)))
        stage.run(until: 101.001)
        // The brokers hear of the restart at once, or only when they next try: then warm-up has to fill the gap.
        stage.run(until: 300)
        let measures = stage.finish(healed: 101)
        let first = (0..<9).compactMap { stage.changes(1, $0).last { $0.isServed }?.time }.max() ?? 999
        run.note("all 9 brokers served again \(oneDecimal(first - 101)) s after its start")
        judgeReadiness(run, stage, nodes: [1], startedAt: 101, within: run.protects ? 2 : 45.1)
        run.expect(measures.routeGap < 31, "a gap of \(measures.routeGap) s")
        for broker in 0..<9 {
            for node in [0, 2] { run.expect(stage.changes(node, broker).isEmpty, "node \(node + 1) is not concerned") }
        }
        run.add(measures)
        // The same while no broker can reach it for 44 s: only warm-up knows anything. (In protect it forgets after 60 s.)
        let alone = run.stage("brokers cut off", change: { $0.brokers = 9 }, prepare: gate)
        alone.stride = 1
        for broker in 0..<9 { alone.at(99, .partition(.broker(broker), .node(1), for: ns(45))) }
        alone.at(100) { alone.forgetReadiness(of: 1) }
        alone.at(100, .kill(.node(1), restartAfter: ns(1)))
        alone.run(until: 400)
        judgeReadiness(run, alone, nodes: [1], startedAt: 101, within: run.protects ? 2 : 45.1)
        let alive = alone.finish(healed: 144)
        run.expect(!run.protects || alive.routeGap < 3.5, "a gap of \(alive.routeGap) s")
        run.add(alive)
    }

    /// Ready within seconds of the start, and nobody is told that a topic does not exist.
    private static func judgeReadiness(
        _ run: ScenarioRun, _ stage: Stage, nodes: [Int], startedAt: Double, within limit: Double
    ) {
        for node in nodes where run.gossips {
            let after = (stage.readyAt[node] ?? 9_999) - startedAt
            run.note("node \(node + 1) ready \(oneDecimal(after)) s after its start")
            run.expect(after <= limit, "node \(node + 1) ready \(after) s after its start")
        }
        let missing = stage.answers.reduce(0) { $0 + $1.topicNotExist }
        if run.protects {
            run.expect(missing == 0, "\(missing) times \"topic does not exist\" for topics that do")
        } else {
            run.note("\(missing) times \"topic does not exist\" for topics that do")
        }
    }

    private static func rollingRestart(_ run: ScenarioRun) {
        for every in [10.0, 60] {
            let stage = run.stage("every \(Int(every)) s", change: { $0.brokers = 6 }, prepare: gate)
            stage.stride = 1
            stage.at(100, .powerLoss(.broker(0), restartAfter: nil))
            var time = 105.0
            while time < 105 + every * 9 {
                let node = Int((time - 105) / every) % 3
                stage.at(time, .kill(.node(node), restartAfter: ns(1)))
                time += every
            }
            stage.run(until: 105 + every * 9 + 200)
            let heard = stage.scenario.lastHeard(0)
            for node in 0..<3 {
                let last = stage.changes(node, 0).last
                run.expect(last.map { !$0.isServed } ?? false, "node \(node + 1) serves the dead broker at the end")
                run.expect(
                    (last?.time ?? 999) < heard + 131.1,
                    "node \(node + 1) dropped it \((last?.time ?? 999) - heard) s after its last heartbeat")
            }
            let missing = stage.answers.reduce(0) { $0 + $1.topicNotExist }
            if run.protects { run.expect(missing == 0, "\(missing) times \"topic does not exist\"") }
            run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
            run.add(stage.finish(healed: 106 + every * 8))
        }
    }

    private static func allRestart(_ run: ScenarioRun) {
        for lead in [0.0, 20] {
            let stage = run.stage(lead > 0 ? "one 20 s earlier" : "together", change: { $0.brokers = 6 }, prepare: gate)
            stage.stride = 1
            for node in 0..<3 {
                stage.at(100) { stage.forgetReadiness(of: node) }
                stage.at(100, .kill(.node(node), restartAfter: ns(node == 0 ? 1 : 1 + lead)))
            }
            // While nobody is ready, nobody may learn anything.
            var learned = 0
            for time in stride(from: 101.5, to: 200, by: 0.5) {
                stage.at(time) {
                    let isAnyReady = stage.readyAt.contains { $0 != nil }
                    if !isAnyReady { learned += (0..<3).reduce(0) { $0 + stage.count(\.learned, of: $1) } }
                }
            }
            stage.run(until: 400)
            run.expect(learned == 0, "learned from a node that was not ready")
            for node in 0..<3 {
                judgeReadiness(run, stage, nodes: [node], startedAt: node == 0 ? 101 : 101 + lead, within: 45.1)
            }
            run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
            run.add(stage.finish(healed: 101 + lead))
        }
    }
}
