import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 4: what protect keeps, some stock node would keep, too; and a hold rests on as many witnesses as it must.
final class UnionBound: Invariant {
    let number = 4
    let name = "union bound"
    fileprivate let watch: GossipWatch
    private var suspected: Set<Int> = []

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        if node != nil { return nil }
        var suspects: Set<Int> = []
        let hasBound = cluster.options.mode == .protect && cluster.options.hasShadows
        for node in cluster.nodes where node.node != nil && node.host.pause == nil {
            guard let look = watch.looks[node.index] else { continue }
            for broker in cluster.brokers.indices where cluster.truth.views[node.index][broker].isServed {
                let text =
                    (hasBound ? beyond(cluster, node, look, broker) : nil)
                    ?? unwitnessed(node, look, broker) ?? overlong(node, look, broker)
                guard let text else { continue }
                let key = node.index * cluster.brokers.count + broker
                if suspected.contains(key) {
                    return "\(node.host.name) serves \(cluster.brokers[broker].replica.label), \(text)"
                }
                suspects.insert(key)
            }
        }
        suspected = suspects
        return nil
    }

    private func beyond(
        _ cluster: Cluster, _ node: SimulatedNode, _ look: GossipWatch.Look, _ broker: Int
    ) -> String? {
        let views = cluster.truth.views.map { $0[broker] }
        guard look.state != .warming, !views.contains(where: \.isServedByShadow) else { return nil }
        let last = views.compactMap(\.lastServedByShadow).max() ?? 0
        let limit = cluster.options.scan + .seconds(2)
        guard watch.time - last > limit.wholeNanoseconds else { return nil }
        // What a peer said stays true while the peer cannot be asked: then the broker's own timeout bounds it (3).
        for record in look.evidence[broker] where record.trusted != nil || record.isConnected {
            guard let peer = watch.index(of: record.peer) else { return nil }
            let asked = watch.exchangedAt[node.index][peer] ?? 0
            if asked < last + limit.wholeNanoseconds || watch.looks[peer] == nil { return nil }
        }
        // The luckiest stock node may have died since: it would serve the broker still.
        let heard = watch.lastHeard(of: broker, except: node.index) ?? 0
        if cluster.nodes.contains(where: { $0.node == nil || $0.startedAt > heard }) { return nil }
        // Nor is a node that stood still to blame.
        if cluster.maySpare(node.host) { return nil }
        if watch.wasAnyFrozen(since: last - cluster.options.timeout.wholeNanoseconds) { return nil }
        return "which no stock node has served for \(seconds(watch.time - last))"
    }

    /// A silent replica that is held is vouched for by the configured number of witnesses.
    private func unwitnessed(_ node: SimulatedNode, _ look: GossipWatch.Look, _ broker: Int) -> String? {
        guard let hearing = look.hearings[broker] else { return nil }
        let now = node.host.now
        guard now - hearing.lastHeard > hearing.timeout + .seconds(1) else { return nil }
        let token = node.node?.inspectTables { $0.token(of: watch.cluster.brokers[broker].replica) }
        guard let token else { return nil }
        let found = node.node?.inspectGossip {
            ($0.inspectHold(of: token), $0.inspectIsClosing(watch.hashes[broker]), $0.settings.witnesses)
        }
        guard let (hold, isClosing, wanted) = found, let hold, hold > now, !isClosing else {
            return nil
        }
        let witnesses = look.evidence[broker].count {
            $0.trusted.map { $0.ageHi(at: now) <= hearing.timeout } ?? false
        }
        return witnesses >= wanted ? nil : "held on \(witnesses) of \(wanted) witnesses"
    }
}

extension UnionBound {
    /// What a heartbeat may be late by, and two seconds for a look at everything.
    private static let patience: Duration = .seconds(7)

    /// An open connection elsewhere is no sign of life: it buys one interval.
    private func overlong(_ node: SimulatedNode, _ look: GossipWatch.Look, _ broker: Int) -> String? {
        guard let hearing = look.hearings[broker], !hearing.isConnected,
            let closedAt = node.node?.inspectGossip({ $0.inspectClosing(of: watch.hashes[broker]) }) ?? nil
        else { return nil }
        let waited = node.host.now - closedAt
        guard waited > hearing.interval + Self.patience else { return nil }
        if look.evidence[broker].contains(where: { $0.trusted.map { $0.earliest > closedAt } ?? false }) { return nil }
        return "whose connection closed \(seconds(waited.wholeNanoseconds)) ago, on the word that another is open"
    }
}

/// 19: no replica is evicted for its silence while a reachable, ready node hears it.
final class NoFalseEviction: Invariant {
    let number = 19
    let name = "no false eviction"
    private let watch: GossipWatch

    init(_ watch: GossipWatch) { self.watch = watch }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard cluster.options.mode >= .protect, let node, watch.isFresh[node.index],
            let look = watch.looks[node.index], let last = watch.before[node.index], last.life == look.life,
            look.tables.expirations > last.tables.expirations, look.state == .ready
        else { return nil }
        let settings = node.node?.inspectGossip { $0.settings }
        guard let settings, settings.witnesses == 1 else { return nil }
        for broker in cluster.brokers.indices where look.hearings[broker] == nil && last.hearings[broker] != nil {
            for other in cluster.nodes where other !== node {
                guard let age = vouches(other, for: broker, to: node, look, settings) else { continue }
                return "\(node.host.name) evicts \(cluster.brokers[broker].replica.label), which "
                    + "\(other.host.name) heard \(seconds(age)) ago"
            }
        }
        return nil
    }

    /// How long ago the other node heard the broker, if the node could not but know.
    private func vouches(
        _ other: SimulatedNode, for broker: Int, to node: SimulatedNode, _ look: GossipWatch.Look,
        _ settings: GossipSettings
    ) -> Int64? {
        let (time, truth) = (watch.time, watch.cluster.truth!)
        guard let theirs = watch.looks[other.index], theirs.state == .ready, other.host.pause == nil,
            let heard = watch.heard[other.index][broker].last, heard.life == theirs.life,
            theirs.hearings[broker]?.isConnected == true,
            let peer = watch.peer(other.host.name, of: node.index)?.now, peer.isWitness,
            let contact = watch.contacts[node.index][other.index].last, contact.peerLife == theirs.life,
            heard.time > contact.time + 2_000_000_000,
            let exchanged = watch.exchangedAt[node.index][other.index], exchanged > heard.time + 3_000_000_000,
            time - exchanged < 3_000_000_000, peer.roundTrip < .seconds(1)
        else { return nil }
        let options = watch.cluster.options
        let limit = options.timeout - settings.period * 2 - options.scan - .seconds(2)
        guard time - heard.time < limit.wholeNanoseconds else { return nil }
        // Time lost, or believed to be, makes evidence older.
        let isSteady =
            theirs.stall == .zero && look.stall == .zero && peer.stalled == .zero
            && !watch.wasAnyFrozen(since: heard.time - limit.wholeNanoseconds)
        // A goodbye told by anybody covers what came before it; a node that stood still had not asked yet.
        let isUndisputed =
            node.node?.inspectGossip { $0.inspectTombstone(of: watch.hashes[broker]) == nil } ?? false
        let isAwake = time - truth.resumedAt[node.host.index] > 15_000_000_000
        return isSteady && isUndisputed && isAwake ? time - heard.time : nil
    }
}

/// 11: a node is ready when it can be, and never warming again; and 3 for what only a snapshot vouches for.
final class WarmUpChecks: Invariant {
    private(set) var number = 11
    private(set) var name = ""
    private let watch: GossipWatch
    /// By node: whether any ready node has sent it the end of a snapshot in this life.
    private var filled: [(life: Int, isFilled: Bool)]

    init(_ watch: GossipWatch) {
        self.watch = watch
        filled = watch.cluster.nodes.map { _ in (0, false) }
    }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        for frame in watch.frames {
            guard case .snapshotChunk(let chunk) = frame.message, chunk.nextCursor == 0 else { continue }
            filled[frame.to] = (cluster.nodes[frame.to].starts, true)
        }
        guard let node else {
            for node in cluster.nodes { if let text = provisional(cluster, node) { return text } }
            return nil
        }
        guard watch.isFresh[node.index], let look = watch.looks[node.index] else { return nil }
        let last = watch.before[node.index]?.state ?? .warming
        guard last != look.state else { return nil }
        (number, name) = (11, "readiness")
        if look.state == .warming { return "\(node.host.name) is warming up again" }
        guard last == .warming, look.state == .ready else { return nil }
        let uptime = watch.time - node.startedAt
        // By the node's own clock, which drifts.
        if uptime * 1_001 / 1_000 >= (cluster.options.heartbeat * 7 / 6).wholeNanoseconds { return nil }
        let isFilled = filled[node.index] == (node.starts, true)
        let isEqual = watch.peers[node.index].contains { $0.isWitness && $0.digest?.root == look.root }
        if isFilled || isEqual { return nil }
        return "\(node.host.name) is ready \(seconds(uptime)) after its start, filled by nobody"
    }

    private func provisional(_ cluster: Cluster, _ node: SimulatedNode) -> String? {
        guard let look = watch.looks[node.index], node.host.pause == nil,
            let entry = look.learned.first(where: { $0.isProvisional || cluster.options.mode == .protect })
        else { return nil }
        let limit = (cluster.options.heartbeat * 2 + .seconds(3)).wholeNanoseconds
        let age = watch.time - node.startedAt - watch.frozen(node.index, since: node.startedAt)
        guard age > limit + limit / 1_000, watch.time - cluster.truth.resumedAt[node.host.index] > 3_000_000_000 else {
            return nil
        }
        (number, name) = (3, "no zombies")
        return "\(node.host.name) serves \(entry.identity.label) on a snapshot's word \(seconds(age)) after its start"
    }
}
