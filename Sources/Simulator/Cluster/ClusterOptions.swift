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

    /// After how long a silence a broker is dead.
    public var timeout: Duration { brokerTimeout ?? .seconds(120) }
}
