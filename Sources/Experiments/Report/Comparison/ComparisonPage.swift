import Glibc

/// Two results as one page.
struct ComparisonPage {
    let comparison: ResultComparison
    private let first: ExperimentResult
    private let second: ExperimentResult

    init(_ first: ExperimentResult, _ second: ExperimentResult) {
        (self.first, self.second) = (first, second)
        comparison = ResultComparison(first, second)
    }

    var html: HTML {
        let title = first.scenario.title
        return HTMLReport.document(
            title: "Compared: \(title)",
            """
            <header>
            <p class="eyebrow">Hearsay experiments, compared</p>
            <h1>\(title)</h1>
            \(HTML.when(second.scenario.title != title, "<p class=\"question\">and: \(second.scenario.title)</p>"))
            \(side("A", first))\(side("B", second))
            </header>
            <main>
            \(verdicts)\(settings)\(figures)\(FigureTable(result: first).definitions)</main>
            """)
    }

    private func side(_ name: String, _ result: ExperimentResult) -> HTML {
        let word: HTML =
            result.scenario.checks.isEmpty
            ? "" : "<b class=\"\(ResultComparison.word(result.held))\">\(result.held ? "✓ held" : "✗ violated")</b> · "
        return "<p class=\"side\"><b>\(name)</b> · \(word)\(SettingSection.facts(result))</p>\n"
    }

    private var verdicts: HTML {
        if comparison.verdicts.isEmpty {
            return "<p id=\"verdicts\" class=\"answer\">No check that both have came out differently.</p>\n"
        }
        let rows = comparison.verdicts.map { verdict -> HTML in
            """
            <tr><td class="left"><code>\(verdict.check)</code></td><td class="left">\(verdict.arm.rawValue)</td>\
            \(cell(verdict.first))\(cell(verdict.second))</tr>

            """
        }
        return """
            <h2>Checks that came out differently</h2>
            <table id="verdicts"><thead><tr><th scope="col">check</th><th scope="col" class="left">arm</th>\
            <th scope="col" class="left">A</th><th scope="col" class="left">B</th></tr></thead><tbody>
            \(rows)</tbody></table>

            """
    }

    private func cell(_ held: Bool) -> HTML {
        "<td class=\"left \(ResultComparison.word(held))\">\(held ? "✓ held" : "✗ violated")</td>"
    }

    private var settings: HTML {
        if comparison.settings.isEmpty { return "" }
        let rows = comparison.settings.map { setting -> HTML in
            "<tr><th scope=\"row\">\(setting.what)</th><td class=\"left wrap\">\(setting.first)</td><td class=\"left wrap\">\(setting.second)</td></tr>\n"
        }
        return """
            <h2>What is not the same</h2>
            <table id="settings"><thead><tr><th scope="col">setting</th><th scope="col" class="left">A</th>\
            <th scope="col" class="left">B</th></tr></thead><tbody>
            \(rows)</tbody></table>

            """
    }

    private var figures: HTML {
        if comparison.rows.isEmpty { return "<p>They have no arm in common.</p>\n" }
        var rows: HTML = ""
        var last: Figure?
        for row in comparison.rows {
            let head: HTML =
                row.figure == last
                ? "<th></th>"
                : """
                <th scope="row"><a href="#d-\(row.figure.rawValue)" title="\(row.figure.definition)">\(row.figure.title)</a></th>
                """
            rows += """
                <tr class="\(row.figure == last ? "more" : "")" data-figure="\(row.figure.rawValue)" data-arm="\(row.arm.rawValue)">\
                \(head)<td class="left">\(row.arm.rawValue)</td><td>\(row.figure.text(row.first))</td>\
                <td>\(row.figure.text(row.second))</td><td class="\(row.first == row.second ? "none" : "")">\(row.ratioText)</td>\
                <td class="left">\(bar(row))</td></tr>

                """
            last = row.figure
        }
        return """
            <h2>Figures</h2>
            <div class="scroll"><table id="figures"><thead><tr><th scope="col">figure</th><th scope="col" class="left">arm</th>\
            <th scope="col">A</th><th scope="col">B</th><th scope="col">B : A</th><th scope="col" class="left">less, more</th>\
            </tr></thead><tbody>
            \(rows)</tbody></table></div>
            <p class="note">The bars are logarithmic: a quarter at the left end, four times at the right.</p>

            """
    }

    /// A bar from the middle: to the left when B has less than A.
    private func bar(_ row: ResultComparison.Row) -> HTML {
        guard let ratio = row.ratio, ratio != 1 else { return "" }
        let part = ratio <= 0 ? -1 : max(-1, min(1, log2(ratio) / 2))
        let (left, width) = part < 0 ? (50 + part * 50, -part * 50) : (50, part * 50)
        return """
            <svg width="120" height="12" role="img" aria-label="\(row.ratioText)">\
            <line class="grid" x1="50%" x2="50%" y1="0" y2="12"/>\
            <rect class="\(part < 0 ? "less" : "more")" x="\(left)%" width="\(width)%" y="2" height="8"/></svg>
            """
    }
}
