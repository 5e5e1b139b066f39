import Basics

/// A replica whose first-hand entry ended at the sender, with the age of that end.
///
/// | bytes | meaning |
/// |---|---|
/// | 8 | keyed hash of the replica's identity |
/// | 1 | why (`FirstHandRemoval`) |
/// | 8 | sequence number, rising with each tombstone of one incarnation |
/// | varint | age, milliseconds, rounded up |
/// | zigzag | the replica's timeout, milliseconds |
public struct TombstoneReport: Hashable, Sendable {
    /// Keyed hash of the replica's identity.
    public var replica: UInt64
    /// Why the entry ended.
    public var reason: FirstHandRemoval
    /// Rises with each tombstone of one incarnation of the sender.
    public var sequence: UInt64
    /// Time since the end, on the sender's clock.
    public var age: Duration
    /// Silence the replica was granted: twice that is how long the tombstone is kept.
    public var timeoutMillis: Int64

    /// Puts the parts together.
    public init(replica: UInt64, reason: FirstHandRemoval, sequence: UInt64, age: Duration, timeoutMillis: Int64) {
        self.replica = replica
        self.reason = reason
        self.sequence = sequence
        self.age = age
        self.timeoutMillis = timeoutMillis
    }

    static let leastBytes = 19
}

extension GossipMessage {
    /// Replicas whose entries ended at the sender; the only news about life that needs no question, since it can but end
    /// a life that gossip gave. A varint number, at most 1,024, and as many `TombstoneReport`s.
    public struct Tombstones: Hashable, Sendable {
        /// At most `WireLimits.tombstones`.
        public var reports: [TombstoneReport]

        /// Wraps reports.
        public init(reports: [TombstoneReport]) { self.reports = reports }
    }
}

extension TombstoneReport: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: replica)
        output.append(reason.rawValue)
        output.append(bigEndian: sequence)
        output.append(span: age)
        output.append(zigzag: timeoutMillis)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        replica = try reader.readWord("replica")
        reason = try reader.readCase("reason")
        sequence = try reader.readWord("sequence")
        age = try reader.readSpan("age")
        timeoutMillis = try reader.readSigned("timeout")
    }
}

extension GossipMessage.Tombstones: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(list: reports, atMost: WireLimits.tombstones, "tombstones")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        reports = try reader.readList(atMost: WireLimits.tombstones, of: TombstoneReport.leastBytes, "tombstones")
    }
}
