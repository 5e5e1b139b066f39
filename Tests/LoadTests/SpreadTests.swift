import Testing

@testable import Load

@Suite("Numbers of repetitions")
struct SpreadTests {
    @Test("the median, of odd and even numbers and of none")
    func median() {
        #expect(Spread([3, 1, 2]).median == 2)
        #expect(Spread([4, 1, 2, 3]).median == 2.5)
        #expect(Spread([5]).median == 5)
        #expect(Spread([]).median.isNaN)
        #expect(Spread([3, 1, 2]).lowest == 1 && Spread([3, 1, 2]).highest == 3)
    }

    @Test("ratios are taken pair by pair")
    func ratios() {
        #expect(Spread.ratios(Spread([2, 8]), to: Spread([1, 2])).values == [2, 4])
    }

    @Test("the knee is found to within the steps' halving", arguments: [0.0, 137, 500, 999])
    func knee(truth: Double) {
        var search = KneeSearch(ceiling: 1_000, steps: 10)
        var tries = 0
        while let rate = search.next {
            tries += 1
            search.tried(isGood: rate <= truth)
        }
        #expect(tries == 10)
        #expect(search.good <= truth && truth - search.good <= 1)
        search.tried(isGood: true)
        #expect(search.good <= truth)
    }

    @Test("a search below nothing ends at once")
    func noKnee() { #expect(KneeSearch(ceiling: 0).next == nil) }

    /// Value, what people read.
    @Test(
        "numbers for people",
        arguments: [
            (0, "0"), (0.1234, "0.123"), (1.239, "1.24"), (56.78, "56.8"), (1_234.5, "1,235"), (-0.5, "-0.500"),
            (-1_000, "-1,000"),
            (1_234_567, "1,234,567"), (Double.nan, "-"), (9.999, "10.00"),
        ])
    func numbers(value: Double, text: String) { #expect(value.short == text) }

    @Test("what a goal says")
    func goals() {
        let figure = LimitFigure("x", Spread([1, 2, 3]), "ms")
        #expect(figure.isReached == nil)
        #expect(figure.atLeast(2).isReached == true)
        #expect(figure.atLeast(2.1).isReached == false)
        #expect(figure.atMost(2).isReached == true)
        #expect(figure.atMost(1.9).isReached == false)
        #expect(figure.atMost(1.9).line == "MISSED  x: 2.00 ms (1.00 to 3.00), at most 1.90")
    }
}
