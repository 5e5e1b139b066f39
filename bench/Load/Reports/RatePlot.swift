/// Answers per second of all workloads: bars with the spread of the repetitions, each workload on its own scale, since a
/// lookup and a registration of 10,000 topics have nothing in common.
struct RatePlot {
    private static let (left, right, barHeight) = (360.0, 190.0, 20.0)

    private let workloads: [String]
    private let reports: [(name: String, report: Report)]

    init(_ workloads: [String], _ reports: [(String, Report)]) {
        self.workloads = workloads
        self.reports = reports.map { (name: $0.0, report: $0.1) }
    }

    var svg: String {
        let group = Double(reports.count) * Self.barHeight + 16
        let height = 70 + Double(workloads.count) * group + Double(reports.count) * 18 + 20
        var canvas = Canvas(
            width: 960, height: height, title: "Answers per second",
            subtitle: "Bar: median; line: lowest to highest repetition; each workload has a scale of its own")
        for (row, workload) in workloads.enumerated() {
            let place = 70 + Double(row) * group
            canvas.text(
                Self.left - 10, place + group / 2 - 4,
                workload.count > 52 ? String(workload.prefix(51)) + "…" : workload,
                anchor: "end")
            let values = reports.map { _, report in
                report.measurements.first { $0.name == workload }?.perSecond ?? Spread([])
            }
            let largest = values.map { $0.values.isEmpty ? 0 : $0.highest }.max() ?? 0
            for (index, value) in values.enumerated() where !value.values.isEmpty && largest > 0 {
                bar(value, largest, SeriesStyle.of(index), place + Double(index) * Self.barHeight, &canvas)
            }
        }
        for (index, entry) in reports.enumerated() {
            let place = height - 20 - Double(reports.count - 1 - index) * 18
            canvas.add(
                "<rect x='\(Self.left.decimals(0))' y='\((place - 10).decimals(1))' width='12' height='12' "
                    + "fill='\(SeriesStyle.of(index).color)'/>")
            canvas.text(Self.left + 20, place, "\(entry.name): \(entry.report.server)")
        }
        return canvas.svg
    }

    private func bar(_ value: Spread, _ largest: Double, _ style: SeriesStyle, _ place: Double, _ canvas: inout Canvas)
    {
        let scale = (960 - Self.left - Self.right) / largest
        let middle = place + (Self.barHeight - 4) / 2
        canvas.add(
            "<rect x='\(Self.left.decimals(1))' y='\(place.decimals(1))' width='\((value.median * scale).decimals(1))' "
                + "height='\((Self.barHeight - 4).decimals(1))' fill='\(style.color)' fill-opacity='0.75'/>")
        let (from, to) = (Self.left + value.lowest * scale, Self.left + value.highest * scale)
        canvas.line(from, middle, to, middle, color: "#000", width: 1.5)
        for end in [from, to] { canvas.line(end, middle - 4, end, middle + 4, color: "#000", width: 1.5) }
        canvas.add(style.marked(Self.left + value.median * scale, middle))
        canvas.text(to + 8, middle + 4, "\(value.median.short)/s")
    }
}
