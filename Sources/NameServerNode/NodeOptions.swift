import Basics
import NameServerCore
import Platform
import Remoting

/// What one node is told at start.
public struct NodeOptions: Sendable {
    /// The node's name in logs and status; default `namesrv`.
    public var name = "namesrv"
    /// Program and version, for the status.
    public var software = "hearsay"
    /// Where brokers and clients connect; port 0 lets the system choose. Default 0.0.0.0:9876.
    public var listen = Address(host: "0.0.0.0", port: 9876)
    /// RocketMQ's own settings.
    public var properties: NamesrvProperties
    /// Bounds of the tables.
    public var limits = NameServerLimits()
    /// Bounds of one connection, and how many there may be. Idle connections close after 120 s, as RocketMQ's.
    public var stream: StreamOptions
    /// The largest frame accepted, length word included. Default 16 MiB, as RocketMQ's.
    public var frameLimit = FrameLimits.frameBytes
    /// How often the tables are scanned for silent brokers. Default 10 s.
    public var scanInterval: Duration = .seconds(10)
    /// How long a shutdown waits for answers in flight. Default 3 s.
    public var shutdownDeadline: Duration = .seconds(3)
    /// The largest kvConfig.json read at start. Default 64 MiB.
    public var kvFileLimit = 64 << 20
    /// Where and what the node answers over HTTP; nil for not at all.
    public var http: HTTPOptions?
    /// How the node gossips; nil for mode off: no socket, no comparison.
    public var gossip: GossipOptions?

    /// Who may do what.
    public var access = AccessOptions()

    /// TLS on the remoting port; nil = `disabled`: TLS connections are closed.
    public var tls: RemotingTLSOptions?

    /// The defaults above around the given properties.
    public init(properties: NamesrvProperties) {
        self.properties = properties
        stream = StreamOptions()
        stream.idleTimeout = .seconds(120)
    }
}
