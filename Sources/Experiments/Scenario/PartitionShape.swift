import ClusterConfiguration

private enum IsolateKey: String, SectionKey {
    case isolate
    static let section = "partition"
}

private enum ShapeWord: String, CaseIterable {
    case one, halves, ring, bridge
}

private enum Scope: String, CaseIterable {
    case nodes, everybody
}

/// Who cannot hear whom in a partition. The words are Jepsen's (jepsen.nemesis).
///
/// In `halves`, `ring` and `bridge` everybody else sits beside a node and shares its fate: broker groups and clients
/// are dealt to the nodes in turn, the first group to ns-1, the second to ns-2; unless `of: nodes` leaves them alone.
struct PartitionShape {
    /// As people read it.
    let text: String
    /// Places: who is in each.
    private let places: [[Party]]
    /// Whether a place (the second) hears another (the first).
    private let hears: (Int, Int) -> Bool

    /// Nil once something wrong was reported.
    init?(_ entry: MappingReader<FaultKey>, _ scenario: Scenario, _ words: PartyWords) {
        guard let node = entry.node(.partition) else {
            entry.report(.partition, "is empty")
            return nil
        }
        let isOneWay = entry.boolean(.oneWay, default: false)
        let way = isOneWay ? ", one way" : ""
        switch node.content {
        case .mapping:
            let reader: MappingReader<IsolateKey> = entry.mapping(.partition)
            guard reader.isGiven(.isolate), let word = reader.text(.isolate) else {
                reader.report(.isolate, "is missing")
                return nil
            }
            guard let named = PartitionShape.parties(word, node.line, entry, words) else { return nil }
            text = "isolate \(PartyWords.shown(word))\(way)"
            places = [named, words.everybody.filter { !named.contains($0) }]
            hears = { isOneWay && $0 > $1 }
        case .sequence(let sets):
            guard let named = PartitionShape.sets(sets, entry, words) else { return nil }
            let names = named.map { $0.map { scenario.name(of: $0) }.joined(separator: ", ") }
            text = "partition \(names.joined(separator: isOneWay ? " → " : " | "))\(way)"
            places = named
            hears = { $0 == $1 || isOneWay && $0 > $1 }
        case .scalar:
            guard let shape = PartitionShape.word(entry, scenario) else { return nil }
            let scope: Scope = entry.choice(.of, default: .everybody)
            let count = scenario.nodes.count
            let isNodesOnly = scope == .nodes
            text = "partition \(shape.rawValue)\(isNodesOnly ? " of nodes" : "")\(way)"
            if shape == .one {
                let last = Party.node(count - 1)
                let others = words.everybody.filter { $0 != last && (!isNodesOnly || $0.node != nil) }
                places = [[last], others]
                hears = { $0 == $1 || isOneWay && $0 > $1 }
            } else {
                places = PartitionShape.dealt(scenario, isNodesOnly)
                let heard = PartitionShape.rule(shape, count)
                hears = { heard($0, $1) || isOneWay && $0 > $1 }
            }
        }
    }

    /// What is cut.
    func cutLinks(_ words: PartyWords) -> [Link] {
        var links: [Link] = []
        for from in places.indices {
            for to in places.indices where from != to && !hears(from, to) {
                for sender in places[from] {
                    links += places[to].map { Link(from: sender, to: $0) }.filter(words.carriesTraffic)
                }
            }
        }
        return links
    }

    /// Whether place `to` hears place `from`, of so many.
    private static func rule(_ shape: ShapeWord, _ count: Int) -> (Int, Int) -> Bool {
        let half = count / 2
        switch shape {
        case .one, .halves: return { ($0 < half) == ($1 < half) }
        // The one in the middle hears both sides and is heard by both.
        case .bridge:
            return { from, to in from == half || to == half || (from < half) == (to < half) }
        // Everybody hears a majority, no two the same: the places around, as many as make one.
        case .ring:
            let majority = half + 1
            return { from, to in (from - to + majority / 2 + count) % count < majority }
        }
    }

    /// Everybody beside a node.
    private static func dealt(_ scenario: Scenario, _ isNodesOnly: Bool) -> [[Party]] {
        var places = scenario.nodes.indices.map { [Party.node($0)] }
        guard !isNodesOnly else { return places }
        var groups = 0
        for (index, replica) in scenario.replicas.enumerated() {
            if replica.id == 0 { groups += 1 }
            places[(groups - 1) % places.count].append(.broker(index))
        }
        for client in scenario.clients.indices { places[client % places.count].append(.client(client)) }
        return places
    }

    private static func word(_ entry: MappingReader<FaultKey>, _ scenario: Scenario) -> ShapeWord? {
        guard let text = entry.text(.partition) else { return nil }
        guard let word = ShapeWord(rawValue: text) else {
            let near = hint(text, ShapeWord.allCases.map(\.rawValue))
            entry.report(
                .partition,
                "\(quoted(text)) is none of one, halves, ring, bridge, {isolate: …} and [[…], […]]\(near)")
            return nil
        }
        let least = word == .ring || word == .bridge ? 3 : 2
        if scenario.nodes.count < least {
            entry.report(.partition, "\(text) needs \(least) nodes or more")
            return nil
        }
        if word == .ring, entry.isGiven(.oneWay) { entry.report(.oneWay, "has no meaning for ring") }
        return word
    }

    private static func sets(
        _ nodes: [YAMLNode], _ entry: MappingReader<FaultKey>, _ words: PartyWords
    ) -> [[Party]]? {
        var sets: [[Party]] = []
        var seen: Set<Party> = []
        for node in nodes.prefix(16) {
            let items: [YAMLNode] = if case .sequence(let items) = node.content { items } else { [node] }
            var set: [Party] = []
            for item in items.prefix(64) {
                guard case .scalar(let text, _) = item.content, !item.isNull,
                    let named = parties(text, item.line, entry, words)
                else {
                    if item.isNull { entry.log.report(item.line, "faults.partition: a set has an empty place") }
                    return nil
                }
                for party in named {
                    guard seen.insert(party).inserted else {
                        entry.log.report(item.line, "faults.partition: \(quoted(text)) is in two sets, or twice in one")
                        return nil
                    }
                    set.append(party)
                }
            }
            sets.append(set)
        }
        guard sets.count >= 2 else {
            entry.report(.partition, "needs two sets or more, as in [[ns-1, broker-a], [ns-2, ns-3]]")
            return nil
        }
        return sets
    }

    private static func parties(
        _ text: String, _ line: Int, _ entry: MappingReader<FaultKey>, _ words: PartyWords
    ) -> [Party]? {
        do throws(ValueFault) {
            return try words.parties(text)
        } catch {
            entry.log.report(line, "faults.partition: \(quoted(text)) \(error.message)")
            return nil
        }
    }
}
