import Basics

/// Makes faults happen to a cluster and ends them, at the latest when everything heals.
public final class FaultInjector {
    private unowned let cluster: Cluster
    /// What ends the faults that last, by a running number.
    private var ends: [(number: Int, end: () -> Void)] = []
    private var lastNumber = 0
    private var isHealed = false

    /// Injects into `cluster`.
    public init(_ cluster: Cluster) { self.cluster = cluster }

    private var world: World { cluster.world }

    /// The machine's host.
    public func host(_ machine: Machine) -> Host {
        switch machine {
        case .node(let index): cluster.nodes[index].host
        case .broker(let index): cluster.brokers[index].host
        case .client(let index): cluster.clients[index].host
        }
    }

    /// Plans every fault of a schedule.
    public func plan(_ schedule: [ScheduledFault]) {
        for item in schedule {
            world.at(item.time) { [weak self] in
                guard let self, !isHealed else { return }
                if world.trace.wantsLines { world.trace.add("\(world.timeText) FAULT \(item)") }
                apply(item.fault)
            }
        }
    }

    /// Ends every fault, and starts what is down.
    public func heal() {
        isHealed = true
        let due = ends
        ends = []
        for end in due { end.end() }
        for host in cluster.hosts where host.pause != nil { resume(host, timersFirst: false, wallCatchesUp: true) }
        for host in cluster.hosts where !host.isOn { host.powerOn() }
        for node in cluster.nodes { node.start() }
        for broker in cluster.brokers { broker.start() }
        for client in cluster.clients { client.start() }
    }

    /// Calls `end` after a while, or when everything heals.
    private func last(_ duration: Int64?, _ end: @escaping () -> Void) {
        lastNumber += 1
        let number = lastNumber
        ends.append((number, end))
        guard let duration else { return }
        world.at(world.time + duration) { [weak self] in
            guard let self, let place = ends.firstIndex(where: { $0.number == number }) else { return }
            ends.remove(at: place).end()
        }
    }

    /// Makes one fault happen now.
    public func apply(_ fault: Fault) {
        switch fault {
        case .kill(let who, let after):
            kill(who)
            last(after) { [unowned self] in start(who) }
        case .powerLoss(let who, let after):
            powerOff(who)
            last(after) { [unowned self] in
                host(who).powerOn()
                start(who)
            }
        case .stop(let broker, let after):
            cluster.brokers[broker].stop()
            last(after) { [unowned self] in restart(cluster.brokers[broker]) }
        case .pause(let who, let kind, let time, let timersFirst, let wallCatchesUp):
            pause(host(who), kind, time, timersFirst, wallCatchesUp)
        case .drift(let who, let ppm, let time):
            let before = host(who).clock.driftPPM
            host(who).setDrift(ppm: ppm)
            last(time) { [unowned self] in host(who).setDrift(ppm: before) }
        case .wallStep(let who, let step): host(who).stepWallClock(by: step)
        case .command(let command, let nodes):
            for node in cluster.nodes where nodes >> UInt64(node.index) & 1 == 1 {
                cluster.administrator.send(command, to: node.index)
            }
        case .topics(let broker, let creates): cluster.brokers[broker].changeTopics(creates: creates)
        case .dropTopic(let broker): cluster.brokers[broker].dropTopic()
        case .fullDisk(let node, let time):
            let platforms = [cluster.nodes[node].platform, cluster.nodes[node].platform?.shadow]
            for platform in platforms { platform?.failsFileWrites = true }
            last(time) { for platform in platforms { platform?.failsFileWrites = false } }
        default: applyToNetwork(fault)
        }
    }

    private func applyToNetwork(_ fault: Fault) {
        switch fault {
        case .cut(let from, let to, let time): cut([(host(from), host(to))], time)
        case .partition(let first, let second, let time):
            cut([(host(first), host(second)), (host(second), host(first))], time)
        case .isolate(let who, let time):
            let own = host(who)
            cut(cluster.hosts.filter { $0 !== own }.flatMap { [(own, $0), ($0, own)] }, time)
        case .split(let nodes, let splitsBrokers, let time): cut(pairs(nodes, splitsBrokers), time)
        case .loss(let first, let second, let rate, let time):
            change(first, second, time) { $0.lossPerMille = rate }
        case .slow(let first, let second, let latency, let time):
            change(first, second, time) { $0.latency = latency }
        case .narrow(let first, let second, let bandwidth, let time):
            change(first, second, time) { $0.bandwidth = bandwidth }
        case .stall(let from, let to, let time): world.stall(from: host(from), to: host(to), for: time)
        case .reset(let first, let second): world.resetConnections(between: host(first), and: host(second))
        case .forget(let first, let second): world.forgetConnections(of: host(first), to: host(second))
        case .frames(let from, let to, let drop, let double, let delay, let time):
            changeOneWay(host(.node(from)), host(.node(to)), time) {
                ($0.frameDropPerMille, $0.frameDoublePerMille, $0.frameDelayPerMille) = (drop, double, delay)
            }
        default: preconditionFailure("\(fault) is no fault of the network")
        }
    }

    // MARK: Machines

    private func start(_ machine: Machine) {
        switch machine {
        case .node(let index): cluster.nodes[index].start()
        case .broker(let index): cluster.brokers[index].start()
        case .client(let index): cluster.clients[index].start()
        }
    }

    private func kill(_ machine: Machine) {
        switch machine {
        case .node(let index): cluster.nodes[index].kill()
        case .broker(let index): cluster.brokers[index].kill()
        case .client(let index): cluster.clients[index].kill()
        }
    }

    private func powerOff(_ machine: Machine) {
        cluster.truth.didResume(host(machine))
        switch machine {
        case .node(let index): cluster.nodes[index].powerOff()
        case .broker(let index): cluster.brokers[index].powerOff()
        case .client(let index):
            cluster.clients[index].kill()
            host(machine).powerOff()
        }
    }

    private func restart(_ broker: SimulatedBroker) {
        if broker.isStopping { broker.kill() }
        broker.start()
    }

    private func pause(
        _ host: Host, _ kind: HostPause, _ time: Int64, _ timersFirst: Bool, _ wallCatchesUp: Bool
    ) {
        guard host.isOn, host.pause == nil else { return }
        host.pause(kind)
        cluster.truth.didPause(host, clockRuns: kind != .machine(clockRuns: false))
        last(time) { [unowned self] in resume(host, timersFirst: timersFirst, wallCatchesUp: wallCatchesUp) }
    }

    private func resume(_ host: Host, timersFirst: Bool, wallCatchesUp: Bool) {
        cluster.truth.didResume(host)
        host.resume(timersFirst: timersFirst, wallCatchesUp: wallCatchesUp)
    }

    // MARK: Network

    private func cut(_ pairs: [(Host, Host)], _ time: Int64) {
        for (from, to) in pairs { world.cut(from: from, to: to, true) }
        last(time) { [unowned self] in
            for (from, to) in pairs { world.cut(from: from, to: to, false) }
        }
    }

    private func pairs(_ mask: UInt64, _ splitsBrokers: Bool) -> [(Host, Host)] {
        func side(_ machine: Machine) -> Bool? {
            switch machine {
            case .node(let index): mask >> UInt64(index) & 1 == 1
            case .broker(let index): splitsBrokers ? index % 2 == 1 : nil
            case .client: nil
            }
        }
        let machines =
            cluster.nodes.indices.map { Machine.node($0) } + cluster.brokers.indices.map { Machine.broker($0) }
        var pairs: [(Host, Host)] = []
        for first in machines {
            for second in machines {
                guard let left = side(first), let right = side(second), left != right else { continue }
                pairs.append((host(first), host(second)))
            }
        }
        return pairs
    }

    private func change(
        _ first: Machine, _ second: Machine, _ time: Int64, _ change: @escaping (inout LinkConditions) -> Void
    ) {
        changeOneWay(host(first), host(second), time, change)
        changeOneWay(host(second), host(first), time, change)
    }

    /// Afterwards the link is as links are by default; overlapping changes end together.
    private func changeOneWay(_ from: Host, _ to: Host, _ time: Int64, _ change: (inout LinkConditions) -> Void) {
        world.setConditions(from: from, to: to, change)
        last(time) { [unowned self] in
            world.setConditions(from: from, to: to) { [unowned self] in $0 = world.defaultConditions }
        }
    }
}
