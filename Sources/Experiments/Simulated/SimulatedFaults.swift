import Basics
import BrokerAgent
import Remoting
import Simulator

/// Lets a scenario's faults begin and end.
final class SimulatedFaults {
    private unowned let testbed: SimulatedTestbed
    private let scenario: Scenario
    /// What changes links at the moment, in the order in which it began.
    private var changes: [LinkChange] = []
    /// How many faults keep somebody in a state; it ends with the last of them.
    private var holds: [Hold: Int] = [:]

    private enum Hold: Hashable {
        case down(Party)
        case paused(Party)
        case diskFull(Int)
    }

    private struct LinkChange {
        var fault: Int
        var link: Link
        var apply: (inout Simulator.LinkConditions) -> Void
    }

    init(_ testbed: SimulatedTestbed) {
        self.testbed = testbed
        scenario = testbed.scenario
    }

    private var world: World { testbed.world }

    /// Lets everything happen at its time after `zero`, a true time in nanoseconds.
    func plan(from zero: Int64) {
        for (index, planned) in scenario.faults.enumerated() {
            world.at(zero + planned.start.wholeNanoseconds) { [self] in
                testbed.tell(.faultBegan(index))
                begin(index)
            }
            guard let end = planned.end else { continue }
            world.at(zero + end.wholeNanoseconds) { [self] in
                self.end(index)
                testbed.tell(.faultEnded(index))
            }
        }
    }

    private func begin(_ index: Int) {
        switch scenario.faults[index].fault {
        case .cut(let links): cut(links, true)
        case .delay(let links, let delay, let jitter):
            let (delay, jitter) = (delay.wholeNanoseconds, jitter.wholeNanoseconds)
            change(links, index) {
                $0.latency += max(0, delay - jitter)
                $0.jitter += delay + jitter - max(0, delay - jitter)
            }
        case .loss(let links, let perMille): change(links, index) { $0.lossPerMille = perMille }
        case .duplicate(let links, let perMille): change(links, index) { $0.frameDoublePerMille = perMille }
        case .bandwidth(let links, let bytes): change(links, index) { $0.bandwidth = Int64(bytes) }
        case .reset(let links):
            for link in links { world.resetConnections(between: testbed.host(link.from), and: testbed.host(link.to)) }
        case .halfOpen(let links):
            for link in links { world.forgetConnections(of: testbed.host(link.from), to: testbed.host(link.to)) }
        case .clockJump(let parties, let step):
            for party in parties { testbed.host(party).stepWallClock(by: step.wholeNanoseconds) }
        case .clockDrift(let parties, let rate): for party in parties { testbed.host(party).setDrift(ppm: Int64(rate)) }
        case .diskFull(let nodes):
            for node in nodes {
                hold(.diskFull(node))
                testbed.nodes[node].isDiskFull = true
            }
        case let fault: beginWithProcesses(fault)
        }
    }

    private func beginWithProcesses(_ fault: Fault) {
        switch fault {
        case .kill(let parties, let keepsState):
            for party in parties {
                hold(.down(party))
                testbed.machine(party).kill()
                if !keepsState { testbed.host(party).eraseFiles() }
            }
        case .stop(let parties):
            for party in parties {
                hold(.down(party))
                testbed.machine(party).stop()
            }
        case .powerLoss(let parties):
            for party in parties {
                hold(.down(party))
                testbed.machine(party).losePower()
            }
        case .pause(let parties):
            for party in parties {
                hold(.paused(party))
                testbed.machine(party).pause()
            }
        case .move(let broker): testbed.brokers[broker].move()
        case .unregister(let broker, let nodes):
            unregister(broker, at: nodes)
            testbed.brokers[broker].losePower()
        case .strayUnregister(let broker, let nodes): unregister(broker, at: nodes)
        case .createTopic(let broker, let name): createTopic(name, on: broker)
        case .putKeyValue(let namespace, let key, let value, let nodes):
            command(
                "PUT_KV_CONFIG", RequestCode.putKVConfig, ["namespace": namespace, "key": key, "value": value], nodes)
        case .deleteKeyValue(let namespace, let key, let nodes):
            command("DELETE_KV_CONFIG", RequestCode.deleteKVConfig, ["namespace": namespace, "key": key], nodes)
        case .wipeWritePermission(let group, let nodes):
            command("WIPE_WRITE_PERM_OF_BROKER", RequestCode.wipeWritePermOfBroker, ["brokerName": group], nodes)
        default: preconditionFailure("\(fault) is no fault of a process")
        }
    }

    private func end(_ index: Int) {
        switch scenario.faults[index].fault {
        case .cut(let links): cut(links, false)
        case .delay(let links, _, _), .loss(let links, _), .duplicate(let links, _), .bandwidth(let links, _):
            changes.removeAll { $0.fault == index }
            for link in links { refresh(link) }
        case .kill(let parties, _), .stop(let parties), .powerLoss(let parties):
            for party in parties where release(.down(party)) { testbed.machine(party).start() }
        case .pause(let parties):
            for party in parties where release(.paused(party)) { testbed.machine(party).resume() }
        case .clockDrift(let parties, _): for party in parties { testbed.host(party).setDrift(ppm: 0) }
        case .diskFull(let nodes):
            for node in nodes where release(.diskFull(node)) { testbed.nodes[node].isDiskFull = false }
        case .reset, .halfOpen, .clockJump, .move, .unregister, .strayUnregister, .createTopic, .putKeyValue,
            .deleteKeyValue, .wipeWritePermission:
            break
        }
    }

    private func hold(_ hold: Hold) { holds[hold, default: 0] += 1 }

    /// Whether nothing else holds it.
    private func release(_ hold: Hold) -> Bool {
        holds[hold, default: 0] -= 1
        return holds[hold] == 0
    }

    // MARK: Links

    private func cut(_ links: [Link], _ isCut: Bool) {
        for link in links { world.cut(from: testbed.host(link.from), to: testbed.host(link.to), isCut) }
    }

    private func change(_ links: [Link], _ fault: Int, _ apply: @escaping (inout Simulator.LinkConditions) -> Void) {
        for link in links {
            changes.append(LinkChange(fault: fault, link: link, apply: apply))
            refresh(link)
        }
    }

    private func refresh(_ link: Link) {
        world.setConditions(from: testbed.host(link.from), to: testbed.host(link.to)) { conditions in
            conditions = world.defaultConditions
            for change in changes where change.link == link { change.apply(&conditions) }
        }
    }

    // MARK: Commands

    private func command(_ name: String, _ code: Int32, _ fields: KeyValuePairs<String, String>, _ nodes: [Int]) {
        for node in nodes {
            testbed.experimenter.command(
                "\(name) at \(scenario.nodes[node].name)", RemotingCommand(request: code, fields: fields),
                to: testbed.nodes[node].address)
        }
    }

    private func unregister(_ broker: Int, at nodes: [Int]) {
        let identity = testbed.brokers[broker].identity
        command(
            "UNREGISTER_BROKER", RequestCode.unregisterBroker,
            [
                "brokerName": identity.name, "brokerAddr": "\(identity.address)", "clusterName": identity.cluster,
                "brokerId": "\(identity.brokerID)",
            ], nodes)
    }

    private func createTopic(_ name: String, on broker: Int) {
        let request = RemotingCommand(
            request: RequestCode.updateAndCreateTopic,
            fields: [
                "topic": name, "defaultTopic": "TBW102", "readQueueNums": "4", "writeQueueNums": "4", "perm": "6",
                "topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false",
            ])
        testbed.experimenter.command(
            "UPDATE_AND_CREATE_TOPIC at \(scenario.replicas[broker].name)", request,
            to: testbed.brokers[broker].identity.address)
    }
}
