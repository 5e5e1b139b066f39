import Load

/// The table of `run`: printed line by line as results come, with columns of fixed width.
struct MeasurementTable {
    private static let columns = [
        ("WORKLOAD", -62), ("CAPACITY/S", 11), ("RATE/S", 10), ("ANSWERED/S", 20), ("CPU US", 18), ("P50 US", 8),
        ("P99 US", 22),
        ("P99.9", 9), ("MAX", 9), ("RSS MIB", 8), ("WRONG", 6),
    ]
    private(set) var latest = ""
    private var isEmpty = true

    mutating func add(_ measurement: Measurement) {
        let cells = [
            measurement.name, measurement.capacityPerSecond.map(\.short) ?? "-",
            measurement.loop == "open" ? measurement.pace.short : "depth \(Int(measurement.pace))",
            spread(measurement.perSecond) + (measurement.isNearCeiling ? "*" : ""), spread(measurement.cpuMicroseconds),
            measurement.latency(50).median.short, spread(measurement.latency(99)),
            measurement.latency(99.9).median.short,
            measurement.latency(100).highest.short,
            measurement.residentBytes.map { (Double($0) / 1_048_576).decimals(1) } ?? "-", "\(measurement.wrong)",
        ]
        var lines = isEmpty ? [line(Self.columns.map(\.0))] : []
        isEmpty = false
        lines.append(line(cells))
        lines += measurement.notes.map { "    \($0)" }
        latest = lines.joined(separator: "\n")
    }

    private func spread(_ value: Spread) -> String {
        guard !value.values.isEmpty else { return "-" }
        return value.values.count == 1
            ? value.median.short : "\(value.median.short) (\(value.lowest.short)-\(value.highest.short))"
    }

    private func line(_ cells: [String]) -> String {
        var text = ""
        for (cell, column) in zip(cells, Self.columns) {
            let padding = String(repeating: " ", count: max(0, abs(column.1) - cell.count))
            text += (text.isEmpty ? "" : " ") + (column.1 < 0 ? cell + padding : padding + cell)
        }
        return text
    }
}
