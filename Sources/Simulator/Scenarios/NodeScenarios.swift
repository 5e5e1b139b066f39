import Basics
import GossipCore

// Nodes that stand still: 15, and clocks that are wrong: 16; links between nodes that stall, double and reorder: 17.

extension FaultScenario {
    static let clockScenarios = [
        FaultScenario(
            number: 15, name: "paused-machine",
            title:
                "a node's machine stands still for 10 minutes, its clock with it or not; another node restarts meanwhile",
            limits: "after a suspend with a running clock all connections are dead until the brokers reconnect",
            script: pausedMachine),
        FaultScenario(
            number: 16, name: "wrong-clocks",
            title: "wall clock steps of an hour, drift of 500 ppm, and 5,000 ppm, beyond what is assumed", limits: nil,
            script: wrongClocks),
        FaultScenario(
            number: 17, name: "bad-gossip-links",
            title: "between nodes: stalls up to 60 s, doubled and overtaking frames, half-open connections",
            limits: nil,
            script: badGossipLinks),
    ]

    private static func pausedMachine(_ run: ScenarioRun) {
        let pauses: [(String, HostPause, Bool)] = [
            ("frozen clock", .machine(clockRuns: false), true),
            ("frozen clock, wall not set", .machine(clockRuns: false), false),
            ("running clock", .machine(clockRuns: true), true), ("process", .process, true),
        ]
        for (name, pause, wallCatchesUp) in pauses {
            let stage = run.stage(name)
            stage.at(100, .pause(.node(1), pause, for: ns(600), timersFirst: true, wallCatchesUp: wallCatchesUp))
            // Dies when only the one that stands still had heard it last; and the third node loses its memory.
            stage.at(110, .powerLoss(.broker(0), restartAfter: nil))
            stage.at(400, .kill(.node(2), restartAfter: ns(1)))
            stage.run(until: 1_000)
            let heard = stage.scenario.lastHeard(0)
            for node in [0, 2] {
                let last = stage.changes(node, 0).last { !$0.isServed }
                run.expect(
                    (last?.time ?? 9_999) < heard + 131.1,
                    "node \(node + 1): the dead broker left at \(last?.time ?? 9_999)")
            }
            let evicted = [1, 2].filter { broker in stage.changes(1, broker).contains { !$0.isServed && $0.time >= 700 }
            }
            if run.protects {
                run.expect(evicted.isEmpty, "the resumed node evicts \(evicted.count) living brokers")
            } else {
                run.note("the resumed node evicts \(evicted.count) of 2 living brokers")
            }
            let own = stage.changes(1, 0).last { !$0.isServed }?.time
            run.note(
                "the resumed node drops the dead broker \(own.map { oneDecimal($0 - 700) } ?? "-") s after it went on")
            // With a clock that stood still, a timeout and a scan. Otherwise at once; with protect a heartbeat, a sixth, and a scan.
            let clockRuns = pause != .machine(clockRuns: false)
            let limit = !clockRuns ? 132.0 : run.protects ? 46 : 11
            run.expect((own ?? 9_999) < 700 + limit, "the resumed node keeps the dead broker")
            run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree again")
            run.add(stage.finish(healed: 700))
        }
    }

    private static func wrongClocks(_ run: ScenarioRun) {
        let stage = run.stage("within bounds")
        stage.at(100, .wallStep(.node(1), by: ns(3_600)))
        stage.at(150, .wallStep(.node(1), by: ns(-7_200)))
        stage.at(160, .drift(.node(1), ppm: 500, for: ns(400)))
        stage.at(160, .drift(.node(2), ppm: -500, for: ns(400)))
        stage.at(200, .powerLoss(.broker(0), restartAfter: nil))
        stage.run(until: 600)
        for node in 0..<3 {
            for broker in [1, 2] {
                run.expect(stage.changes(node, broker).isEmpty, "node \(node + 1) lost b-\(broker + 1)")
            }
        }
        run.add(stage.finish())
        let fast = run.stage("5,000 ppm")
        fast.at(100, .drift(.node(1), ppm: 5_000, for: ns(400)))
        fast.at(100, .drift(.node(2), ppm: -5_000, for: ns(400)))
        fast.at(200, .powerLoss(.broker(0), restartAfter: nil))
        fast.run(until: 700)
        let alarms = fast.alarms(.clock).count + fast.warnings.count { $0.metadata["event"] == "stalled" }
        if run.gossips { run.expect(alarms > 0, "no alarm about clocks that are 10,000 ppm apart") }
        for node in 0..<3 {
            for broker in [1, 2] {
                run.expect(fast.changes(node, broker).isEmpty, "node \(node + 1) lost b-\(broker + 1)")
            }
        }
        run.note("\(alarms) alarms about clocks")
        run.add(fast.finish(detectedFrom: 100, .clock))
    }

    private static func badGossipLinks(_ run: ScenarioRun) {
        let stage = run.stage { $0.brokers = 6 }
        var random = SeededGenerator(seed: run.seed)
        for from in 0..<3 {
            for to in 0..<3 where from != to {
                stage.at(100, .frames(from: from, to: to, drop: 50, double: 200, delay: 200, for: ns(500)))
                for time in stride(from: 100.0, to: 600, by: 80) {
                    let length = Double.random(in: 1...60, using: &random)
                    stage.at(time, .stall(from: .node(from), to: .node(to), for: ns(length)))
                }
            }
        }
        stage.at(250, .forget(.node(0), .node(1)))
        stage.at(350, .forget(.node(2), .node(1)))
        stage.at(120, .powerLoss(.broker(0), restartAfter: nil))
        stage.at(180, .cut(from: .broker(3), to: .node(1), for: ns(250)))
        stage.at(320, .powerLoss(.broker(3), restartAfter: nil))
        stage.run(until: 900)
        for broker in [0, 3] {
            let heard = stage.scenario.lastHeard(broker)
            for node in 0..<3 {
                let last = stage.changes(node, broker).last
                run.expect(
                    last.map { !$0.isServed && $0.time < heard + 131.1 } ?? false,
                    "node \(node + 1): b-\(broker + 1), last heard at \(heard): \(stage.changes(node, broker))")
            }
        }
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree again")
        run.add(stage.finish(healed: 600))
    }
}
