import Basics
import Platform
import RemotingTransport

/// What a page is about.
public struct PageSite {
    /// The cluster's label; empty for none.
    public var cluster: String
    /// Who serves the page: a node's name, or `hearsay run`.
    public var server: String
    /// All nodes, in configured order; asked for when somebody begins to watch.
    public var nodes: () -> [(name: String, address: Address)]
    /// Between two rounds of asking, in which time each node must answer. Default 1 s.
    public var interval: Duration = .seconds(1)
    /// What the nodes are dialled with; nil for the platform that serves the page.
    public var dialling: (any Platform)?
    /// What the questions to the nodes are signed with; nil = they are not signed.
    public var sign: RequestSigner?

    /// A page about these nodes.
    public init(
        cluster: String, server: String, nodes: @escaping () -> [(name: String, address: Address)]
    ) {
        (self.cluster, self.server, self.nodes) = (cluster, server, nodes)
    }
}
