// What the nodes' gossip says differs. Each difference is told from up to two sides, by each pair of nodes that has it;
// here it becomes one row with the nodes on either side.

extension ClusterComparison {
    /// What nodes report of each other, one row per kind and subject.
    static func reported(_ readings: [NodeReading]) -> [ClusterDifference] {
        var findings: [ClusterDifference.Key: Finding] = [:]
        let talking = readings.filter { $0.isUp && $0.gossip?.isOn == true }
        for reading in talking {
            for divergence in reading.gossip?.divergences ?? [] where divergence.isReported {
                let key = ClusterDifference.Key(kind: divergence.commonKind, subject: divergence.subject)
                findings[key, default: Finding(divergence)].add(divergence, from: reading.name)
            }
        }
        return findings.sorted { $0.key < $1.key }.map { key, finding in
            let (here, there) = finding.sides(of: talking.map(\.name))
            return ClusterDifference(
                kind: key.kind, subject: key.subject, broker: finding.divergence.broker, here: here, there: there,
                sinceMillis: finding.since,
                text: finding.divergence.text, advice: finding.divergence.advice, isReportedByNodes: true)
        }
    }
}

/// One difference as several pairs of nodes tell it.
private struct Finding {
    var divergence: GossipStatus.Divergence
    var since: Int64?
    private var here: Set<String> = []
    private var there: Set<String> = []
    private var pairs: Set<[String]> = []

    init(_ divergence: GossipStatus.Divergence) { self.divergence = divergence }

    mutating func add(_ told: GossipStatus.Divergence, from node: String) {
        if let time = told.sinceMillis, time > since ?? -1 { since = time }
        switch told.side {
        case .teller:
            there.insert(node)
            here.insert(told.peer)
            // Who lacks it says what happened there.
            if divergence.side != .teller { divergence = told }
        case .peer:
            here.insert(node)
            there.insert(told.peer)
        case .neither: pairs.insert([node, told.peer].sorted())
        }
    }

    /// Who stands on which side, sorted. Without clear sides, those that differ from most others stand there.
    func sides(of nodes: [String]) -> (here: [String], there: [String]) {
        guard !pairs.isEmpty else { return (here.subtracting(there).sorted(), there.sorted()) }
        var counts: [String: Int] = [:]
        for name in pairs.joined() { counts[name, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        let odd = counts.filter { $0.value == most && most > 1 }.keys.sorted()
        if odd.isEmpty || odd.count == counts.count {
            let all = counts.keys.sorted()
            return (Array(all.prefix(1)), Array(all.dropFirst()))
        }
        return (counts.keys.filter { !odd.contains($0) }.sorted(), odd)
    }
}

extension GossipStatus.Divergence {
    fileprivate enum Side {
        /// The node that tells it lacks it.
        case teller
        /// Its peer does.
        case peer
        /// They merely differ.
        case neither
    }

    fileprivate var side: Side {
        switch kind {
        case "missingHere", "lateHere": .teller
        case "missingThere", "lateThere": .peer
        default: .neither
        }
    }

    fileprivate var commonKind: ClusterDifference.Kind {
        switch kind {
        case "missingHere", "missingThere": .missing
        case "lateHere", "lateThere": .late
        default: ClusterDifference.Kind(rawValue: kind) ?? .other
        }
    }

    fileprivate var subject: String {
        // Wiping concerns a group, whichever of its replicas is named.
        if let broker, commonKind == .permission { return broker }
        if let broker { return id.map { "\(broker):\($0)" } ?? broker }
        switch commonKind {
        case .keyValue: return "KV store"
        case .permission: return "write permissions"
        default: return peer
        }
    }
}
