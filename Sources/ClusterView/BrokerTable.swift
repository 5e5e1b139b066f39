/// Broker × node: how long ago each node heard each broker, or what else it knows.
struct BrokerTable {
    var palette: Palette

    /// The table, and what its marks mean when there are any.
    ///
    /// - Parameter limit: rows at most; when there are more, those that need attention come first.
    func lines(_ model: ClusterModel, limit: Int = .max) -> [String] {
        let all = model.brokers
        let calm = all.indices.filter { !all[$0].needsAttention }
        let shown = (all.indices.filter { all[$0].needsAttention } + calm).prefix(limit).sorted()
        let rows = shown.map { all[$0] }
        if rows.isEmpty { return [table([], model).lines[0], "  no broker is registered"] }
        let sights = rows.flatMap(\.sights)
        var legend: [String] = []
        if sights.contains(where: \.isProtected) { legend.append("p: late here, kept because a peer hears it") }
        if sights.contains(where: \.isLearned) { legend.append("l: not heard here, learned from a peer") }
        if sights.contains(.listed) { legend.append("listed: this NameServer tells no ages") }
        var lines = table(rows, model).lines
        if all.count > rows.count { lines.append("  and \(counted(all.count - rows.count, "more broker"))") }
        if !legend.isEmpty { lines.append("  " + legend.joined(separator: "; ")) }
        return lines
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

extension ClusterModel.BrokerRow {
    /// Whether a node lacks it, is late, or has it from a peer.
    fileprivate var needsAttention: Bool {
        sights.contains { sight in
            switch sight {
            case .missing, .protected, .learned: true
            case .heard(let age, let timeout): age > Lateness.limit(timeout: timeout)
            case .unknown, .listed: false
            }
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
