import GossipCore
import Testing

@Suite("Sketch ladder: how much to ask for")
struct SketchLadderTests {
    /// Rows: items here, items there, question (0: the list).
    static let questions: [(Int, Int, Int)] = [
        (10_000, 10_000, 16),  // as many on both sides: two differences at least
        (10_000, 10_001, 16),  // 1
        (10_000, 10_004, 16),  // 4: fit with probability 0.985
        (10_000, 10_005, 38),  // 5 -> 8 + 16
        (10_000, 9_990, 38),  // 10 -> 15 + 16
        (10_000, 9_986, 38),  // 14 -> 21 + 16
        (10_000, 9_985, 96),  // 15 -> 23 + 16
        (10_000, 9_000, 1_536),  // 1,000 -> 1,516
        (7_280, 10_000, 4_096),  // 2,720 -> 4,096
        (7_279, 10_000, 0),  // 2,721 -> 4,098: beyond the top
        (10_000, 7_280, 0),  // the list of 7,280 rows is shorter than 4,096 symbols
        (1_600, 2_400, 0),  // a third differs: so does it
        (0, 10_000, 0),  // a restarted node
        (10_000, 0, 0),
        (34, 34, 0),  // the list of 34 rows is as short as 16 symbols
        (35, 35, 16),
    ]

    @Test("asks for the list or the rung that fits", arguments: questions.indices)
    func question(row: Int) {
        let (here, there, symbols) = SketchLadderTests.questions[row]
        let answer = SketchLadder.question(
            here: SketchSymbol(sum: 1, check: 1, count: here), there: SketchSymbol(sum: 2, check: 2, count: there))
        #expect(answer == (symbols == 0 ? .list : .sketch(symbols: symbols)))
    }

    @Test("asks for nothing when the roots are equal, and only then")
    func equal() {
        let root = SketchSymbol(sum: 1, check: 2, count: 1_000)
        #expect(SketchLadder.question(here: root, there: root) == .nothing)
        #expect(SketchLadder.question(here: .zero, there: .zero) == .nothing)
        for other in [
            SketchSymbol(sum: 0, check: 2, count: 1_000), SketchSymbol(sum: 1, check: 0, count: 1_000),
            SketchSymbol(sum: 1, check: 2, count: 1_001),
        ] {
            #expect(SketchLadder.question(here: root, there: other) != .nothing)
        }
    }

    @Test("climbs rung by rung, then asks for the list")
    func climb() {
        var received = 1
        var seen: [Int] = []
        while case .sketch(let symbols) = SketchLadder.question(after: received) {
            seen.append(symbols)
            received = symbols
        }
        #expect(seen == [16, 38, 96, 224, 512, 1_024, 1_536, 2_048, 2_560, 3_072, 3_584, 4_096])
        #expect(seen == SketchLadder.rungs)
    }
}
