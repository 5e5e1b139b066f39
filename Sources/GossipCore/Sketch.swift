import Basics

/// A prefix of the endless symbol sequence of one set of 64-bit items, kept up to date item by item.
///
/// A rateless invertible Bloom lookup table (Yang, Gilad and Alizadeh, SIGCOMM 2024): one prefix serves every peer and
/// every size of difference, and symbol 0 is the digest of the whole set. About 16 symbols change with each item.
public struct Sketch: Sendable {
    /// The hash behind `check` and the mapping; both sides must hold the same key.
    public let hash: KeyedHash
    /// The symbols held, at least 1.
    public private(set) var symbols: [SketchSymbol]

    /// The sketch of the empty set, `length` symbols long (1 to `SketchLimits.symbols`, the default).
    public init(hash: KeyedHash, length: Int = SketchLimits.symbols) {
        precondition((1...SketchLimits.symbols).contains(length), "sketch of \(length) symbols")
        self.hash = hash
        symbols = Array(repeating: .zero, count: length)
    }

    /// The digest of the whole set: equal roots mean equal sets, but for one chance in 2^64.
    public var root: SketchSymbol { symbols[0] }

    /// How many items the set has.
    public var itemCount: Int { symbols[0].count }

    /// Adds an item that is not in the set; the caller keeps the set, the sketch cannot tell.
    public mutating func insert(_ item: UInt64) {
        precondition(itemCount < SketchLimits.items, "sketch of more than \(SketchLimits.items) items")
        add(item, copies: 1)
    }

    /// Takes away an item that is in the set.
    public mutating func remove(_ item: UInt64) {
        precondition(itemCount > 0, "item removed from the empty sketch")
        add(item, copies: -1)
    }

    private mutating func add(_ item: UInt64, copies: Int) {
        let check = hash.hash(item)
        var indices = SymbolIndices(check: check)
        symbols.withUnsafeMutableBufferPointer { symbols in
            while indices.current < symbols.count {
                symbols[indices.current].add(item: item, check: check, copies: copies)
                indices.advance()
            }
        }
    }

    /// Up to `count` symbols from index `first` on, for a peer; fewer where the held prefix or the run's limit ends.
    public func run(from first: Int, count: Int) -> SymbolRun {
        precondition(first >= 0 && first <= symbols.count && count >= 0, "run of \(count) symbols from \(first)")
        let end = min(first + min(count, SketchLimits.symbolsPerRun), symbols.count)
        return SymbolRun(first: first, itemCount: itemCount, symbols: Array(symbols[first..<end]))
    }
}
