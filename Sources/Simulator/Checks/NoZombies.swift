import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 3: a broker is served for at most its timeout, one scan and a second after the last heartbeat that any node processed.
final class NoZombies: Invariant {
    let number = 3
    let name = "no zombies"

    /// A second, and what a clock 500 ppm slow measures too little of.
    private static func slack(_ limit: Int64) -> Int64 { 1_000_000_000 + limit / 1_000 }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard let node else {
            for node in cluster.nodes { if let text = checkOne(cluster, node) { return text } }
            return nil
        }
        return cluster.truth.refreshed.contains(node.index) ? checkOne(cluster, node) : nil
    }

    private func checkOne(_ cluster: Cluster, _ node: SimulatedNode) -> String? {
        let time = cluster.world.time
        // What stands still serves nobody; and it may need a moment to catch up, or grant one.
        guard node.node != nil, node.host.pause == nil, !cluster.maySpare(node.host),
            time - cluster.truth.resumedAt[node.host.index] > 100_000_000
        else { return nil }
        let limit = (cluster.options.timeout + cluster.options.scan).wholeNanoseconds
        let allowed = limit + NoZombies.slack(limit)
        for (index, view) in cluster.truth.views[node.index].enumerated() where view.isServed {
            guard let heard = cluster.truth.lastHeard[index] else {
                return "\(node.host.name) serves \(cluster.brokers[index].replica.label), which nobody ever heard"
            }
            if time - heard <= allowed { continue }
            let age = time - heard - cluster.truth.frozenTime(of: node.host, since: heard)
            if age > allowed, !isProvisional(cluster.brokers[index], cluster, node) {
                return "\(node.host.name) serves \(cluster.brokers[index].replica.label), last heard by anybody "
                    + "\(seconds(time - heard)) ago"
            }
        }
        return nil
    }

    /// What a warming node took over from a witness that stood still before they met: at most two heartbeats long.
    private func isProvisional(_ broker: SimulatedBroker, _ cluster: Cluster, _ node: SimulatedNode) -> Bool {
        let limit = (cluster.options.heartbeat * 2).wholeNanoseconds
        guard cluster.world.time - node.startedAt <= limit + NoZombies.slack(limit) else { return false }
        return node.node?.inspectTables { $0.learned(broker.replica)?.isProvisional } == true
    }
}

extension Cluster {
    /// Whether a node may still keep brokers only because it stood still itself: for a sixth more than the longest interval that it
    /// takes for usual, half a timeout, and until the scan after that (gossip.md 2.7).
    func maySpare(_ host: Host) -> Bool {
        guard options.mode >= .protect, truth.resumedAt[host.index] > 0 else { return false }
        let limit = options.timeout / 2 * 7 / 6 + options.scan + .seconds(1)
        return world.time - truth.resumedAt[host.index] < limit.wholeNanoseconds
    }
}
