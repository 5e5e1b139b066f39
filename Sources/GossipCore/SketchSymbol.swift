/// One coded symbol: the combination of the items that map to it.
public struct SketchSymbol: Hashable, Sendable {
    /// XOR of the items.
    public var sum: UInt64
    /// XOR of the items' keyed hashes.
    public var check: UInt64
    /// How many items; negative only in a difference of two symbols.
    public var count: Int

    /// A symbol from its parts.
    public init(sum: UInt64, check: UInt64, count: Int) {
        self.sum = sum
        self.check = check
        self.count = count
    }

    /// The symbol of no items.
    public static let zero = SketchSymbol(sum: 0, check: 0, count: 0)

    /// What `left` holds and `right` does not, with count 1, and the reverse, with count -1.
    public static func - (left: SketchSymbol, right: SketchSymbol) -> SketchSymbol {
        SketchSymbol(sum: left.sum ^ right.sum, check: left.check ^ right.check, count: left.count &- right.count)
    }

    /// Adds one item (`copies` = 1) or takes it away (-1).
    mutating func add(item: UInt64, check itemCheck: UInt64, copies: Int) {
        sum ^= item
        check ^= itemCheck
        count &+= copies
    }
}
