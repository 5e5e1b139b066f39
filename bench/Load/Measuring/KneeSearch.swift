/// Looks for the highest rate that is still good, by halving; knows nothing of how a rate is tried.
public struct KneeSearch: Hashable, Sendable {
    /// Rates that were good, and the smallest that was not.
    public private(set) var good = 0.0
    /// See `good`.
    public private(set) var bad: Double
    private var left: Int

    /// - Parameters:
    ///   - ceiling: a rate that is surely not reached, such as that of a closed loop.
    ///   - steps: tries; each halves what is unknown.
    public init(ceiling: Double, steps: Int = 8) {
        bad = ceiling
        left = steps
    }

    /// The rate to try next; nil when the search is over.
    public var next: Double? { left > 0 && bad > 0 ? (good + bad) / 2 : nil }

    /// Notes how the rate `next` did.
    public mutating func tried(isGood: Bool) {
        guard let next else { return }
        left -= 1
        if isGood { good = next } else { bad = next }
    }
}
