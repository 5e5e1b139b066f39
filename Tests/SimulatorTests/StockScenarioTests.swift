import Basics
import NameServerCore
import NameServerNode
import Platform
import Remoting
import RouteClient
import Simulator
import Testing

/// What Apache's NameServers do, and so ours without gossip, with numbers: gossip.md section 4, column "off".
@Suite struct StockScenarioTests {
    /// Three nodes, three masters, everybody up long before anything happens.
    private static func scenario(nodes: Int = 3, brokers: Int = 3) -> Scenario {
        var options = ClusterOptions(seed: 1)
        (options.nodes, options.brokers, options.hasUnevenClocks) = (nodes, brokers, false)
        let scenario = Scenario(options)
        scenario.run(until: 95)
        for node in 0..<nodes {
            for broker in 0..<brokers { #expect(scenario.cluster.truth.views[node][broker].isServed) }
        }
        return scenario
    }

    /// 2: kill -9 ends every connection: gone at once, everywhere. So does a goodbye.
    @Test(arguments: [Fault.kill(.broker(0), restartAfter: nil), .stop(broker: 0, restartAfter: nil)])
    func goneAtOnce(fault: Fault) {
        let scenario = Self.scenario()
        scenario.at(100, fault)
        scenario.run(until: 300)
        for node in 0..<3 {
            let changes = scenario.changes(node: node, broker: 0, after: 99)
            #expect(changes.count == 1 && changes[0].time < 100.01, "\(changes)")
            #expect(scenario.changes(node: node, broker: 1, after: 99).isEmpty)
        }
    }

    /// 3: power loss tells nobody: gone between timeout and timeout plus scan after the last heartbeat.
    @Test func goneAfterTheTimeout() {
        let scenario = Self.scenario()
        scenario.at(100, .powerLoss(.broker(0), restartAfter: nil))
        scenario.run(until: 300)
        let heard = scenario.lastHeard(0)
        #expect(heard > 65 && heard < 100)
        for node in 0..<3 {
            let changes = scenario.changes(node: node, broker: 0, after: 99)
            #expect(changes.count == 1, "\(changes)")
            #expect(changes[0].time > heard + 119.99 && changes[0].time < heard + 130.01, "\(changes), heard \(heard)")
        }
    }

    /// 4, 5: a cut link: evicted there only; once it carries again, the broker is back within seconds.
    @Test(arguments: [true, false])
    func cutLink(oneWay: Bool) {
        let scenario = Self.scenario()
        let (from, to) = (Machine.broker(0), Machine.node(1))
        let length: Int64 = 300_000_000_000
        scenario.at(100, oneWay ? .cut(from: from, to: to, for: length) : .partition(from, to, for: length))
        scenario.run(until: 500)
        let changes = scenario.changes(node: 1, broker: 0, after: 99)
        #expect(changes.map(\.isServed) == [false, true])
        #expect(changes[0].time > 185 && changes[0].time < 230, "\(changes)")
        #expect(changes[1].time > 400 && changes[1].time < 416, "\(changes)")
        for node in [0, 2] { #expect(scenario.changes(node: node, broker: 0, after: 99).isEmpty) }
    }

    /// 5: a cut that heals in time is no gap by itself. But what the broker's kernel still holds for the connection it gave
    /// up may arrive after the newer registration, an old registration and the connection's end: then the next heartbeat
    /// mends it. Apache's does the same.
    @Test func shortCut() {
        let scenario = Self.scenario()
        scenario.at(100, .cut(from: .broker(0), to: .node(1), for: 60_000_000_000))
        scenario.run(until: 400)
        let changes = scenario.changes(node: 1, broker: 0, after: 99)
        #expect(changes.map(\.isServed) == [false, true])
        #expect(changes[0].time > 160 && changes[1].time - changes[0].time < 30, "\(changes)")
    }

    /// 7: a reset connection is a gap until the broker's retry.
    @Test func resetConnection() {
        let scenario = Self.scenario()
        scenario.at(100, .reset(.broker(0), .node(1)))
        scenario.run(until: 300)
        let changes = scenario.changes(node: 1, broker: 0, after: 99)
        #expect(changes.map(\.isServed) == [false, true])
        #expect(changes[1].time - changes[0].time > 0.4 && changes[1].time - changes[0].time < 1.1, "\(changes)")
    }

    /// 17: a connection that is dead without a word: the broker notices at its next registration, and nobody loses it.
    @Test func halfOpenConnection() {
        let scenario = Self.scenario()
        scenario.at(100, .forget(.broker(0), .node(1)))
        scenario.run(until: 400)
        #expect(scenario.changes(node: 1, broker: 0, after: 99).isEmpty)
    }

    /// 12: a node that restarts empty is full again within the heartbeat interval.
    @Test(arguments: [
        Fault.kill(.node(1), restartAfter: 1_000_000_000), .powerLoss(.node(1), restartAfter: 60_000_000_000),
    ])
    func restartedNode(fault: Fault) {
        let scenario = Self.scenario()
        scenario.at(100, fault)
        scenario.run(until: 300)
        let started = Double(scenario.cluster.nodes[1].startedAt) / 1e9
        #expect(scenario.cluster.nodes[1].starts == 2)
        for broker in 0..<3 {
            let changes = scenario.changes(node: 1, broker: broker, after: 99)
            #expect(changes.map(\.isServed) == [false, true])
            #expect(changes[1].time - started < 30, "\(changes)")
        }
    }

    /// 15: a short stop is not noticed; a long one whose clock ran on evicts everybody, if timers come first, though their
    /// heartbeats wait; with a clock that stood still too, nobody was silent by it, and all come again.
    @Test(arguments: [
        (HostPause.process, 5, [Bool]()),
        // Evicted; then what waited is read: a heartbeat, maybe the end of its connection, maybe a newer one.
        (HostPause.process, 130, [false, true]),
        (HostPause.machine(clockRuns: true), 130, [false, true]),
        (HostPause.machine(clockRuns: false), 600, []),
    ])
    func pausedNode(kind: HostPause, length: Int, expected: [Bool]) {
        let scenario = Self.scenario()
        scenario.at(
            100, .pause(.node(1), kind, for: Int64(length) * 1_000_000_000, timersFirst: true, wallCatchesUp: true))
        scenario.run(until: 900)
        for broker in 0..<3 {
            let changes = scenario.changes(node: 1, broker: broker, after: 99)
            #expect(Array(changes.map(\.isServed).prefix(2)) == expected, "\(changes)")
            if let last = changes.last {
                #expect(last.isServed && last.time < 100 + Double(length) + 30, "\(changes)")
            }
            #expect(scenario.changes(node: 0, broker: broker, after: 99).isEmpty)
        }
    }

    /// 16: wall clock steps and drift are nothing to a node.
    @Test func wallClockSteps() {
        let scenario = Self.scenario()
        scenario.at(100, .wallStep(.node(1), by: 3_600_000_000_000))
        scenario.at(150, .wallStep(.node(1), by: -7_200_000_000_000))
        scenario.at(160, .drift(.node(1), ppm: 500, for: 200_000_000_000))
        scenario.run(until: 500)
        for broker in 0..<3 { #expect(scenario.changes(node: 1, broker: broker, after: 99).isEmpty) }
    }

    /// 6: a lossy link: TCP delivers, if late.
    @Test func lossyLink() {
        let scenario = Self.scenario()
        scenario.at(100, .loss(.broker(0), .node(1), perMille: 300, for: 600_000_000_000))
        scenario.run(until: 900)
        #expect(scenario.changes(node: 1, broker: 0, after: 99).isEmpty)
    }

    /// S1: any node may die: its clients go to another one within their next pull.
    @Test func clientsFailOver() {
        let scenario = Self.scenario()
        for node in [0, 1] { scenario.at(100 + 100 * Double(node), .kill(.node(node), restartAfter: nil)) }
        scenario.run(until: 600)
        for client in scenario.cluster.clients {
            #expect(client.tally.noNameServer == 0 && client.tally.topicNotExist == 0)
            #expect(client.tally.routes > 30)
            #expect(client.tally.longestGap < 40_000_000_000, "\(client.tally)")
            #expect(client.client?.currentNameServer == scenario.cluster.nodes[2].address)
        }
    }

    /// An operator's change is on disk before it is answered, so it survives what comes right after the answer.
    @Test func keyValuesSurvivePowerLoss() {
        let scenario = Self.scenario(brokers: 1)
        var answered = false
        let put = OperatorCommand.putKeyValue("orders", "broker-1:4")
        scenario.at(100) {
            let request = RemotingCommand(
                request: RequestCode.putKVConfig, fields: ["namespace": "N", "key": "orders", "value": "broker-1:4"])
            scenario.cluster.administrator.send(put, to: 1)
            scenario.cluster.administrator.send(request, to: 0) { result in
                answered = (try? result.get())?.code == ResponseCode.success
                scenario.cluster.nodes[0].powerOff()
            }
        }
        scenario.run(until: 110)
        #expect(answered)
        scenario.cluster.nodes[0].host.powerOn()
        scenario.cluster.nodes[0].start()
        var value: String?
        // The first one finds its connection dead.
        for time in [111, 112] as [Double] {
            scenario.at(time) {
                let request = RemotingCommand(
                    request: RequestCode.getKVConfig, fields: ["namespace": "N", "key": "orders"])
                scenario.cluster.administrator.send(request, to: 0) { value = (try? $0.get())?["value"] }
            }
        }
        scenario.run(until: 120)
        #expect(value == "broker-1:4")
    }
}
