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
            last.life == look.life
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

/// 24: gossip writes no key-value and no permission of itself.
final class WritesUntouched: Invariant {
    let number = 24
    let name = "writes untouched"

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if node != nil { return nil }
        for node in cluster.nodes where node.host.pause == nil {
            guard let server = node.node, let shadow = node.shadow else { continue }
            let own = server.inspectTables { $0.keyValueDigest(hash: SimulatedNode.hash) }
            let stock = shadow.inspectTables { $0.keyValueDigest(hash: SimulatedNode.hash) }
            if own != stock { return "\(node.host.name)'s key-values are not those that it was told" }
        }
        return nil
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
