import Glibc

/// Draws lanes. Everything across is in percent of the lane's width, everything upwards in pixels, so that patterns and
/// letters keep their shape at every width of the page.
struct LaneDrawing {
    let span: TimeSpan
    /// The scale that all arms share, for each subject.
    let tops: [Lane.Subject: Double]

    init(_ lanes: [Lane], span: TimeSpan) {
        self.span = span
        var tops: [Lane.Subject: Double] = [:]
        for lane in lanes { tops[lane.subject] = max(tops[lane.subject, default: 0], lane.top(span)) }
        // Messages are compared between clients as well as between arms, and so are latencies.
        for kind in [": messages", ": latency"] {
            let subjects = tops.keys.filter { $0.title.hasSuffix(kind) }
            let top = subjects.compactMap { tops[$0] }.max() ?? 0
            for subject in subjects { tops[subject] = top }
        }
        self.tops = tops
    }

    private static let stateHeight = 16
    private static let markHeight = 20
    /// Of a lane's upper edge to its highest value.
    private static let margin = 2.0

    /// Latencies are drawn from 1 ms upwards, lower ones on the ground, so many pixels for each power of ten.
    private static let decadeHeight = 15
    private static let lowestDecade = 0

    private func top(_ lane: Lane) -> Double { max(tops[lane.subject] ?? 0, 0) }

    private func highestDecade(_ lane: Lane) -> Int {
        var decade = Self.lowestDecade + 2
        var bound = 100.0
        while bound < top(lane), decade < 7 {
            bound *= 10
            decade += 1
        }
        return decade
    }

    /// In pixels.
    func height(_ lane: Lane) -> Int {
        switch lane.content {
        case .states: Self.stateHeight
        case .steps: lane.subject.group == .topics ? 24 : 40
        case .columns: lane.subject.title.hasSuffix(": messages") ? 52 : 28
        case .rates: 28
        case .latencies: (highestDecade(lane) - Self.lowestDecade) * Self.decadeHeight
        case .marks: Self.markHeight
        }
    }

    /// The picture, over the arm's fault windows.
    func picture(_ lane: Lane) -> HTML {
        let label = "\(lane.arm.rawValue), \(lane.subject.title): \(description(lane))"
        return """
            <svg class="plot" height="\(height(lane))" role="img" aria-label="\(label)">\
            <use href="#shade-\(lane.arm.rawValue)"/>\(marks(lane))</svg>
            """
    }

    /// For who cannot see it: the spans while they are few, and what they come to.
    private func description(_ lane: Lane) -> String {
        guard case .states(let spans, let shadow) = lane.content, spans.count <= 12 else { return lane.summary }
        var parts = spans.map { "\($0.state.title) \(ReportText.number($0.from)) to \(ReportText.seconds($0.to))" }
        parts += shadow.map { "broker \($0.state.title) \(ReportText.number($0.from)) to \(ReportText.seconds($0.to))" }
        return parts.isEmpty ? lane.summary : parts.joined(separator: "; ")
    }

    private func marks(_ lane: Lane) -> HTML {
        switch lane.content {
        case .states(let spans, let shadow): states(spans, shadow, isProcess: lane.subject.group == .processes)
        case .steps(let steps, _): self.steps(steps, lane)
        case .columns(let categories): columns(categories, lane)
        case .rates(let rates, _): self.rates(rates, lane)
        case .latencies(let columns): latencies(columns, lane)
        case .marks(let marks): self.marks(marks)
        }
    }

    private func rectangle(_ style: String, _ from: Double, _ to: Double, y: Double, height: Double) -> HTML {
        let (left, right) = (span.percent(from), span.percent(to))
        return """
            <rect class="\(style)" x="\(left)%" width="\(right - left)%" y="\(y)" height="\(height)"/>
            """
    }

    private func states(_ spans: [StateSpan], _ shadow: [StateSpan], isProcess: Bool) -> HTML {
        var html: HTML = ""
        for one in spans {
            let isThin = isProcess && one.state == .up
            html += rectangle(
                one.state.rawValue, one.from, one.to, y: isThin ? 7 : Self.margin, height: isThin ? 2 : 12)
        }
        for one in shadow { html += rectangle("gone", one.from, one.to, y: 12, height: 3) }
        return html
    }

    private func steps(_ steps: [Lane.Step], _ lane: Lane) -> HTML {
        let height = Double(height(lane))
        let scale = (height - Self.margin - 1) / max(top(lane), 1)
        var html: HTML = ""
        for (index, step) in steps.enumerated() where step.total > 0 {
            let tall = Double(step.total) * scale
            let end = index + 1 < steps.count ? steps[index + 1].from : span.end
            html += rectangle(
                lane.subject.group == .topics ? "count" : "differences", step.from, end, y: height - tall, height: tall)
        }
        return html
    }

    private func columns(_ categories: [Lane.Category], _ lane: Lane) -> HTML {
        let height = Double(height(lane))
        let scale = (height - Self.margin) / max(top(lane), 1e-9) / span.columnWidth
        var html: HTML = ""
        var column = 0
        while column < span.columnCount {
            let counts = categories.map { $0.counts[column] }
            var next = column + 1
            while next < span.columnCount, zip(categories, counts).allSatisfy({ $0.counts[next] == $1 }) { next += 1 }
            var bottom = height
            // What went wrong stands on the ground, where its heights can be compared.
            for (category, count) in zip(categories, counts).reversed() where count > 0 {
                let tall = Double(count) * scale
                bottom -= tall
                html += columnRectangle(category.style.rawValue, column..<next, y: bottom, height: tall)
            }
            column = next
        }
        return html
    }

    private func rates(_ rates: [Double], _ lane: Lane) -> HTML {
        let height = Double(height(lane))
        let scale = (height - Self.margin) / max(top(lane), 1e-9)
        // Tenths of a pixel: what looks the same is one mark.
        let heights = rates.map { ($0 * scale * 10).rounded() / 10 }
        var html: HTML = ""
        var column = 0
        while column < heights.count {
            let next = heights[column...].firstIndex { $0 != heights[column] } ?? heights.count
            if heights[column] > 0 {
                html += columnRectangle("rate", column..<next, y: height - heights[column], height: heights[column])
            }
            column = next
        }
        return html
    }

    /// Reaches a little into the next column, or rounding would leave slits between them.
    private func columnRectangle(_ style: String, _ columns: Range<Int>, y: Double, height: Double) -> HTML {
        let (from, to) = (
            span.times(ofColumn: columns.lowerBound).from, span.times(ofColumn: columns.upperBound - 1).to
        )
        return rectangle(style, from, to + span.columnWidth / 20, y: y, height: height)
    }

    private func latencies(_ columns: [Lane.Latency?], _ lane: Lane) -> HTML {
        let height = Double(height(lane))
        func y(_ millis: Double) -> Double {
            let decades = log10(max(millis, 1e-9)) - Double(Self.lowestDecade)
            return min(height - 1, max(1, height - decades * Double(Self.decadeHeight)))
        }
        var html: HTML = ""
        for decade in 1..<(highestDecade(lane) - Self.lowestDecade) {
            let line = Double(decade * Self.decadeHeight)
            html += "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"\(line)\" y2=\"\(line)\"/>"
        }
        for (column, latency) in columns.enumerated() {
            guard let latency else { continue }
            let (low, high) = (y(latency.median), y(latency.high))
            if low - high >= 1 { html += columnRectangle("range", column..<column + 1, y: high, height: low - high) }
            html += columnRectangle("median", column..<column + 1, y: low - 1, height: 2)
        }
        return html
    }

    private func marks(_ marks: [Lane.Mark]) -> HTML {
        var html: HTML = ""
        for mark in marks {
            html += "<use href=\"#mark-\(mark.kind.rawValue)\" x=\"\(span.percent(mark.time))%\" y=\"10\"/>"
        }
        return html
    }

    /// What the scale says beside the lane: a text and its distance from the lane's upper edge, in pixels.
    func scale(_ lane: Lane) -> [(text: String, y: Int)] {
        switch lane.content {
        case .states, .marks: return []
        case .steps: return top(lane) > 0 ? [(ReportText.number(top(lane)), 2)] : []
        case .columns: return top(lane) > 0 ? [(ReportText.number(top(lane)) + "/s", 2)] : []
        case .rates(_, let unit): return top(lane) > 0 ? [(ReportText.rate(top(lane), unit), 2)] : []
        case .latencies:
            let names = ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1000 s", "10000 s"]
            let (low, high) = (Self.lowestDecade, highestDecade(lane))
            return (low + 1..<high).map { (names[$0], (high - $0) * Self.decadeHeight) }
        }
    }
}
