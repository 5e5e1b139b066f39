import Basics
import Remoting

/// All routing state of one node (protocol.md 4.1), in memory only: brokers fill it again within a heartbeat of a restart.
///
///     topics       name -> who serves it: a small array of KeptEntry, one per broker group
///     groups       broker name -> the replicas' addresses by id, cluster, zone; which topics it serves
///     clusters     name -> the broker names listed under it
///     live         (cluster, address) -> when it was heard, what it registered, over which connection
///     mappings     topic -> what static topics map to
///
/// Names are small numbers in here (`NameTable`); every number that a table stores holds one reference to its name.
/// This file holds the storage and its clock; each table has a file of its own.
///
/// Nothing is ever invalidated by hand. Every change takes the next tick of `ticks` and stamps what it touched; a cached
/// route or a remembered registration holds the tick it was made at, and is good while nothing it stands on is younger.
struct RouteTables: ~Copyable {
    var topicNames = NameTable<TopicKind>()
    var groupNames = NameTable<GroupKind>()
    var clusterNames = NameTable<ClusterKind>()
    var addressNames = NameTable<AddressKind>()

    /// What the entries of the topics share.
    var queueSettings = SettingsTable()
    /// By `TopicID`; an element without entries is no topic.
    var topics: ContiguousArray<Topic> = []
    /// By `GroupID`; an element with `exists` false is no group.
    var groups: ContiguousArray<BrokerGroup> = []
    /// By `ClusterID`; an element without groups is no cluster.
    var clusters: ContiguousArray<Cluster> = []
    /// By `AddressID`.
    var addresses: ContiguousArray<KnownAddress> = []

    var live: ContiguousArray<LiveEntry> = []
    var unusedLive: ContiguousArray<LiveID> = []
    /// The first live entry bound to each connection; the others follow through the entries.
    var bindings: [UInt64: LiveID] = [:]
    var expiry = ExpiryQueue()
    /// When each entry goes whose connection has closed.
    var closing = ExpiryQueue()
    /// Who was heard when; nil without gossip.
    var silence: SilenceOrder?
    /// What was said about entries that gossip keeps or no longer keeps.
    var holds: [LiveID: Hold] = [:]
    /// When this node last went on after it had stood still.
    var stoodStillUntil = Instant.never

    var mappings: [TopicID: ContiguousArray<TopicMapping>] = [:]

    /// Topic names in byte order as of the last listing, and new ones at its end.
    var topicDirectory = TopicDirectory<TopicKind>()

    var topicCount = 0
    var groupCount = 0
    var clusterCount = 0
    /// How many live entries announced filter servers; usually none, and then no route looks for them.
    var filterServerCount = 0

    private var ticks: UInt64 = 0

    init() {}

    var liveCount: Int { live.count - unusedLive.count }

    /// The tick of the last change.
    var now: UInt64 { ticks }

    /// Begins a change.
    mutating func tick() -> UInt64 {
        ticks += 1
        return ticks
    }
}
