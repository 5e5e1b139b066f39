import Basics

/// Draws a `ClusterModel` as lines of text: nodes, brokers × nodes, the latest events.
///
/// A pure function of the model, so that tests see exactly what an operator sees.
public struct LiveScreen: Sendable {
    /// Columns of the terminal; longer lines are cut.
    public var width: Int
    /// Lines of the terminal; events take what the tables leave.
    public var height: Int
    /// Whether to colour ages and states with ANSI sequences.
    public var colour: Bool

    /// A screen of the given size.
    public init(width: Int, height: Int, colour: Bool) {
        self.width = width
        self.height = height
        self.colour = colour
    }

    /// The lines, without line feeds.
    public func lines(_ model: ClusterModel) -> [String] {
        var lines = [header(model), ""]
        lines += nodeTable(model)
        lines.append("")
        lines += brokerTable(model)
        lines += ["", "EVENTS"]
        let room = max(3, height - lines.count - 1)
        let events = model.events.suffix(room)
        lines += events.isEmpty ? ["  none yet"] : events.map { "  \($0.line)" }
        return lines.map { cut($0) }
    }

    /// A few plain lines for a log: the two tables without events.
    public func summary(_ model: ClusterModel) -> [String] {
        ([header(model)] + nodeTable(model) + brokerTable(model)).map { cut($0) }
    }

    private func header(_ model: ClusterModel) -> String {
        let up = model.nodes.count { $0.status != nil }
        return "Hearsay  \(model.cluster)   \(up) of \(model.nodes.count) nodes up   "
            + "\(model.brokers.count) brokers   Ctrl-C stops everything"
    }

    private func nodeTable(_ model: ClusterModel) -> [String] {
        var table = TextTable([
            .left("NODE"), .left("ADDRESS"), .left("STATE"), .right("UP"), .right("BROKERS"), .right("TOPICS"),
            .right("REGISTRATIONS/S"), .right("LOOKUPS/S"),
        ])
        for node in model.nodes {
            guard let status = node.status else {
                table.add([node.name, node.address.description, paint("down: \(node.error ?? "")", .red)])
                continue
            }
            table.add([
                node.name, node.address.description, paint("up", .green), duration(status.uptimeMillis),
                "\(status.totals.brokers)", "\(status.totals.topics)", rate(node.registrationsPerSecond),
                rate(node.lookupsPerSecond),
            ])
        }
        return table.lines
    }

    private func brokerTable(_ model: ClusterModel) -> [String] {
        var table = TextTable(
            [.left("BROKER"), .right("ID"), .left("ROLE"), .left("ADDRESS"), .right("TOPICS")]
                + model.nodes.map { .right($0.name) })
        for row in model.brokers {
            let ages = row.ages.map { age -> String in
                switch age {
                case .unknown: return "?"
                case .missing: return paint("missing", .red)
                case .heard(let milliseconds, let timeout):
                    let colour: Colour = milliseconds * 2 < timeout ? .green : .yellow
                    return paint(duration(milliseconds), colour)
                }
            }
            table.add(
                [row.name, "\(row.id)", row.id == 0 ? "master" : "slave", row.address, "\(row.topics)"] + ages)
        }
        return table.lines + (model.brokers.isEmpty ? ["  no broker is registered"] : [])
    }

    /// `0.4 s`, `12 s`, `3 m 20 s`, `2 h 5 m`.
    func duration(_ milliseconds: Int64) -> String {
        let tenths = max(0, milliseconds) / 100
        let seconds = tenths / 10
        switch seconds {
        case ..<10: return "\(seconds).\(tenths % 10) s"
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) m \(seconds % 60) s"
        default: return "\(seconds / 3600) h \(seconds / 60 % 60) m"
        }
    }

    private func rate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths >= 1000 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }

    private enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
    }

    private func paint(_ text: String, _ colour: Colour) -> String {
        self.colour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

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
