import Basics
import Platform
import Remoting
import RemotingTransport

/// Asks every node for its status at intervals, each on its own connection, and keeps the `ClusterModel` current.
///
/// A node that does not answer delays no other by more than one interval; it is shown as down until it answers again.
public final class ClusterPoller {
    /// Which thread makes sense of the answers.
    public enum Place: Sendable {
        /// The platform's own: for programs that have nothing else to do.
        case here
        /// Another one: for nodes, whose loop has lookups to answer.
        case worker
    }

    /// What is known now.
    public var model: ClusterModel { account.model }
    /// Called after each round, with the events that came in since the last one.
    public var onRound: (([ClusterModel.Event]) -> Void)?

    private let platform: any Platform
    private let interval: Duration
    private let place: Place
    private let connections: [RemotingConnection]
    private var account: ClusterAccount
    private var round: PollRound
    private var notes: [ClusterModel.Event] = []
    /// Answers that the round still waits for; nil between two rounds.
    private var waiting: Int?
    /// The next round should have begun.
    private var isDue = false
    private var isStopped = false
    private lazy var timer = platform.makeTimer { [weak self] in self?.ask() }

    /// A poller for the nodes in their configured order.
    ///
    /// - Parameters:
    ///   - interval: time between two rounds; also the time a node has to answer.
    ///   - tellsFirstSight: whether a node's first answer is an event: for who has started the nodes.
    ///   - sign: signs each request; nil = they are not signed.
    public init(
        platform: any Platform, cluster: String, nodes: [(name: String, address: Address)], interval: Duration,
        place: Place = .here, tellsFirstSight: Bool = true, sign: RequestSigner? = nil
    ) {
        self.platform = platform
        self.interval = interval
        self.place = place
        account = ClusterAccount(cluster: cluster, nodes: nodes, tellsFirstSight: tellsFirstSight)
        round = PollRound(nodes: nodes.map { _ in PollRound.NodeAnswers() })
        var options = RemotingConnectionOptions()
        options.connectTimeout = interval
        options.sign = sign
        connections = nodes.map { RemotingConnection(platform: platform, address: $0.address, options: options) }
    }

    /// Starts the first round now.
    public func start() { ask() }

    /// Stops asking and closes the connections.
    public func stop() {
        isStopped = true
        timer.cancel()
        for connection in connections { connection.close() }
    }

    /// Adds something seen from here, for example that a process has ended.
    public func note(_ line: String) { notes.append(ClusterModel.Event(seenAt: platform.wallTime, line)) }

    private func ask() {
        if isStopped { return }
        guard waiting == nil else {
            isDue = true
            return
        }
        isDue = false
        timer.start(at: platform.now + interval)
        round = PollRound(nodes: connections.map { _ in PollRound.NodeAnswers() })
        // One more, so that nothing ends before everything is asked.
        waiting = 1 + connections.count + account.hasGossip.count { $0 }
        for index in connections.indices {
            let request = RemotingCommand(
                request: RequestCode.getNodeStatus, fields: ["sinceEvent": "\(account.lastEvent(index))"])
            connections[index].call(request, timeout: interval) { [weak self] result in
                guard let self else { return }
                (round.nodes[index].status, round.nodes[index].at) = (PollRound.Answer(result), platform.now)
                answered()
            }
            guard account.hasGossip[index] else { continue }
            connections[index].call(RemotingCommand(request: RequestCode.getGossipStatus), timeout: interval) {
                [weak self] result in
                self?.round.nodes[index].gossip = PollRound.Answer(result)
                self?.answered()
            }
        }
        answered()
    }

    private func answered() {
        guard let count = waiting else { return }
        waiting = count - 1
        guard waiting == 0, !isStopped else { return }
        round.notes = notes
        notes = []
        let (now, wallTime) = (platform.now, platform.wallTime)
        switch place {
        case .here: ended(account.take(round, now: now, wallTime: wallTime))
        case .worker:
            let (before, round) = (account, round)
            platform.offload {
                var account = before
                let events = account.take(round, now: now, wallTime: wallTime)
                return (account, events)
            } completion: { [weak self] (account, events) in
                guard let self, !isStopped else { return }
                self.account = account
                ended(events)
            }
        }
    }

    private func ended(_ events: [ClusterModel.Event]) {
        waiting = nil
        onRound?(events)
        if isDue { ask() }
    }
}

extension PollRound.Answer {
    fileprivate init(_ result: Result<RemotingCommand, RemotingCallError>) {
        switch result {
        case .success(let answer):
            self = answer.code == ResponseCode.success ? .body(answer.body) : .refused(answer.code)
        case .failure(let error): self = .failed(error.description)
        }
    }
}
