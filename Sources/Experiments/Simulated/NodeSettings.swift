import AccessControl
import Basics
import ClusterConfiguration
import GossipCore
import NameServerCore
import NameServerNode
import Remoting

/// What every node of an arm is told, from the scenario.
struct NodeSettings {
    private let scenario: Scenario
    private let mode: GossipMode
    private let gossip: GossipConfiguration
    private let properties: NamesrvProperties

    /// The cluster's key: nobody else is in the world.
    private static let hash = KeyedHash(low: 0x6865_6172, high: 0x7361_7921)

    init(_ scenario: Scenario, arm: Arm) throws(ExperimentError) {
        self.scenario = scenario
        guard let mode = GossipMode(name: arm.rawValue) else {
            throw ExperimentError("arm \(arm.rawValue) cannot be simulated")
        }
        self.mode = mode
        gossip = try scenario.gossipConfiguration()
        var properties = NamesrvProperties()
        properties.kvConfigPath = "kvConfig.json"
        var text = PropertiesText()
        for setting in scenario.nodeProperties { text[setting.key] = setting.value }
        properties.load(text)
        self.properties = properties
    }

    /// The options of one node.
    ///
    /// - Parameter addresses: of all nodes, in the order of the scenario.
    func options(_ name: String, at address: Address, among addresses: [Address], seed: UInt64) -> NodeOptions {
        var options = NodeOptions(properties: properties)
        options.name = name
        options.listen = address
        options.scanInterval = scenario.timings.scan
        // The experimenter sits at a machine of its own.
        options.access.rules = .open
        options.limits.brokerTimeout = scenario.timings.expiry
        guard mode != .off else { return options }
        var settings = GossipSettings(
            node: name, label: scenario.name, mode: mode, hash: Self.hash, salt: 7)
        let peers = zip(scenario.nodes, addresses).filter { $0.1 != address }
        settings.peers = peers.map(\.0.name)
        settings.period = scenario.timings.gossipPeriod
        settings.heartbeat = scenario.timings.heartbeat
        settings.scan = scenario.timings.scan
        settings.expiry = scenario.timings.expiry
        settings.closeGrace = gossip.closeGrace
        settings.witnesses = gossip.witnesses
        settings.appliesUnregister = mode == .replicate && gossip.applyUnregister
        settings.replicatesKeyValues = mode == .replicate && gossip.replicate.contains(.kv)
        settings.replicatesPermissions = mode == .replicate && gossip.replicate.contains(.perm)
        var gossipOptions = GossipOptions(
            settings: settings, listen: Self.gossip(address), peers: peers.map { Self.gossip($0.1) }, seed: seed)
        gossipOptions.security = .plaintext(beyondLoopback: true)
        gossipOptions.gatesUnknownTopics = gossip.gateUnknownTopics
        options.gossip = gossipOptions
        return options
    }

    private static func gossip(_ address: Address) -> Address {
        Address(host: address.host, port: NodeMachine.gossipPort)
    }
}

extension Scenario {
    /// What the lines of section `gossip` mean, as nodes read them from a cluster.yaml.
    ///
    /// - Throws: with the fault and its key.
    func gossipConfiguration() throws(ExperimentError) -> GossipConfiguration {
        var lines = ["nodes:"]
        for (index, node) in nodes.enumerated() {
            lines += ["  - name: \(node.name)", "    listen: 127.0.0.1:\(9_876 + 10 * index)"]
        }
        // Any mode will do that allows every key; each arm has its own.
        lines += ["gossip:", "  mode: replicate"] + gossipSettings.map { "  \($0.key): \($0.value)" }
        do throws(ConfigurationErrors) {
            return try ClusterConfiguration.parse(bytes: Array(lines.joined(separator: "\n").utf8), fileName: name)
                .gossip
        } catch {
            let faults = error.errors.map(\.message).joined(separator: "; ")
            throw ExperimentError("the scenario's section gossip: \(faults)")
        }
    }
}
