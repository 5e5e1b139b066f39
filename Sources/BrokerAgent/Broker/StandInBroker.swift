// The shell around `BrokerCore`: the port, the timer, the registrations and, on a slave, the connection to the master.

import Basics
import Platform
import Remoting
import RemotingTransport

/// A broker for demonstrations and experiments: real clients can use it, and it stores nothing on disk.
public final class StandInBroker {
    /// How to set one up.
    public struct Options: Sendable {
        /// Who it is. A port of 0 is replaced by the one the system chose.
        public var identity: BrokerIdentity
        /// Where it listens; nil = at the identity's address.
        public var listenAddress: Address?
        /// Every NameServer; none makes a broker that clients cannot find.
        public var nameServers: [Address]
        /// The rhythm of registering.
        public var timings = RegistrationTimings()
        /// Topics besides RocketMQ's own.
        public var topics: [TopicConfig] = []
        /// Whether a send to an unknown topic creates it. Default true, as RocketMQ's.
        public var autoCreateTopics = true
        /// Memory limits.
        public var limits = BrokerLimits()
        /// Signs each request to NameServers; nil = they are not signed.
        public var sign: RequestSigner?
        /// Decides the jitter of retries.
        public var seed: UInt64

        /// A broker with the default rhythm and limits and no topics of its own.
        public init(identity: BrokerIdentity, nameServers: [Address], seed: UInt64) {
            self.identity = identity
            self.nameServers = nameServers
            self.seed = seed
        }
    }

    /// Something an operator wants to see.
    public enum Event: Hashable, Sendable {
        /// A NameServer's phase changed.
        case nameServer(RegistrationAgent.Change)
        /// The NameServers name another master, or none.
        case master(Address?)
        /// Copying from the master began, or ended with a reason.
        case copying(from: Address, isCopying: Bool, reason: String)
        /// Topics were created or changed.
        case topicsChanged([String])
    }

    /// Who it is, with its real port.
    public let identity: BrokerIdentity
    /// Called for each event, on the loop's thread.
    public var onEvent: ((Event) -> Void)?

    let platform: any Platform
    var core: BrokerCore
    var copy = MasterCopy()
    var masterConnection: RemotingConnection?
    var random: SeededGenerator
    private let port: Port
    private let server: RemotingServer
    private let agent: RegistrationAgent
    private lazy var timer = platform.makeTimer { [weak self] in self?.advance() }
    private var isStopping = false

    /// Listens at once; registers after `start`.
    public init(platform: any Platform, options: Options) throws(PlatformError) {
        self.platform = platform
        port = Port()
        server = try RemotingServer(
            platform: platform, address: options.listenAddress ?? options.identity.address, handler: port)
        var identity = options.identity
        if identity.address.port == 0 { identity.address.port = server.address.port }
        self.identity = identity
        random = SeededGenerator(seed: options.seed)
        core = BrokerCore(
            identity: identity, topics: options.topics, autoCreateTopics: options.autoCreateTopics,
            limits: options.limits, now: platform.now, wallTime: platform.wallTime)
        let table = TableReference()
        agent = RegistrationAgent(
            platform: platform, identity: identity, nameServers: options.nameServers, timings: options.timings,
            seed: random.next(), sign: options.sign, topics: { table.read() })
        table.owner = self
        port.owner = self
    }

    /// The NameServers with what is known about each.
    public var nameServers: [(address: Address, state: NameServerState)] {
        Array(zip(agent.nameServers, agent.states))
    }

    /// Totals since the start.
    public var counters: BrokerCore.Counters { core.counters }

    /// Whether this slave follows its master now.
    public var isCopying: Bool { copy.isCopying }

    /// Registers everywhere, from now on.
    public func start() {
        agent.onChange = { [weak self] change in self?.onEvent?(.nameServer(change)) }
        agent.onMasterChange = { [weak self] address in self?.masterChanged(address) }
        agent.start()
        armTimer()
    }

    /// Unregisters everywhere, closes the port, and then calls back; bounded by the timings' unregisterTimeout.
    public func stop(_ completion: @escaping () -> Void) {
        isStopping = true
        agent.stop { [self] in
            timer.cancel()
            masterConnection?.close()
            server.close()
            completion()
        }
    }

    fileprivate func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        var directives: [BrokerCore.Directive] = []
        core.handle(
            command, from: peer.id, at: peer.remoteAddress, now: platform.now, wallTime: platform.wallTime,
            directives: &directives)
        perform(directives)
    }

    fileprivate func closed(_ peer: RemotingPeer) {
        var directives: [BrokerCore.Directive] = []
        core.connectionClosed(peer.id, directives: &directives)
        perform(directives)
    }

    private func advance() {
        let now = platform.now
        var directives: [BrokerCore.Directive] = []
        core.advance(now: now, wallTime: platform.wallTime, directives: &directives)
        perform(directives)
        advanceCopy(now: now)
    }

    func perform(_ directives: [BrokerCore.Directive]) {
        for directive in directives {
            switch directive {
            case .send(let connection, let command): port.peers[connection]?.send(command)
            case .topicsChanged(let names):
                agent.topicsChanged(names)
                onEvent?(.topicsChanged(names))
            }
        }
        armTimer()
    }

    func armTimer() {
        if isStopping { return }
        timer.start(at: min(core.nextDeadline, copy.nextDeadline))
    }
}

/// The peers by their number, and the way from the server to the broker that owns it.
private final class Port: RemotingServerHandler {
    weak var owner: StandInBroker?
    var peers: [UInt64: RemotingPeer] = [:]

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        peers[peer.id] = peer
        owner?.received(command, from: peer)
    }

    func closed(_ peer: RemotingPeer) {
        peers[peer.id] = nil
        owner?.closed(peer)
    }
}

/// The way from the agent, which is made first, to the broker's topics.
private final class TableReference {
    unowned var owner: StandInBroker!

    func read() -> TopicTable { owner.core.topics }
}
