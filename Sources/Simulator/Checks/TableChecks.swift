import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 6: gossip never refreshes a first-hand entry, and never ends one that a stock node would still have.
final class FirstHandUntouched: Invariant {
    let number = 6
    let name = "first-hand untouched"
    private let watch: GossipWatch

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if let node { return refreshed(node) }
        for node in cluster.nodes where node.host.pause == nil {
            guard let look = watch.looks[node.index], let shadow = node.shadow else { continue }
            for broker in cluster.brokers where look.hearings[broker.index] == nil {
                let isThere = shadow.inspectTables { $0.token(of: broker.replica) != nil }
                if isThere { return "\(node.host.name) has ended \(broker.replica.label), stock has it" }
            }
        }
        return nil
    }

    private func refreshed(_ node: SimulatedNode) -> String? {
        guard watch.isFresh[node.index], let look = watch.looks[node.index], let last = watch.before[node.index],
            last.life == look.life, look.hearingsReadAt != last.hearingsReadAt
        else { return nil }
        let signs = look.tables.registrations + look.tables.lightHeartbeats
        guard signs == last.tables.registrations + last.tables.lightHeartbeats else { return nil }
        for (broker, hearing) in look.hearings.enumerated() {
            guard let hearing, let old = last.hearings[broker], hearing.lastHeard > old.lastHeard else { continue }
            return
                "\(node.host.name) dates \(watch.cluster.brokers[broker].replica.label) later without having heard it"
        }
        return nil
    }
}

/// 20: a place in a broker group has one address, and what was heard wins.
final class OneAddress: Invariant {
    let number = 20
    let name = "one address a place"
    private let watch: GossipWatch

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node, watch.isFresh[node.index], let look = watch.looks[node.index],
            look.tableTick != watch.before[node.index]?.tableTick, let server = node.node
        else { return nil }
        return server.inspectTables { tables in
            var places: Set<String> = []
            for shown in tables.served {
                let place = shown.split(separator: " ").first.map(String.init) ?? shown
                if !places.insert(place).inserted { return "\(node.host.name) serves two replicas as \(place)" }
            }
            for learned in tables.learned where tables.token(of: learned.summary.identity) != nil {
                return "\(node.host.name) learned \(learned.summary.identity.label), which it hears"
            }
            return nil
        }
    }
}

/// 24: gossip writes no key-value and no permission, unless `replicate:` says so; then the latest write wins everywhere.
final class WritesUntouched: Invariant {
    let number = 24
    let name = "writes untouched"
    private let watch: GossipWatch
    /// By node: its life, its writes taken over, and the stamp of each key then.
    private var stamps: [(life: Int, operations: Int, byKey: [String: UInt64])]

    init(_ watch: GossipWatch) {
        self.watch = watch
        stamps = watch.cluster.nodes.map { _ in (0, 0, [:]) }
    }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if let node { return watch.isFresh[node.index] ? takenOver(node) : nil }
        for node in cluster.nodes where node.host.pause == nil {
            guard let server = node.node, let shadow = node.shadow, !replicates(node).keyValues else { continue }
            let own = server.inspectTables { $0.keyValueDigest(hash: SimulatedNode.hash) }
            let stock = shadow.inspectTables { $0.keyValueDigest(hash: SimulatedNode.hash) }
            if own != stock { return "\(node.host.name)'s key-values are not those that it was told" }
        }
        return nil
    }

    private func replicates(_ node: SimulatedNode) -> (keyValues: Bool, permissions: Bool) {
        guard let settings = node.node?.inspectGossip({ $0.settings }), settings.mode == .replicate else {
            return (false, false)
        }
        return (settings.replicatesKeyValues, settings.replicatesPermissions)
    }

    /// Joining is taking the later write, whatever comes in which order: within a life a key's stamp only rises.
    private func takenOver(_ node: SimulatedNode) -> String? {
        guard let look = watch.looks[node.index] else { return nil }
        let (life, operations, byKey) = stamps[node.index]
        if life == look.life, operations == look.counters.operations { return nil }
        let flags = replicates(node)
        if !flags.keyValues, !flags.permissions, look.counters.operations > 0 {
            return "\(node.host.name) has taken over a write that it was not to"
        }
        let now = node.node?.inspectGossip { $0.inspectedStamps } ?? [:]
        stamps[node.index] = (look.life, look.counters.operations, now)
        guard life == look.life else { return nil }
        let fallen = byKey.filter { key, stamp in now[key].map { $0 < stamp } ?? false }.keys.min()
        return fallen.map { "\(node.host.name) gives up the latest write of \($0) for an earlier one" }
    }

    func checkAfterHealing(_ cluster: Cluster) -> String? {
        let all = cluster.nodes.filter { replicates($0).keyValues }.compactMap { node in
            node.node.map { (node.host.name, $0.inspectTables { $0.keyValueDigest(hash: SimulatedNode.hash) }) }
        }
        guard let first = all.first, let other = all.first(where: { $0.1 != first.1 }) else { return nil }
        return "\(first.0) and \(other.0) have other key-values"
    }
}

/// 25: what was learned never answers QUERY_DATA_VERSION. Asks, as a broker would, about everything learned.
final class LearnedAnswersNobody: Invariant {
    let number = 25
    let name = "learned answers no query"
    private var asked: [[ReplicaIdentity: Bool]]
    private var problem: String?

    init(_ cluster: Cluster) { asked = Array(repeating: [:], count: cluster.nodes.count) }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if let problem { return problem }
        if node != nil { return nil }
        for node in cluster.nodes {
            guard let server = node.node, node.host.pause == nil else { continue }
            let learned = server.inspectTables { $0.learnedCount == 0 ? [] : $0.learned }
            if learned.isEmpty {
                if !asked[node.index].isEmpty { asked[node.index] = [:] }
                continue
            }
            for replica in learned where asked[node.index][replica.summary.identity] == nil {
                asked[node.index][replica.summary.identity] = true
                ask(cluster, node, replica)
            }
        }
        return nil
    }

    private func ask(_ cluster: Cluster, _ node: SimulatedNode, _ replica: LearnedReplica) {
        let (identity, version) = (replica.summary.identity, replica.summary.version)
        cluster.administrator.queryDataVersion(
            of: identity, counter: version.counter, timestamp: version.timestamp, stateVersion: version.stateVersion,
            to: node.index
        ) { [weak self] isUnchanged in
            let isHeard = node.node?.inspectTables { $0.token(of: identity) != nil } ?? false
            if isUnchanged, !isHeard {
                self?.problem = "\(node.host.name) tells \(identity.label) that it need not register"
            }
        }
    }
}
