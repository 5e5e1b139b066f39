/// A `DifferenceReport` for people: one row per difference.
public struct DifferenceTable: Sendable {
    /// Columns of the terminal: what to do is wrapped to them. Nil keeps one line per difference, for programs like grep.
    public var width: Int?
    /// Whether to colour.
    public var colour: Bool

    /// Columns that what to do needs at least; on narrower terminals it goes below its row.
    static let adviceColumns = 48
    /// Names of nodes in a cell; the rest is counted.
    static let nodeLimit = 4

    /// A table of the given width.
    public init(width: Int?, colour: Bool) {
        self.width = width
        self.colour = colour
    }

    /// The lines, without line feeds.
    public func lines(_ report: DifferenceReport) -> [String] {
        var lines = [summary(report)]
        if !report.differences.isEmpty { lines += [""] + table(report.differences) }
        if !report.notes.isEmpty { lines += [""] + report.notes.map { "note: \($0)" } }
        return lines.map(printable)
    }

    private func summary(_ report: DifferenceReport) -> String {
        let palette = Palette(isOn: colour)
        let up = report.nodes.count { $0.error == nil }
        let what = "\(counted(report.comparedBrokers, "broker")), \(counted(report.comparedTopics, "topic"))"
        if report.isBlind { return palette.paint("no node answers", .red) }
        let nodes = up == report.nodes.count ? counted(up, "node") : "\(up) of \(report.nodes.count) nodes"
        if report.differences.isEmpty { return palette.paint("\(nodes) agree", .green) + ": \(what)" }
        return palette.paint(counted(report.differences.count, "difference"), .red) + " between \(nodes): \(what)"
    }

    private func table(_ differences: [ClusterDifference]) -> [String] {
        let cells = differences.map { difference in
            [
                difference.kind.rawValue, difference.subject, names(difference.here), names(difference.there),
                difference.sinceMillis.map(DurationText.short) ?? "-",
            ]
        }
        let titles = ["KIND", "BROKER/TOPIC", "HERE", "THERE", "SINCE"]
        let widths = titles.indices.map { column in
            (cells.map { TextTable.columns($0[column]) } + [titles[column].count]).max() ?? 0
        }
        let offset = widths.reduce(0) { $0 + $1 + 2 }
        let room = width.map { $0 - offset }
        let isBelow = room.map { $0 < Self.adviceColumns } ?? false
        var table = TextTable(
            titles.map { $0 == "SINCE" ? .right($0) : .left($0) } + [.left(isBelow ? "" : "WHAT TO DO")])
        var below: [Int: [String]] = [:]
        for (row, difference) in zip(cells, differences) {
            let advice = sentences(difference.text, difference.advice)
            if isBelow {
                table.add(row)
                below[table.count] = wrap(advice, (width ?? 80) - 2).map { "  " + $0 }
            } else {
                for (index, line) in wrap(advice, room ?? .max).enumerated() {
                    table.add((index == 0 ? row : row.map { _ in "" }) + [line])
                }
            }
        }
        return table.lines.enumerated().flatMap { [$0.element] + (below[$0.offset] ?? []) }
    }

    /// `What differs. What to do.`
    private func sentences(_ text: String, _ advice: String) -> String {
        let word = advice.prefix { $0 != " " }
        // Names and commands keep their spelling.
        let isPlain = word.allSatisfy(\.isLetter) && word != "mqadmin"
        return "\(text). " + (isPlain ? word.prefix(1).uppercased() + advice.dropFirst() : advice)
    }

    private func names(_ names: [String]) -> String {
        if names.isEmpty { return "-" }
        if names.count <= Self.nodeLimit { return names.joined(separator: ",") }
        return names.prefix(Self.nodeLimit - 1).joined(separator: ",") + " +\(names.count - Self.nodeLimit + 1)"
    }

    /// Breaks a text at blanks into lines of at most `columns`; a longer word stays whole.
    private func wrap(_ text: String, _ columns: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > columns {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return lines + [line]
    }
}
