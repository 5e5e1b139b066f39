/// The report as one HTML file that needs nothing else: no network, no library. Every browser of the last two years shows it.
public enum HTMLReport {
    /// The page of one result.
    public static func page(_ result: ExperimentResult) -> String {
        let table = FigureTable(result: result)
        return document(
            title: result.scenario.title,
            """
            <header>
            <p class="eyebrow">Hearsay experiment · <code>\(result.scenario.name)</code></p>
            <h1>\(result.scenario.title)</h1>
            <p class="question">\(result.scenario.question)</p>
            \(answer(result))
            <p class="facts">\(SettingSection.facts(result))</p>
            </header>
            <main>
            <div class="tables">\(table.checks)\(table.figureTable)</div>\
            \(TimelineSection(result).html)\(SettingSection(result: result).html)\
            \(table.definitions)</main>
            """
        ).text
    }

    /// The page of two results, figure by figure. Their order matters: ratios are of the second to the first.
    public static func comparison(_ a: ExperimentResult, _ b: ExperimentResult) -> String {
        ComparisonPage(a, b).html.text
    }

    private static func answer(_ result: ExperimentResult) -> HTML {
        let checks = result.scenario.checks.count
        if checks == 0 { return "<p id=\"answer\" class=\"answer\">Nothing was to be checked.</p>" }
        let violated = Set(result.verdicts.filter { !$0.held }.map(\.check)).count
        if violated == 0 {
            return
                "<p id=\"answer\" class=\"answer held\">✓ Held: \(checks == 1 ? "the check" : "all \(checks) checks").</p>"
        }
        return
            "<p id=\"answer\" class=\"answer violated\">✗ Violated: \(violated) of \(checks) \(checks == 1 ? "check" : "checks").</p>"
    }

    static func document(title: String, _ body: HTML) -> HTML {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <link rel="icon" href="data:,">
        <title>\(title)</title>
        <style>
        \(HTML(trusted: ReportStyle.sheet))
        </style>
        </head>
        <body>
        \(body)
        <script>
        \(HTML(trusted: ReportScript.text))
        </script>
        </body>
        </html>

        """
    }
}
