import Basics

/// A cluster whose faults somebody writes down instead of drawing them: for scenarios with expected numbers.
public final class Scenario {
    /// The cluster; it runs from the start.
    public let cluster: Cluster
    private let injector: FaultInjector

    /// Makes a cluster and starts it; `prepare` has a look at it first.
    public init(_ options: ClusterOptions, prepare: (Cluster) -> Void = { _ in }) {
        cluster = Cluster(options: options)
        prepare(cluster)
        injector = FaultInjector(cluster)
        cluster.world.afterEvent = { [unowned self] in cluster.truth.update() }
        cluster.start()
    }

    deinit { cluster.world.tearDown() }

    /// True time, in seconds.
    public var time: Double { Double(cluster.world.time) / 1e9 }

    /// Runs up to a true time in seconds.
    public func run(until seconds: Double) { cluster.world.run(until: Int64(seconds * 1e9)) }

    /// Makes a fault happen at a true time in seconds.
    public func at(_ seconds: Double, _ fault: Fault) {
        cluster.world.at(Int64(seconds * 1e9)) { [unowned self] in injector.apply(fault) }
    }

    /// Makes anything happen at a true time in seconds.
    public func at(_ seconds: Double, _ task: @escaping () -> Void) { cluster.world.at(Int64(seconds * 1e9), task) }

    /// When a node's answers began or ceased to name a broker, after a time: in seconds.
    public func changes(node: Int, broker: Int, after seconds: Double = 0) -> [(time: Double, isServed: Bool)] {
        cluster.truth.changes
            .filter { $0.node == node && $0.broker == broker && Double($0.time) / 1e9 >= seconds }
            .map { (Double($0.time) / 1e9, $0.isServed) }
    }

    /// When any node last heard a broker, in seconds.
    public func lastHeard(_ broker: Int) -> Double { Double(cluster.truth.lastHeard[broker] ?? 0) / 1e9 }
}
