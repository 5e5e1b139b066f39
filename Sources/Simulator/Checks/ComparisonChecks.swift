import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 16: what two nodes take for the difference of their sets is the difference.
final class TrueDifference: Invariant {
    let number = 16
    let name = "true difference"
    private let watch: GossipWatch

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node, watch.isFresh[node.index] else { return nil }
        for (place, old) in watch.changes[node.index] {
            let peer = watch.peers[node.index][place]
            guard let own = peer.comparedOwn, let theirs = peer.comparedPeer,
                let other = watch.number(ofPeer: place, of: node.index)
            else { continue }
            if old?.comparedOwn == own, old?.comparedPeer == theirs { continue }
            guard let here = watch.sets[node.index][own], let there = watch.sets[other][theirs] else { continue }
            let (mine, its) = (Set(here), Set(there))
            let isTrue =
                Set(peer.onlyHere) == mine.subtracting(its) && Set(peer.onlyThere) == its.subtracting(mine)
            if isTrue { continue }
            return
                "\(node.host.name) and \(peer.name): \(peer.onlyHere.count) and \(peer.onlyThere.count) items, really "
                + "\(mine.subtracting(its).count) and \(its.subtracting(mine).count)"
        }
        return nil
    }
}

/// 22: a frame that is turned down changes nothing but counters.
final class RefusedFrames: Invariant {
    let number = 22
    let name = "refused frames change nothing"
    private let watch: GossipWatch

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node, watch.isFresh[node.index], let look = watch.looks[node.index],
            let last = watch.before[node.index], last.life == look.life
        else { return nil }
        let (now, old) = (look.counters, last.counters)
        let refused =
            now.malformedFrames - old.malformedFrames + now.unsolicitedAnswers - old.unsolicitedAnswers
            + now.refusedLinks - old.refusedLinks
        let received = now.framesReceived - old.framesReceived
        guard refused > 0, refused == received, now.exchanges == old.exchanges else { return nil }
        let hasRisen = zip(look.evidence, last.evidence).contains { new, old in
            new.contains { record in
                old.first { $0.peer == record.peer }.map { $0.life.earliest < record.life.earliest } ?? true
            }
        }
        let hasLearned = now.learned > old.learned || now.holds > old.holds || look.root != last.root
        // The link of a damaged frame ends, and with it the digest that came by it.
        let hasBeenTold = watch.changes[node.index].contains { place, old in
            let new = watch.peers[node.index][place]
            return new.incarnation != old?.incarnation || (new.digest != old?.digest && new.digest != nil)
        }
        return hasRisen || hasLearned || hasBeenTold ? "\(node.host.name) believes a frame that it turned down" : nil
    }
}

/// 18, the gossip part: when all is well again for long enough, nothing is learned, held or reported.
final class GossipLiveness: Invariant {
    let number = 18
    let name = "liveness"
    private let watch: GossipWatch
    private static let kinds: Set<DivergenceKind> = [
        .lateHere, .lateThere, .content, .duplicateID, .configuration,
    ]
    /// Where brokers register at some nodes only, these stay, and modes that learn go on learning.
    private static let kindsOfPlace: Set<DivergenceKind> = [.missingHere, .missingThere]

    init(_ watch: GossipWatch) { self.watch = watch }

    func checkAfterHealing(_ cluster: Cluster) -> String? {
        let isEverywhere = cluster.options.nameServersPerBroker == nil
        let kinds = isEverywhere ? Self.kinds.union(Self.kindsOfPlace) : Self.kinds
        for node in cluster.nodes {
            guard let server = node.node, let look = watch.looks[node.index] else { continue }
            if look.state != .ready { return "\(node.host.name) is \(look.state.name)" }
            let expected = cluster.brokers.count { $0.isUp && $0.registers(at: node) }
            let (heard, learned) = server.inspectTables { ($0.firstHandTokens.count, $0.learnedCount) }
            if heard != expected || (learned > 0 && isEverywhere) {
                return "\(node.host.name) hears \(heard) of \(expected) brokers and has learned \(learned)"
            }
            if let peer = watch.peers[node.index].first(where: { !$0.isLinked }) {
                return "\(node.host.name) has lost \(peer.name)"
            }
            let now = node.host.now
            let status = server.inspectTables { tables in
                server.inspectGossip { $0.status(tables: tables, now: now) }
            }
            guard let status else { continue }
            let open = status.divergences.filter { $0.isReported && kinds.contains($0.kind) }
            if let found = open.first { return "\(node.host.name) still reports: \(found.text)" }
        }
        return nil
    }
}
