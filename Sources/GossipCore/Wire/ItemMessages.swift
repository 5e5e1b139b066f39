import Basics

/// What stands behind one item of the registration set, at the node that was asked.
///
/// | bytes | meaning |
/// |---|---|
/// | 8 | item |
/// | 1 | 0 no such item here (and the end), 1 found and its connection closed, 2 found and connected |
/// | rest | `ReplicaRecord` |
public struct ItemEntry: Hashable, Sendable {
    /// The item asked for.
    public var item: UInt64
    /// Nil when this node has no such item (any more).
    public var record: ReplicaRecord?

    /// Puts the parts together.
    public init(item: UInt64, record: ReplicaRecord?) {
        self.item = item
        self.record = record
    }

    /// Bytes on the wire, exactly.
    public var encodedSize: Int { ItemEntry.leastBytes + (record?.encodedSize ?? 0) }

    static let leastBytes = 9
}

/// Part of one replica's registration image, which is too long for one frame perhaps.
///
/// | bytes | meaning |
/// |---|---|
/// | varint | offset of the first byte |
/// | varint | bytes of the whole image, at most 64 MiB |
/// | varint, bytes | the part; offset and length do not pass the whole |
public struct ImageChunk: Hashable, Sendable {
    /// Where in the image the bytes belong.
    public var offset: Int
    /// How long the image is in all.
    public var total: Int
    /// The bytes; none only when the image ends at `offset`.
    public var bytes: [UInt8]

    /// Puts the parts together.
    public init(offset: Int, total: Int, bytes: [UInt8]) {
        self.offset = offset
        self.total = total
        self.bytes = bytes
    }

    /// Bytes on the wire beside the part itself, at most.
    public static let overhead = 11

    /// Whether the part lies within the image, and brings it forward unless it is at its end.
    var isConsistent: Bool {
        (0...WireLimits.imageBytes).contains(total) && (0...total).contains(offset) && bytes.count <= total - offset
            && (!bytes.isEmpty || offset == total)
    }
}

extension GossipMessage {
    /// Asks what stands behind items of the receiver's set.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce |
    /// | 8 | clock, nanoseconds |
    /// | varint, 8 each | items, at most 256 |
    /// | 0, or 1 and varint | the image is wanted too, from this offset (at most 64 MiB); with exactly one item |
    public struct ItemRequest: Hashable, Sendable {
        /// Fresh and random; the answer must echo it.
        public var nonce: UInt64
        /// The sender's clock as it writes this.
        public var clock: Instant
        /// At most `WireLimits.requestedItems`.
        public var items: [UInt64]
        /// From where on the one item's image is wanted; nil when none is.
        public var imageOffset: Int?

        /// Puts the parts together; with an offset there must be exactly one item.
        public init(nonce: UInt64, clock: Instant, items: [UInt64], imageOffset: Int? = nil) {
            self.nonce = nonce
            self.clock = clock
            self.items = items
            self.imageOffset = imageOffset
        }
    }

    /// Answers `ItemRequest`, in its order; the rest of what was asked must be asked again when the frame is full.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 8 | nonce of the request |
    /// | 8 | clock, nanoseconds |
    /// | varint, `ItemEntry` each | at most 256 |
    /// | 0, or 1 and `ImageChunk` | part of the image; with exactly one entry, and found |
    ///
    /// The sender fills it up to `WireLimits.frameBytes`: `overhead`, each entry's `encodedSize`, and with an image
    /// `ImageChunk.overhead` and the part.
    public struct Item: Hashable, Sendable {
        /// The nonce of the frame it answers.
        public var echo: UInt64
        /// The sender's clock as it writes this: after it received the request.
        public var clock: Instant
        /// At most `WireLimits.requestedItems`.
        public var entries: [ItemEntry]
        /// Part of the one entry's image, when wanted and found.
        public var image: ImageChunk?

        /// Puts the parts together; with an image there must be exactly one entry, and found.
        public init(echo: UInt64, clock: Instant, entries: [ItemEntry], image: ImageChunk? = nil) {
            self.echo = echo
            self.clock = clock
            self.entries = entries
            self.image = image
        }

        /// Bytes of the frame without entries and image, at most.
        public static let overhead = GossipFrame.headerBytes + 19

        /// An image has one owner, which was found.
        var isConsistent: Bool {
            guard let image else { return true }
            return entries.count == 1 && entries[0].record != nil && image.isConsistent
        }
    }
}

extension ItemEntry: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(bigEndian: item)
        output.append(Presence(record?.hearing).rawValue)
        record?.encode(into: &output)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        item = try reader.readWord("item")
        let presence: Presence = try reader.readCase("presence")
        guard presence != .absent else { return }
        record = try ReplicaRecord(decoding: &reader, isConnected: presence == .connected)
    }
}

extension ImageChunk: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(isConsistent, "image part of \(bytes.count) bytes at \(offset) of \(total)")
        output.append(varint: UInt64(offset))
        output.append(varint: UInt64(total))
        output.append(varint: UInt64(bytes.count))
        output.append(bytes)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        offset = try reader.readCount(atMost: WireLimits.imageBytes, "image offset")
        total = try reader.readCount(atMost: WireLimits.imageBytes, "image bytes")
        bytes = [UInt8](try reader.readRun(atMost: WireLimits.frameBytes, "image part"))
        guard isConsistent else { throw GossipFormatError(.contradiction, "image part") }
    }
}

extension GossipMessage.ItemRequest: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(imageOffset == nil || items.count == 1, "image of \(items.count) items")
        output.append(bigEndian: nonce)
        output.append(clock: clock)
        output.append(words: items, atMost: WireLimits.requestedItems, "items")
        output.append(flag: imageOffset != nil)
        if let imageOffset { output.append(count: imageOffset, atMost: WireLimits.imageBytes, "image offset") }
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        nonce = try reader.readWord("nonce")
        clock = try reader.readClock("clock")
        items = try reader.readWords(atMost: WireLimits.requestedItems, "items")
        guard try reader.readFlag("image wanted") else { return }
        guard items.count == 1 else { throw GossipFormatError(.contradiction, "image of several items") }
        imageOffset = try reader.readCount(atMost: WireLimits.imageBytes, "image offset")
    }
}

extension GossipMessage.Item: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(isConsistent, "image for \(entries.count) entries")
        output.append(bigEndian: echo)
        output.append(clock: clock)
        output.append(list: entries, atMost: WireLimits.requestedItems, "entries")
        output.append(flag: image != nil)
        image?.encode(into: &output)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        echo = try reader.readWord("echo")
        clock = try reader.readClock("clock")
        entries = try reader.readList(atMost: WireLimits.requestedItems, of: ItemEntry.leastBytes, "entries")
        image = try reader.readFlag("image") ? try ImageChunk(decoding: &reader) : nil
        guard isConsistent else { throw GossipFormatError(.contradiction, "image without its one entry") }
    }
}
