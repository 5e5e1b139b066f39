import Remoting
import RemotingTransport

/// How a route client behaves. The defaults are RocketMQ's own where it has one.
public struct RouteClientOptions: Sendable {
    /// How often each topic's route is asked for. Default 30 s.
    public var pollInterval: Duration = .seconds(30)
    /// For one call to a NameServer, connecting included. Default 3 s.
    public var nameServerTimeout: Duration = .seconds(3)
    /// For one call to a broker other than sends and pulls. Default 3 s.
    public var brokerTimeout: Duration = .seconds(3)
    /// For making one connection. Default 3 s.
    public var connectTimeout: Duration = .seconds(3)
    /// The rest after all NameServers failed.
    public var nameServerBackoff = Backoff()
    /// Whether slow and failing brokers are barred for a while (`sendLatencyFaultEnable`). Default yes, Java's is no.
    public var avoidsFaults = true
    /// Whether a slave is read from while the master is barred or in no route. Default yes, as RocketMQ's.
    public var readsFromSlaves = true
    /// Whether barred brokers are asked every 3 s if they are back (`startDetectorEnable`). Default no.
    public var detectsFaults = false
    /// Broker connections at the same time. Default 1,024: a cluster of 500 groups.
    public var brokerConnectionLimit = 1_024
    /// The `version` of requests; decides, among others, the JSON dialect of routes. Default 5.3.3.
    public var version: Int32 = RemotingVersion.v5_3_3
    /// Signs each request, to NameServers and brokers alike, as RocketMQ's clients do; nil = they are not signed.
    public var sign: RequestSigner?
    /// Sent as producer group.
    public var producerGroup = "hearsay-producer"
    /// Names this client to brokers; must be unique among the consumers of a group. Default: made from the seed.
    public var clientID: String?

    /// The defaults above.
    public init() {}
}
