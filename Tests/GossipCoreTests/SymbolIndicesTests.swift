import Basics
import Testing

@testable import GossipCore

@Suite("Symbol indices: density 2/(i+2) in integers")
struct SymbolIndicesTests {
    @Test("match the vectors of the independent implementation", arguments: 0..<3)
    func vector(item: Int) {
        #expect(indices(of: TestVectors.hash.hash(TestVectors.items[item])) == TestVectors.indices[item])
    }

    /// The next index passes j for exactly floor(2^32 (i+1)(i+2) / ((j+1)(j+2))) of the 2^32 draws, the wanted
    /// probability to within 2^-32. The successor falls as the draw grows, so the two draws at the border prove it for
    /// all of them.
    @Test("the step's distribution is exact", arguments: [0, 1, 2, 3, 7, 64, 1_000, 4_000, 4_094])
    func distribution(index: Int) {
        for next in stride(from: index + 1, to: SketchLimits.symbols, by: max(1, (4_096 - index) / 300)) {
            let passing = (UInt64(index + 1) * UInt64(index + 2) << 32) / (UInt64(next + 1) * UInt64(next + 2))
            // `draw` is U - 1: U = 1 ... passing go beyond, U = passing + 1 does not.
            #expect(SymbolIndices.successor(of: index, draw: UInt32(passing - 1)) > next)
            #expect(SymbolIndices.successor(of: index, draw: UInt32(passing)) <= next)
        }
        #expect(SymbolIndices.successor(of: index, draw: .max) == index + 1)
        #expect(SymbolIndices.successor(of: index, draw: 0) == SketchLimits.symbols)
    }

    @Test("the step falls as the draw grows")
    func monotony() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let index = Int.random(in: 0..<4_096, using: &generator)
            let (one, two) = (
                UInt32.random(in: 0...(.max), using: &generator), UInt32.random(in: 0...(.max), using: &generator)
            )
            let (low, high) = (min(one, two), max(one, two))
            #expect(
                SymbolIndices.successor(of: index, draw: low) >= SymbolIndices.successor(of: index, draw: high),
                "index \(index), draws \(low) and \(high)")
        }
    }

    @Test(
        "items spread over the symbols as the density says, within five standard deviations",
        arguments: [1, 2] as [UInt64])
    func density(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let items = 20_000
        var hits = Array(repeating: 0, count: SketchLimits.symbols)
        for _ in 0..<items { for index in indices(of: generator.next()) { hits[index] += 1 } }
        #expect(hits[0] == items)
        // Single symbols at the dense end; beyond, sums over ever wider bands, whose symbols are nearly independent.
        var low = 1
        while low < SketchLimits.symbols {
            let high = min(low + max(1, low / 4), SketchLimits.symbols)
            let probabilities = (low..<high).map { 2 / Double($0 + 2) }
            let expected = Double(items) * probabilities.reduce(0, +)
            let variance = Double(items) * probabilities.map { $0 * (1 - $0) }.reduce(0, +)
            let observed = Double(hits[low..<high].reduce(0, +))
            #expect(
                (observed - expected).magnitude <= 5 * variance.squareRoot(), "symbols \(low)..<\(high), seed \(seed)")
            low = high
        }
        // 2 (H(4097) - 1) = 15.79: the cost of one update.
        let mean = Double(hits.reduce(0, +)) / Double(items)
        #expect(15.6 < mean && mean < 16)
    }

    @Test("the square root is whole and exact")
    func squareRoot() {
        for root in 1..<UInt32(1 << 13) {
            #expect(SymbolIndices.squareRoot(root * root) == root)
            #expect(SymbolIndices.squareRoot(root * root - 1) == root - 1)
        }
        #expect(SymbolIndices.squareRoot((1 << 26) - 1) == (1 << 13) - 1)
    }

    private func indices(of check: UInt64) -> [Int] {
        var sequence = SymbolIndices(check: check)
        var result: [Int] = []
        while sequence.current < SketchLimits.symbols {
            result.append(sequence.current)
            sequence.advance()
        }
        return result
    }
}
