// Which symbols of the endless sequence an item takes part in. Integers only: every platform computes the same.

/// The increasing sequence of symbol indices that one item is added to, cut off at `SketchLimits.symbols`.
///
/// Symbol i holds an item with probability 2/(i+2), the density 1/(1+i/2) of Yang, Gilad and Alizadeh ("Practical
/// Rateless Set Reconciliation", SIGCOMM 2024). Being at index i, the probability of no hit up to j is the
/// telescoping product of n/(n+2) for n = i+1 ... j, that is (i+1)(i+2) / ((j+1)(j+2)). With U drawn evenly from 1 ...
/// 2^32, the next index is therefore the smallest j with U(j+1)(j+2) > 2^32 (i+1)(i+2): one division and one integer
/// square root, exact but for the 2^-32 grain of U.
public struct SymbolIndices: Sendable {
    /// The index the sequence stands at; `SketchLimits.symbols` once it has passed the end. Starts at 0: symbol 0 holds
    /// every item.
    public private(set) var current = 0
    private var state: UInt64

    /// The sequence of the item whose keyed hash is `check`, so that nobody without the key can foresee it.
    public init(check: UInt64) { state = check }

    /// Moves to the next index.
    public mutating func advance() {
        state &+= 0x9E37_79B9_7F4A_7C15
        current = SymbolIndices.successor(of: current, draw: UInt32(truncatingIfNeeded: mixed(state) >> 32))
    }

    /// The index after `index` when the 32 random bits are `draw`.
    static func successor(of index: Int, draw: UInt32) -> Int {
        // At most 4,096 * 4,097 * 2^32 < 2^57: no overflow.
        let numerator = UInt64(index + 1) * UInt64(index + 2) << 32
        let quotient = numerator / (UInt64(draw) + 1)
        guard quotient < endProduct else { return SketchLimits.symbols }
        // Smallest m with m(m+1) > quotient; the index is m - 1. It is the root or one more.
        let root = squareRoot(UInt32(quotient))
        return Int(root) - (root * (root + 1) > UInt32(quotient) ? 1 : 0)
    }

    /// m(m+1) at the end of the sequence, below 2^25.
    private static let endProduct = UInt64(SketchLimits.symbols) * UInt64(SketchLimits.symbols + 1)

    /// The whole part of the square root of a number below 2^26, bit by bit.
    static func squareRoot(_ value: UInt32) -> UInt32 {
        precondition(value < 1 << 26, "square root of \(value)")
        var root: UInt32 = 0
        var bit: UInt32 = 1 << 12
        while bit > 0 {
            let candidate = root | bit
            if candidate * candidate <= value { root = candidate }
            bit >>= 1
        }
        return root
    }

    /// The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    private func mixed(_ word: UInt64) -> UInt64 {
        var word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
