/// Values of repetitions: their middle and how far they lie apart.
public struct Spread: Hashable, Codable, Sendable {
    /// As they were measured.
    public var values: [Double]

    /// Keeps values in their order.
    public init(_ values: [Double]) { self.values = values }

    /// The middle one; of an even number the mean of the two in the middle; NaN of none.
    public var median: Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + (sorted.count > 1 ? sorted[middle] : last)) / 2
    }

    /// The smallest.
    public var lowest: Double { values.min() ?? .nan }
    /// The largest.
    public var highest: Double { values.max() ?? .nan }

    /// Ratios pair by pair: what ran next to each other is compared with each other.
    public static func ratios(_ left: Spread, to right: Spread) -> Spread {
        Spread(zip(left.values, right.values).map { $0 / $1 })
    }
}
