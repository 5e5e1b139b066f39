import Basics
import BrokerAgent
import Remoting

/// One broker host: the production registration agent with real topics, and nothing else of a broker.
public final class SimulatedBroker {
    /// From 0.
    public let index: Int
    /// Its machine.
    public let host: Host
    /// Who it is.
    public let identity: BrokerIdentity
    /// Who it is to a node's tables.
    public let replica: ReplicaIdentity
    /// What it registers; kept over restarts, as a broker's disk keeps it.
    public private(set) var topics: TopicTable
    /// The running agent; nil while it is down.
    public private(set) var agent: RegistrationAgent?
    /// Whether it is saying goodbye, or has.
    public private(set) var isStopping = false
    /// True time since which it is down or stopping; nil while it is up.
    public private(set) var downSince: Int64? = 0

    /// Topics it has dropped, and when in true time; its next full registration no longer names them.
    public private(set) var dropped: [String: Int64] = [:]

    private let nameServers: [Address]
    private let timings: RegistrationTimings
    private var random: SeededGenerator
    private var topicNumber = 0

    init(
        index: Int, host: Host, identity: BrokerIdentity, nameServers: [Address], options: ClusterOptions, seed: UInt64
    ) {
        self.index = index
        self.host = host
        self.identity = identity
        self.nameServers = nameServers
        replica = ReplicaIdentity(
            cluster: identity.cluster, name: identity.name, id: identity.brokerID, address: "\(identity.address)")
        timings =
            options.heartbeat == .seconds(30) ? RegistrationTimings() : .scaled(to: options.heartbeat)
        random = SeededGenerator(seed: seed)
        topics = TopicTable(identity: identity, limit: 10_000, wallTime: host.wallTime)
        for number in 0..<options.topicsPerBroker {
            _ = topics.put(SimulatedBroker.topic("topic-\(number)"), wallTime: host.wallTime)
        }
        _ = topics.put(SimulatedBroker.topic("only-\(identity.name)"), wallTime: host.wallTime)
    }

    private static func topic(_ name: String) -> TopicConfig { TopicConfig(name, readQueues: 4, writeQueues: 4) }

    /// Whether it runs and means to go on.
    public var isUp: Bool { agent != nil && !isStopping }

    /// Whether it registers at this node.
    public func registers(at node: SimulatedNode) -> Bool { nameServers.contains(node.address) }

    /// Starts the broker's process, if the host has power and none runs.
    public func start() { start(identity) }

    private func start(_ identity: BrokerIdentity) {
        guard agent == nil, host.isOn else { return }
        isStopping = false
        downSince = nil
        let platform = SimulatedPlatform(on: host, seed: random.next())
        let agent = RegistrationAgent(
            platform: platform, identity: identity, nameServers: nameServers, timings: timings, seed: random.next()
        ) { [unowned self] in topics }
        self.agent = agent
        agent.start()
    }

    /// Its disk is wiped while it is down: it will register its topics anew, under a DataVersion that starts anew.
    public func reinstall() {
        topics = TopicTable(identity: identity, limit: 10_000, wallTime: host.wallTime)
        _ = topics.put(SimulatedBroker.topic("only-\(identity.name)"), wallTime: host.wallTime)
    }

    /// Starts under another broker's name and id, at its own address.
    public func start(as other: BrokerIdentity) {
        let renamed = BrokerIdentity(
            name: other.name, brokerID: other.brokerID, address: identity.address,
            heartbeatTimeout: identity.heartbeatTimeout)
        topics = TopicTable(identity: renamed, limit: 10_000, wallTime: host.wallTime)
        _ = topics.put(SimulatedBroker.topic("only-\(renamed.name)"), wallTime: host.wallTime)
        start(renamed)
    }

    /// Creates a topic, or changes the number of queues of one.
    public func changeTopics(creates: Bool) {
        let name = creates ? "extra-\(index)-\(topicNumber)" : "only-\(identity.name)"
        topicNumber += 1
        var topic = SimulatedBroker.topic(name)
        topic.writeQueueNums = Int32(1 + topicNumber % 8)
        if topics.put(topic, wallTime: host.wallTime) { agent?.topicsChanged([name]) }
    }

    /// Drops the topic that it created last, or else one of its first ones.
    public func dropTopic() {
        let own = topics.all.map(\.topicName).filter { $0.hasPrefix("extra-") || $0.hasPrefix("topic-") }
        guard let name = own.first, topics.remove(name, wallTime: host.wallTime) else { return }
        dropped[name] = host.world.time
    }

    /// kill -9.
    public func kill() {
        host.killProcesses()
        forget()
    }

    /// The host's power goes.
    public func powerOff() {
        host.powerOff()
        forget()
    }

    private func forget() {
        agent = nil
        downSince = downSince ?? host.world.time
    }

    /// Unregisters everywhere and ends.
    public func stop() {
        guard let agent, !isStopping else { return }
        isStopping = true
        downSince = host.world.time
        agent.stop { [weak self] in
            guard let self, isStopping else { return }
            host.world.at(host.world.time) { [weak self] in
                if self?.isStopping == true { self?.kill() }
            }
        }
    }
}
