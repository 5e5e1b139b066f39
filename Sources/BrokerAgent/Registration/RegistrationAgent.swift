// The shell around `RegistrationSchedule`: one connection per NameServer, one timer, and the requests.

import Basics
import Platform
import Remoting
import RemotingTransport

/// Keeps one broker registered with every NameServer. Usable by any broker, not only the stand-in.
public final class RegistrationAgent {
    /// One NameServer's phase changed.
    public struct Change: Hashable, Sendable {
        /// The NameServer.
        public var nameServer: Address
        /// Where the broker stood before.
        public var from: NameServerState.Phase
        /// Where it stands now, with the reason of the last failure.
        public var state: NameServerState
    }

    /// The NameServers, in the order of `states`.
    public let nameServers: [Address]
    /// Called on every change of a NameServer's phase.
    public var onChange: ((Change) -> Void)?
    /// Called when the NameServers name another master, or none any more (slaves only).
    public var onMasterChange: ((Address?) -> Void)?

    private let platform: any Platform
    private let topics: () -> TopicTable
    private var schedule: RegistrationSchedule
    private var requests: RegistrationRequests
    private var random: SeededGenerator
    private var connections: [RemotingConnection] = []
    private var onStopped: (() -> Void)?
    private lazy var timer = platform.makeTimer { [weak self] in self?.take(.tick) }

    /// Prepares to register `identity`; nothing happens until `start`.
    ///
    /// - Parameters:
    ///   - seed: decides the jitter of retries.
    ///   - sign: signs each request; nil = they are not signed.
    ///   - topics: the broker's topics at the time of a registration.
    public init(
        platform: any Platform, identity: BrokerIdentity, nameServers: [Address], timings: RegistrationTimings,
        seed: UInt64, sign: RequestSigner? = nil, topics: @escaping () -> TopicTable
    ) {
        self.platform = platform
        self.nameServers = nameServers
        self.topics = topics
        schedule = RegistrationSchedule(serverCount: nameServers.count, timings: timings)
        requests = RegistrationRequests(identity: identity)
        random = SeededGenerator(seed: seed)
        for (index, address) in nameServers.enumerated() {
            var options = RemotingConnectionOptions()
            options.connectTimeout = min(options.connectTimeout, timings.answerTimeout)
            options.sign = sign
            let connection = RemotingConnection(platform: platform, address: address, options: options)
            connection.onClose = { [weak self] reason in
                self?.take(.connectionClosed(server: index, reason: "\(RemotingCallError.closed(reason))"))
            }
            connections.append(connection)
        }
    }

    /// What is known about each NameServer, in the order of `nameServers`.
    public var states: [NameServerState] { schedule.states }

    /// Registers with all NameServers, from now on.
    public func start() { take(.started) }

    /// Topics were created or changed; their table has a new DataVersion already.
    public func topicsChanged(_ names: [String]) { take(.topicsChanged(names)) }

    /// Unregisters from all NameServers and then calls back, after `RegistrationTimings.unregisterTimeout` at the latest.
    public func stop(_ completion: @escaping () -> Void) {
        onStopped = completion
        take(.stopRequested)
    }

    private func take(_ event: RegistrationSchedule.Event) {
        var directives: [RegistrationSchedule.Directive] = []
        schedule.handle(event, now: platform.now, random: &random, directives: &directives)
        for directive in directives { perform(directive) }
        timer.start(at: schedule.nextDeadline)
    }

    private func perform(_ directive: RegistrationSchedule.Directive) {
        switch directive {
        case .register(let server, let attempt, let kind):
            let command =
                switch kind {
                case .full: requests.full(topics())
                case .incremental(let names): requests.incremental(names, of: topics())
                }
            connections[server].call(command, timeout: schedule.timings.answerTimeout) { [weak self] result in
                self?.take(.answered(server: server, attempt: attempt, RegistrationAgent.outcome(result)))
            }
        case .heartbeat(let server): connections[server].send(requests.heartbeat())
        case .unregister(let server):
            connections[server].call(requests.unregister(), timeout: schedule.timings.unregisterTimeout) {
                [weak self] result in
                let succeeded = (try? result.get())?.code == ResponseCode.success
                self?.take(.unregistered(server: server, succeeded: succeeded))
            }
        case .changed(let server, let from, _):
            onChange?(Change(nameServer: nameServers[server], from: from, state: schedule.states[server]))
        case .masterChanged(let address): onMasterChange?(address.flatMap { Address($0) })
        case .finished: finish()
        }
    }

    private func finish() {
        timer.cancel()
        for connection in connections { connection.close() }
        let completion = onStopped
        onStopped = nil
        completion?()
    }

    private static func outcome(
        _ result: Result<RemotingCommand, RemotingCallError>
    ) -> Result<RegistrationSchedule.Acceptance, RegistrationFailure> {
        switch result {
        case .failure(let error): .failure(.unreachable("\(error)"))
        case .success(let answer) where answer.code == ResponseCode.success:
            .success(.init(masterAddress: answer["masterAddr"]))
        case .success(let answer): .failure(.refused(code: answer.code, remark: answer.remark ?? ""))
        }
    }
}
