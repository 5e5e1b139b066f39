import Basics
import GossipCore
import NameServerCore
import NameServerNode
import Remoting

// What brokers register and operators change: 18 to 20.

extension FaultScenario {
    static let contentScenarios = [
        FaultScenario(
            number: 18, name: "topic-churn",
            title: "topics change all the time; registrations are lost; a topic is deleted",
            limits: "5 changes a second instead of 100; residue is no kind of divergence of its own", script: topicChurn
        ),
        FaultScenario(
            number: 19, name: "half-done-commands",
            title: "WIPE_WRITE_PERM at 2 of 3 nodes; a key-value put at 1 of 3",
            limits: "replicate: [kv, perm] and the quarantine of a node that was away for 8 days are not played",
            script: halfDoneCommands),
        FaultScenario(
            number: 20, name: "new-master",
            title: "a broker is reinstalled (lower counter); its slave goes; 30 s and acting-master timings",
            limits:
                "stateVersion is the broker controller's and is not played", script: newMaster),
    ]

    private static func topicChurn(_ run: ScenarioRun) {
        let stage = run.stage()
        for step in 0..<100 {
            stage.at(100 + Double(step) * 0.2, .topics(broker: step % 3, creates: step % 4 == 0))
        }
        // One node misses the last of them: the broker's requests to it are lost for a while.
        stage.at(115, .partition(.broker(0), .node(1), for: ns(25)))
        stage.run(until: 145)
        let seen = stage.alarms(.content, after: 115).first.map { Double($0.time) / 1e9 - 115 }
        if run.gossips {
            run.expect(seen.map { $0 < 10 } ?? false, "content alarm after \(seen ?? 999) s")
            run.note("the difference is told \(oneDecimal(seen ?? 999)) s after the cut")
        }
        stage.run(until: 200)
        let agreed = stage.agreedSince
        if run.gossips { run.expect(agreed != nil, "the nodes do not agree a minute later") }
        // Deleted at one node, while the broker cannot register it again: no peer brings it back.
        for node in 0..<3 { stage.at(200, .partition(.broker(0), .node(node), for: ns(90))) }
        stage.at(201, .command(.deleteTopic("only-broker-1"), nodes: 0b001))
        var codes: [Int32] = []
        for node in [0, 1] {
            stage.at(285) {
                let request = RemotingCommand(
                    request: RequestCode.getRouteInfoByTopic, fields: ["topic": "only-broker-1"])
                stage.cluster.administrator.send(request, to: node) { codes.append((try? $0.get())?.code ?? -1) }
            }
        }
        let before = stage.finish(healed: 140)
        stage.run(until: 300)
        run.expect(
            codes.sorted() == [ResponseCode.success, ResponseCode.topicNotExist], "the deleted topic: codes \(codes)")
        if run.gossips {
            run.expect(
                !stage.alarms(.permission, after: 200).isEmpty, "nobody tells that the topic was deleted at one node")
        }
        run.add(before)
    }

    private static func halfDoneCommands(_ run: ScenarioRun) {
        let stage = run.stage()
        stage.at(100, .command(.wipeWritePermission(broker: "broker-1"), nodes: 0b011))
        stage.at(120, .command(.putKeyValue("orders", "broker-1:4"), nodes: 0b001))
        stage.run(until: 200)
        for (kind, time) in [(DivergenceKind.permission, 100.0), (.keyValue, 120)] where run.gossips {
            let seen = stage.alarms(kind, after: time).first.map { Double($0.time) / 1e9 - time } ?? 999
            run.note("\(kind.name) told after \(oneDecimal(seen)) s")
            run.expect(seen <= 7.5, "\(kind.name) told after \(seen) s")
        }
        // Nobody but the operator changes anything, in any mode, unless it is asked for.
        var values: [Int: String?] = [:]
        for node in 0..<3 {
            stage.at(200) {
                let request = RemotingCommand(
                    request: RequestCode.getKVConfig, fields: ["namespace": "ORDER_TOPIC_CONFIG", "key": "orders"])
                stage.cluster.administrator.send(request, to: node) { values[node] = (try? $0.get())?["value"] }
            }
        }
        stage.run(until: 210)
        run.expect(
            values[0] == "broker-1:4" && values[1] == .some(nil) && values[2] == .some(nil), "values are \(values)")
        // The operator repeats both where they were missed.
        stage.at(210, .command(.wipeWritePermission(broker: "broker-1"), nodes: 0b100))
        stage.at(210, .command(.putKeyValue("orders", "broker-1:4"), nodes: 0b110))
        stage.run(until: 240)
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree after both were repeated")
        run.add(stage.finish(detectedFrom: 100, healed: 210))
    }

    private static func newMaster(_ run: ScenarioRun) {
        for isActing in [false, true] {
            let stage = run.stage(isActing ? "1 s / 10 s" : "30 s", settled: 95) {
                if isActing { ($0.heartbeat, $0.brokerTimeout, $0.scan) = (.seconds(1), .seconds(10), .seconds(5)) }
            }
            // The master is wiped and comes back with nothing: its DataVersion starts anew.
            stage.at(100, .powerLoss(.broker(1), restartAfter: ns(40)))
            stage.at(120) { stage.cluster.brokers[1].reinstall() }
            // Its slave goes for good, without a word.
            stage.at(200, .powerLoss(.broker(2), restartAfter: nil))
            stage.run(until: 500)
            for node in 0..<3 {
                run.expect(stage.cluster.truth.views[node][1].isServed, "node \(node + 1) lacks the reinstalled broker")
                run.expect(!stage.cluster.truth.views[node][2].isServed, "node \(node + 1) still serves the slave")
            }
            let measures = stage.finish(healed: 140)
            run.expect(measures.alarms == 0, "\(measures.alarms) alarms: \(stage.alarms().map(\.text))")
            run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
            run.add(measures)
        }
        // The same name and id at another address: the newest registration wins, and the old address never comes back.
        let stage = run.stage("another address") { $0.brokers = 2 }
        let successor = stage.cluster.brokers[1]
        stage.at(100, .powerLoss(.broker(0), restartAfter: nil))
        stage.at(110) { successor.kill() }
        stage.at(111) { successor.start(as: stage.cluster.brokers[0].identity) }
        stage.run(until: 400)
        for node in 0..<3 {
            let served = stage.cluster.nodes[node].node?.inspectTables { $0.served } ?? []
            run.expect(served.count == 1 && served[0].contains(successor.host.ip), "node \(node + 1) serves \(served)")
        }
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree")
        let measures = stage.finish()
        run.expect(measures.alarms == 0, "\(measures.alarms) alarms: \(stage.alarms().map(\.text))")
    }
}
