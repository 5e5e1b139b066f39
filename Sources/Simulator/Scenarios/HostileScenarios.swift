import Basics
import GossipCore
import NameServerCore
import NameServerNode

// Peers that must not be believed, and peers of other modes and versions: 22 and 25.

extension FaultScenario {
    static let hostileScenarios = [
        FaultScenario(
            number: 22, name: "hostile-peers",
            title: "wrong key, other label, replayed and damaged frames, two nodes of one name, a liar with the key",
            limits:
                "another key shows as another salt: TLS is tested with real sockets; 10 million frames are the fuzzer's",
            script: hostilePeers),
        FaultScenario(
            number: 25, name: "mixed-versions",
            title: "nodes change from off to this mode one after the other; a peer speaks a later version, too",
            limits: nil, script: mixedVersions),
    ]

    private static func hello(_ name: String, in run: ScenarioRun, incarnation: UInt64 = 77) -> GossipMessage.Hello {
        GossipMessage.Hello(
            label: "simulated", node: name, incarnation: incarnation, clock: .zero, uptime: .seconds(100),
            mode: run.mode, state: .ready, salt: 7,
            timings: NodeTimings(
                heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), period: .seconds(1)),
            software: "scripted")
    }

    private static func hostilePeers(_ run: ScenarioRun) {
        strangers(run)
        replay(run)
        twins(run)
        liar(run, witnesses: 1)
        liar(run, witnesses: 2)
    }

    /// Node 3 has another key, or another label: refused on both sides, told on both, and everything else goes on.
    private static func strangers(_ run: ScenarioRun) {
        for isKey in [true, false] {
            let stage = run.stage(
                isKey ? "other key" : "other label", settled: 60,
                prepare: { cluster in
                    cluster.nodes[2].adjust = { options in
                        if isKey { options.gossip?.settings.salt = 8 } else { options.gossip?.settings.label = "other" }
                    }
                })
            stage.at(100, .partition(.broker(0), .node(1), for: ns(500)))
            stage.at(100, .partition(.broker(1), .node(0), for: ns(500)))
            stage.at(100, .partition(.broker(1), .node(1), for: ns(500)))
            stage.run(until: 400)
            for node in 0..<3 where run.gossips {
                run.expect(stage.count(\.refusedLinks, of: node) > 0, "node \(node + 1) refuses nobody")
                let told = stage.alarms(.configuration, at: node, after: 0)
                run.expect(!told.isEmpty, "node \(node + 1) does not say what does not fit")
            }
            // What only the stranger hears is proven to nobody; what a true peer hears is.
            for node in [0, 1] { run.expect(!stage.cluster.truth.views[node][1].isServed, "a stranger was believed") }
            if run.protects { run.expect(stage.cluster.truth.views[1][0].isServed, "the true peer was not believed") }
            run.add(stage.finish())
        }
    }

    /// Somebody on the network repeats what he overheard, and sends what is no frame.
    private static func replay(_ run: ScenarioRun) {
        guard run.gossips else { return }
        var eve: ScriptedPeer!
        let stage = run.stage(
            "replay", settled: 60,
            prepare: { cluster in
                let host = cluster.world.makeHost("eve", ip: "10.4.0.1")
                eve = ScriptedPeer(on: host, hello: hello("ns-2", in: run), seed: 5)
            })
        let cluster = stage.cluster
        let before = (0..<3).map { node in cluster.nodes[node].node?.inspectTables { $0.served } ?? [] }
        let digest = stage.status(of: 0)?.peers.first?.digest
        let reports = [AgeReport(replica: 1, heard: nil)]
        var attempts: [[UInt8]] = [
            [0, 0, 0, 9, 1, 3, 0, 0, 0], Array(repeating: 0xFF, count: 4_096), [0, 0, 0, 8, 1, 99, 0, 0],
        ]
        if let digest {
            // A handshake would be needed first: without one of their own these are nothing.
            attempts.append(
                ScriptedPeer.bytes(
                    .synAck(.init(echo: 1, nonce: 2, clock: .zero, digest: digest, ages: reports, asks: []))))
            attempts.append(ScriptedPeer.bytes(.syn(.init(nonce: 1, clock: .zero, digest: digest))))
        }
        attempts.append(
            ScriptedPeer.bytes(
                .tombstones(
                    .init(reports: [
                        TombstoneReport(
                            replica: 1, reason: .unregistered, sequence: 1, age: .zero, timeoutMillis: 120_000)
                    ]))))
        attempts.append(ScriptedPeer.bytes(.hello(hello("eve", in: run))))
        for (index, bytes) in attempts.enumerated() {
            stage.at(70 + Double(index)) { eve.dial(cluster.nodes[0], sending: bytes) }
        }
        let refused = { (stage.count(\.malformedFrames, of: 0), stage.count(\.refusedLinks, of: 0)) }
        let start = refused()
        stage.run(until: 100)
        let end = refused()
        let counted = end.0 + end.1 - start.0 - start.1
        run.note("\(counted) of \(attempts.count) forged beginnings refused and counted")
        run.expect(counted >= attempts.count - 1, "only \(counted) of \(attempts.count) were counted")
        for node in 0..<3 {
            let after = cluster.nodes[node].node?.inspectTables { $0.served } ?? []
            run.expect(after == before[node], "the tables of node \(node + 1) changed")
        }
        run.expect(stage.agreedSince != nil, "the nodes do not agree any more")
        run.add(stage.finish())
    }

    /// A fourth node calls itself ns-2 as well: told, and neither of the two is a witness.
    private static func twins(_ run: ScenarioRun) {
        guard run.gossips else { return }
        let stage = run.stage(
            "two of one name", settled: 60, change: { $0.nodes = 4 },
            prepare: { cluster in
                cluster.nodes[3].adjust = { options in
                    options.gossip?.settings.node = "ns-2"
                    options.gossip?.settings.peers = ["ns-1", "ns-3"]
                    options.gossip?.peers.remove(at: 1)
                }
            })
        stage.at(100, .partition(.broker(0), .node(0), for: ns(600)))
        stage.at(100, .partition(.broker(0), .node(2), for: ns(600)))
        stage.run(until: 400)
        let told = stage.alarms(.duplicateID, after: 0)
        run.expect(!told.isEmpty, "nobody says that two nodes have one name")
        run.note("two nodes of one name told \(told.count) times")
        run.add(stage.finish())
    }

    /// Node 5's port is taken by a liar who has the key: every broker he is asked about he has just heard.
    private static func liar(_ run: ScenarioRun, witnesses: Int) {
        guard run.protects else { return }
        var liar: ScriptedPeer!
        let stage = run.stage(
            "liar, k=\(witnesses)", settled: 60, change: { $0.nodes = 5 },
            prepare: { cluster in
                for node in cluster.nodes { node.adjust = { $0.gossip?.settings.witnesses = witnesses } }
                cluster.nodes[4].adjust = { $0.gossip = nil }
                liar = ScriptedPeer(on: cluster.nodes[4].host, hello: hello("ns-5", in: run), seed: 6)
                liar.listen()
            })
        let made = liar!
        made.answer = { message in
            made.courtesy(message) { _ in
                AgeReport.Heard(
                    hearing: ReportedHearing(age: .zero, registrationAge: .zero, isConnected: true), registrationHash: 1
                )
            }
        }
        stage.at(100, .powerLoss(.broker(0), restartAfter: nil))
        stage.run(until: 500)
        let kept = (0..<4).filter { stage.cluster.truth.views[$0][0].isServed }
        if witnesses == 1 {
            run.note("one liar keeps a dead broker at \(kept.count) of 4 nodes when one witness is enough")
            let told = stage.alarms(.lateHere).count
            run.expect(told > 0, "nobody tells that only one peer hears it")
            return
        }
        run.expect(kept.isEmpty, "one liar keeps a dead broker at \(kept.count) nodes though two witnesses are wanted")
        run.add(stage.finish(detectedFrom: 100))
    }

    private static func mixedVersions(_ run: ScenarioRun) {
        var modes = [GossipMode.off, .off, .off]
        let stage = run.stage(
            "upgrade",
            prepare: { cluster in
                for node in cluster.nodes {
                    node.adjust = { options in
                        if modes[node.index] == .off {
                            options.gossip = nil
                        } else {
                            options.gossip?.settings.mode = modes[node.index]
                            options.gossip?.gatesUnknownTopics = true
                        }
                    }
                }
            })
        var step = 0
        for mode in GossipMode.allCases where mode > .off && mode <= run.mode {
            for node in 0..<3 {
                let time = 100 + Double(step) * 60
                stage.at(time) { modes[node] = mode }
                stage.at(time, .kill(.node(node), restartAfter: ns(1)))
                step += 1
            }
        }
        let end = 100 + Double(step) * 60
        stage.run(until: end + 60)
        for node in 0..<3 {
            for broker in 0..<3 {
                run.expect(stage.cluster.truth.views[node][broker].isServed, "node \(node + 1) lacks b-\(broker + 1)")
            }
        }
        run.expect(!run.gossips || stage.agreedSince != nil, "the nodes do not agree after the upgrade")
        run.add(stage.finish(healed: end))
        mixedModes(run)
        laterVersion(run)
    }

    /// Each node keeps its own rule, whatever its peers' modes are.
    private static func mixedModes(_ run: ScenarioRun) {
        guard run.gossips else { return }
        let modes: [GossipMode] = [run.mode, .off, .observe, .protect, .replicate]
        let stage = run.stage(
            "mixed modes", change: { $0.nodes = 5 },
            prepare: { cluster in
                for node in cluster.nodes {
                    node.adjust = { options in
                        if modes[node.index] == .off { options.gossip = nil }
                        options.gossip?.settings.mode = modes[node.index]
                    }
                }
            })
        for node in 1..<5 { stage.at(100, .cut(from: .broker(0), to: .node(node), for: ns(900))) }
        stage.run(until: 400)
        for node in 1..<5 {
            let isServed = stage.cluster.truth.views[node][0].isServed
            run.expect(
                isServed == (modes[node] >= .protect),
                "node \(node + 1) in mode \(modes[node].name) serves it: \(isServed)")
        }
        run.add(stage.finish(detectedFrom: 100))
    }

    /// A peer that speaks versions 1 and 2 and puts a frame of version 2 after each of version 1.
    private static func laterVersion(_ run: ScenarioRun) {
        guard run.gossips else { return }
        var later: ScriptedPeer!
        let stage = run.stage(
            "later version", settled: 60, change: { $0.nodes = 4 },
            prepare: { cluster in
                cluster.nodes[3].adjust = { $0.gossip = nil }
                var words = hello("ns-4", in: run)
                words.protocols = 1...2
                later = ScriptedPeer(on: cluster.nodes[3].host, hello: words, seed: 6)
                later.afterEach = [0, 0, 0, 12, 2, 200, 7, 9, 1, 2, 3, 4]
                later.listen()
            })
        stage.run(until: 160)
        for node in 0..<3 {
            let peer = stage.status(of: node)?.peers.first { $0.name == "ns-4" }
            run.expect(
                peer?.isConnected == true && peer?.exchanges ?? 0 > 60, "node \(node + 1) does not take part with it")
            run.expect(
                stage.count(\.malformedFrames, of: node) == 0, "node \(node + 1) takes later frames for malformed")
        }
        run.expect(stage.alarms(after: 0).isEmpty, "alarms: \(stage.alarms(after: 0).map(\.text))")
    }
}
