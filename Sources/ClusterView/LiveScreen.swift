import Basics

/// Draws a `ClusterModel` as lines of text: nodes, brokers × nodes, what differs, the latest events.
///
/// A pure function of the model, so that tests see exactly what an operator sees.
public struct LiveScreen: Sendable {
    /// Columns of the terminal; longer lines are cut.
    public var width: Int
    /// Lines of the terminal; events take what the rest leaves.
    public var height: Int
    /// Whether to colour ages and states with ANSI sequences.
    public var colour: Bool

    /// Where a browser shows more; nil for nowhere.
    public var page: String?

    /// A screen of the given size.
    public init(width: Int, height: Int, colour: Bool, page: String? = nil) {
        self.width = width
        self.height = height
        self.colour = colour
        self.page = page
    }

    /// Differences shown at most; the rest is counted.
    static let differenceLimit = 4
    /// Rows of brokers shown even on a low screen.
    static let brokerRows = 4
    /// Events shown even on a low screen.
    static let eventLines = 3

    /// The lines, without line feeds.
    public func lines(_ model: ClusterModel) -> [String] {
        let divergence = divergence(model)
        let place = page.map { ["Cut links and kill processes in a browser: \($0)"] } ?? []
        var lines = [header(model)] + place + [""] + nodeTable(model) + [""]
        // What the table cannot have: its title, the count of left out rows, the legend, and the events below.
        let room = height - lines.count - divergence.count - 5 - Self.eventLines
        lines += BrokerTable(palette: palette).lines(model, limit: max(Self.brokerRows, room))
        lines += [""] + divergence + ["", "EVENTS"]
        let events = model.events.suffix(max(Self.eventLines, height - lines.count - 1))
        lines += events.isEmpty ? ["  none yet"] : events.map { "  \($0.line)" }
        return lines.map { cut(printable($0)) }
    }

    /// A few plain lines for a log: all but the events.
    public func summary(_ model: ClusterModel) -> [String] {
        ([header(model)] + nodeTable(model) + BrokerTable(palette: palette).lines(model) + divergence(model))
            .map { cut(printable($0)) }
    }

    private func header(_ model: ClusterModel) -> String {
        let up = model.nodes.count { $0.status != nil }
        return "Hearsay  \(model.cluster)   \(up) of \(model.nodes.count) nodes up   "
            + "\(model.brokers.count) brokers   Ctrl-C stops everything"
    }

    private func nodeTable(_ model: ClusterModel) -> [String] {
        var table = TextTable([
            .left("NODE"), .left("ADDRESS"), .left("STATE"), .left("GOSSIP"), .right("UP"), .right("BROKERS"),
            .right("TOPICS"), .right("REGISTRATIONS/S"), .right("LOOKUPS/S"),
        ])
        for node in model.nodes {
            guard node.reading.isUp, let status = node.status else {
                table.add([node.name, node.address.description, palette.paint("down: \(node.error ?? "")", .red)])
                continue
            }
            table.add([
                node.name, node.address.description, state(of: node.reading), node.gossip?.mode ?? "-",
                DurationText.short(status.uptimeMillis), "\(status.totals.brokers)", "\(status.totals.topics)",
                rate(node.registrationsPerSecond), rate(node.lookupsPerSecond),
            ])
        }
        return table.lines
    }

    private func state(of reading: NodeReading) -> String {
        let state = reading.gossip?.state ?? "up"
        return palette.paint(state, ["up", "ready"].contains(state) ? .green : .yellow)
    }

    private func divergence(_ model: ClusterModel) -> [String] {
        guard !model.differences.isEmpty else { return ["DIVERGENCE  " + palette.paint("none", .green)] }
        var lines = ["DIVERGENCE"]
        for difference in model.differences.prefix(Self.differenceLimit) {
            let since = difference.sinceMillis.map { " for \(DurationText.short($0))" } ?? ""
            let title = palette.paint("\(difference.kind.rawValue) \(difference.subject)", .red)
            lines.append("  \(title)\(since): \(difference.text)")
            lines.append("    \(difference.advice)")
        }
        let rest = model.differences.count - Self.differenceLimit
        if rest > 0 { lines.append("  and \(rest) more: hearsay diff") }
        return lines
    }

    private func rate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths >= 1000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    private var palette: Palette { Palette(isOn: colour) }

    /// Cuts a line at `width` columns, not counting colour sequences.
    private func cut(_ line: String) -> String {
        guard TextTable.columns(line) > width else { return line }
        var kept = ""
        var columns = 0
        var inSequence = false
        for character in line {
            if character == "\u{1B}" { inSequence = true }
            if !inSequence {
                if columns == width { break }
                columns += 1
            }
            kept.append(character)
            if inSequence, character == "m" { inSequence = false }
        }
        return colour ? kept + "\u{1B}[0m" : kept
    }
}
