import Basics
import Testing

@testable import GossipCore

@Suite("Sketch decoder: the true difference or an explicit failure")
struct SketchDecoderTests {
    /// Rows: shared, only here, only there, symbols in each run.
    static let shapes: [(Int, Int, Int, Int)] = [
        (0, 0, 0, 1),  // both empty
        (50, 0, 0, 1),  // equal
        (50, 0, 1, 1),  // symbol 0 alone tells
        (50, 1, 0, 16),
        (50, 1, 1, 1),  // one changed registration
        (300, 7, 3, 8),
        (0, 0, 40, 16),  // an empty side
        (200, 60, 90, 64),
        (100, 400, 400, 512),
    ]

    @Test("finds the difference of random sets", arguments: shapes.indices, 1...12 as ClosedRange<UInt64>)
    func random(shape: Int, seed: UInt64) {
        let (shared, onlyHere, onlyThere, step) = SketchDecoderTests.shapes[shape]
        let sets = RandomSets(seed: seed, shared: shared, onlyHere: onlyHere, onlyThere: onlyThere)
        var decoder = SketchDecoder(local: sets.here)
        #expect(decoder.receiveAll(of: sets.there, step: step) == .decoded(sets.difference), "seed \(seed)")
    }

    @Test("a single difference decodes from symbol 0", arguments: [(0, 1), (1, 0)])
    func single(onlyHere: Int, onlyThere: Int) {
        let sets = RandomSets(seed: 1, shared: 100, onlyHere: onlyHere, onlyThere: onlyThere)
        var decoder = SketchDecoder(local: sets.here)
        #expect(decoder.receive(sets.there.run(from: 0, count: 1)) == .decoded(sets.difference))
    }

    @Test("a prefix too short for the difference says so", arguments: 1...20 as ClosedRange<UInt64>)
    func short(seed: UInt64) {
        let sets = RandomSets(seed: seed, shared: 20, onlyHere: 30, onlyThere: 30, length: 40)
        var decoder = SketchDecoder(local: sets.here)
        #expect(decoder.receiveAll(of: sets.there, step: 16) == .failed(.exhausted), "seed \(seed)")
        #expect(decoder.receive(sets.there.run(from: 0, count: 1)) == .failed(.exhausted))
    }

    @Test("the steps in which symbols arrive change nothing", arguments: 1...10 as ClosedRange<UInt64>)
    func steps(seed: UInt64) {
        let sets = RandomSets(seed: seed, shared: 100, onlyHere: 20, onlyThere: 30)
        var one = SketchDecoder(local: sets.here)
        _ = one.receiveAll(of: sets.there, step: 1)
        // The same prefix, whole: decodes too; one symbol less: needs more.
        var whole = SketchDecoder(local: sets.here)
        #expect(whole.receive(sets.there.run(from: 0, count: one.received)) == one.outcome, "seed \(seed)")
        var less = SketchDecoder(local: sets.here)
        #expect(less.receive(sets.there.run(from: 0, count: one.received - 1)) == .needsMore, "seed \(seed)")
    }

    @Test("refuses a run that does not follow the last one or passes the local prefix")
    func order() {
        let sets = RandomSets(seed: 3, shared: 10, onlyHere: 9, onlyThere: 9, length: 32)
        for first in [1, 5] {
            var decoder = SketchDecoder(local: sets.here)
            #expect(decoder.receive(sets.there.run(from: first, count: 4)) == .failed(.outOfOrder))
        }
        var repeated = SketchDecoder(local: sets.here)
        #expect(repeated.receive(sets.there.run(from: 0, count: 4)) == .needsMore)
        #expect(repeated.receive(sets.there.run(from: 0, count: 4)) == .failed(.outOfOrder))
        let long = RandomSets(seed: 3, shared: 10, onlyHere: 9, onlyThere: 9, length: 64)
        var decoder = SketchDecoder(local: sets.here)
        #expect(decoder.receive(long.there.run(from: 0, count: 64)) == .failed(.outOfOrder))
    }

    @Test("an empty run is no answer")
    func empty() {
        var decoder = SketchDecoder(local: Sketch(hash: TestVectors.hash))
        #expect(decoder.receive(SymbolRun(first: 0, itemCount: 0, symbols: [])) == .needsMore)
    }

    // MARK: Attackers without the key

    @Test("symbols of another key never decode", arguments: 1...50 as ClosedRange<UInt64>)
    func foreignKey(seed: UInt64) {
        let ours = RandomSets(seed: seed, shared: 50, onlyHere: 0, onlyThere: 1)
        let theirs = RandomSets(
            seed: seed, shared: 50, onlyHere: 0, onlyThere: 1, hash: KeyedHash(low: seed, high: seed))
        var decoder = SketchDecoder(local: ours.here)
        expectFailure(decoder.receiveAll(of: theirs.there, step: 512), seed)
    }

    @Test("changed bits never give a wrong difference", arguments: 1...200 as ClosedRange<UInt64>)
    func changedBits(seed: UInt64) {
        let sets = RandomSets(seed: seed, shared: 40, onlyHere: 4, onlyThere: 4, length: 128)
        var generator = SeededGenerator(seed: seed)
        var run = sets.there.run(from: 0, count: 128)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let index = Int.random(in: 0..<128, using: &generator)
            let bit = UInt64(1) << UInt64.random(in: 0..<64, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: run.symbols[index].sum ^= bit
            case 1: run.symbols[index].check ^= bit
            default: run.symbols[index].count ^= 1
            }
        }
        var decoder = SketchDecoder(local: sets.here)
        expectFailure(decoder.receive(run), seed)
    }

    @Test("an item XORed into every symbol it could be in is not believed", arguments: 1...50 as ClosedRange<UInt64>)
    func forgedItem(seed: UInt64) {
        let sets = RandomSets(seed: seed, shared: 40, onlyHere: 0, onlyThere: 0, length: 64)
        var run = sets.there.run(from: 0, count: 64)
        run.itemCount += 1
        for index in run.symbols.indices {
            run.symbols[index].add(item: seed &* 0x1234_5677, check: seed &* 0x9876_5431, copies: 1)
        }
        var decoder = SketchDecoder(local: sets.here)
        expectFailure(decoder.receive(run), seed)
    }

    @Test("random symbols end in failure, quickly", arguments: 1...20 as ClosedRange<UInt64>)
    func randomSymbols(seed: UInt64) {
        let sets = RandomSets(seed: seed, shared: 40, onlyHere: 0, onlyThere: 0, length: 512)
        var generator = SeededGenerator(seed: seed)
        let symbols = (0..<512).map { _ in
            SketchSymbol(
                sum: generator.next(), check: generator.next(), count: Int.random(in: 39...41, using: &generator))
        }
        var decoder = SketchDecoder(local: sets.here)
        expectFailure(decoder.receive(SymbolRun(first: 0, itemCount: 40, symbols: symbols)), seed)
    }

    // MARK: Liars with the key

    @Test(
        "an item in a symbol it does not map to is a contradiction, at once", arguments: 1...20 as ClosedRange<UInt64>)
    func misplacedItem(seed: UInt64) throws {
        let sets = RandomSets(seed: seed, shared: 0, onlyHere: 0, onlyThere: 40, length: 64)
        var run = sets.there.run(from: 0, count: 8)
        let item = TestVectors.items[0]
        let index = try #require((1..<8).first { !TestVectors.indices[0].contains($0) })
        run.symbols[index] = SketchSymbol(sum: item, check: TestVectors.hash.hash(item), count: 1)
        var decoder = SketchDecoder(local: Sketch(hash: TestVectors.hash, length: 64))
        #expect(decoder.receive(run) == .failed(.inconsistent), "seed \(seed)")
    }

    /// Taken out of symbol 0, the item appears with count -1 in the others; taken out there, with count 1 in symbol 0;
    /// for ever.
    @Test("an item missing from its other symbols cannot make the decoder go round in circles")
    func circle() {
        let item = TestVectors.items[0]
        var symbols = Array(repeating: SketchSymbol.zero, count: 64)
        symbols[0] = SketchSymbol(sum: item, check: TestVectors.hash.hash(item), count: 1)
        var decoder = SketchDecoder(local: Sketch(hash: TestVectors.hash, length: 64))
        #expect(decoder.receive(SymbolRun(first: 0, itemCount: 1, symbols: symbols)) == .failed(.inconsistent))
    }

    @Test("symbol 0 without items contradicts any other symbol with some, before the prefix ends")
    func emptyRoot() {
        var symbols = Array(repeating: SketchSymbol.zero, count: 16)
        symbols[5] = SketchSymbol(sum: 1, check: 2, count: 0)
        var decoder = SketchDecoder(local: Sketch(hash: TestVectors.hash, length: 64))
        #expect(decoder.receive(SymbolRun(first: 0, itemCount: 0, symbols: symbols)) == .failed(.inconsistent))
    }

    @Test("a difference that names an item twice is recognised")
    func repetition() {
        #expect(SetDifference(onlyHere: [1, 2], onlyThere: [3, 1]).repeatsAnItem)
        #expect(SetDifference(onlyHere: [5, 2, 5], onlyThere: []).repeatsAnItem)
        #expect(!SetDifference(onlyHere: [5, 2], onlyThere: [1]).repeatsAnItem)
        #expect(!SetDifference(onlyHere: [], onlyThere: []).repeatsAnItem)
    }

    @Test("an item counted twice is never reported")
    func doubled() {
        var there = Sketch(hash: TestVectors.hash, length: 64)
        for item in TestVectors.items { there.insert(item) }
        let run = there.run(from: 0, count: 64)
        // The same item on both sides of the difference cancels; three times on one side leaves count 3.
        there.insert(TestVectors.items[0])
        there.insert(TestVectors.items[0])
        var here = Sketch(hash: TestVectors.hash, length: 64)
        for item in TestVectors.items.dropFirst() { here.insert(item) }
        var decoder = SketchDecoder(local: here)
        expectFailure(decoder.receive(there.run(from: 0, count: 64)), 0)
        var honest = SketchDecoder(local: here)
        let expected = SetDifference(onlyHere: [], onlyThere: [TestVectors.items[0]])
        #expect(honest.receive(run) == .decoded(expected))
    }

    private func expectFailure(_ outcome: SketchDecoder.Outcome, _ seed: UInt64) {
        if case .decoded(let difference) = outcome { Issue.record("decoded \(difference.count) items, seed \(seed)") }
    }
}
