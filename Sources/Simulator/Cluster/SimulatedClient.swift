import Basics
import Remoting
import RouteClient

/// One client host: the production route client, which pulls some topics' routes for ever and counts what it is told.
public final class SimulatedClient {
    /// What it was told so far.
    public struct Tally: Hashable, Sendable {
        /// Routes received.
        public var routes = 0
        /// "Topic does not exist" for topics that do.
        public var topicNotExist = 0
        /// Nobody answered.
        public var noNameServer = 0
        /// Other answers.
        public var others = 0
        /// Longest time, in nanoseconds, from one received route to the next.
        public var longestGap: Int64 = 0
    }

    /// Its machine.
    public let host: Host
    /// The production client; nil while it is down.
    public private(set) var client: RouteClient?
    /// Counted over all its lives.
    public private(set) var tally = Tally()
    /// The topics it pulls.
    public let topics: [String]

    private let nameServers: [Address]
    private let options: ClusterOptions
    private var random: SeededGenerator
    private var timer: (any AnyObject)?
    private var lastRoute: Int64 = 0

    init(host: Host, nameServers: [Address], topics: [String], options: ClusterOptions, seed: UInt64) {
        self.host = host
        self.nameServers = nameServers
        self.topics = topics
        self.options = options
        random = SeededGenerator(seed: seed)
    }

    /// Starts pulling.
    public func start() {
        guard client == nil, host.isOn else { return }
        let platform = SimulatedPlatform(on: host, seed: random.next())
        var clientOptions = RouteClientOptions()
        clientOptions.pollInterval = options.poll
        client = RouteClient(
            platform: platform, nameServers: nameServers, options: clientOptions, seed: random.next())
        lastRoute = host.world.time
        let first = Int64.random(in: 0..<options.poll.wholeNanoseconds, using: &random)
        let timer = SimulatedTimer(platform.timers) { [unowned self] in pull() }
        timer.start(at: platform.now + .nanoseconds(first))
        self.timer = timer
    }

    /// kill -9.
    public func kill() {
        host.killProcesses()
        client = nil
        timer = nil
    }

    private func pull() {
        for topic in topics { client?.route(topic) { [weak self] in self?.count($0) } }
        (timer as? SimulatedTimer)?.start(at: host.now + options.poll)
    }

    private func count(_ result: Result<TopicRouteData, RouteClientError>) {
        switch result {
        case .success:
            tally.routes += 1
            tally.longestGap = max(tally.longestGap, host.world.time - lastRoute)
            lastRoute = host.world.time
        case .failure(.noRoute): tally.topicNotExist += 1
        case .failure(.noNameServer): tally.noNameServer += 1
        case .failure: tally.others += 1
        }
    }
}
