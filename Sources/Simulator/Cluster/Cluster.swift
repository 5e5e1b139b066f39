import Basics
import BrokerAgent
import GossipCore

/// A whole cluster in one world: nodes, brokers, clients and an operator.
public final class Cluster {
    /// As given.
    public let options: ClusterOptions
    /// Where it lives.
    public let world: World
    /// The NameServers.
    public private(set) var nodes: [SimulatedNode] = []
    /// The brokers.
    public private(set) var brokers: [SimulatedBroker] = []
    /// The clients.
    public private(set) var clients: [SimulatedClient] = []
    /// The administrator.
    public private(set) var administrator: Operator!
    /// What really happened, for the checks.
    public private(set) var truth: Truth!

    /// Makes everything; nothing runs before `start`.
    public init(options: ClusterOptions) {
        self.options = options
        var random = SeededGenerator(seed: options.seed)
        world = World(seed: random.next())
        world.gossipPorts = [SimulatedNode.gossipPort]
        world.describe = { FrameText.describe($0) }
        let peers = options.peersOfNodes()
        for index in 0..<options.nodes {
            let host = makeHost(SimulatedNode.name(index), "10.0.\(index / 250).\(index % 250 + 1)", &random)
            nodes.append(
                SimulatedNode(index: index, host: host, peers: peers[index], options: options, seed: random.next()))
        }
        let nameServers = nodes.map(\.address)
        for index in 0..<options.brokers {
            let host = makeHost("b-\(index + 1)", "10.1.\(index / 250).\(index % 250 + 1)", &random)
            let group = index % 3 == 2 ? index - 1 : index
            let identity = BrokerIdentity(
                name: "broker-\(group + 1)", brokerID: index % 3 == 2 ? 1 : 0,
                address: Address(host: host.ip, port: 10_911), heartbeatTimeout: options.brokerTimeout)
            let heard = options.nameServersPerBroker.map { nameServers.shuffled(using: &random).prefix($0) }
            brokers.append(
                SimulatedBroker(
                    index: index, host: host, identity: identity, nameServers: heard.map(Array.init) ?? nameServers,
                    options: options, seed: random.next()))
        }
        for index in 0..<options.clients {
            let host = makeHost("client-\(index + 1)", "10.2.\(index / 250).\(index % 250 + 1)", &random)
            clients.append(
                SimulatedClient(
                    host: host, nameServers: nameServers, topics: ["topic-0", "topic-1"], options: options,
                    seed: random.next()))
        }
        let host = makeHost("admin", "10.3.0.1", &random)
        administrator = Operator(host: host, nameServers: nameServers, seed: random.next())
        truth = Truth(self)
    }

    private func makeHost(_ name: String, _ ip: String, _ random: inout SeededGenerator) -> Host {
        guard options.hasUnevenClocks else { return world.makeHost(name, ip: ip) }
        return world.makeHost(
            name, ip: ip, origin: Int64.random(in: 60_000_000_000...10_000_000_000_000_000, using: &random),
            driftPPM: Int64.random(in: -200...200, using: &random),
            wallSkew: Int64.random(in: -5_000_000_000...5_000_000_000, using: &random))
    }

    /// Starts nodes, then brokers and clients within the first seconds, in a drawn order.
    public func start() {
        var random = SeededGenerator(seed: options.seed ^ 0x5354_4152_5400)
        for node in nodes { node.start() }
        for broker in brokers {
            world.at(Int64.random(in: 0..<3_000_000_000, using: &random)) { broker.start() }
        }
        for client in clients { client.start() }
    }

    /// Every machine, nodes first.
    public var hosts: [Host] { world.hosts }
}
