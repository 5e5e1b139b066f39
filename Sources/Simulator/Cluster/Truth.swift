import Basics
import NameServerCore
import NameServerNode

/// What really happened, in true time: what no node can know and every check needs.
public final class Truth {
    /// One node's view of one broker, as of the last event that touched the node.
    public struct View: Hashable, Sendable {
        /// Whether the node's answers name the broker.
        public var isServed = false
        /// Whether its shadow's do.
        public var isServedByShadow = false
        /// True time when `isServedByShadow` was last true.
        public var lastServedByShadow: Int64?
        /// True time of the last heartbeat that this node processed; nil = none in this life.
        public var heardAt: Int64?
        fileprivate var lastHeard: Instant?
    }

    /// A node's answers began or ceased to name a broker.
    public struct Change: Hashable, Sendable {
        /// True time.
        public var time: Int64
        /// Which node.
        public var node: Int
        /// Which broker.
        public var broker: Int
        /// From now on.
        public var isServed: Bool
    }

    /// All of them so far, in order.
    public private(set) var changes: [Change] = []
    /// By node, then broker.
    public private(set) var views: [[View]]
    /// True time of the last heartbeat that any node processed, by broker; nil = none ever.
    public private(set) var lastHeard: [Int64?]
    /// Which nodes the last event touched.
    public private(set) var touched: [Int] = []
    /// Of which of these the views were looked at anew: of the others they are as they were.
    public private(set) var refreshed: [Int] = []
    /// Time a host's clock stood still, as (start, end) in true time, by host.
    public private(set) var frozen: [[Range<Int64>]]
    /// True time when a host last went on after a pause, by host.
    public private(set) var resumedAt: [Int64]

    private unowned let cluster: Cluster
    private var starts: [Int]
    private var requests: [Int]
    private var ticks: [UInt64]
    private var shadowTicks: [UInt64]

    init(_ cluster: Cluster) {
        self.cluster = cluster
        let nodes = cluster.nodes.count
        views = Array(repeating: Array(repeating: View(), count: cluster.brokers.count), count: nodes)
        lastHeard = Array(repeating: nil, count: cluster.brokers.count)
        starts = Array(repeating: 0, count: nodes)
        requests = Array(repeating: 0, count: nodes)
        ticks = Array(repeating: 0, count: nodes)
        shadowTicks = Array(repeating: 0, count: nodes)
        frozen = Array(repeating: [], count: cluster.hosts.count)
        resumedAt = Array(repeating: 0, count: cluster.hosts.count)
    }

    /// Notes what the last event changed. After every event.
    func update() {
        touched.removeAll(keepingCapacity: true)
        if !refreshed.isEmpty { refreshed.removeAll(keepingCapacity: true) }
        for index in cluster.world.touched where !touched.contains(index) {
            touched.append(index)
            refresh(cluster.nodes[index])
        }
        cluster.world.touched.removeAll(keepingCapacity: true)
    }

    private func refresh(_ node: SimulatedNode) {
        let index = node.index
        if starts[index] != node.starts || node.node == nil {
            starts[index] = node.starts
            requests[index] = -1
            refreshed.append(index)
            forget(index)
        }
        guard let server = node.node else { return }
        let (count, tick) = server.inspectTables { ($0.counters.requests, $0.tableTick) }
        let shadowTick = node.shadow?.inspectTables { $0.tableTick } ?? 0
        if count == requests[index], tick == ticks[index], shadowTick == shadowTicks[index] { return }
        (requests[index], ticks[index], shadowTicks[index]) = (count, tick, shadowTick)
        refreshed.append(index)
        for broker in cluster.brokers { look(at: broker, in: server, of: node) }
    }

    private func forget(_ node: Int) {
        for broker in views[node].indices {
            if views[node][broker].isServed { note(node, broker, false) }
            let old = views[node][broker]
            views[node][broker] = View(
                lastServedByShadow: old.isServedByShadow ? cluster.world.time : old.lastServedByShadow)
        }
    }

    private func note(_ node: Int, _ broker: Int, _ isServed: Bool) {
        changes.append(Change(time: cluster.world.time, node: node, broker: broker, isServed: isServed))
    }

    private func look(at broker: SimulatedBroker, in server: NameServerNode, of node: SimulatedNode) {
        let (heard, isServed) = server.inspectTables { tables in
            let token = tables.token(of: broker.replica)
            return (token.flatMap { tables.hearing(of: $0)?.lastHeard }, tables.serves(broker.replica))
        }
        let time = cluster.world.time
        var view = views[node.index][broker.index]
        if let heard, heard != view.lastHeard {
            view.lastHeard = heard
            view.heardAt = time
            lastHeard[broker.index] = time
        }
        if isServed != view.isServed { note(node.index, broker.index, isServed) }
        view.isServed = isServed
        let isShadowed = node.shadow?.inspectTables { $0.serves(broker.replica) } ?? false
        if view.isServedByShadow || isShadowed { view.lastServedByShadow = time }
        view.isServedByShadow = isShadowed
        views[node.index][broker.index] = view
    }

    // MARK: What faults report

    func didPause(_ host: Host, clockRuns: Bool) {
        if !clockRuns { frozen[host.index].append(cluster.world.time..<Int64.max) }
    }

    func didResume(_ host: Host) {
        resumedAt[host.index] = cluster.world.time
        if let last = frozen[host.index].last, last.upperBound == .max {
            frozen[host.index][frozen[host.index].count - 1] = last.lowerBound..<cluster.world.time
        }
    }

    /// For how long a host's clock stood still since a moment.
    public func frozenTime(of host: Host, since moment: Int64) -> Int64 {
        frozen[host.index].reduce(0) { sum, range in
            sum + max(0, min(range.upperBound, cluster.world.time) - max(range.lowerBound, moment))
        }
    }
}
