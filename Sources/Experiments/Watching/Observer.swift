// The experiment's eyes: asks every node what it knows, as any tool does, and tells what has changed since the last answer.
//
//   timer ──▶ NodeWatch (one per node) ──▶ 29001 · 29002 · topic list · (Apache's: broker groups) ──▶ NodeReading
//                                                                             │
//                                            HistoryEvents ◀── NodeAccount ◀──┘   (differences only)

import Basics
import ClusterView
import Platform
import Remoting
import RemotingTransport

/// Asks every node at intervals, over connections that no fault of the experiment touches.
///
/// What is seen is as old as the interval at most; a node that does not answer keeps what was last seen of it.
public final class Observer {
    /// How each node last saw each broker replica, by node and index of `Scenario.replicas`; nil before its first answer.
    public var sights: [[HistoryEvent.Sight?]] { watches.map(\.account.sights) }

    private let watches: [NodeWatch]

    /// Nothing is asked before `start`.
    ///
    /// - Parameters:
    ///   - nodes: in the order of `scenario.nodes`.
    ///   - interval: between two questions to one node, in the platform's time.
    ///   - time: scenario seconds now, for the events.
    public init(
        platform: any Platform, scenario: Scenario, nodes: [Address], interval: Duration,
        time: @escaping () -> Double, onEvent: @escaping (HistoryEvent) -> Void
    ) {
        precondition(nodes.count == scenario.nodes.count, "\(nodes.count) addresses, \(scenario.nodes.count) nodes")
        watches = nodes.indices.map { index in
            NodeWatch(
                platform: platform, address: nodes[index], interval: interval,
                account: NodeAccount(node: index, replicas: scenario.replicas)
            ) { onEvent(HistoryEvent(time: time(), $0)) }
        }
    }

    /// Asks for the first time now.
    public func start() { for watch in watches { watch.ask() } }

    /// Asks no more and closes the connections.
    public func stop() { for watch in watches { watch.stop() } }

    /// Whether every node's last question was answered.
    public var isAnswered: Bool { watches.allSatisfy(\.isAnswered) }

    /// Whether every node's last question was answered and says that it heard all of these replicas itself, and, with
    /// gossip, that it is ready and agrees with every peer.
    public func agrees(on replicas: some Sequence<Int>) -> Bool {
        watches.allSatisfy { watch in
            watch.isAnswered && watch.account.isContent
                && replicas.allSatisfy { watch.account.sights[$0] == .registered }
        }
    }
}

/// Asks one node, and the next time only when it has answered or its time is over.
private final class NodeWatch {
    /// What is known of it.
    private(set) var account: NodeAccount
    /// Whether its last question was answered.
    private(set) var isAnswered = false

    private let platform: any Platform
    private let interval: Duration
    private let timeout: Duration
    private let connection: RemotingConnection
    private let onEvent: (HistoryEvent.Kind) -> Void
    private var reading: NodeReading
    private var waiting = 0
    /// What it answered with an error and is not asked again before it restarts.
    private var refused: Set<Int32> = []
    private lazy var timer = platform.makeTimer { [weak self] in self?.ask() }

    /// A busy node is slower than a short interval; one that is gone is asked again every second.
    private static let leastTimeout = Duration.seconds(1)

    init(
        platform: any Platform, address: Address, interval: Duration, account: NodeAccount,
        onEvent: @escaping (HistoryEvent.Kind) -> Void
    ) {
        self.platform = platform
        self.interval = interval
        self.account = account
        self.onEvent = onEvent
        timeout = max(interval, Self.leastTimeout)
        var options = RemotingConnectionOptions()
        options.connectTimeout = timeout
        connection = RemotingConnection(platform: platform, address: address, options: options)
        reading = NodeReading(name: "", address: address)
    }

    func stop() {
        timer.cancel()
        waiting = 0
        connection.close()
    }

    func ask() {
        timer.start(at: platform.now + interval)
        guard waiting == 0 else { return }
        reading = NodeReading(name: "", address: connection.address)
        // Apache's NameServers know neither of the first two; the others need not be asked for their broker groups.
        let codes = [
            RequestCode.getNodeStatus, RequestCode.getGossipStatus, RequestCode.getAllTopicListFromNameServer,
        ].filter { !refused.contains($0) }
        let asked = codes.first == RequestCode.getNodeStatus ? codes : codes + [RequestCode.getBrokerClusterInfo]
        waiting = asked.count
        for code in asked { ask(code) }
    }

    private func ask(_ code: Int32) {
        var request = RemotingCommand(request: code)
        if code == RequestCode.getNodeStatus { request["sinceEvent"] = "\(Int64.max)" }
        connection.call(request, timeout: timeout) { [weak self] in self?.answered(code, $0) }
    }

    private func answered(_ code: Int32, _ result: Result<RemotingCommand, RemotingCallError>) {
        guard waiting > 0 else { return }
        waiting -= 1
        switch result {
        case .failure(let error): reading.error = error.description
        case .success(let answer) where answer.code == ResponseCode.success: reading.take(answer, to: code)
        case .success(let answer) where code == RequestCode.getBrokerClusterInfo:
            // Apache's reads its tables without a lock, and fails now and then: nothing is known then.
            reading.error = "it does not tell its brokers: code \(answer.code)"
        case .success:
            refused.insert(code)
            // One that refuses its status is another program: its groups are still to be asked for.
            if code == RequestCode.getNodeStatus {
                waiting += 1
                ask(RequestCode.getBrokerClusterInfo)
            }
        }
        if waiting == 0 { finish() }
    }

    private func finish() {
        isAnswered = reading.isUp
        guard isAnswered else {
            // Whoever answers there next may be another program, or have another mode.
            refused.removeAll()
            return
        }
        for event in account.update(reading) { onEvent(event) }
    }
}
