import Basics
import FoundationEssentials
import Platform
import Remoting
import RemotingTransport

/// Asks every node for its status at intervals, each on its own connection, and keeps the `ClusterModel` current.
///
/// A node that does not answer delays no other; it is shown as down until it answers again.
public final class ClusterPoller {
    /// What is known now.
    public private(set) var model: ClusterModel
    /// Called after each round, with the events that came in since the last one.
    public var onRound: (([ClusterModel.Event]) -> Void)?

    private let platform: any Platform
    private let interval: Duration
    private var connections: [RemotingConnection] = []
    private var previous: [Sample?]
    private var waiting: Int = 0
    private var fresh: [ClusterModel.Event] = []
    private lazy var timer = platform.makeTimer { [weak self] in self?.ask() }

    private struct Sample {
        var at: Instant
        var status: NodeStatus
    }

    /// A poller for the nodes in their configured order.
    ///
    /// - Parameter interval: time between two rounds; also the time a node has to answer.
    public init(platform: any Platform, cluster: String, nodes: [(name: String, address: Address)], interval: Duration)
    {
        self.platform = platform
        self.interval = interval
        model = ClusterModel(cluster: cluster, nodes: nodes)
        previous = nodes.map { _ in nil }
        var options = RemotingConnectionOptions()
        options.connectTimeout = interval
        connections = nodes.map { RemotingConnection(platform: platform, address: $0.address, options: options) }
    }

    /// Starts the first round now.
    public func start() { ask() }

    /// Stops asking and closes the connections.
    public func stop() {
        timer.cancel()
        for connection in connections { connection.close() }
    }

    /// Adds something seen from here, for example that a process has ended.
    public func note(_ line: String) {
        fresh.append(ClusterModel.Event(time: platform.wallTime, line: stamped(platform.wallTime, line)))
    }

    private func ask() {
        waiting = connections.count
        for index in connections.indices {
            let since = previous[index]?.status.lastEventSequence ?? 0
            let request = RemotingCommand(
                request: RequestCode.getNodeStatus, fields: ["sinceEvent": "\(since)"])
            connections[index].call(request, timeout: interval) { [weak self] result in
                self?.answered(index, result)
            }
        }
        timer.start(at: platform.now + interval)
    }

    private func answered(_ index: Int, _ result: Result<RemotingCommand, RemotingCallError>) {
        switch result {
        case .success(let answer) where answer.code == ResponseCode.success:
            do {
                update(index, try JSONDecoder().decode(NodeStatus.self, from: Data(answer.body)))
            } catch {
                down(index, "its status cannot be read")
            }
        case .success(let answer): down(index, "status refused, code \(answer.code)")
        case .failure(let error): down(index, error.description)
        }
        waiting -= 1
        if waiting == 0 { endRound() }
    }

    private func update(_ index: Int, _ status: NodeStatus) {
        let name = model.nodes[index].name
        let now = platform.now
        if model.nodes[index].status == nil { note("\(name) up") }
        // A restarted node counts from zero again.
        if let before = previous[index], before.status.uptimeMillis <= status.uptimeMillis {
            let seconds = Double((now - before.at).wholeMilliseconds) / 1000
            model.nodes[index].registrationsPerSecond =
                Double(status.counters.registrations - before.status.counters.registrations) / max(seconds, 0.001)
            model.nodes[index].lookupsPerSecond =
                Double(status.counters.lookups - before.status.counters.lookups) / max(seconds, 0.001)
        }
        for event in status.events {
            let time = WallTime(milliseconds: event.wallMillis)
            fresh.append(ClusterModel.Event(time: time, line: stamped(time, "\(name) \(event.text)")))
        }
        previous[index] = Sample(at: now, status: status)
        model.nodes[index].status = status
        model.nodes[index].error = nil
    }

    private func down(_ index: Int, _ reason: String) {
        if model.nodes[index].status != nil { note("\(model.nodes[index].name) down: \(reason)") }
        // Whoever answers there next starts its events from the beginning.
        previous[index] = nil
        model.nodes[index].status = nil
        model.nodes[index].error = reason
    }

    private func endRound() {
        model.add(fresh)
        let events = fresh
        fresh.removeAll()
        onRound?(events)
    }

    /// `14:03:22 text`, in UTC.
    private func stamped(_ time: WallTime, _ line: String) -> String {
        let seconds = time.milliseconds / 1000 % 86400
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) \(line)"
    }
}
