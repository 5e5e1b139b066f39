// What each fault does to processes and links, when it begins and when it ends.

import Basics
import Glibc
import Platform
import Remoting

extension LiveRun {
    /// Lets a fault begin.
    func beginFault(_ index: Int) {
        active.insert(index)
        let fault = scenario.faults[index].fault
        // A machine without power says nothing more: its connections go dead first.
        if case .powerLoss(let parties) = fault { parties.forEach(links.goSilent) }
        applyLinks()
        switch fault {
        case .cut, .delay, .loss, .bandwidth, .duplicate, .clockDrift: break
        case .reset(let some): links.reset(some)
        case .halfOpen(let some): links.goSilent(some)
        case .kill(let parties, let keepsState): parties.forEach { takeDown($0, SIGKILL, keepsState: keepsState) }
        case .stop(let parties): parties.forEach { takeDown($0, SIGTERM) }
        case .powerLoss(let parties): parties.forEach { takeDown($0, SIGKILL) }
        case .pause(let parties): parties.forEach(pause)
        case .clockJump(let parties, let time): parties.forEach { jump($0, by: time) }
        case .diskFull(let nodes): setDisks(of: nodes, full: true)
        default: beginAct(fault)
        }
    }

    /// Lets a fault end.
    func endFault(_ index: Int) {
        active.remove(index)
        applyLinks()
        switch scenario.faults[index].fault {
        case .kill(let parties, _), .stop(let parties): parties.forEach(bringUp)
        case .powerLoss(let parties):
            parties.forEach(links.forgetSilent)
            parties.forEach(bringUp)
        case .pause(let parties): parties.forEach(resume)
        case .diskFull(let nodes): setDisks(of: nodes, full: false)
        default: break
        }
    }

    private func applyLinks() {
        do {
            try links.apply(active.sorted().map { scenario.faults[$0].fault } + [.cut(abandoned)])
        } catch {
            fail(error.description)
        }
    }

    // MARK: Processes

    private func takeDown(_ party: Party, _ signal: Int32, keepsState: Bool = true) {
        holds[party, default: 0] += 1
        if case .client(let client) = party {
            clients[client].stop()
            return record(.process(party, .down))
        }
        processes.end(party, with: signal) { [weak self] in
            if !keepsState, case .node(let node) = party { self?.forgetState(of: node) }
        }
    }

    private func forgetState(of node: Int) { WorkDirectory.remove(cluster.dataDirectory(of: node)) }

    private func bringUp(_ party: Party) {
        holds[party, default: 1] -= 1
        guard holds[party] == 0 else { return }
        if case .client = party { record(.process(party, .up)) }
        // An orderly end may still be under way.
        guard processes.isRunning(party) else { return restart(party) }
        processes.whenEnded(party) { [weak self] in self?.restart(party) }
    }

    private func restart(_ party: Party) {
        guard holds[party, default: 0] == 0, !processes.isRunning(party) else { return }
        do {
            try start(party)
        } catch {
            fail(error.description)
        }
    }

    private func pause(_ party: Party) {
        pauses[party, default: 0] += 1
        processes.pause(party)
    }

    private func resume(_ party: Party) {
        pauses[party, default: 1] -= 1
        if pauses[party] == 0 { processes.resume(party) }
    }

    private func jump(_ party: Party, by time: Duration) {
        clocks[party, default: .zero] += cluster.real(time)
        setClock(of: party)
    }

    /// Whether a fault that goes on has filled the node's disk.
    func isDiskFull(_ node: Int) -> Bool {
        active.contains {
            if case .diskFull(let nodes) = scenario.faults[$0].fault { nodes.contains(node) } else { false }
        }
    }

    /// Makes writes of these nodes' processes fail, or succeed again unless another fault keeps a disk full.
    func setDisks(of nodes: [Int], full: Bool) {
        for node in nodes where full || !isDiskFull(node) {
            guard let process = processes.processID(of: .node(node)) else { continue }
            do {
                try processes.run(
                    DiskLimit.program, DiskLimit.arguments(process: process, isFull: full),
                    output: "\(cluster.directory)/prlimit.log")
            } catch {
                record(.note(error.description))
            }
        }
    }

    // MARK: What brokers and operators do, once

    private func beginAct(_ fault: Fault) {
        switch fault {
        case .move(let broker): move(broker)
        case .unregister(let broker, let nodes): leave(broker, sayingGoodbyeTo: nodes)
        case .strayUnregister(let broker, let nodes):
            calls.call(goodbye(of: broker), what: "unregister", at: addresses(nodes))
        case .createTopic(let broker, let name):
            calls.call(OperatorCalls.createTopic(name), what: "create \(name)", at: [cluster.brokers[broker]])
        case .putKeyValue(let namespace, let key, let value, let nodes):
            calls.call(OperatorCalls.put(namespace, key, value), what: "put \(key)", at: addresses(nodes))
        case .deleteKeyValue(let namespace, let key, let nodes):
            calls.call(OperatorCalls.delete(namespace, key), what: "delete \(key)", at: addresses(nodes))
        case .wipeWritePermission(let group, let nodes):
            calls.call(OperatorCalls.wipe(group), what: "wipe \(group)", at: addresses(nodes))
        default: preconditionFailure("\(fault) is no act")
        }
    }

    private func addresses(_ nodes: [Int]) -> [Address] { nodes.map { cluster.nodes[$0] } }

    private func goodbye(of broker: Int) -> RemotingCommand {
        OperatorCalls.unregister(scenario.replicas[broker], at: cluster.advertised[broker])
    }

    private func move(_ broker: Int) {
        let party = Party.broker(broker)
        processes.end(party, with: SIGKILL) { [weak self] in
            self?.moveBroker(broker)
            self?.restart(party)
        }
    }

    /// The broker says nothing more itself: it stands still, its goodbye is sent for it, its connections to the other nodes
    /// go dead, and then it is gone.
    private func leave(_ broker: Int, sayingGoodbyeTo nodes: [Int]) {
        let party = Party.broker(broker)
        for node in scenario.nodes.indices where !nodes.contains(node) {
            let link = Link(from: party, to: .node(node))
            abandoned += [link, link.reversed]
        }
        applyLinks()
        holds[party, default: 0] += 1
        processes.freeze(party)
        calls.call(goodbye(of: broker), what: "unregister", at: addresses(nodes)) { [weak self] in
            self?.processes.end(party, with: SIGKILL)
        }
    }
}
