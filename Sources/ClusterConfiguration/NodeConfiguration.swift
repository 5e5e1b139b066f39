import Basics

/// One NameServer node: one process.
public struct NodeConfiguration: Hashable, Sendable {
    /// What `--node` and the logs call it; unique.
    public var name: String
    /// Where it listens, and what brokers and clients dial; unique among all addresses.
    public var listen: Address
    /// The folder of its kvConfig.json, `data/<name>` by default; usable from where the file's path was.
    public var dataDirectory: String
    /// Where it listens for its peers, and what they dial; `defaultGossip(besides: listen)` by default.
    ///
    /// Unique among all addresses; a default one only if the node gossips at all.
    public var gossip: Address
    /// Its own mode, or else that of the `gossip` section.
    public var gossipMode: GossipConfiguration.Mode

    /// Where it answers HTTP: health, metrics, the tables. Nil, the default, for not at all.
    ///
    /// Unique among all addresses; may be every address of its machine (0.0.0.0), since no node dials it.
    public var http: Address?

    /// The same host and the next port; before 65535, the port before.
    public static func defaultGossip(besides listen: Address) -> Address {
        Address(host: listen.host, port: listen.port == .max ? listen.port - 1 : listen.port + 1)
    }

    enum Key: String, SectionKey {
        case name, listen, dataDirectory, gossip, gossipMode, http
        static let section = "nodes"
    }
}
