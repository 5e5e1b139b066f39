import Basics
import GossipCore
import NameServerCore
import NameServerNode

// Quiet, load and many nodes: 1, 23 and 24.

extension FaultScenario {
    static let scaleScenarios = [
        FaultScenario(
            number: 1, name: "quiet", title: "nothing happens but jitter: no alarm, no repair, idle bytes only",
            limits: "12 brokers for 10 minutes, long 60 brokers for 24 hours; 10,000 brokers are the benchmark's",
            script: quiet),
        FaultScenario(
            number: 23, name: "registration-storm",
            title: "all brokers register at once, a node restarts and many registrations differ",
            limits:
                "60 brokers, long 600; response times under load are the benchmark's: the simulator has no CPU cost",
            script: storm),
        FaultScenario(
            number: 24, name: "overlay",
            title: "nodes that list 6 peers each; 20 % of gossip frames lost, 10 % of nodes crash",
            limits: "24 nodes, long 200, without relaying, which is not there: each node compares with those it lists",
            script: overlay),
    ]

    private static func quiet(_ run: ScenarioRun) {
        let stage = run.stage(
            settled: 120, change: { $0.brokers = run.isLong ? 60 : 12 },
            prepare: { cluster in
                cluster.world.defaultConditions.jitter = 30_000_000
            })
        let repairs = (0..<3).map { stage.count(\.reconciliations, of: $0) }
        let length = run.isLong ? 86_400.0 : 600
        stage.run(until: 120 + length)
        let measures = stage.finish()
        run.expect(measures.alarms == 0, "\(measures.alarms) alarms: \(stage.alarms().map(\.text).prefix(3))")
        run.expect(
            stage.warnings.allSatisfy { $0.time < 120_000_000_000 }, "warnings: \(stage.warnings.last?.text ?? "")")
        run.expect(measures.routeGap == 0 && measures.falseEviction == 0, "somebody was not served")
        for node in 0..<3 where run.gossips {
            run.expect(
                stage.count(\.reconciliations, of: node) == repairs[node], "node \(node + 1) worked a difference out")
        }
        let perLink = Double(measures.gossipBytes) / length / 3
        run.note("\(oneDecimal(perLink)) bytes of frames a second and peer link")
        run.expect(perLink < 500, "\(perLink) bytes a second and link")
        run.add(measures)
    }

    private static func storm(_ run: ScenarioRun) {
        let count = run.isLong ? 600 : 60
        let stage = run.stage(
            settled: 60, change: { $0.brokers = count },
            prepare: { cluster in
                for node in cluster.nodes { node.adjust = { $0.gossip?.gatesUnknownTopics = true } }
            })
        for broker in 0..<count {
            stage.at(100, .topics(broker: broker, creates: true))
            // A third of them cannot tell one node.
            if broker % 3 == 0 { stage.at(99.9, .partition(.broker(broker), .node(1), for: ns(20))) }
        }
        stage.at(105, .kill(.node(2), restartAfter: ns(1)))
        stage.at(105) { stage.forgetReadiness(of: 2) }
        stage.run(until: 300)
        let measures = stage.finish(healed: 120)
        if run.gossips {
            let ready = (stage.readyAt[2] ?? 999) - 106
            run.note("the restarted node is ready after \(oneDecimal(ready)) s")
            run.expect(ready <= (run.protects ? 2 : 45.1), "the restarted node is ready after \(ready) s")
            run.expect(stage.agreedSince != nil, "the nodes do not agree")
        }
        if run.protects {
            run.expect(measures.topicNotExist == 0, "\(measures.topicNotExist) times \"topic does not exist\"")
        }
        run.add(measures)
    }

    private static func overlay(_ run: ScenarioRun) {
        let count = run.isLong ? 200 : 24
        let stage = run.stage(settled: 95) { options in
            (options.nodes, options.brokers, options.degree, options.nameServersPerBroker) = (count, 6, 6, count)
        }
        for from in 0..<count {
            for to in 0..<count where from != to {
                if run.gossips, stage.cluster.nodes[from].lists(to) {
                    stage.at(100, .frames(from: from, to: to, drop: 200, double: 0, delay: 0, for: ns(300)))
                }
            }
        }
        for node in stride(from: 0, to: count, by: 10) { stage.at(150, .kill(.node(node), restartAfter: ns(100))) }
        stage.at(200, .powerLoss(.broker(0), restartAfter: nil))
        stage.run(until: 600)
        let heard = stage.scenario.lastHeard(0)
        let last = (0..<count).map { stage.changes($0, 0).last?.time ?? 9_999 }.max() ?? 0
        run.expect(last < heard + 131.1, "the dead broker left \(last - heard) s after its last heartbeat")
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
        run.add(stage.finish(healed: 400))
    }
}
