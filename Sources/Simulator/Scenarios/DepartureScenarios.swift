import Basics
import GossipCore

// Partitions between nodes, and goodbyes that not everybody hears: 8 to 11.

extension FaultScenario {
    static let departureScenarios = [
        FaultScenario(
            number: 8, name: "split-brain", title: "nodes split into {1} and {2, 3} for 300 s, brokers seen by halves",
            limits: nil, script: splitBrain),
        FaultScenario(
            number: 9, name: "isolated-node", title: "one node is cut off from everybody for 300 s", limits: nil,
            script: isolatedNode),
        FaultScenario(
            number: 10, name: "lost-goodbye", title: "UNREGISTER_BROKER reaches one node only",
            limits: "applyUnregister is not there: the other two keep their own entries to their end",
            script: lostGoodbye),
        FaultScenario(
            number: 11, name: "racing-goodbye", title: "a goodbye races heartbeats; a broker restarts at once",
            limits: nil, script: racingGoodbye),
    ]

    private static func splitBrain(_ run: ScenarioRun) {
        let stage = run.stage { $0.brokers = 6 }
        stage.at(100, .split(nodes: 0b001, splitsBrokers: true, for: ns(300)))
        stage.run(until: 395)
        // Each side serves what it hears: brokers of odd number are with node 1, the others with nodes 2 and 3.
        for node in 0..<3 {
            for broker in 0..<6 {
                let isNear = (node == 0) == (broker % 2 == 1)
                let isServed = stage.cluster.truth.views[node][broker].isServed
                run.expect(isServed == isNear, "node \(node + 1) serves b-\(broker + 1): \(isServed)")
                let gone = stage.changes(node, broker).first { !$0.isServed }
                if !isNear { run.expect((gone?.time ?? 999) < 232, "b-\(broker + 1) gone at \(gone?.time ?? 999)") }
            }
        }
        stage.run(until: 700)
        let back = stage.cluster.truth.changes.filter { $0.isServed }.map { Double($0.time) / 1e9 }.max() ?? 0
        run.note("all served everywhere \(oneDecimal(back - 400)) s after the end of the split")
        run.expect(back < 440, "back at \(back)")
        let learned = (0..<3).map { stage.count(\.learned, of: $0) }
        if run.mode == .replicate { run.note("learned from peers: \(learned)") }
        run.expect(run.mode == .replicate || learned.allSatisfy { $0 == 0 }, "learned \(learned)")
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
        run.add(stage.finish(healed: 400))
    }

    private static func isolatedNode(_ run: ScenarioRun) {
        let stage = run.stage()
        stage.at(100, .isolate(.node(1), for: ns(300)))
        stage.run(until: 395)
        for broker in 0..<3 {
            let gone = stage.changes(1, broker).first
            run.expect(
                gone.map { !$0.isServed && $0.time < 232 } ?? false, "b-\(broker + 1): \(stage.changes(1, broker))")
            for node in [0, 2] { run.expect(stage.changes(node, broker).isEmpty, "node \(node + 1) is not concerned") }
        }
        let states = stage.warnings.filter { $0.metadata["event"] == "state" && $0.text.contains("isolated") }
        if run.gossips {
            run.expect(!states.isEmpty, "the node does not say that it is isolated")
            if let first = states.first {
                run.note("isolated, it says after \(oneDecimal(Double(first.time) / 1e9 - 100)) s")
            }
        }
        stage.run(until: 600)
        for broker in 0..<3 { run.expect(stage.cluster.truth.views[1][broker].isServed, "b-\(broker + 1) stays away") }
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree again")
        run.add(stage.finish(healed: 400))
    }

    private static func lostGoodbye(_ run: ScenarioRun) {
        let stage = run.stage()
        for node in [1, 2] { stage.at(100, .cut(from: .broker(0), to: .node(node), for: ns(600))) }
        stage.at(101, .stop(broker: 0, restartAfter: nil))
        stage.run(until: 600)
        let first = stage.changes(0, 0)
        run.expect(first.count == 1 && first[0].time < 101.1, "node 1, which was told, saw \(first)")
        for node in [1, 2] {
            let changes = stage.changes(node, 0)
            let heard = 100.0
            run.expect(
                changes.count == 1 && changes[0].time < heard + 131.1,
                "node \(node + 1), which was not told, saw \(changes)")
            run.note("node \(node + 1) drops it \(oneDecimal((changes.first?.time ?? 999) - 101)) s after the goodbye")
        }
        let kept = run.gossips ? stage.alarms(.missingHere, .missingThere).count : 1
        run.expect(kept > 0, "no alarm about the entries that stay")
        run.add(stage.finish(detectedFrom: 101))
    }

    private static func racingGoodbye(_ run: ScenarioRun) {
        let race = run.stage("race")
        // The goodbye is slow on its way to one node, while a registration has just left; and nobody comes back.
        race.at(99.9, .slow(.broker(0), .node(1), latency: ns(0.4), for: ns(5)))
        race.at(100, .topics(broker: 0, creates: true))
        race.at(100.001, .stop(broker: 0, restartAfter: nil))
        race.run(until: 400)
        for node in 0..<3 {
            let changes = race.changes(node, 0)
            run.expect(changes.map(\.isServed) == [false] && changes[0].time < 102, "node \(node + 1) saw \(changes)")
        }
        run.add(race.finish())
        for pause in [0.05, 0.5, 2] {
            let restart = run.stage("restart after \(pause) s")
            restart.at(100, .stop(broker: 0, restartAfter: ns(pause)))
            restart.run(until: 300)
            for node in 0..<3 {
                let changes = restart.changes(node, 0)
                run.expect(changes.last?.isServed ?? true, "node \(node + 1): it does not come back: \(changes)")
                let back = changes.last?.time ?? 100
                run.expect(back < 100 + pause + 3, "node \(node + 1): back at \(back)")
                let early = changes.contains { $0.isServed && $0.time < 100 + pause }
                run.expect(!early, "node \(node + 1): served again before it was back: \(changes)")
            }
            run.expect(!run.gossips || restart.agreedSince != nil, "the nodes do not agree again")
            run.add(restart.finish(healed: 100 + pause))
        }
    }
}
