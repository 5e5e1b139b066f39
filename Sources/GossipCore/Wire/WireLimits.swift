import Basics

/// Bounds of everything a gossip frame may hold, each with its reason. Checked before memory is taken, on both sides.
///
/// What the sender must cut to size itself is named with each message; encoding more is a bug and traps.
public enum WireLimits {
    /// Bytes of one frame, header included: one frame never takes an event loop long, and a snapshot of 22 MB still
    /// needs only some hundred.
    public static let frameBytes = 65_536
    /// Bytes of a node's name or of the cluster's label: shorter than a DNS label may be, and they travel in each
    /// handshake.
    public static let nodeBytes = 64
    /// Bytes of a cluster's or broker's name, an address, a zone, a KV namespace or key: as `NameServerLimits`.
    public static let nameBytes = 1_024
    /// Bytes of the text that names the peer's software: for people.
    public static let softwareBytes = 64
    /// Bytes of the reason with which a node hangs up: one line of a log.
    public static let reasonBytes = 256
    /// Bytes of a replicated KV value: half a frame. Longer ones (an order-topic list of thousands of brokers) stay where
    /// they were put and are compared only.
    public static let valueBytes = 32_768
    /// Late replicas asked about, and reported, in one frame: with 27 bytes a report they fit twice.
    public static let asks = 1_024
    /// Items of one list frame: 32 KB.
    public static let listItems = 4_096
    /// Items asked for by name in one frame; about 100 bytes each in the answer.
    public static let requestedItems = 256
    /// Tombstones in one frame: 32 bytes each at the most.
    public static let tombstones = 1_024
    /// Entries of one snapshot frame; with 60 bytes or more each it is the frame that ends first.
    public static let snapshotEntries = 1_024
    /// Operations of each sort in one frame.
    public static let operations = 1_024
    /// Bytes of one replica's registration image: as much as a registration's body may inflate to.
    public static let imageBytes = 64 << 20
    /// Topics counted in a summary; only ever shown. Far above what a NameServer holds (1,000,000).
    public static let topicCount = 1 << 24
    /// The highest local health multiplier (Lifeguard's).
    public static let localHealth = 8
    /// Milliseconds for which a busy node may send a peer away: the longest pause between two dials.
    public static let retryMillis = 30_000
    /// The highest reading of a clock: 146 years, which leaves sums of two within 64 bits.
    public static let clockNanoseconds: Int64 = 1 << 62
    /// What travels in place of an age, stall or timing above `ClockRate.longestAge`, in milliseconds: one more than
    /// it. `AgeBound` takes it for no evidence, so cutting makes nothing younger.
    static let beyondAge = ClockRate.longestAge.wholeMilliseconds + 1
    /// Milliseconds of uptime: what a clock can have counted.
    static let uptimeMillis = clockNanoseconds / 1_000_000
}
