/// Two measurements of one workload: B to A.
public struct Comparison {
    private let first: Measurement
    private let second: Measurement

    /// A and B.
    public init(_ first: Measurement, _ second: Measurement) {
        self.first = first
        self.second = second
    }

    /// For people.
    public var lines: [String] {
        var lines = ["\(first.name), \(first.loop == "open" ? "\(first.pace.short)/s" : "depth \(Int(first.pace))")"]
        lines.append(line("answers/s", first.perSecond, second.perSecond))
        lines.append(line("server CPU µs", first.cpuMicroseconds, second.cpuMicroseconds))
        for percentile in [50.0, 99, 99.9] {
            let name = percentile == 99.9 ? "p99.9 µs" : "p\(Int(percentile)) µs"
            lines.append(line(name, first.latency(percentile), second.latency(percentile)))
        }
        if let before = first.residentBytes, let after = second.residentBytes {
            lines.append(
                line("resident MiB", Spread([Double(before) / 1_048_576]), Spread([Double(after) / 1_048_576])))
        }
        if first.wrong + second.wrong > 0 { lines.append("  WRONG answers: A \(first.wrong), B \(second.wrong)") }
        return lines
    }

    private func line(_ name: String, _ left: Spread, _ right: Spread) -> String {
        Comparison.line(name, left, right)
    }

    /// `name: A 1.0, B 2.0, B/A 2.00 (1.95 to 2.05)`; whether the spreads overlap.
    static func line(_ name: String, _ left: Spread, _ right: Spread) -> String {
        guard !left.values.isEmpty, !right.values.isEmpty else { return "  \(name): not in both" }
        let ratio = Spread.ratios(right, to: left)
        let isSure = left.highest < right.lowest || right.highest < left.lowest
        let spread = ratio.values.count > 1 ? " (\(ratio.lowest.decimals(2)) to \(ratio.highest.decimals(2)))" : ""
        let doubt = isSure || ratio.values.count < 2 ? "" : ", spreads overlap"
        return
            "  \(name): A \(left.median.short), B \(right.median.short), B/A \(ratio.median.decimals(2))\(spread)\(doubt)"
    }
}

extension Report {
    /// Line by line: what both files have, then what only one has.
    public func compared(with other: Report) -> [String] {
        var lines: [String] = []
        var others = other.measurements
        for measurement in measurements {
            if let index = others.firstIndex(where: { $0.name == measurement.name && $0.loop == measurement.loop }) {
                let second = others.remove(at: index)
                lines += Comparison(measurement, second).lines
                if measurement.loop == "open", measurement.pace != second.pace {
                    lines.append("  at DIFFERENT rates: B at \(second.pace.short)/s")
                }
            } else {
                lines.append("\(measurement.name): only in A")
            }
        }
        lines += others.map { "\($0.name): only in B" }
        for figure in figures {
            guard let second = other.figures.first(where: { $0.name == figure.name }) else {
                lines.append("\(figure.name): only in A")
                continue
            }
            lines.append("\(figure.name)")
            lines.append(Comparison.line(figure.unit, figure.value, second.value))
        }
        lines += other.figures.filter { new in !figures.contains { $0.name == new.name } }.map {
            "\($0.name): only in B"
        }
        return lines
    }
}
