import Testing

@testable import Load

@Suite("Micro-benchmarks, in small")
struct MicroBenchmarkTests {
    @Test("each does its work and takes some time", arguments: MicroBenchmark.allCases)
    func run(benchmark: MicroBenchmark) {
        let figure = benchmark.run(size: 20, rounds: 4)
        #expect(figure.value.values.count == 4)
        #expect(figure.value.median > 0, "\(figure.line)")
        #expect(!figure.detail.isEmpty)
    }
}
