import Basics

/// Which set is compared item by item.
public enum ComparedSet: UInt8, Hashable, Sendable, CaseIterable {
    /// The registrations heard first-hand.
    case registrations = 0
}

extension GossipMessage {
    /// Asks for symbols of the sender's sketch.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 1 | set |
    /// | 4 | epoch of the receiver's sketch, as its digest said |
    /// | varint | first symbol, 0 to 4,096 |
    /// | varint | how many, at most 1,024; the last below 4,096 |
    public struct SketchRequest: Hashable, Sendable {
        /// Of which set.
        public var set: ComparedSet
        /// Of which state of it; when it has changed since, the answer has another epoch and starts anew.
        public var epoch: UInt32
        /// Index of the first symbol wanted.
        public var first: Int
        /// How many are wanted; at most `SketchLimits.symbolsPerRun`.
        public var count: Int

        /// Puts the parts together.
        public init(set: ComparedSet = .registrations, epoch: UInt32, first: Int, count: Int) {
            self.set = set
            self.epoch = epoch
            self.first = first
            self.count = count
        }
    }

    /// Symbols of the sender's sketch: one byte set, four bytes epoch, then the bytes of the `SymbolRun`.
    public struct SketchAnswer: Hashable, Sendable {
        /// Of which set.
        public var set: ComparedSet
        /// Of which state of it.
        public var epoch: UInt32
        /// The symbols.
        public var run: SymbolRun

        /// Puts the parts together.
        public init(set: ComparedSet = .registrations, epoch: UInt32, run: SymbolRun) {
            self.set = set
            self.epoch = epoch
            self.run = run
        }
    }

    /// Asks for the items of a set in increasing order: one byte set, four bytes epoch, eight bytes cursor.
    public struct ListRequest: Hashable, Sendable {
        /// Of which set.
        public var set: ComparedSet
        /// Of which state of it, as the digest said.
        public var epoch: UInt32
        /// The smallest item wanted; 0 to begin.
        public var cursor: UInt64

        /// Puts the parts together.
        public init(set: ComparedSet = .registrations, epoch: UInt32, cursor: UInt64 = 0) {
            self.set = set
            self.epoch = epoch
            self.cursor = cursor
        }
    }

    /// Items of the sender's set.
    ///
    /// | bytes | meaning |
    /// |---|---|
    /// | 1 | set |
    /// | 4 | epoch |
    /// | varint, 8 each | items, strictly increasing, at most 4,096 |
    /// | 0, or 1 and 8 | cursor to go on from: above the last item, of which there is one |
    public struct List: Hashable, Sendable {
        /// Of which set.
        public var set: ComparedSet
        /// Of which state of it.
        public var epoch: UInt32
        /// Strictly increasing; at most `WireLimits.listItems`.
        public var items: [UInt64]
        /// Where to go on; nil at the end of the set.
        public var next: UInt64?

        /// Puts the parts together.
        public init(set: ComparedSet = .registrations, epoch: UInt32, items: [UInt64], next: UInt64? = nil) {
            self.set = set
            self.epoch = epoch
            self.items = items
            self.next = next
        }

        /// Whether items and cursor only go up, so that asking on and on must end.
        var isOrdered: Bool {
            for (left, right) in zip(items, items.dropFirst()) where left >= right { return false }
            guard let next else { return true }
            return items.last.map { $0 < next } ?? false
        }
    }
}

extension GossipMessage.SketchRequest: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(set.rawValue)
        output.append(bigEndian: epoch)
        output.append(count: first, atMost: SketchLimits.symbols, "first symbol")
        output.append(
            count: count, atMost: min(SketchLimits.symbolsPerRun, SketchLimits.symbols - first), "symbols")
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        set = try reader.readCase("set")
        epoch = try reader.readEpoch()
        first = try reader.readCount(atMost: SketchLimits.symbols, "first symbol")
        count = try reader.readCount(
            atMost: min(SketchLimits.symbolsPerRun, SketchLimits.symbols - first), "symbols")
    }
}

extension GossipMessage.SketchAnswer: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(set.rawValue)
        output.append(bigEndian: epoch)
        run.encode(into: &output)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        set = try reader.readCase("set")
        epoch = try reader.readEpoch()
        run = try SymbolRun(decoding: &reader)
    }
}

extension GossipMessage.ListRequest: WireCodable {
    func encode(into output: inout ByteWriter) {
        output.append(set.rawValue)
        output.append(bigEndian: epoch)
        output.append(bigEndian: cursor)
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        set = try reader.readCase("set")
        epoch = try reader.readEpoch()
        cursor = try reader.readWord("cursor")
    }
}

extension GossipMessage.List: WireCodable {
    func encode(into output: inout ByteWriter) {
        precondition(isOrdered, "list of \(items.count) items out of order")
        output.append(set.rawValue)
        output.append(bigEndian: epoch)
        output.append(words: items, atMost: WireLimits.listItems, "items")
        output.append(flag: next != nil)
        if let next { output.append(bigEndian: next) }
    }

    init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        set = try reader.readCase("set")
        epoch = try reader.readEpoch()
        items = try reader.readWords(atMost: WireLimits.listItems, "items")
        next = try reader.readFlag("next cursor") ? try reader.readWord("next cursor") : nil
        guard isOrdered else { throw GossipFormatError(.contradiction, "order of items") }
    }
}
