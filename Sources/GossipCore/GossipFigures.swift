import Basics

/// What monitoring wants to know of a node's gossip; read without walking over replicas or divergences.
public struct GossipFigures: Hashable, Sendable {
    /// One peer.
    public struct Peer: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Whether it takes part now.
        public var isConnected: Bool
        /// What it says of itself; nil before its first digest on this link.
        public var state: NodeState?
        /// Exchanges completed.
        public var exchanges: Int
        /// Since the last one; nil before the first.
        public var sinceExchange: Duration?
        /// Of the last one.
        public var roundTrip: Duration
        /// Time that its clock has lost, as far as seen.
        public var stalled: Duration
        /// Divergences from it, those that are too young to be reported among them; only kinds of which there is one.
        public var divergences: [DivergenceKind: Int]
    }

    /// The node's state.
    public var state: NodeState
    /// 0 is well, 8 is worst.
    public var localHealth: Int
    /// First-hand replicas that are kept because a peer hears them.
    public var protected: Int
    /// First-hand replicas that have been silent for unusually long.
    public var late: Int
    /// Replicas served by hearsay.
    public var learned: Int
    /// Goodbyes remembered.
    public var tombstones: Int
    /// Evictions remembered.
    public var floors: Int
    /// Divergences that found no room.
    public var uncountedDivergences: Int
    /// Time that this node's own clock has lost, as far as seen.
    public var stalled: Duration
    /// In the order of the configuration.
    public var peers: [Peer]
}

extension Gossip {
    /// The figures now.
    public func figures(now: Instant) -> GossipFigures {
        GossipFigures(
            state: state, localHealth: localHealth.score, protected: held.count, late: late.count,
            learned: learned.count, tombstones: departures.tombstones.count, floors: departures.floors.count,
            uncountedDivergences: divergences.uncounted, stalled: stalls.total,
            peers: peers.indices.map { figures(of: $0, now: now) })
    }

    private func figures(of index: Int, now: Instant) -> GossipFigures.Peer {
        var found: [DivergenceKind: Int] = [:]
        if !divergences.isEmpty {
            for kind in DivergenceKind.allCases {
                let count = divergences.count(peer: index, kind: kind)
                if count > 0 { found[kind] = count }
            }
        }
        return GossipFigures.Peer(
            name: peers[index].name, isConnected: peers[index].link != nil, state: peers[index].digest?.state,
            exchanges: peers[index].exchanges, sinceExchange: peers[index].lastExchange.map { now - $0 },
            roundTrip: peers[index].roundTrip, stalled: peers[index].stalled, divergences: found)
    }
}
