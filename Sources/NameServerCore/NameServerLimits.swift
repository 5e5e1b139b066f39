/// How much a node holds and accepts. Above a limit a request gets code 1 with a remark that names it, and changes nothing.
public struct NameServerLimits: Hashable, Sendable {
    /// Topics, with and without brokers (a mapping keeps a name too). Default 1,000,000: ten times the largest cluster known.
    public var topics = 1_000_000
    /// Live replicas, all clusters together. Default 10,000: several times the largest cluster known.
    public var brokers = 10_000
    /// Silence after which a replica that names no timeout of its own is dead. Default 120 s, RocketMQ's.
    public var brokerTimeout: Duration = .seconds(120)
    /// Clusters. Default 1,024; a group that goes is looked for in every cluster's list.
    public var clusters = 1_024
    /// Bytes of a topic name. Default 1,024; RocketMQ allows 127 characters, prefixes come on top.
    public var topicNameBytes = 1_024
    /// Bytes of a broker or cluster name, an address or a zone. Default 1,024: no DNS name is longer than 253.
    public var nameBytes = 1_024
    /// Filter servers of one replica. Default 256; the feature is all but extinct.
    public var filterServers = 256
    /// Bytes of all key-value configuration, keys and values together. Default 8 MiB: the file is written whole on each
    /// change, and one namespace goes back to each broker with each registration.
    public var keyValueBytes = 8 << 20
    /// Bytes of encoded routes kept for lookups. Default 64 MiB; a route of three brokers takes about 600 bytes, so
    /// 100,000 topics. RocketMQ's own route cache had no bound, brought NameServers down and was removed.
    public var routeCacheBytes = 64 << 20
    /// Registration bodies of at most this many bytes are decoded at once, larger ones on a worker thread; compressed
    /// ones count sixteen times. Default 256 KiB: below that decoding takes less than a millisecond.
    public var inlineBodyBytes = 256 << 10
    /// Bytes of registrations that wait for a worker thread, are being decoded or wait for the tables; compressed ones count
    /// sixteen times. Default 32 MiB: two of the largest frames, or twenty brokers of 10,000 topics. Decoding keeps up with
    /// one core however few wait; more would only fill memory. Further ones wait unread.
    public var pendingBytes = 32 << 20
    /// Bytes of an answer: a longer one would make the peer drop the connection. Default 16 MiB, RocketMQ's frame limit.
    public var answerBytes = 16 << 20

    /// The defaults.
    public init() {}
}
