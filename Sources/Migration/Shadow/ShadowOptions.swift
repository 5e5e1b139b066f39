import Basics
import ClusterView
import RemotingTransport

/// What `Shadow` asks, how often and how gently.
public struct ShadowOptions: Sendable {
    /// Requests a second to each of the two servers. Default 200: below a tenth of a percent of what Apache's NameServer
    /// serves, and what seven clients of a thousand topics ask of it anyway.
    public static let defaultRate = 200.0
    /// Topics asked for at the same time; with two dialects, twice as many requests wait at each server.
    public static let topicsInFlight = 8
    /// Default 35 s: longer than the 30 s between two registrations of a broker.
    public static let defaultSettle = Duration.seconds(35)
    /// The namespace that routes are made with; RocketMQ's own programs use no other since 4.0.
    public static let orderNamespace = "ORDER_TOPIC_CONFIG"
    /// How often 106 is asked for when it fails: Apache's reads its tables without a lock, and fails now and then while
    /// brokers register.
    static let attempts = 3
    /// What may be asked at once after a late timer, as time of the rate.
    static let burst = Duration.milliseconds(10)

    /// Requests a second to each server, above 0.
    public var rate = defaultRate
    /// How long every reading must show a difference before it counts.
    public var settle = defaultSettle
    /// Time between the beginnings of two readings of everything; nil reads once.
    public var every: Duration?
    /// When to end; nil goes on until `stop`, or, without `every`, until what was found has settled.
    public var duration: Duration?
    /// How long a server has for an answer. Default 3 s, as RocketMQ's clients.
    public var timeout = Duration.seconds(3)
    /// Topics whose routes are compared. Default: all that either server lists, without an end.
    public var topics = TopicSelection.all(limit: .max)
    /// KV namespaces that are compared; a NameServer does not tell which it has.
    public var namespaces = [orderNamespace]
    /// Called for each request before it leaves; nil = requests are not signed.
    public var sign: RequestSigner?
    /// Whether equal values in different bytes count as a difference.
    public var comparesBytes = false

    /// The defaults above.
    public init() {}
}
