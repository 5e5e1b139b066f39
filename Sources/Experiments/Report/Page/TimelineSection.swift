/// The timeline of the page: the axis, the faults, then the lanes of each arm.
struct TimelineSection {
    private let result: ExperimentResult
    private let span: TimeSpan
    private let lanes: [Lane]
    private let faults: [(arm: Arm, windows: FaultWindows)]
    private let drawing: LaneDrawing
    /// Subjects to which nothing happens in any arm.
    private let quiet: Set<Lane.Subject>

    init(_ result: ExperimentResult) {
        self.result = result
        let span = TimeSpan(of: result)
        let lanes = result.arms.flatMap { ArmLanes.lanes(of: $0, scenario: result.scenario, span: span) }
        self.span = span
        self.lanes = lanes
        drawing = LaneDrawing(lanes, span: span)
        faults = result.arms.map { ($0.arm, FaultWindows($0.history, of: result.scenario, in: span)) }
        let loud = Set(lanes.filter { !$0.isQuiet }.map(\.subject))
        quiet = Set(lanes.map(\.subject)).subtracting(loud)
    }

    /// The section, and the data that the script reads.
    var html: HTML {
        """
        <section id="timeline" aria-labelledby="timeline-title">
        <h2 id="timeline-title">What happened</h2>
        \(definitions)
        \(legend)
        \(tools)
        <div id="board" class="by-arm" tabindex="0" role="group" aria-label="Timeline. Left and right arrow move the \
        cursor, with Shift to the next change; Escape takes it away.">
        \(axis(again: false))
        \(faultRows)
        <div id="lanes">
        \(result.arms.map { armRows($0.arm) })</div>
        <div id="cursor" hidden></div>
        </div>
        <div id="tip" aria-hidden="true" hidden></div>
        <script type="application/json" id="data">\
        \(HTML.data(LaneData(span: span).node(lanes, faults: faults, of: result.scenario)))</script>
        </section>

        """
    }

    // MARK: Around the lanes

    private var tools: HTML {
        let choice: HTML = """
            <span class="choice" role="radiogroup" aria-label="Order of the lanes">\
            <label><input type="radio" name="order" value="by-arm" checked> arm by arm</label>\
            <label><input type="radio" name="order" value="by-subject"> arms together, lane by lane</label></span>
            """
        let all: HTML = """
            <label><input type="checkbox" id="all"> also the \(quiet.count) lanes in which nothing happens</label>
            """
        return """
            <div class="tools">\(result.arms.count > 1 ? choice : "")\(quiet.isEmpty ? "" : all)\
            <span class="hint">Point at a lane, or use the arrow keys; a click keeps the cursor.</span></div>
            """
    }

    private func row(_ style: String, label: HTML, plot: HTML, value: HTML = "") -> HTML {
        """
        <div class="row \(style)"><div class="label">\(label)</div>\(plot)<div class="value">\(value)</div></div>

        """
    }

    private func axis(again: Bool) -> HTML {
        let times = span.ticks()
        let step = times.count > 1 ? times[1] - times[0] : span.end - span.start
        var marks: HTML = ""
        for time in times {
            let place = span.percent(time)
            let anchor = place < 1 ? "start" : place > 98 ? "end" : "middle"
            marks += """
                <line class="tick" x1="\(place)%" x2="\(place)%" y1="20" y2="26"/>\
                <text x="\(place)%" y="15" text-anchor="\(anchor)">\(ReportText.tick(time, step: step))</text>
                """
        }
        return row(
            again ? "again" : "axis", label: "scenario time",
            plot: "<svg class=\"plot ruler\" height=\"26\" aria-hidden=\"true\">\(marks)</svg>",
            value: again ? "" : "<output id=\"now\" aria-live=\"polite\"></output>")
    }

    /// One row for each fault of the file, as planned; its repetitions share it.
    private var faultRows: HTML {
        let planned = FaultWindows(planned: result.scenario, in: span)
        let numbers = result.scenario.faults.map(\.number).reduce(into: [Int]()) { numbers, number in
            if !numbers.contains(number) { numbers.append(number) }
        }
        var html: HTML = ""
        for number in numbers {
            let windows = planned.windows.filter { result.scenario.faults[$0.fault].number == number }
            guard let first = windows.first else { continue }
            let times = Self.times(of: windows)
            let text = result.scenario.faults[first.fault].text
            let place = span.percent(first.from)
            let isRight = place > 60
            var marks: HTML = ""
            for shade in FaultWindows(windows).shades(in: span) {
                let (from, to) = (span.percent(shade.from), span.percent(shade.to))
                marks += "<rect class=\"fault\" x=\"\(from)%\" width=\"\(to - from)%\" y=\"17\" height=\"5\"/>"
            }
            for time in FaultWindows(windows).moments(in: span) {
                marks += "<use href=\"#mark-once\" x=\"\(span.percent(time))%\" y=\"19\"/>"
            }
            html += row(
                "faults", label: "fault \(number)",
                plot: """
                    <svg class="plot" height="24" role="img" aria-label="fault \(number): \(text), \(times)">\
                    <use href="#grid"/>\(marks)\
                    <text x="\(isRight ? span.percent(windows.last!.to) : place)%" y="12" \
                    text-anchor="\(isRight ? "end" : "start")">\(text)</text></svg>
                    """, value: "<span>\(times)</span>")
        }
        return html
    }

    /// `60 to 360 s`, `60 s`, `12 times, 60 to 360 s`.
    private static func times(of windows: [FaultWindows.Window]) -> String {
        let from = windows.map(\.from).min() ?? 0
        let to = windows.map(\.to).max() ?? 0
        let text = from == to ? ReportText.seconds(from) : "\(ReportText.number(from)) to \(ReportText.seconds(to))"
        return windows.count > 1 ? "\(windows.count) times, \(text)" : text
    }

    // MARK: Lanes

    private func armRows(_ arm: Arm) -> HTML {
        var html: HTML = """
            <section class="arm" aria-label="\(arm.rawValue)">\
            <h3>\(arm.rawValue) <small>\(arm.meaning)\(violations(arm))</small></h3>

            """
        // On paper nothing stays in view.
        html += axis(again: true)
        var group: Lane.Group?
        for (index, lane) in lanes.enumerated() where lane.arm == arm {
            if lane.subject.group != group {
                group = lane.subject.group
                let isQuiet = lanes.filter { $0.subject.group == group }.allSatisfy { quiet.contains($0.subject) }
                html += "<h4\(HTML.when(isQuiet, " class=\"quiet\""))>\(lane.subject.group.title)</h4>\n"
            }
            html += laneRow(index, lane)
        }
        return "\(html)\(reportList(arm))</section>\n"
    }

    /// What the marks of the last lane say, to be read and printed. More than this are not listed.
    private static let maximumListedReports = 50

    private func reportList(_ arm: Arm) -> HTML {
        guard let lane = lanes.last(where: { $0.arm == arm }), case .marks(let marks) = lane.content, !marks.isEmpty
        else {
            return ""
        }
        let rows = marks.prefix(Self.maximumListedReports).map { mark -> HTML in
            "<dt>\(ReportText.seconds(mark.time))</dt><dd>\(mark.text)</dd>\n"
        }
        let rest = marks.count - rows.count
        return """
            <details class="reports"><summary>What they say: \(lane.summary)</summary><dl class="setting">
            \(rows)</dl>\(HTML.when(rest > 0, "<p class=\"note\">and \(rest) more, in history-\(arm.rawValue).jsonl</p>"))</details>

            """
    }

    private func violations(_ arm: Arm) -> [HTML] {
        result.verdicts.filter { $0.arm == arm && !$0.held }.map { verdict in
            " · <span class=\"violated\">✗ \(result.scenario.checks[verdict.check].text)</span>"
        }
    }

    private func laneRow(_ index: Int, _ lane: Lane) -> HTML {
        let scale = drawing.scale(lane).map { text, y -> HTML in "<i style=\"top:\(y)px\">\(text)</i>" }
        let label: HTML = """
            <span class="name" title="\(lane.subject.title)">\(lane.subject.title)</span>\
            <span class="tag">\(lane.arm.rawValue)</span>\(scale)
            """
        let group = lane.subject.group
        let isChart = !scale.isEmpty
        return """
            <div class="row lane\(isChart ? " chart" : "")\(quiet.contains(lane.subject) ? " quiet" : "")" data-lane="\(index)" \
            data-arm="\(lane.arm.rawValue)" data-group="\(group.title)" data-order="\(group.rawValue * 100_000 + lane.subject.order)" \
            data-subject="\(lane.subject.title)"><div class="label">\(label)</div>\(drawing.picture(lane))\
            <div class="value" title="\(lane.summary)" data-summary="\(lane.summary)">\(lane.summary)</div></div>

            """
    }

    // MARK: Legend and patterns

    private var legend: HTML {
        func swatch(_ style: String, _ title: String, _ meaning: String) -> HTML {
            """
            <li><svg width="28" height="14" aria-hidden="true"><rect class="\(style)" width="28" height="12" y="1"/></svg>\
            <span><b>\(title)</b> \(meaning)</span></li>
            """
        }
        let used = Set(
            lanes.flatMap { lane -> [LaneState] in
                if case .states(let spans, _) = lane.content { spans.map(\.state) } else { [] }
            })
        let states = LaneState.allCases.filter { used.contains($0) && $0 != .up }.map {
            swatch($0.rawValue, $0.title, $0.meaning)
        }
        return """
            <ul class="legend">\(states)\
            <li><svg width="28" height="14" aria-hidden="true"><rect class="gone" width="28" height="3" y="10"/></svg>\
            <span><b>bar below</b> the broker itself is down or paused</span></li>\
            \(swatch("shade", "shaded", "a fault is at work"))\
            \(swatch("good", "at once", "taken at the first try, or answered"))\
            \(swatch("late", "retried", "taken at a later try, or “not ready”"))\
            \(swatch("bad", "given up", "after all tries, or “no such topic”"))\
            \(swatch("odd", "unanswered", "no node answered"))\
            <li><svg width="28" height="14" aria-hidden="true"><rect class="range" width="28" height="9" y="1"/>\
            <rect class="median" width="28" height="2" y="9"/></svg>\
            <span><b>latency</b> median, and up to the 99th percentile</span></li></ul>
            """
    }

    private var definitions: HTML {
        var html: HTML = "<svg class=\"defs\" aria-hidden=\"true\"><defs>"
        for (name, body) in ReportStyle.patterns {
            html += """
                <pattern id="\(name)" width="\(body.size)" height="\(body.size)" patternUnits="userSpaceOnUse">\
                \(HTML(trusted: body.markup))</pattern>
                """
        }
        html += HTML(trusted: ReportStyle.symbols)
        let lines: [HTML] = span.ticks().map { time in
            let place = span.percent(time)
            return "<line class=\"grid\" x1=\"\(place)%\" x2=\"\(place)%\" y1=\"0\" y2=\"100%\"/>"
        }
        html += "<g id=\"grid\">\(lines)</g>"
        for (arm, windows) in faults {
            html += "<g id=\"shade-\(arm.rawValue)\">"
            for shade in windows.shades(in: span) {
                let (from, to) = (span.percent(shade.from), span.percent(shade.to))
                html += "<rect class=\"shade\" x=\"\(from)%\" width=\"\(to - from)%\" y=\"0\" height=\"100%\"/>"
            }
            html += "\(lines)"
            for time in windows.moments(in: span) {
                let place = span.percent(time)
                html += "<line class=\"moment\" x1=\"\(place)%\" x2=\"\(place)%\" y1=\"0\" y2=\"100%\"/>"
            }
            html += "</g>"
        }
        return "\(html)</defs></svg>"
    }
}

extension Arm {
    /// What it is, in a few words.
    var meaning: String {
        switch self {
        case .off: "no gossip: RocketMQ’s own behaviour"
        case .observe: "nodes compare and report"
        case .protect: "nodes also put removals off"
        case .replicate: "nodes also fill gaps"
        case .apache: "Apache’s NameServer"
        }
    }
}
