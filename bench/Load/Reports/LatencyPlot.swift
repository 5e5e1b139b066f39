import Glibc

/// Latency by percentile: both axes are logarithmic, so that the tail has as much room as the middle.
struct LatencyPlot {
    private static let (left, right, top, bottom) = (90.0, 30.0, 64.0, 70.0)
    private static let percentiles: [(value: Double, label: String)] = [
        (0, "0"), (50, "50"), (90, "90"), (99, "99"), (99.9, "99.9"), (99.99, "99.99"), (99.999, "99.999"),
    ]

    private let title: String
    private let series: [(name: String, measurement: Measurement)]

    init(_ title: String, _ series: [(String, Measurement)]) {
        self.title = title
        self.series = series.map { (name: $0.0, measurement: $0.1) }
    }

    var svg: String {
        var canvas = Canvas(
            width: 760, height: 440 + Double(series.count) * 18, title: title,
            subtitle: "Latency by percentile, all repetitions together; open loop: from the intended send time")
        let points = series.flatMap { $0.measurement.distribution.map(\.value) }.filter { $0 > 0 }
        let low = Glibc.floor(log10(max(0.1, points.min() ?? 1)))
        let high = max(low + 1, Glibc.ceil(log10(max(1, points.max() ?? 10))))
        let plot = (
            x: Self.left, y: Self.top, width: 760 - Self.left - Self.right, height: 440 - Self.top - Self.bottom
        )
        let nines = max(3, min(5, Self.nines(series.map { $0.measurement.distribution }.flatMap { $0 })))
        func x(_ percentile: Double) -> Double {
            plot.x + min(nines, -log10(max(1e-9, 1 - percentile / 100))) / nines * plot.width
        }
        func y(_ value: Double) -> Double {
            plot.y + plot.height - (log10(max(value, pow(10, low))) - low) / (high - low) * plot.height
        }
        var decade = low
        while decade <= high {
            let place = y(pow(10, decade))
            canvas.line(plot.x, place, plot.x + plot.width, place)
            canvas.text(plot.x - 8, place + 4, Self.time(pow(10, decade)), anchor: "end")
            decade += 1
        }
        for (value, label) in Self.percentiles where -log10(max(1e-9, 1 - value / 100)) <= nines + 0.01 {
            canvas.line(x(value), plot.y, x(value), plot.y + plot.height)
            canvas.text(x(value), plot.y + plot.height + 18, label, anchor: "middle")
        }
        canvas.text(plot.x + plot.width / 2, plot.y + plot.height + 40, "percentile", anchor: "middle")
        canvas.text(24, plot.y + plot.height / 2, "latency", anchor: "middle", turned: true)
        for (index, entry) in series.enumerated() {
            draw(entry.measurement, SeriesStyle.of(index), x, y, &canvas)
            legend(entry, SeriesStyle.of(index), 440 - 8 + Double(index) * 18, &canvas)
        }
        return canvas.svg
    }

    private func draw(
        _ measurement: Measurement, _ style: SeriesStyle, _ x: (Double) -> Double, _ y: (Double) -> Double,
        _ canvas: inout Canvas
    ) {
        let points = measurement.distribution.filter { $0.percentile < 100 }
        let path = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(x(point.percentile).decimals(1)) \(y(point.value).decimals(1))"
        }
        canvas.add(
            "<path d='\(path.joined(separator: " "))' fill='none' stroke='\(style.color)' stroke-width='2' "
                + "stroke-dasharray='\(style.dashes)'/>")
        for percentile in [50, 90, 99, 99.9] {
            guard let point = points.last(where: { $0.percentile <= percentile }) else { continue }
            canvas.add(style.marked(x(point.percentile), y(point.value)))
        }
    }

    private func legend(
        _ entry: (name: String, measurement: Measurement), _ style: SeriesStyle, _ place: Double, _ canvas: inout Canvas
    ) {
        let measurement = entry.measurement
        canvas.add(
            "<path d='M\(Self.left.decimals(0)) \((place - 4).decimals(1)) h40' stroke='\(style.color)' stroke-width='2' "
                + "stroke-dasharray='\(style.dashes)'/>")
        canvas.add(style.marked(Self.left + 20, place - 4))
        let pace =
            measurement.loop == "open"
            ? "\(measurement.pace.short)/s due" : "closed loop, depth \(Int(measurement.pace))"
        canvas.text(
            Self.left + 50, place,
            "\(entry.name): \(pace), p99 \(Self.time(measurement.latency(99).median)), \(measurement.wrong) wrong")
    }

    /// How many nines of the distribution were sampled.
    private static func nines(_ points: [Measurement.Point]) -> Double {
        let highest = points.map(\.percentile).filter { $0 < 100 }.max() ?? 99
        return -log10(max(1e-9, 1 - highest / 100))
    }

    static func time(_ microseconds: Double) -> String {
        if microseconds >= 1_000_000 { return "\((microseconds / 1_000_000).short) s" }
        if microseconds >= 1_000 { return "\((microseconds / 1_000).short) ms" }
        return "\(microseconds.short) µs"
    }
}
