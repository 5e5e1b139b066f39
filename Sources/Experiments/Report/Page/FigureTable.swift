/// The tables of the page: a verdict for each check, and arm by arm every figure.
struct FigureTable {
    let result: ExperimentResult

    private var arms: [Arm] { result.arms.map(\.arm) }
    private var armHeads: [HTML] { arms.map { "<th scope=\"col\">\($0.rawValue)</th>" } }

    // MARK: Checks

    var checks: HTML {
        let checks = result.scenario.checks
        if checks.isEmpty { return "" }
        let rows = checks.indices.map { index -> HTML in
            let verdicts = result.verdicts.filter { $0.check == index }
            let outcomes = verdicts.map { verdict -> HTML in
                """
                <span data-arm="\(verdict.arm.rawValue)">\(verdict.arm.rawValue) \
                <b>\(checks[index].figure.text(verdict.value))</b>\(Self.sign(verdict.held))</span>
                """
            }
            let held = verdicts.allSatisfy(\.held)
            return """
                <tr><td class="\(held ? "held" : "violated")">\(held ? "✓ held" : "✗ violated")</td>\
                <td class="left"><code>\(checks[index].text)</code><div class="outcomes">\(outcomes)</div></td></tr>

                """
        }
        return """
            <section><h2>Checks</h2>
            <table id="checks"><thead><tr><th scope="col">verdict</th>\
            <th scope="col" class="left">check, and what it found</th></tr></thead><tbody>
            \(rows)</tbody></table></section>

            """
    }

    static func sign(_ held: Bool) -> HTML {
        held
            ? "<span class=\"sign held\" title=\"held\" aria-label=\"held\">✓</span>"
            : "<span class=\"sign violated\" title=\"violated\" aria-label=\"violated\">✗</span>"
    }

    // MARK: Figures

    /// Figures that at least one arm has.
    private var figures: [Figure] {
        Figure.allCases.filter { figure in result.arms.contains { $0.figures[figure] != nil } }
    }

    var figureTable: HTML {
        let rows = figures.map { figure -> HTML in
            let best = Self.best(result.arms, figure)
            let cells = result.arms.map { arm -> HTML in
                let value = arm.figures[figure]
                let isBest = best.contains(arm.arm)
                return """
                    <td data-arm="\(arm.arm.rawValue)" class="\(value == nil ? "none" : isBest ? "best" : "")"\
                    \(HTML.when(isBest, " title=\"best\""))>\(Self.cell(figure, value))</td>
                    """
            }
            return """
                <tr id="f-\(figure.rawValue)"><th scope="row"><a href="#d-\(figure.rawValue)" \
                title="\(figure.definition)">\(figure.title)</a>\(Self.unit(figure))</th>\(cells)</tr>

                """
        }
        let missing = Figure.allCases.filter { !figures.contains($0) }.map(\.title)
        return """
            <section><h2>Figures</h2>
            <div class="scroll"><table id="figures"><thead><tr><th scope="col">figure</th>\(armHeads)</tr></thead><tbody>
            \(rows)</tbody></table></div>
            <p class="note">A dot marks the best arm where arms differ. Times are scenario time, latencies real time.\
            \(missing.isEmpty ? "" : " No arm has a value for: \(missing.joined(separator: ", ")).")</p></section>

            """
    }

    /// Long units stand once, beside the figure's name.
    private static func unit(_ figure: Figure) -> HTML {
        figure.unit.suffix.contains("·") ? " <span class=\"unit\">\(figure.unit.suffix)</span>" : ""
    }

    /// What the table says of a value.
    static func cell(_ figure: Figure, _ value: Double?) -> String {
        let text = figure.text(value)
        let suffix = figure.unit.suffix
        return suffix.contains("·") && text.hasSuffix(suffix) ? String(text.dropLast(suffix.count)) : text
    }

    /// The arms with the lowest value as it is shown; none where all have the same, or where lower is not better.
    static func best(_ arms: [ArmResult], _ figure: Figure) -> Set<Arm> {
        // What gossip costs and how much it warns is told, not judged: the arm that does nothing would always win.
        if figure == .gossipBytes || figure.needsGossip { return [] }
        let values = arms.compactMap { arm in arm.figures[figure].map { (arm.arm, $0) } }
        guard let least = values.map(\.1).min() else { return [] }
        let shown = figure.text(least)
        let best = values.filter { figure.text($0.1) == shown }.map(\.0)
        return best.count == arms.count ? [] : Set(best)
    }

    var definitions: HTML {
        let entries = Figure.allCases.map { figure -> HTML in
            "<div id=\"d-\(figure.rawValue)\"><dt>\(figure.title)</dt><dd>\(figure.definition)</dd></div>\n"
        }
        return "<h2>What the figures mean</h2>\n<dl>\n\(entries)</dl>\n"
    }
}
