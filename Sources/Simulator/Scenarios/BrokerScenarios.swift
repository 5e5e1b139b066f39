import Basics
import GossipCore

// Brokers that die, fall silent and lose their way to a node: 2 to 7, and 21.

extension FaultScenario {
    static let brokerScenarios = [
        FaultScenario(
            number: 2, name: "broker-killed", title: "kill -9 of a broker: its kernel ends every connection",
            limits: nil, script: brokerKilled),
        FaultScenario(
            number: 3, name: "broker-power-loss", title: "a broker loses power: no node is told", limits: nil,
            script: brokerPowerLoss),
        FaultScenario(
            number: 4, name: "cut-link", title: "the way from a broker to one node is cut for ever", limits: nil,
            script: cutLink),
        FaultScenario(
            number: 5, name: "healed-link", title: "the same, healed after 30, 90 and 300 s", limits: nil,
            script: healedLink),
        FaultScenario(
            number: 6, name: "late-heartbeats",
            title: "heartbeats to one node come 40 to 110 s late, over a link that loses 30 %", limits: nil,
            script: lateHeartbeats),
        FaultScenario(
            number: 7, name: "reset-connection",
            title: "a middlebox resets a connection; a node so slow that brokers hang up", limits: nil,
            script: resetConnection),
        FaultScenario(
            number: 21, name: "flapping-link", title: "a link goes and comes, 5 to 60 s each, for 20 minutes",
            limits: nil, script: flappingLink),
    ]

    private static func brokerKilled(_ run: ScenarioRun) {
        let stage = run.stage()
        stage.at(100, .kill(.broker(0), restartAfter: nil))
        stage.run(until: 300)
        var slowest = 0.0
        for node in 0..<3 {
            let changes = stage.changes(node, 0)
            run.expect(changes.map(\.isServed) == [false], "node \(node + 1) saw \(changes)")
            slowest = max(slowest, (changes.first?.time ?? 999) - 100)
        }
        run.note("gone everywhere after \(oneDecimal(slowest * 1_000)) ms")
        run.expect(slowest < (run.protects ? 1.1 : 0.01), "gone after \(slowest) s only")
        run.expect(stage.alarms().isEmpty, "\(stage.alarms().count) alarms about a death that all saw")
        run.add(stage.finish())
    }

    private static func brokerPowerLoss(_ run: ScenarioRun) {
        let stage = run.stage()
        stage.at(100, .powerLoss(.broker(0), restartAfter: nil))
        stage.run(until: 300)
        let heard = stage.scenario.lastHeard(0)
        for node in 0..<3 {
            let changes = stage.changes(node, 0)
            let after = (changes.first?.time ?? 999) - heard
            run.expect(changes.count == 1 && after > 119.9 && after < 131.1, "node \(node + 1) evicts after \(after) s")
            run.note("node \(node + 1) evicts it \(oneDecimal(after)) s after its last heartbeat")
        }
        run.expect(stage.alarms().isEmpty, "\(stage.alarms().count) alarms about a death that all saw")
        run.add(stage.finish())
    }

    private static func cutLink(_ run: ScenarioRun) {
        for oneWay in [true, false] {
            let stage = run.stage(oneWay ? "one way" : "both ways")
            cut(stage, oneWay: oneWay, at: 100, for: 1_000)
            stage.run(until: 100)
            let heard = Double(stage.cluster.truth.views[1][0].heardAt ?? 0) / 1e9
            stage.run(until: 700)
            judgeCut(run, stage, heard: heard, timeout: 120, scan: 10, detection: 40)
        }
        // Acting-master timings: a heartbeat each second, ten seconds' timeout.
        let stage = run.stage("1 s / 10 s", settled: 30) {
            ($0.heartbeat, $0.brokerTimeout, $0.scan) = (.seconds(1), .seconds(10), .seconds(5))
        }
        cut(stage, oneWay: true, at: 40, for: 1_000)
        stage.run(until: 40)
        let heard = Double(stage.cluster.truth.views[1][0].heardAt ?? 0) / 1e9
        stage.run(until: 120)
        judgeCut(run, stage, heard: heard, timeout: 10, scan: 5, detection: 4)
    }

    private static func cut(_ stage: Stage, oneWay: Bool, at time: Double, for length: Double) {
        let (from, to) = (Machine.broker(0), Machine.node(1))
        stage.at(time, oneWay ? .cut(from: from, to: to, for: ns(length)) : .partition(from, to, for: ns(length)))
    }

    private static func judgeCut(
        _ run: ScenarioRun, _ stage: Stage, heard: Double, timeout: Double, scan: Double, detection: Double
    ) {
        let measures = stage.finish(detectedFrom: heard, .lateHere)
        let changes = stage.changes(1, 0)
        if run.gossips {
            let seen = measures.detection ?? 999
            run.expect(seen <= detection, "the first alarm came \(seen) s after the last heartbeat")
            run.note("alarm \(oneDecimal(seen)) s after the last heartbeat")
        } else {
            run.expect(stage.alarms().isEmpty, "alarms without gossip")
        }
        if run.protects {
            run.expect(changes.isEmpty, "evicted though two peers hear it: \(changes)")
        } else {
            let after = (changes.first?.time ?? 999) - heard
            run.expect(
                changes.count == 1 && after > timeout - 0.1 && after < timeout + scan + 1,
                "evicted \(after) s after its last heartbeat there")
            run.note("evicted \(oneDecimal(after)) s after the last heartbeat")
        }
        for node in [0, 2] { run.expect(stage.changes(node, 0).isEmpty, "node \(node + 1) is not concerned") }
        run.add(measures)
    }

    private static func healedLink(_ run: ScenarioRun) {
        for length in [30.0, 90, 300] {
            for oneWay in [true, false] {
                let stage = run.stage("\(Int(length)) s, \(oneWay ? "one way" : "both ways")")
                cut(stage, oneWay: oneWay, at: 100, for: length)
                stage.run(until: 100 + length + 200)
                let measures = stage.finish(healed: 100 + length)
                let changes = stage.changes(1, 0)
                if run.protects {
                    run.expect(changes.isEmpty, "a gap: \(changes)")
                } else {
                    run.expect(changes.last?.isServed ?? true, "it does not come back: \(changes)")
                    if length > 130 { run.expect(!changes.isEmpty, "kept beyond the timeout") }
                    run.note(changes.isEmpty ? "no gap" : "a gap of \(oneDecimal(measures.routeGap)) s")
                }
                run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree again")
                run.add(measures)
            }
        }
    }

    private static func lateHeartbeats(_ run: ScenarioRun) {
        let stage = run.stage()
        stage.at(100, .loss(.broker(0), .node(1), perMille: 300, for: ns(900)))
        var random = SeededGenerator(seed: run.seed)
        var time = 100.0
        while time < 850 {
            let length = Double.random(in: 40...110, using: &random)
            stage.at(time, .stall(from: .broker(0), to: .node(1), for: ns(length)))
            time += length + 1
        }
        stage.run(until: 1_100)
        let changes = stage.changes(1, 0)
        if run.protects {
            run.expect(changes.isEmpty, "flaps: \(changes)")
        } else {
            run.note("\(changes.count { !$0.isServed }) evictions")
        }
        run.add(stage.finish())
    }

    private static func resetConnection(_ run: ScenarioRun) {
        let reset = run.stage("reset")
        reset.at(100, .reset(.broker(0), .node(1)))
        reset.run(until: 300)
        let slow = run.stage("slow node")
        slow.at(100, .pause(.node(1), .process, for: ns(20), timersFirst: false, wallCatchesUp: true))
        slow.run(until: 300)
        for (part, stage) in [("reset", reset), ("slow node", slow)] {
            let measures = stage.finish()
            if run.protects {
                run.expect(stage.changes(1, 0).isEmpty, "\(part): a gap: \(stage.changes(1, 0))")
            } else {
                run.expect(measures.routeGap < 31, "\(part): a gap of \(measures.routeGap) s")
                run.note("\(part): a gap of \(oneDecimal(measures.routeGap)) s")
            }
            run.add(measures)
        }
    }

    private static func flappingLink(_ run: ScenarioRun) {
        let stage = run.stage()
        var random = SeededGenerator(seed: run.seed)
        var time = 100.0
        while time < 1_300 {
            let off = Double.random(in: 5...60, using: &random)
            cut(stage, oneWay: false, at: time, for: off)
            time += off + Double.random(in: 5...60, using: &random)
        }
        stage.run(until: 1_600)
        let changes = stage.changes(1, 0)
        if run.protects {
            run.expect(changes.isEmpty, "the route flaps: \(changes)")
        } else {
            run.note("the route goes \(changes.count { !$0.isServed }) times")
        }
        // One alarm in five minutes about one thing: what differs, between which two nodes, about which broker.
        let subjects = Dictionary(grouping: stage.alarms()) { line in
            [line.host] + ["peer", "divergence", "broker", "id"].map { line.metadata[$0] ?? "" }
        }
        for (subject, lines) in subjects {
            for (first, second) in zip(lines, lines.dropFirst()) {
                let pause = Double(second.time - first.time) / 1e9
                run.expect(pause >= 299, "two alarms within \(pause) s: \(subject)")
            }
        }
        run.note("\(stage.alarms().count) alarms about \(subjects.count) subjects")
        run.add(stage.finish(detectedFrom: 100))
    }
}
