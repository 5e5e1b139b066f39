/// Broker × node: how long ago each node heard each broker, or what else it knows.
struct BrokerTable {
    var palette: Palette

    /// The table, and what its marks mean when there are any.
    func lines(_ model: ClusterModel) -> [String] {
        let rows = model.brokers
        if rows.isEmpty { return [table([], model).lines[0], "  no broker is registered"] }
        let sights = rows.flatMap(\.sights)
        var legend: [String] = []
        if sights.contains(where: \.isProtected) { legend.append("p: late here, kept because a peer hears it") }
        if sights.contains(where: \.isLearned) { legend.append("l: not heard here, learned from a peer") }
        if sights.contains(.listed) { legend.append("listed: this NameServer tells no ages") }
        return table(rows, model).lines + (legend.isEmpty ? [] : ["  " + legend.joined(separator: "; ")])
    }

    private func table(_ rows: [ClusterModel.BrokerRow], _ model: ClusterModel) -> TextTable {
        var table = TextTable(
            [.left("BROKER"), .right("ID"), .left("ROLE"), .left("ADDRESS"), .right("TOPICS")]
                + model.nodes.map { .right($0.name) })
        for row in rows {
            table.add(
                [
                    row.name, "\(row.id)", row.id == 0 ? "master" : "slave", row.address,
                    row.topics.map { "\($0)" } ?? "-",
                ] + row.sights.map(cell))
        }
        return table
    }

    private func cell(_ sight: ReplicaSight) -> String {
        switch sight {
        case .unknown: return "?"
        case .missing: return palette.paint("missing", .red)
        case .listed: return "listed"
        case .heard(let age, let timeout):
            return palette.paint(
                DurationText.short(age), age <= Lateness.limit(timeout: timeout) ? .green : .yellow)
        case .protected(let age, _, _): return palette.paint("\(DurationText.short(age)) p", .yellow)
        case .learned(let age, _, _):
            return palette.paint(age.map { "\(DurationText.short($0)) l" } ?? "l", .yellow)
        }
    }
}

extension ReplicaSight {
    fileprivate var isProtected: Bool {
        if case .protected = self { return true }
        return false
    }

    fileprivate var isLearned: Bool {
        if case .learned = self { return true }
        return false
    }
}
