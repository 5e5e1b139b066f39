import Basics
import BrokerAgent
import Logging
import NameServerNode
import Platform
import Remoting
import Simulator

/// A NameServer node.
final class NodeMachine: SimulatedMachine {
    static let port: UInt16 = 9_876
    static let gossipPort: UInt16 = 9_877

    let life: MachineLife
    let address: Address
    /// Durable writes fail, in this life and later ones.
    var isDiskFull = false {
        didSet { life.platform?.failsFileWrites = isDiskFull }
    }
    private let settings: NodeSettings
    private let peers: [Address]
    private var node: NameServerNode?

    init(_ life: MachineLife, settings: NodeSettings, address: Address, peers: [Address]) {
        (self.life, self.settings, self.address, self.peers) = (life, settings, address, peers)
    }

    func launch(on platform: SimulatedPlatform) {
        platform.failsFileWrites = isDiskFull
        let options = settings.options(life.host.name, at: address, among: peers, seed: life.seed())
        do throws(PlatformError) {
            let node = try NameServerNode(
                platform: platform, options: options,
                logger: Logger(label: life.host.name) { _ in SwiftLogNoOpLogHandler() })
            try node.start()
            self.node = node
        } catch {
            preconditionFailure("\(life.host.name) does not start on a machine of its own: \(error)")
        }
    }

    func leave(_ done: @escaping () -> Void) { node?.shutdown(completion: done) }

    func forget() { node = nil }
}

/// A broker replica: the stand-in broker, which clients can use.
final class BrokerMachine: SimulatedMachine {
    let life: MachineLife
    /// Who it is now; its address changes when it moves.
    private(set) var identity: BrokerIdentity
    private let scenario: Scenario
    private let nameServers: [Address]
    private var broker: StandInBroker?

    /// How far a broker moves: within the ports that are free on its machine.
    private static let stride: UInt16 = 10

    init(_ life: MachineLife, scenario: Scenario, replica: Scenario.Replica, nameServers: [Address]) {
        (self.life, self.scenario, self.nameServers) = (life, scenario, nameServers)
        identity = BrokerIdentity(
            name: replica.group, brokerID: replica.id, address: Address(host: life.host.ip, port: 10_911))
    }

    func launch(on platform: SimulatedPlatform) {
        var options = StandInBroker.Options(identity: identity, nameServers: nameServers, seed: life.seed())
        options.timings = .scaled(to: scenario.timings.heartbeat)
        options.topics = scenario.topics.filter { $0.groups.contains(identity.name) }.map {
            TopicConfig($0.name, readQueues: Int32($0.queues), writeQueues: Int32($0.queues))
        }
        do throws(PlatformError) {
            let broker = try StandInBroker(platform: platform, options: options)
            broker.start()
            self.broker = broker
        } catch {
            preconditionFailure("\(life.host.name) does not start on a machine of its own: \(error)")
        }
    }

    func leave(_ done: @escaping () -> Void) { broker?.stop(done) }

    func forget() { broker = nil }

    /// Killed, and started at another address.
    func move() {
        kill()
        identity.address.port += Self.stride
        start()
    }
}

/// A client.
final class ClientMachine: SimulatedMachine {
    let life: MachineLife
    private(set) var run: ClientRun?
    private let makeRun: (any Platform, UInt64) -> ClientRun

    init(
        _ life: MachineLife, scenario: Scenario, nameServers: [Address], time: @escaping () -> Double,
        onEvent: @escaping (HistoryEvent) -> Void
    ) {
        self.life = life
        guard case .client(let index) = life.party else { preconditionFailure("\(life.party) is no client") }
        makeRun = {
            ClientRun(
                platform: $0, scenario: scenario, client: index, nameServers: nameServers, timeScale: 1, seed: $1,
                time: time, onEvent: onEvent)
        }
    }

    func launch(on platform: SimulatedPlatform) {
        let run = run ?? makeRun(platform, life.seed())
        self.run = run
        run.start(on: platform)
    }

    func leave(_ done: @escaping () -> Void) {
        run?.stop()
        done()
    }

    func forget() { run?.stop() }
}
