import Basics

/// What two nodes say to each other, one frame each. Requests carry a nonce, answers echo it (rule R2).
public enum GossipMessage: Hashable, Sendable {
    /// Opens a session, from the node that dialled.
    case hello(Hello)
    /// Accepts the session or says why not.
    case helloAck(HelloAck)
    /// Begins an exchange.
    case syn(Syn)
    /// Answers `syn` and asks back.
    case synAck(SynAck)
    /// Answers what `synAck` asked.
    case ack(Ack)
    /// Asks for coded symbols.
    case sketchRequest(SketchRequest)
    /// Coded symbols.
    case sketch(SketchAnswer)
    /// Asks for the list of all items.
    case listRequest(ListRequest)
    /// Items in order.
    case list(List)
    /// Asks what stands behind items, and perhaps for a registration image.
    case itemRequest(ItemRequest)
    /// What stands behind items.
    case item(Item)
    /// Replicas that said goodbye; may come unasked.
    case tombstones(Tombstones)
    /// Asks for part of everything heard first-hand.
    case snapshotRequest(SnapshotRequest)
    /// Part of everything heard first-hand.
    case snapshotChunk(SnapshotChunk)
    /// Something changed: ask me.
    case hint(Hint)
    /// Not now.
    case busy(Busy)
    /// The session ends.
    case bye(Bye)
    /// KV and permission writes to replicate.
    case operations(Operations)
    /// Asks for such writes.
    case operationsRequest(OperationsRequest)

    /// The byte that names a message in its header; none is ever used again for another.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// `GossipMessage.hello`.
        case hello = 1
        /// `GossipMessage.helloAck`.
        case helloAck = 2
        /// `GossipMessage.syn`.
        case syn = 3
        /// `GossipMessage.synAck`.
        case synAck = 4
        /// `GossipMessage.ack`.
        case ack = 5
        /// `GossipMessage.sketchRequest`.
        case sketchRequest = 6
        /// `GossipMessage.sketch`.
        case sketch = 7
        /// `GossipMessage.listRequest`.
        case listRequest = 8
        /// `GossipMessage.list`.
        case list = 9
        /// `GossipMessage.itemRequest`.
        case itemRequest = 10
        /// `GossipMessage.item`.
        case item = 11
        /// `GossipMessage.tombstones`.
        case tombstones = 12
        /// `GossipMessage.snapshotRequest`.
        case snapshotRequest = 13
        /// `GossipMessage.snapshotChunk`.
        case snapshotChunk = 14
        /// `GossipMessage.hint`.
        case hint = 15
        /// `GossipMessage.busy`.
        case busy = 16
        /// `GossipMessage.bye`.
        case bye = 17
        /// `GossipMessage.operations`.
        case operations = 18
        /// `GossipMessage.operationsRequest`.
        case operationsRequest = 19
    }

    /// The kind of this message.
    public var kind: Kind {
        switch self {
        case .hello: .hello
        case .helloAck: .helloAck
        case .syn: .syn
        case .synAck: .synAck
        case .ack: .ack
        case .sketchRequest: .sketchRequest
        case .sketch: .sketch
        case .listRequest: .listRequest
        case .list: .list
        case .itemRequest: .itemRequest
        case .item: .item
        case .tombstones: .tombstones
        case .snapshotRequest: .snapshotRequest
        case .snapshotChunk: .snapshotChunk
        case .hint: .hint
        case .busy: .busy
        case .bye: .bye
        case .operations: .operations
        case .operationsRequest: .operationsRequest
        }
    }

    /// Appends the whole frame, header included.
    ///
    /// Traps when a part exceeds its limit or the frame `WireLimits.frameBytes`: the sender must have cut it to size.
    public func encode(into output: inout ByteWriter) {
        let start = output.count
        output.append(bigEndian: UInt32(0))
        output.append(GossipFrame.version)
        output.append(kind.rawValue)
        output.append(bigEndian: UInt16(0))
        encodePayload(into: &output)
        let length = output.count - start
        precondition(length <= WireLimits.frameBytes, "\(kind) frame of \(length) bytes")
        output.patch(bigEndian: UInt32(length), at: start)
    }

    /// Reads one whole frame, as `GossipFrame.first` finds it.
    ///
    /// Nil when it is of a higher version, and to be skipped. Throws on anything but the bytes `encode` can write. Takes
    /// at most 14 times the memory of the bytes that are there (7, and arrays double), whatever they promise; 256
    /// items that were not found take 110 KB.
    public static func decode(_ frame: UnsafeRawBufferPointer) throws(GossipFormatError) -> GossipMessage? {
        guard case .frame(let length) = try GossipFrame.first(in: frame) else {
            throw GossipFormatError(.truncated, "frame")
        }
        guard length == frame.count else { throw GossipFormatError(.trailing, "frame") }
        guard frame[4] <= GossipFrame.version else { return nil }
        guard frame[4] == GossipFrame.version else { throw GossipFormatError(.value, "protocol version") }
        guard let kind = Kind(rawValue: frame[5]) else { throw GossipFormatError(.value, "kind of message") }
        guard frame[6] == 0, frame[7] == 0 else { throw GossipFormatError(.value, "flags") }
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: frame[GossipFrame.headerBytes...]))
        let message = try GossipMessage(kind, decoding: &reader)
        guard reader.remaining == 0 else { throw GossipFormatError(.trailing, "\(kind)") }
        return message
    }

    /// Reads one whole frame from an array.
    public static func decode(_ frame: [UInt8]) throws(GossipFormatError) -> GossipMessage? {
        // `withUnsafeBytes` of an array throws untyped errors only.
        try frame.withUnsafeBytes { frame in
            Result { () throws(GossipFormatError) in try decode(frame) }
        }.get()
    }
}

extension GossipMessage {
    private func encodePayload(into output: inout ByteWriter) {
        switch self {
        case .hello(let payload): payload.encode(into: &output)
        case .helloAck(let payload): payload.encode(into: &output)
        case .syn(let payload): payload.encode(into: &output)
        case .synAck(let payload): payload.encode(into: &output)
        case .ack(let payload): payload.encode(into: &output)
        case .sketchRequest(let payload): payload.encode(into: &output)
        case .sketch(let payload): payload.encode(into: &output)
        case .listRequest(let payload): payload.encode(into: &output)
        case .list(let payload): payload.encode(into: &output)
        case .itemRequest(let payload): payload.encode(into: &output)
        case .item(let payload): payload.encode(into: &output)
        case .tombstones(let payload): payload.encode(into: &output)
        case .snapshotRequest(let payload): payload.encode(into: &output)
        case .snapshotChunk(let payload): payload.encode(into: &output)
        case .hint(let payload): payload.encode(into: &output)
        case .busy(let payload): payload.encode(into: &output)
        case .bye(let payload): payload.encode(into: &output)
        case .operations(let payload): payload.encode(into: &output)
        case .operationsRequest(let payload): payload.encode(into: &output)
        }
    }

    private init(_ kind: Kind, decoding reader: inout ByteReader) throws(GossipFormatError) {
        switch kind {
        case .hello: self = .hello(try Hello(decoding: &reader))
        case .helloAck: self = .helloAck(try HelloAck(decoding: &reader))
        case .syn: self = .syn(try Syn(decoding: &reader))
        case .synAck: self = .synAck(try SynAck(decoding: &reader))
        case .ack: self = .ack(try Ack(decoding: &reader))
        case .sketchRequest: self = .sketchRequest(try SketchRequest(decoding: &reader))
        case .sketch: self = .sketch(try SketchAnswer(decoding: &reader))
        case .listRequest: self = .listRequest(try ListRequest(decoding: &reader))
        case .list: self = .list(try List(decoding: &reader))
        case .itemRequest: self = .itemRequest(try ItemRequest(decoding: &reader))
        case .item: self = .item(try Item(decoding: &reader))
        case .tombstones: self = .tombstones(try Tombstones(decoding: &reader))
        case .snapshotRequest: self = .snapshotRequest(try SnapshotRequest(decoding: &reader))
        case .snapshotChunk: self = .snapshotChunk(try SnapshotChunk(decoding: &reader))
        case .hint: self = .hint(try Hint(decoding: &reader))
        case .busy: self = .busy(try Busy(decoding: &reader))
        case .bye: self = .bye(try Bye(decoding: &reader))
        case .operations: self = .operations(try Operations(decoding: &reader))
        case .operationsRequest: self = .operationsRequest(try OperationsRequest(decoding: &reader))
        }
    }
}
