import ClusterConfiguration

/// The words by which a file names those who take part: `ns-2`, `broker-a` (all its replicas), `broker-a:0`, `masters`,
/// `clients`, ….
struct PartyWords {
    /// Nodes, brokers, clients.
    let everybody: [Party]
    private let words: [String: [Party]]
    private let groupOf: [String]
    /// Names of broker groups that mean something else already.
    let clashes: [String]
    /// What can be said, collective words last.
    let known: [String]

    init(_ scenario: Scenario) {
        let nodes = scenario.nodes.indices.map { Party.node($0) }
        let brokers = scenario.replicas.indices.map { Party.broker($0) }
        let clients = scenario.clients.indices.map { Party.client($0) }
        everybody = nodes + brokers + clients
        let majority = nodes.count / 2 + 1
        var words: [String: [Party]] = [
            "nodes": nodes, "brokers": brokers, "clients": clients, "everybody": everybody,
            "masters": brokers.indices.filter { scenario.replicas[$0].id == 0 }.map { brokers[$0] },
            "slaves": brokers.indices.filter { scenario.replicas[$0].id != 0 }.map { brokers[$0] },
            "producers": clients.indices.filter { scenario.clients[$0].isProducer }.map { clients[$0] },
            "consumers": clients.indices.filter { !scenario.clients[$0].isProducer }.map { clients[$0] },
            "majority": Array(nodes.prefix(majority)), "minority": Array(nodes.dropFirst(majority)),
        ]
        let collective = words.keys.sorted() + [PartyWords.others, PartyWords.nobody]
        for party in nodes + clients { words[scenario.name(of: party)] = [party] }
        var clashes: [String] = []
        var groups: [String] = []
        for (index, replica) in scenario.replicas.enumerated() {
            if replica.id == 0 {
                if words[replica.group] != nil || collective.contains(replica.group) { clashes.append(replica.group) }
                words[replica.group] = []
                groups.append(replica.group)
            }
            words[replica.group]?.append(brokers[index])
            words[replica.name] = [brokers[index]]
        }
        self.words = words
        groupOf = scenario.replicas.map(\.group)
        self.clashes = clashes
        known =
            nodes.map { scenario.name(of: $0) } + groups + brokers.map { scenario.name(of: $0) }
            + clients.map { scenario.name(of: $0) } + collective
    }

    /// On one side of a link: everybody who is not on the other.
    static let others = "others"
    /// Where a list may be empty.
    static let nobody = "nobody"

    /// Those whom a text names: names with `,` or `and` between them.
    func parties(_ text: String) throws(ValueFault) -> [Party] {
        var found: [Party] = []
        for name in PartyWords.names(text) where name != PartyWords.nobody {
            guard let parties = words[name] else {
                throw ValueFault("names nobody; \(quoted(name)) is not there\(hint(name, known))")
            }
            for party in parties where !found.contains(party) { found.append(party) }
        }
        return found
    }

    private static func names(_ text: String) -> [String] {
        text.split(separator: ",").flatMap { part in
            part.split(separator: " ").map(String.init).split(separator: "and").map { $0.joined(separator: " ") }
        }
    }

    // MARK: - Links

    /// What stands between the sides of a link, longest first; the second word is what people read.
    private static let arrows: [(text: String, shown: String, isForward: Bool, isBackward: Bool)] = [
        ("<->", "↔", true, true), ("->", "→", true, false), ("<-", "←", false, true),
        ("↔", "↔", true, true), ("→", "→", true, false), ("←", "←", false, true),
    ]

    /// The links of `broker-a -> ns-2` (one way) or `nodes <-> nodes` (both), those alone on which anything is ever sent.
    func links(_ text: String) throws(ValueFault) -> [Link] {
        guard let arrow = PartyWords.arrows.first(where: { text.contains($0.text) }),
            case let sides = text.split(separator: arrow.text, omittingEmptySubsequences: false).map(String.init),
            sides.count == 2, sides.allSatisfy({ !PartyWords.names($0).isEmpty }),
            !PartyWords.arrows.contains(where: { arrow in sides.contains { $0.contains(arrow.text) } })
        else {
            throw ValueFault(
                "is no link; write who -> whom (one way) or one <-> other (both ways), as in broker-a -> ns-2")
        }
        let (left, right) = try (side(sides[0], besides: sides[1]), side(sides[1], besides: sides[0]))
        var links: [Link] = []
        var seen: Set<Link> = []
        for from in left {
            for to in right where from != to {
                let forward = Link(from: from, to: to)
                let wanted = (arrow.isForward ? [forward] : []) + (arrow.isBackward ? [forward.reversed] : [])
                for link in wanted where carriesTraffic(link) && seen.insert(link).inserted { links.append(link) }
            }
        }
        guard !links.isEmpty else { throw ValueFault("names no link on which anything is sent") }
        return links
    }

    private func side(_ text: String, besides other: String) throws(ValueFault) -> [Party] {
        guard PartyWords.names(text) == [PartyWords.others] else { return try parties(text) }
        let named = try parties(other)
        return everybody.filter { !named.contains($0) }
    }

    /// Nodes talk with all, brokers with clients and within their group; clients not with each other.
    func carriesTraffic(_ link: Link) -> Bool {
        switch (link.from, link.to) {
        case (.client, .client): false
        case (.broker(let left), .broker(let right)): groupOf[left] == groupOf[right]
        default: true
        }
    }

    /// The same with the arrows that people read.
    static func shown(_ text: String) -> String {
        guard let arrow = arrows.first(where: { text.contains($0.text) }) else { return text }
        return text.split(separator: arrow.text, omittingEmptySubsequences: false)
            .map { names(String($0)).joined(separator: ", ") }.joined(separator: " \(arrow.shown) ")
    }
}
