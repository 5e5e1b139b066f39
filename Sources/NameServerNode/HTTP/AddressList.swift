import Basics
import GossipCore
import Platform

// `/rocketmq/nsaddr`: the list of NameServers that RocketMQ's clients and brokers fetch when they are given no addresses
// (TopAddressing): every 30 s to 2 min, over a new connection, with a timeout of 3 s. They take the body of a 200 as
// `host:port;host:port`, without line ends, and keep what they have after anything else.

extension NameServerNode {
    /// The nodes that a client should ask, in the order of the configuration; those that are not ready, as far as this node
    /// can tell, are left out.
    ///
    /// Of a node that does not gossip with this one nothing is known, and it is listed.
    func readyNodes(_ nodes: [(name: String, address: Address)]) -> [Address] {
        let isReady = ReadinessReport(self).isReady
        let now = platform.now
        let peers = inspectGossip { $0.figures(now: now).peers } ?? []
        return nodes.filter { node in
            if node.name == options.name { return isReady }
            guard let peer = peers.first(where: { $0.name == node.name }) else { return true }
            return peer.isConnected && peer.state == .ready
        }.map(\.address)
    }
}
