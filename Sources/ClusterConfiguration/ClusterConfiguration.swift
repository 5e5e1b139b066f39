// cluster.yaml as validated values. Bytes become a tree (YAMLParser), the tree is read by key and type (MappingReader,
// driven by ClusterReader), and all faults are reported together. The file itself documents every key.

import Basics

/// A whole cluster: its nodes, how they behave, and the brokers of the demonstration. Every value is within its range.
public struct ClusterConfiguration: Hashable, Sendable {
    /// The cluster's label, for people.
    public var name: String
    /// At least one; names and addresses are unique.
    public var nodes: [NodeConfiguration]
    /// How often and how long.
    public var timings: Timings
    /// What one node may use.
    public var limits: Limits
    /// Whether and how the nodes compare what they heard.
    public var gossip: GossipConfiguration
    /// TLS on the port of brokers and clients.
    public var tls = TLSConfiguration()
    /// Who may send what.
    public var access = AccessConfiguration()
    /// What the nodes' HTTP ports may be asked.
    public var http = HTTPConfiguration()
    /// RocketMQ's own properties for the nodes, in the file's order; only what the file sets.
    public var nameServerProperties: [NameServerProperty]
    /// What the processes log.
    public var log: LogConfiguration
    /// The stand-in broker groups that `hearsay run` starts; may be empty.
    public var brokers: [BrokerGroup]
    /// What is no fault and still worth knowing, with its line.
    public var notices: [ConfigurationError] = []

    /// The node of that name.
    public func node(named name: String) -> NodeConfiguration? { nodes.first { $0.name == name } }

    /// Whom the node of that name gossips with, in the file's order, besides what `gossip.discovery` finds; a node
    /// whose mode is `off` is nobody's peer.
    public func gossipPeers(of name: String) -> [NodeConfiguration] {
        guard let node = node(named: name), node.gossipMode != .off else { return [] }
        return nodes.filter { $0.name != name && $0.gossipMode != .off }
    }

    /// The broker group of that name.
    public func brokerGroup(named name: String) -> BrokerGroup? { brokers.first { $0.name == name } }

    /// Reads and validates a file of at most 1 MiB.
    ///
    /// Throws every fault found, each with its line; relative paths inside are taken from the file's folder.
    public static func load(path: String) throws(ConfigurationErrors) -> ClusterConfiguration {
        try parse(bytes: try ConfigurationFile.read(path), fileName: path)
    }

    /// Validates the text of a file; `fileName` is what messages call it and where relative paths start.
    public static func parse(bytes: [UInt8], fileName: String) throws(ConfigurationErrors) -> ClusterConfiguration {
        let document = try ConfigurationFile.document(in: bytes, name: fileName)
        let log = FaultLog(file: fileName)
        let files = RelativePaths(folder: ConfigurationFile.folder(of: fileName))
        var reader = ClusterReader(log: log, files: files)
        let configuration = reader.read(document)
        try log.check()
        return configuration
    }
}
