// What others would send for the same knowledge. Models, not measurements; each says what it counts.

/// Bytes on the wire of the ways that gossip is compared with, for one link between two nodes and one second.
public enum NaiveModels {
    /// Both nodes send their whole list of brokers: 16 bytes each, an 8-byte hash of the broker and an 8-byte hash of
    /// what it registered.
    public static func wholeList(brokers: Int) -> Int { 2 * 16 * brokers }

    /// Each broker a member, as chitchat would have it: SYN and SYN-ACK both hold a digest with one entry per member. An entry
    /// is the member's name (2 bytes of length and 10 of text), generation (8), address (7), heartbeat (8), version of
    /// the last collection (8) and highest version (8).
    public static func memberDigests(brokers: Int) -> Int { 2 * 51 * brokers }

    /// TCP and IPv4 with time stamps: 52 bytes for each segment.
    public static let segmentOverhead = 52

    /// An exchange is three segments with data and two without, as the kernel counts them between two real nodes.
    public static let segmentsPerExchange = 5
}
