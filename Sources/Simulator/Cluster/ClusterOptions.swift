import Basics
import GossipCore
import NameServerNode

/// What one simulated cluster consists of.
public struct ClusterOptions: Sendable {
    /// Decides everything that chance decides.
    public var seed: UInt64
    /// NameServer nodes.
    public var nodes = 3
    /// Brokers: every third one is the slave of the one before it.
    public var brokers = 6
    /// Clients that pull routes.
    public var clients = 2
    /// Topics of each broker group, besides RocketMQ's own.
    public var topicsPerBroker = 4
    /// How the nodes gossip.
    public var mode = GossipMode.off
    /// From one registration of a broker to the next.
    public var heartbeat: Duration = .seconds(30)
    /// What brokers ask for as their timeout; nil = RocketMQ's 120 s.
    public var brokerTimeout: Duration?
    /// How many peers each node lists, an even number: its neighbours in `degree / 2` random cycles through all nodes.
    /// Nil = every other node.
    public var degree: Int?
    /// At how many nodes, drawn at random, each broker registers. Nil = at all.
    public var nameServersPerBroker: Int?
    /// How often nodes look for silent brokers.
    public var scan: Duration = .seconds(10)
    /// How often clients pull each route.
    public var poll: Duration = .seconds(30)
    /// Whether a stock node runs beside each node and gets the same bytes.
    public var hasShadows = true
    /// Whether machines differ: clock drift up to 200 ppm, any uptime, wall clocks some seconds off.
    public var hasUnevenClocks = true

    /// Changes what a node is told at its start; the second argument is true for its shadow.
    public var adjustNode: (@Sendable (inout NodeOptions, Bool) -> Void)?

    /// The defaults around a seed.
    public init(seed: UInt64) { self.seed = seed }

    /// Each node's peers, in ascending order.
    func peersOfNodes() -> [[Int]] {
        guard let degree, degree < nodes - 1 else {
            return (0..<nodes).map { node in (0..<nodes).filter { $0 != node } }
        }
        var random = SeededGenerator(seed: seed ^ 0x4F56_4552_4C41_59)
        var peers = Array(repeating: Set<Int>(), count: nodes)
        for _ in 0..<max(1, degree / 2) {
            let cycle = Array(0..<nodes).shuffled(using: &random)
            for (place, node) in cycle.enumerated() {
                let next = cycle[(place + 1) % nodes]
                peers[node].insert(next)
                peers[next].insert(node)
            }
        }
        return peers.map { $0.sorted() }
    }

    /// After how long a silence a broker is dead.
    public var timeout: Duration { brokerTimeout ?? .seconds(120) }
}
