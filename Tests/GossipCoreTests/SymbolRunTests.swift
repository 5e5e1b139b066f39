import Basics
import Testing

@testable import GossipCore

@Suite("Symbol run: the bytes of a sketch")
struct SymbolRunTests {
    private func bytes(_ run: SymbolRun) -> [UInt8] {
        var output = ByteWriter()
        run.encode(into: &output)
        return output.array()
    }

    private func decode(_ bytes: [UInt8]) -> Result<SymbolRun, GossipFormatError> {
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            do throws(GossipFormatError) {
                let run = try SymbolRun(decoding: &reader)
                return reader.remaining == 0 ? .success(run) : .failure(GossipFormatError(.limit, "bytes left"))
            } catch {
                return .failure(error)
            }
        }
    }

    private func code(_ bytes: [UInt8]) -> GossipFormatError.Code? {
        if case .failure(let error) = decode(bytes) { return error.code }
        return nil
    }

    @Test("matches the vector")
    func vector() {
        var sketch = Sketch(hash: TestVectors.hash)
        for item in TestVectors.items { sketch.insert(item) }
        #expect(bytes(sketch.run(from: 0, count: 4)) == TestVectors.run)
        #expect(decode(TestVectors.run) == .success(sketch.run(from: 0, count: 4)))
    }

    @Test("comes back as it went", arguments: [(0, 0), (0, 1), (1, 15), (40, 56), (3_584, 512), (4_096, 0)])
    func roundTrip(first: Int, count: Int) {
        let sets = RandomSets(seed: 5, shared: 500, onlyHere: 0, onlyThere: 0)
        let run = sets.here.run(from: first, count: count)
        #expect(run.symbols.count == count)
        #expect(decode(bytes(run)) == .success(run))
    }

    @Test("costs 17 bytes a symbol, nearly")
    func size() {
        let sets = RandomSets(seed: 6, shared: 10_000, onlyHere: 0, onlyThere: 0)
        let symbols = bytes(sets.here.run(from: 0, count: 1_024)).count - 5
        #expect(symbols < 1_024 * 17 + 20, "\(symbols) bytes")
    }

    @Test("a run cut short anywhere is truncated")
    func truncated() {
        for length in 0..<TestVectors.run.count {
            #expect(code(Array(TestVectors.run.prefix(length))) == .truncated, "\(length) bytes")
        }
    }

    /// Rows: bytes, what is wrong with them.
    static let hostileRows: [([UInt8], GossipFormatError.Code)] = [
        ([0x81, 0x20, 0, 0], .limit),  // first = 4,097
        ([0x80, 0x20, 1, 1], .limit),  // first = 4,096, one symbol more
        ([0, 0x81, 0x08, 1], .limit),  // 1,025 symbols
        ([0, 0, 0x81, 0x80, 0x80, 0x08], .limit),  // 2^24 + 1 items
        ([0, 0x80, 0x08, 1], .truncated),  // 1,024 symbols promised, none there: nothing is allocated
        ([0x80, 0x00, 0, 0], .number),  // 0 in two bytes
        (Array(repeating: 0xFF, count: 11), .number),  // endless
        (Array(repeating: 0xFF, count: 9) + [0x02], .number),  // 2^64
        (Array(repeating: 0xFF, count: 9) + [0x01], .limit),  // 2^64 - 1
        ([0, 1, 5] + Array(repeating: 0, count: 16) + [2], .contradiction),  // symbol 0 counts 6 of 5
        ([0, 1, 5] + Array(repeating: 0, count: 16) + [1], .contradiction),  // symbol 0 counts 4 of 5
        ([1, 1, 6] + Array(repeating: 0, count: 16) + [6], .contradiction),  // 7 of 6
        ([1, 1, 6] + Array(repeating: 0, count: 16) + [9], .contradiction),  // -1 of 6
        ([1, 1, 6] + Array(repeating: 0, count: 16) + Array(repeating: 0xFF, count: 9) + [0x01], .contradiction),
        (
            [1, 1, 6] + Array(repeating: 0, count: 16) + [0xFE] + Array(repeating: 0xFF, count: 8) + [0x01],
            .contradiction
        ),
    ]

    @Test("refuses hostile bytes", arguments: hostileRows.indices)
    func hostile(row: Int) {
        #expect(code(SymbolRunTests.hostileRows[row].0) == SymbolRunTests.hostileRows[row].1)
    }

    /// What is accepted is written in one way only: decoding and encoding again gives the same bytes.
    @Test("whatever random bytes decode to encodes to the same bytes", arguments: 1...20 as ClosedRange<UInt64>)
    func canonical(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var accepted = 0
        for _ in 0..<500 {
            var mutated = TestVectors.run
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            guard case .success(let run) = decode(mutated) else { continue }
            accepted += 1
            #expect(bytes(run) == mutated, "seed \(seed)")
        }
        #expect(accepted > 0, "seed \(seed)")
    }

    @Test("expected counts are 2N/(i+2), rounded half up")
    func expectedCount() {
        #expect(SymbolRun.expectedCount(at: 0, of: 7) == 7)
        #expect(SymbolRun.expectedCount(at: 1, of: 7) == 5)  // 4.67
        #expect(SymbolRun.expectedCount(at: 2, of: 7) == 4)  // 3.5
        #expect(SymbolRun.expectedCount(at: 4_095, of: 10_000) == 5)  // 4.88
        #expect(SymbolRun.expectedCount(at: 4_095, of: SketchLimits.items) == 8_190)
    }
}
