import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 8, 9, 10 and 23 (tombstones): who said goodbye, or was evicted, comes back on later signs of life only.
final class DepartureChecks: Invariant {
    private(set) var number = 8
    private(set) var name = ""
    private let watch: GossipWatch
    /// Tombstone against evidence, by node and broker, at the last look: one second's grace for what is on its way.
    private var suspected: Set<Int> = []

    init(_ watch: GossipWatch) { self.watch = watch }

    private func fail(_ number: Int, _ name: String, _ text: String) -> String {
        (self.number, self.name) = (number, name)
        return text
    }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if let node { return checkOne(cluster, node) }
        var suspects: Set<Int> = []
        for node in cluster.nodes where node.node != nil && node.host.pause == nil {
            if let text = checkOne(cluster, node) ?? beaten(cluster, node, &suspects) ?? kept(node) { return text }
        }
        suspected = suspects
        return nil
    }

    private func checkOne(_ cluster: Cluster, _ node: SimulatedNode) -> String? {
        guard watch.departures[node.index] > 0, let look = watch.looks[node.index], node.host.pause == nil else {
            return nil
        }
        for broker in cluster.brokers.indices {
            let text =
                afterGoodbye(cluster, node, look, broker) ?? belowFloor(cluster, node, look, broker)
            if let text { return "\(node.host.name): \(cluster.brokers[broker].replica.label) \(text)" }
        }
        return nil
    }

    private var timeout: Int64 { watch.cluster.options.timeout.wholeNanoseconds }

    /// 8.
    private func afterGoodbye(
        _ cluster: Cluster, _ node: SimulatedNode, _ look: GossipWatch.Look, _ broker: Int
    ) -> String? {
        guard let goodbye = watch.goodbyes[node.index][broker], !watch.wasAnyFrozen(since: goodbye - timeout) else {
            return nil
        }
        let age = watch.time - goodbye
        if cluster.truth.views[node.index][broker].isServed {
            // A heartbeat may have raced the goodbye.
            let later = watch.lastHeard(of: broker, except: node.index).map { $0 > goodbye + 2_900_000_000 } ?? false
            if !later, age > 100_000_000 {
                return fail(8, "goodbye holds", "said goodbye \(seconds(age)) ago and is served again")
            }
        }
        guard age > 100_000_000, age < timeout * 2 - timeout / 50,
            watch.cluster.truth.resumedAt[node.host.index] < goodbye
        else { return nil }
        let isKnown = node.node?.inspectGossip { $0.inspectTombstone(of: watch.hashes[broker]) != nil } ?? true
        if isKnown { return nil }
        return fail(8, "goodbye holds", "said goodbye \(seconds(age)) ago, which is forgotten")
    }

    /// 10.
    private func belowFloor(
        _ cluster: Cluster, _ node: SimulatedNode, _ look: GossipWatch.Look, _ broker: Int
    ) -> String? {
        guard let floor = watch.floors[node.index][broker], watch.time - floor.at < timeout * 9 / 10,
            look.learned.contains(where: { $0.identity == cluster.brokers[broker].replica }),
            !watch.wasAnyFrozen(since: floor.event - timeout)
        else { return nil }
        if let later = watch.lastHeard(of: broker, except: node.index), later > floor.event { return nil }
        return fail(10, "floor", "is learned though nobody heard it since it was removed here")
    }

    /// 9: what rests on evidence rests on some that came surely after the goodbye.
    private func beaten(_ cluster: Cluster, _ node: SimulatedNode, _ suspects: inout Set<Int>) -> String? {
        guard let look = watch.looks[node.index], let server = node.node else { return nil }
        for (broker, hash) in watch.hashes.enumerated() {
            let found = server.inspectGossip { gossip in
                (gossip.inspectTombstone(of: hash)?.event, gossip.inspectIsClosing(hash))
            }
            guard let (tombstone, isClosing) = found, let tombstone else { continue }
            let replica = cluster.brokers[broker].replica
            let learned = look.learned.first { $0.identity == replica }
            let isHeld = holds(node, broker, look) && !isClosing
            guard learned != nil || isHeld else { continue }
            let slack = Duration.seconds(3)
            let isBacked = look.evidence[broker].contains {
                let life = learned?.isProvisional == true ? $0.life : $0.trusted
                return life.map { $0.earliest > tombstone.latest + slack } ?? false
            }
            if isBacked { continue }
            let key = node.index * cluster.brokers.count + broker
            if suspected.contains(key) {
                return fail(
                    9, "tombstone wins",
                    "\(node.host.name) goes on serving \(replica.label) on evidence from before its goodbye")
            }
            suspects.insert(key)
        }
        return nil
    }

    /// Whether a late replica is held into the future.
    private func holds(_ node: SimulatedNode, _ broker: Int, _ look: GossipWatch.Look) -> Bool {
        guard let hearing = look.hearings[broker], node.host.now - hearing.lastHeard > hearing.timeout / 3 else {
            return false
        }
        let token = node.node?.inspectTables { $0.token(of: watch.cluster.brokers[broker].replica) }
        guard let token else { return false }
        let until = node.node?.inspectGossip { $0.inspectHold(of: token) } ?? nil
        return until.map { $0 > node.host.now } ?? false
    }

    /// 23, tombstones and all other bounds.
    private func kept(_ node: SimulatedNode) -> String? {
        let found = node.node?.inspectGossip { ($0.inspectedTombstones, $0.inspectedSizes) }
        guard let (tombstones, sizes) = found else { return nil }
        // Swept every ten periods.
        if let oldest = tombstones.min(), node.host.now - oldest > .seconds(12),
            watch.time - watch.cluster.truth.resumedAt[node.host.index] > 12_000_000_000
        {
            return fail(23, "bounds", "\(node.host.name) keeps a goodbye that was to be forgotten")
        }
        let isWithin =
            sizes.tombstones <= GossipLimits.departures && sizes.floors <= GossipLimits.departures
            && sizes.evidence <= GossipLimits.evidence && sizes.divergences <= GossipLimits.divergences
            && sizes.links <= GossipLimits.links && sizes.peers <= GossipLimits.peers
            && sizes.reconciliations <= GossipLimits.reconciliations
        return isWithin ? nil : fail(23, "bounds", "\(node.host.name) keeps too much: \(sizes)")
    }
}
