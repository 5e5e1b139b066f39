import Glibc
import Testing

@testable import Load

@Suite("Files and pictures")
struct ReportTests {
    private func measurement(_ name: String, rates: [Double], cpu: Double?) -> Measurement {
        var measurement = Measurement(name: name, loop: "open", pace: 100, connections: 2, bodyBytes: 0)
        measurement.repetitions = rates.map {
            Measurement.Repetition(
                seconds: 2, due: 200, answered: Int($0 * 2), wrong: 0, unanswered: 0, cpuMicroseconds: cpu,
                residentBytes: 1 << 20, lateness: 1, latencies: [10, 20, 30, 40, 50])
        }
        measurement.distribution = [
            .init(percentile: 0, value: 8), .init(percentile: 50, value: 10), .init(percentile: 99, value: 30),
            .init(percentile: 100, value: 50),
        ]
        return measurement
    }

    private func report(_ measurements: [Measurement]) -> Report {
        var report = Report(server: "s", command: ["hearsay-bench"])
        report.measurements = measurements
        return report
    }

    @Test("a file says the same when it is read again")
    func roundTrip() throws {
        var before = report([measurement("a", rates: [10, 20, 30], cpu: nil)])
        before.figures = [LimitFigure("f", Spread([1, .nan, .infinity]), "ms", detail: "d").atMost(2)]
        let path = "/tmp/hearsay-load-test-\(monotonicTime()).json"
        try before.write(path)
        defer { remove(path) }
        let after = try Report.read(path)
        #expect(after.measurements[0].perSecond.values == [10, 20, 30])
        #expect(after.measurements[0].cpuMicroseconds.values.isEmpty)
        #expect(after.machine == before.machine)
        #expect(after.figures[0].value.values[1].isNaN)
        #expect(after.figures[0].goal == before.figures[0].goal)
    }

    @Test("what is no report is named", arguments: ["/dev/null", "/no/such/file", "/proc/version"])
    func noReport(path: String) {
        #expect(throws: LoadError.self) { try Report.read(path) }
    }

    @Test("a comparison says by how much, and whether the spreads overlap")
    func comparison() {
        let left = report([measurement("a", rates: [10, 20, 30], cpu: 2), measurement("b", rates: [1], cpu: nil)])
        let right = report([measurement("a", rates: [20, 40, 60], cpu: 1), measurement("c", rates: [1], cpu: nil)])
        let lines = left.compared(with: right)
        #expect(lines[1] == "  answers/s: A 20.0, B 40.0, B/A 2.00 (2.00 to 2.00), spreads overlap")
        #expect(lines[2] == "  server CPU µs: A 2.00, B 1.00, B/A 0.50 (0.50 to 0.50)")
        #expect(lines.suffix(2) == ["b: only in A", "c: only in B"])
    }

    @Test("a result near the generator's own ceiling says so")
    func ceiling() {
        var measurement = measurement("a", rates: [100], cpu: nil)
        #expect(!measurement.isNearCeiling)
        measurement.ceilingPerSecond = 150
        #expect(!measurement.isNearCeiling)
        measurement.ceilingPerSecond = 140
        #expect(measurement.isNearCeiling)
    }

    @Test("pictures have every series, escape names, and close what they open")
    func pictures() {
        let reports = [
            report([measurement("a <&> b", rates: [10, 20], cpu: 2)]),
            report([measurement("a <&> b", rates: [15], cpu: 2)]),
        ]
        let pictures = Plot.pictures(reports, names: ["one", "two"])
        #expect(pictures.map(\.name) == ["latency-1", "throughput"])
        for picture in pictures {
            #expect(picture.svg.contains("a &lt;&amp;&gt; b"))
            #expect(picture.svg.contains("one") && picture.svg.contains("two"))
            #expect(picture.svg.hasPrefix("<svg ") && picture.svg.hasSuffix("</svg>\n"))
            #expect(!picture.svg.contains("nan") && !picture.svg.contains("inf"))
            let opened = picture.svg.split(separator: "<").filter { $0.hasPrefix("text ") }.count
            #expect(opened > 5 && picture.svg.split(separator: "<").filter { $0.hasPrefix("/text>") }.count == opened)
        }
        #expect(Plot.pictures([report([])], names: ["x"]).isEmpty)
    }
}
