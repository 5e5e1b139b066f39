/// How two sets differ: the items of one side only, each list in increasing order.
public struct SetDifference: Hashable, Sendable {
    /// Items of the local set that the peer lacks.
    public var onlyHere: [UInt64]
    /// Items of the peer's set that the local one lacks.
    public var onlyThere: [UInt64]

    /// A difference; sorts both lists.
    public init(onlyHere: [UInt64], onlyThere: [UInt64]) {
        self.onlyHere = onlyHere.sorted()
        self.onlyThere = onlyThere.sorted()
    }

    /// Items in total.
    public var count: Int { onlyHere.count + onlyThere.count }

    /// Whether some item stands twice, which no honest pair of sets can cause.
    var repeatsAnItem: Bool {
        let all = (onlyHere + onlyThere).sorted()
        return zip(all, all.dropFirst()).contains { $0 == $1 }
    }
}
