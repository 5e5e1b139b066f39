import Basics

/// One replica of a snapshot.
///
/// | bytes | meaning |
/// |---|---|
/// | 8 | item |
/// | 1 | 1 when connected, plus 2 when oversized |
/// | rest | `ReplicaRecord` |
public struct SnapshotEntry: Hashable, Sendable {
    /// Its item in the registration set.
    public var item: UInt64
    /// What and when.
    public var record: ReplicaRecord
    /// Whether its image is too long for the frame and therefore not in it: `ItemRequest` fetches it in parts.
    public var isOversized: Bool

    /// Puts the parts together.
    public init(item: UInt64, record: ReplicaRecord, isOversized: Bool = false) {
        self.item = item
        self.record = record
        self.isOversized = isOversized
    }

    /// Bytes on the wire, exactly.
    public var encodedSize: Int { 9 + record.encodedSize }

    static let leastBytes = 9 + ReplicaRecord.leastBytes
}

extension GossipMessage {
    /// Asks a ready node for what it heard first-hand, part by part: eight bytes nonce, eight bytes clock, eight bytes
    /// cursor.
    public struct SnapshotRequest: Hashable, Sendable {
        /// Fresh and random; the answer must echo it.
        public var nonce: UInt64
        /// The sender's clock as it writes this.
        public var clock: Instant
        /// 0 to begin, then what the last chunk said.
        public var cursor: UInt64

        /// Puts the parts together.
        public init(nonce: UInt64, clock: Instant, cursor: UInt64 = 0) {
            self.nonce = nonce
            self.clock = clock
            self.cursor = cursor
        }
    }

    /// Part of what the sender heard first-hand.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce of the request |
    /// | 8 | clock, nanoseconds |
    /// | 8 | cursor of the next part, 0 at the end |
    /// | varint, `SnapshotEntry` each | at most 1,024 |
    /// | varint, bytes | one run of images (`encodeImages`) of the entries not oversized, in their order |
    ///
    /// The sender fills it up to `WireLimits.frameBytes`: `overhead`, each entry's `encodedSize`, and the images.
    public struct SnapshotChunk: Hashable, Sendable {
        /// The nonce of the frame it answers.
        public var echo: UInt64
        /// The sender's clock as it writes this: after it received the request.
        public var clock: Instant
        /// What to ask for next; 0 at the end.
        public var nextCursor: UInt64
        /// At most `WireLimits.snapshotEntries`.
        public var entries: [SnapshotEntry]
        /// The images of those entries that are not oversized.
        public var images: [UInt8]

        /// Puts the parts together.
        public init(echo: UInt64, clock: Instant, nextCursor: UInt64, entries: [SnapshotEntry], images: [UInt8]) {
            self.echo = echo
            self.clock = clock
            self.nextCursor = nextCursor
            self.entries = entries
            self.images = images
        }

        /// Bytes of the frame without entries and images, at most.
        public static let overhead = GossipFrame.headerBytes + 29
    }
}

extension SnapshotEntry: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: item)
        output.append((record.hearing.isConnected ? 1 : 0) | (isOversized ? 2 : 0) as UInt8)
        record.encode(into: &output)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        item = try reader.readWord("item")
        let flags = try reader.readByte("entry flags")
        guard flags <= 3 else { throw GossipFormatError(.value, "entry flags") }
        isOversized = flags & 2 != 0
        record = try ReplicaRecord(decoding: &reader, isConnected: flags & 1 != 0)
    }
}

extension GossipMessage.SnapshotRequest: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: nonce)
        output.append(clock: clock)
        output.append(bigEndian: cursor)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        nonce = try reader.readWord("nonce")
        clock = try reader.readClock("clock")
        cursor = try reader.readWord("cursor")
    }
}

extension GossipMessage.SnapshotChunk: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: echo)
        output.append(clock: clock)
        output.append(bigEndian: nextCursor)
        output.append(list: entries, atMost: WireLimits.snapshotEntries, "entries")
        output.append(count: images.count, atMost: WireLimits.frameBytes, "images")
        output.append(images)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        echo = try reader.readWord("echo")
        clock = try reader.readClock("clock")
        nextCursor = try reader.readWord("next cursor")
        entries = try reader.readList(
            atMost: WireLimits.snapshotEntries, of: SnapshotEntry.leastBytes, "entries")
        images = [UInt8](try reader.readRun(atMost: WireLimits.frameBytes, "images"))
    }
}
