import Basics
import Platform
import Simulator

/// Everybody in one world: a machine for each party, and the experimenter's own, which sees and reaches all of them.
final class SimulatedTestbed {
    let scenario: Scenario
    let world: World
    private(set) var nodes: [NodeMachine] = []
    private(set) var brokers: [BrokerMachine] = []
    private(set) var clients: [ClientMachine] = []
    private(set) var experimenter: Experimenter!
    private let onEvent: (HistoryEvent) -> Void
    private var random: SeededGenerator

    /// Times of events are true time in seconds.
    init(
        _ scenario: Scenario, arm: Arm, seed: UInt64, onEvent: @escaping (HistoryEvent) -> Void
    ) throws(ExperimentError) {
        self.scenario = scenario
        self.onEvent = onEvent
        random = SeededGenerator(seed: seed)
        world = World(seed: random.next())
        world.gossipPorts = [NodeMachine.gossipPort]
        let settings = try NodeSettings(scenario, arm: arm)
        let addresses = scenario.nodes.indices.map { Address(host: "10.0.0.\($0 + 1)", port: NodeMachine.port) }
        for index in scenario.nodes.indices {
            let machine = NodeMachine(
                life(.node(index), host: makeHost(scenario.nodes[index].name, ip: addresses[index].host)),
                settings: settings, address: addresses[index], peers: addresses)
            nodes.append(machine)
        }
        for (index, replica) in scenario.replicas.enumerated() {
            // With its colon no name of a replica is a node's or a client's.
            let host = makeHost(replica.name, ip: "10.1.\(index / 250).\(index % 250 + 1)")
            brokers.append(
                BrokerMachine(
                    life(.broker(index), host: host), scenario: scenario, replica: replica, nameServers: addresses))
        }
        for index in scenario.clients.indices {
            let host = makeHost(scenario.clients[index].name, ip: "10.2.\(index / 250).\(index % 250 + 1)")
            clients.append(
                ClientMachine(
                    life(.client(index), host: host), scenario: scenario, nameServers: addresses,
                    time: { [unowned self] in time },
                    onEvent: onEvent))
        }
        experimenter = Experimenter(self, host: world.makeHost("experimenter", ip: "10.3.0.1"), seed: random.next())
    }

    private func makeHost(_ name: String, ip: String) -> Host {
        world.makeHost(name, ip: ip, origin: Int64.random(in: 60...10_000_000, using: &random) * 1_000_000_000)
    }

    private func life(_ party: Party, host: Host) -> MachineLife {
        MachineLife(party: party, host: host, world: world, seed: random.next()) { [unowned self] state in
            tell(.process(party, state))
        }
    }

    /// True time in seconds.
    var time: Double { Double(world.time) / 1e9 }

    func tell(_ kind: HistoryEvent.Kind) { onEvent(HistoryEvent(time: time, kind)) }

    func machine(_ party: Party) -> any SimulatedMachine {
        switch party {
        case .node(let index): nodes[index]
        case .broker(let index): brokers[index]
        case .client(let index): clients[index]
        }
    }

    func host(_ party: Party) -> Host { machine(party).life.host }

    func tearDown() { world.tearDown() }

    // MARK: Starting

    /// Nodes at once, brokers within a heartbeat, 3 s at most.
    func startServers() {
        for node in nodes { node.start() }
        let window = min(scenario.timings.heartbeat, .seconds(3)).wholeNanoseconds
        for broker in brokers { world.at(Int64.random(in: 0..<window, using: &random)) { broker.start() } }
        experimenter.observer.start()
    }

    func startClients() { for client in clients { client.start() } }

    func stopClients() { for client in clients { client.run?.stop() } }

    /// Every node heard every broker, and the nodes have nothing against each other.
    var hasAgreedServers: Bool { experimenter.observer.agrees(on: brokers.indices) }

    /// Every client knows where to send to or to read from.
    var hasRoutedClients: Bool { clients.allSatisfy { $0.run?.hasRoute == true } }

    /// Why it is not settled.
    var whatIsMissing: String {
        for (node, sights) in experimenter.observer.sights.enumerated() {
            for (broker, sight) in sights.enumerated() where sight != .registered {
                return "\(scenario.nodes[node].name) does not list \(scenario.replicas[broker].name)"
            }
        }
        if !hasAgreedServers { return "the nodes do not agree" }
        let client = clients.firstIndex { $0.run?.hasRoute != true }
        return client.map { "\(scenario.clients[$0].name) has no route" } ?? "nothing is missing"
    }
}

extension SimulatedTestbed {
    /// What the experimenter's host needs: links on which nothing happens.
    func makeLinksIdeal(of host: Host) {
        for other in world.hosts where other !== host {
            for (from, to) in [(host, other), (other, host)] {
                world.setConditions(from: from, to: to) { ($0.latency, $0.jitter) = (50_000, 0) }
            }
        }
    }
}
