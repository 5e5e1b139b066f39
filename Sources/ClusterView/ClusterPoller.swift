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

    /// Events kept of each node, as many as it keeps itself.
    static let eventsRemembered = 64

    private let platform: any Platform
    private let interval: Duration
    private var connections: [RemotingConnection] = []
    private var previous: [Sample?]
    private var waiting: Int = 0
    private var fresh: [ClusterModel.Event] = []
    private var differences = DifferenceTracker()
    /// Nodes worth asking for their gossip: not those that said they have none.
    private var hasGossip: [Bool]
    private lazy var timer = platform.makeTimer { [weak self] in self?.ask() }

    private struct Sample {
        var at: Instant
        var status: NodeStatus

        /// Whether both are from one life of the process: its age has grown as much as time has passed.
        func isSameLife(as later: Sample) -> Bool {
            let passed = (later.at - at).wholeMilliseconds
            return abs(later.status.uptimeMillis - status.uptimeMillis - passed) < 1_000
        }
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
        hasGossip = nodes.map { _ in true }
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
        waiting = connections.count + hasGossip.count { $0 }
        for index in connections.indices {
            let since = previous[index]?.status.lastEventSequence ?? 0
            let request = RemotingCommand(
                request: RequestCode.getNodeStatus, fields: ["sinceEvent": "\(since)"])
            connections[index].call(request, timeout: interval) { [weak self] result in
                self?.answered(index, result)
            }
            guard hasGossip[index] else { continue }
            connections[index].call(RemotingCommand(request: RequestCode.getGossipStatus), timeout: interval) {
                [weak self] result in self?.gossiped(index, result)
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
        answeredOne()
    }

    private func gossiped(_ index: Int, _ result: Result<RemotingCommand, RemotingCallError>) {
        switch result {
        case .success(let answer) where answer.code == ResponseCode.success:
            model.nodes[index].gossip = try? JSONDecoder().decode(GossipStatus.self, from: Data(answer.body))
        case .success:
            model.nodes[index].gossip = nil
            hasGossip[index] = false
        case .failure: model.nodes[index].gossip = nil
        }
        answeredOne()
    }

    private func answeredOne() {
        waiting -= 1
        if waiting == 0 { endRound() }
    }

    private func update(_ index: Int, _ status: NodeStatus) {
        let name = model.nodes[index].name
        let now = platform.now
        if model.nodes[index].status == nil { note("\(name) up") }
        var sample = Sample(at: now, status: status)
        if let before = previous[index] {
            if before.isSameLife(as: sample) {
                let seconds = max(Double((now - before.at).wholeMilliseconds) / 1000, 0.001)
                let (old, new) = (before.status.counters, status.counters)
                model.nodes[index].registrationsPerSecond = Double(new.registrations - old.registrations) / seconds
                model.nodes[index].lookupsPerSecond = Double(new.lookups - old.lookups) / seconds
            } else {
                // The new life counts its events from 1 again: the next round asks for all of them. And it may gossip.
                hasGossip[index] = true
                sample.status.events = []
                sample.status.lastEventSequence = 0
            }
        }
        for event in sample.status.events {
            let time = WallTime(milliseconds: event.wallMillis)
            fresh.append(ClusterModel.Event(time: time, line: stamped(time, "\(name) \(event.text)")))
        }
        // The node tells each event once; why a broker is missing is asked for later.
        let isSameLife = previous[index].map { $0.isSameLife(as: sample) } ?? true
        let remembered = isSameLife ? model.nodes[index].status?.events ?? [] : []
        previous[index] = sample
        model.nodes[index].status = status
        model.nodes[index].status?.events = (remembered + sample.status.events).suffix(Self.eventsRemembered)
        model.nodes[index].error = nil
    }

    private func down(_ index: Int, _ reason: String) {
        if model.nodes[index].status != nil { note("\(model.nodes[index].name) down: \(reason)") }
        model.nodes[index].status = nil
        model.nodes[index].gossip = nil
        model.nodes[index].error = reason
        hasGossip[index] = true
    }

    private func endRound() {
        let readings = model.nodes.map(\.reading)
        for line in differences.update(
            ClusterComparison.brokerDifferences(readings), up: readings.filter(\.isUp).map(\.name), now: platform.now)
        {
            note(line)
        }
        model.differences = differences.standing
        model.add(fresh)
        let events = fresh
        fresh.removeAll()
        onRound?(events)
    }

    /// `14:03:22 text`, in UTC.
    private func stamped(_ time: WallTime, _ line: String) -> String {
        let seconds = time.milliseconds / 1000 % 86400
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) \(printable(line))"
    }
}
