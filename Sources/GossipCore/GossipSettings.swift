import Basics

/// What one node's gossip is told at start.
public struct GossipSettings: Sendable {
    /// This node's name, by which its peers list it.
    public var node: String
    /// The cluster's label; peers of another label are refused.
    public var label: String
    /// What the node may do with what it hears.
    public var mode: GossipMode
    /// Names of the peers that cluster.yaml lists, this node left out.
    public var peers: [String] = []
    /// Whether a peer that nobody listed may take part: when peers are found by DNS.
    public var acceptsUnlistedPeers = false
    /// The hash under the cluster's key: of replicas, items and sketches.
    public var hash: KeyedHash
    /// A fingerprint of that key, safe to tell: two nodes with different keys cannot compare anything.
    public var salt: UInt64
    /// Program and version, for peers' status.
    public var software = "hearsay"
    /// Between two exchanges with one peer. Default 1 s.
    public var period: Duration = .seconds(1)
    /// The brokers' usual time between registrations, RocketMQ's 30 s by default: the measure of warm-up.
    public var heartbeat: Duration = .seconds(30)
    /// The node's scan interval, compared with the peers'.
    public var scan: Duration = .seconds(10)
    /// The node's default timeout, compared with the peers'.
    public var expiry: Duration = .seconds(120)
    /// How long the removal of a replica whose connection closed is put off while peers are asked. Default 1 s.
    public var closeGrace: Duration = .seconds(1)
    /// How many peers must vouch for a replica before its removal is put off. Default 1.
    public var witnesses = 1
    /// Whether mode replicate ends a first-hand entry when the replica said goodbye to a peer. Default false.
    public var appliesUnregister = false
    /// Whether mode replicate carries writes of key-values from node to node. Default false.
    public var replicatesKeyValues = false
    /// Whether mode replicate carries changes of write permissions from node to node. Default false.
    public var replicatesPermissions = false

    /// Settings with the defaults above.
    public init(node: String, label: String, mode: GossipMode, hash: KeyedHash, salt: UInt64) {
        self.node = node
        self.label = label
        self.mode = mode
        self.hash = hash
        self.salt = salt
    }
}

/// Bounds of everything the gossip core holds or sends, and how long it waits.
public enum GossipLimits {
    /// Replicas asked about in one exchange, those closest to their end first: 8 KB.
    public static let asks = 1_024
    /// Items asked for in one request; their answer fits a frame of 64 KiB.
    public static let itemsAsked = 128
    /// Reconciliations under way at one time, all peers together: each holds a copy of the sketch, 98 KB.
    public static let reconciliations = 2
    /// Differing items of one peer that are named; beyond it only their number is told.
    public static let namedDifferences = 4_096
    /// Items of one peer's list that are put together from parts: ten times the largest cluster aimed at, 8 MB.
    public static let listedItems = 1 << 20
    /// Replicas about which what peers said is kept, beside those that this node knows itself.
    public static let evidence = 131_072
    /// Peers known, listed or not: cluster.yaml allows 64 nodes.
    public static let peers = 64
    /// Tombstones and floors held: the departures of a whole cluster within two timeouts.
    public static let departures = 65_536
    /// Divergences held; further ones are counted only.
    public static let divergences = 8_192
    /// Divergences newly noted in one turn: each is a few lines of text, and 3 us.
    public static let newDivergences = 128
    /// Bytes of one replica's image that are put together from pieces: what one registration may hold.
    public static let imageBytes = 16 << 20
    /// Links open at one time: two for each peer while one takes the other's place. More where more peers are listed.
    public static let links = 2 * peers
    /// Exchanges without an answer after which the link is given up and dialled again.
    public static let missedExchanges = 3
    /// Between two dials of one contact, however slow the cluster's rhythm: what an operator is ready to wait for.
    public static let longestBackoff: Duration = .seconds(30)
    /// Snapshots pulled at one time.
    public static let snapshotSources = 2
    /// Keys known, deleted ones included: many times the largest configuration known.
    public static let operationKeys = 65_536
    /// Bytes of their names and values: twice what a NameServer accepts.
    public static let operationBytes = 16 << 20
    /// Deleted keys remembered; above it the older half is forgotten early.
    public static let tombstonesOfKeys = 16_384
    /// Brokers whose write permission was changed.
    public static let operationBrokers = 16_384
    /// Stalls remembered for each peer that saw them.
    public static let stalls = 16
}
