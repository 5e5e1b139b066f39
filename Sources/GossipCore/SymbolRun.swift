import Basics

/// Consecutive symbols of one sketch, as they travel.
///
/// | bytes | meaning |
/// |---|---|
/// | varint | index of the first symbol, 0 to 4,095 |
/// | varint | number of symbols, 0 to 1,024 |
/// | varint | items in the sender's set, 0 to 2^24 |
/// | per symbol: 8 | sum, big-endian |
/// | 8 | check, big-endian |
/// | zigzag varint | count less the count to be expected at this index, 1 byte nearly always |
///
/// The expected count of symbol i of N items is 2N/(i+2), rounded half up: the receiver computes it too.
public struct SymbolRun: Hashable, Sendable {
    /// Index of the first symbol.
    public var first: Int
    /// Items in the sender's set, which is the count of its symbol 0.
    public var itemCount: Int
    /// The symbols.
    public var symbols: [SketchSymbol]

    /// A run; within the limits of `SketchLimits`.
    public init(first: Int, itemCount: Int, symbols: [SketchSymbol]) {
        precondition(
            first >= 0 && symbols.count <= SketchLimits.symbolsPerRun && first + symbols.count <= SketchLimits.symbols
                && (0...SketchLimits.items).contains(itemCount),
            "run of \(symbols.count) symbols from \(first), \(itemCount) items")
        self.first = first
        self.itemCount = itemCount
        self.symbols = symbols
    }

    /// Appends the bytes of the run.
    public func encode(into output: inout ByteWriter) {
        output.append(varint: UInt64(first))
        output.append(varint: UInt64(symbols.count))
        output.append(varint: UInt64(itemCount))
        for (offset, symbol) in symbols.enumerated() {
            output.append(bigEndian: symbol.sum)
            output.append(bigEndian: symbol.check)
            output.append(zigzag: Int64(symbol.count - SymbolRun.expectedCount(at: first + offset, of: itemCount)))
        }
    }

    /// Reads one run and leaves the reader behind it; throws on anything but the bytes `encode` can write.
    ///
    /// Allocates no more than 24 bytes for each 17 that are really there.
    public init(decoding reader: inout ByteReader) throws(GossipFormatError) {
        first = try reader.readVarint(atMost: SketchLimits.symbols, "first symbol")
        let number = try reader.readVarint(
            atMost: min(SketchLimits.symbolsPerRun, SketchLimits.symbols - first), "number of symbols")
        itemCount = try reader.readVarint(atMost: SketchLimits.items, "number of items")
        guard reader.remaining >= number * SketchLadder.symbolBytes else {
            throw GossipFormatError(.truncated, "symbols")
        }
        symbols = []
        symbols.reserveCapacity(number)
        for index in first..<first + number {
            guard let sum = reader.readInteger(UInt64.self), let check = reader.readInteger(UInt64.self) else {
                throw GossipFormatError(.truncated, "symbol \(index)")
            }
            let delta = try reader.readZigzag("count of symbol \(index)")
            let (count, overflow) = delta.addingReportingOverflow(SymbolRun.expectedCount(at: index, of: itemCount))
            guard !overflow, (0...itemCount).contains(count), index > 0 || count == itemCount else {
                throw GossipFormatError(.contradiction, "count of symbol \(index)")
            }
            symbols.append(SketchSymbol(sum: sum, check: check, count: count))
        }
    }

    /// 2N/(i+2), rounded half up.
    static func expectedCount(at index: Int, of itemCount: Int) -> Int {
        (4 * itemCount + index + 2) / (2 * (index + 2))
    }
}
