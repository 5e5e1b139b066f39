import Basics
import GossipCore
import NameServerCore
import NameServerNode

/// 5: a node in mode off or observe answers and serves exactly what its stock shadow does.
final class SameAsStock: Invariant {
    let number = 5
    let name = "same as stock"
    private var difference: String?
    /// The tables' ticks when last compared, by node: what has not changed needs no second look.
    private var compared: [[UInt64]]

    init(_ cluster: Cluster) {
        compared = Array(repeating: [], count: cluster.nodes.count)
        guard cluster.options.mode == .off || cluster.options.mode == .observe else { return }
        cluster.world.onMirrorDifference = { [weak self] host, text in
            if self?.difference == nil { self?.difference = "\(host.name) \(text)" }
        }
    }

    func check(_ cluster: Cluster, node: SimulatedNode?) -> String? {
        guard cluster.options.mode == .off || cluster.options.mode == .observe else { return nil }
        if let difference { return difference }
        // Within an event one of the two may be ahead; a second later neither is.
        if node != nil { return nil }
        for node in cluster.nodes {
            guard let server = node.node, let shadow = node.shadow, node.host.pause == nil else { continue }
            let ticks = [
                UInt64(node.starts), server.inspectTables { $0.tableTick }, shadow.inspectTables { $0.tableTick },
            ]
            if compared[node.index] == ticks { continue }
            compared[node.index] = ticks
            let (own, stock) = (server.inspectTables { $0.served }, shadow.inspectTables { $0.served })
            if own != stock {
                return "\(node.host.name) serves \(own), stock would \(stock)"
            }
        }
        return nil
    }
}
