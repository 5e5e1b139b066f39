import Basics
import GossipCore
import Testing

@Suite("Sketch: a prefix of symbols, item by item")
struct SketchTests {
    private func vectorSketch() -> Sketch {
        var sketch = Sketch(hash: TestVectors.hash)
        for item in TestVectors.items { sketch.insert(item) }
        return sketch
    }

    @Test("matches the vectors of the independent implementation")
    func vectors() {
        let symbols = vectorSketch().symbols
        #expect(Array(symbols.prefix(TestVectors.symbols.count)) == TestVectors.symbols)
        var bytes: [UInt8] = []
        for symbol in symbols {
            for word in [symbol.sum, symbol.check, UInt64(symbol.count)] {
                withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
            }
        }
        #expect(TestVectors.hash.hash(bytes) == TestVectors.sketchDigest)
    }

    @Test("the vectors' items are the hashes of their names", arguments: 0..<20)
    func items(number: Int) {
        #expect(TestVectors.hash.hash(Array("item-\(number)".utf8)) == TestVectors.items[number])
    }

    @Test("depends on the set, not on how it came about", arguments: 1...5 as ClosedRange<UInt64>)
    func history(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var sketch = Sketch(hash: TestVectors.hash)
        let passing = (0..<100).map { _ in generator.next() }
        for item in (TestVectors.items + passing).shuffled(using: &generator) { sketch.insert(item) }
        for item in passing.shuffled(using: &generator) { sketch.remove(item) }
        #expect(sketch.symbols == vectorSketch().symbols, "seed \(seed)")
        for item in TestVectors.items { sketch.remove(item) }
        #expect(sketch.symbols.allSatisfy { $0 == .zero }, "seed \(seed)")
    }

    @Test("a shorter prefix is the start of a longer one", arguments: [1, 2, 16, 100, 4_095])
    func prefix(length: Int) {
        var short = Sketch(hash: TestVectors.hash, length: length)
        for item in TestVectors.items { short.insert(item) }
        #expect(short.symbols == Array(vectorSketch().symbols.prefix(length)))
    }

    @Test("another key gives other symbols")
    func key() {
        var other = Sketch(hash: KeyedHash(low: 1, high: 2))
        for item in TestVectors.items { other.insert(item) }
        #expect(other.root.sum == vectorSketch().root.sum)
        #expect(other.root.check != vectorSketch().root.check)
        #expect(other.symbols[1...].map(\.count) != vectorSketch().symbols[1...].map(\.count))
    }

    @Test("a run ends with the prefix and with its own limit")
    func runs() {
        let sketch = vectorSketch()
        #expect(sketch.run(from: 0, count: 5_000).symbols.count == SketchLimits.symbolsPerRun)
        #expect(sketch.run(from: 4_090, count: 50).symbols == Array(sketch.symbols[4_090...]))
        #expect(sketch.run(from: 4_096, count: 50).symbols.isEmpty)
        #expect(sketch.run(from: 3, count: 2).itemCount == 20)
    }
}
