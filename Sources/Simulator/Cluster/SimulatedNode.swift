import AccessControl
import Basics
import GossipCore
import Logging
import NameServerCore
import NameServerNode
import Platform

/// One NameServer host: the production node on it, and its stock shadow.
public final class SimulatedNode {
    /// From 0.
    public let index: Int
    /// Its machine.
    public let host: Host
    /// Where brokers and clients connect.
    public let address: Address
    /// The running process; nil while it is down.
    public private(set) var node: NameServerNode?
    /// The same production code in stock mode, fed with the same bytes.
    public private(set) var shadow: NameServerNode?
    /// Lives so far.
    public private(set) var starts = 0
    /// True time of the last start.
    public private(set) var startedAt: Int64 = 0

    /// The running process's platform.
    public private(set) var platform: SimulatedPlatform?

    private let options: ClusterOptions
    private let peers: [Int]
    private var random: SeededGenerator

    init(index: Int, host: Host, peers: [Int], options: ClusterOptions, seed: UInt64) {
        self.peers = peers
        self.index = index
        self.host = host
        self.options = options
        address = Address(host: host.ip, port: 9_876)
        random = SeededGenerator(seed: seed)
    }

    /// Changes what the process is told at its next starts, after `ClusterOptions.adjustNode`; not its shadow.
    public var adjust: ((inout NodeOptions) -> Void)?

    /// Starts a process, if the host has power and none runs.
    public func start() {
        guard node == nil, host.isOn else { return }
        starts += 1
        startedAt = host.world.time
        let seed = random.next()
        let platform = SimulatedPlatform(on: host, seed: seed)
        platform.owner = index
        host.world.touch(index)
        if options.hasShadows {
            let twin = SimulatedPlatform(on: host, seed: seed, isShadow: true)
            twin.owner = index
            shadow = launch(on: twin)
            platform.shadow = twin
            platform.mirroredPorts = [address.port]
        }
        self.platform = platform
        node = launch(on: platform)
    }

    private func launch(on platform: SimulatedPlatform) -> NameServerNode {
        var properties = NamesrvProperties()
        properties.kvConfigPath = "kvConfig.json"
        var options = NodeOptions(properties: properties)
        options.name = host.name
        options.listen = address
        options.scanInterval = self.options.scan
        // Operators sit at machines of their own.
        options.access.rules = .open
        if self.options.mode != .off, !platform.isShadow { options.gossip = gossipOptions() }
        self.options.adjustNode?(&options, platform.isShadow)
        if !platform.isShadow { adjust?(&options) }
        do throws(PlatformError) {
            let node = try NameServerNode(
                platform: platform, options: options, logger: host.world.logger(for: host, platform.isShadow))
            try node.start()
            return node
        } catch {
            preconditionFailure("\(host.name) does not start: \(error)")
        }
    }

    private func gossipOptions() -> GossipOptions {
        let hash = SimulatedNode.hash
        var settings = GossipSettings(node: host.name, label: "simulated", mode: options.mode, hash: hash, salt: 7)
        settings.heartbeat = options.heartbeat
        settings.scan = options.scan
        settings.expiry = options.timeout
        settings.peers = peers.map { SimulatedNode.name($0) }
        var gossip = GossipOptions(
            settings: settings, listen: Address(host: host.ip, port: SimulatedNode.gossipPort),
            peers: peers.map { Address(host: SimulatedNode.name($0), port: SimulatedNode.gossipPort) },
            seed: random.next())
        gossip.security = .plaintext(beyondLoopback: true)
        return gossip
    }

    /// Whether it lists another node as its peer.
    func lists(_ node: Int) -> Bool { peers.contains(node) }

    static let gossipPort: UInt16 = 9_877
    /// The cluster's.
    static let hash = KeyedHash(low: 0x6865_6172, high: 0x7361_7921)
    static func name(_ index: Int) -> String { "ns-\(index + 1)" }

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
        node = nil
        shadow = nil
        platform = nil
        host.world.touch(index)
    }
}
