import Basics

/// A node's account of its gossip at one moment: what `hearsay status`, `diff` and `explain` show.
public struct GossipStatus: Hashable, Sendable {
    /// A peer as this node sees it.
    public struct Peer: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Whether it takes part now.
        public var isConnected: Bool
        /// Its present life, once it has said so.
        public var incarnation: UInt64?
        /// Its last digest on this link.
        public var digest: Digest?
        /// Whether the sets of registrations are equal; nil while that is not known.
        public var agrees: Bool?
        /// Since the last exchange.
        public var sinceExchange: Duration?
        /// Of the last exchange.
        public var roundTrip: Duration
        /// How far the difference of the clocks is unknown.
        public var offsetUncertainty: Duration?
        /// Time that its clock has lost, as far as seen.
        public var stalled: Duration
        /// Exchanges completed.
        public var exchanges: Int
        /// What is wrong with it.
        public var problem: String?
    }

    /// A replica about which there is more to say than that it was heard.
    public struct Replica: Hashable, Sendable {
        /// How it comes to be served.
        public enum Source: String, Hashable, Sendable {
            /// First-hand, and silent for unusually long.
            case late
            /// First-hand, and kept because a peer heard it.
            case protected
            /// By hearsay.
            case learned
        }

        /// Which.
        public var identity: ReplicaIdentity
        /// How.
        public var source: Source
        /// Since this node heard it; nil for a learned one.
        public var age: Duration?
        /// Silence it is granted.
        public var timeout: Duration
        /// How long it is still served without further evidence.
        public var remaining: Duration?
        /// Known from a snapshot only.
        public var isProvisional: Bool
        /// What each peer said last.
        public var evidence: [Testimony]
    }

    /// What one peer said of a replica.
    public struct Testimony: Hashable, Sendable {
        /// The peer.
        public var peer: String
        /// The age at most, now.
        public var age: Duration
        /// Whether the replica is connected to it.
        public var isConnected: Bool
    }

    /// The node's state.
    public var state: NodeState
    /// 0 is well, 8 is worst.
    public var localHealth: Int
    /// Since the start of gossip.
    public var uptime: Duration
    /// In the order of the configuration.
    public var peers: [Peer]
    /// The most urgent first.
    public var divergences: [Divergence]
    /// Late, protected and learned replicas, by name.
    public var replicas: [Replica]
    /// Goodbyes remembered.
    public var tombstones: Int
    /// Evictions remembered.
    public var floors: Int
    /// Time that this node's own clock has lost, as far as seen.
    public var stalled: Duration
}

extension Gossip {
    /// The account; costs what is late, learned or different, not what is well.
    public func status(tables: borrowing some FirstHandTables & ~Copyable, now: Instant) -> GossipStatus {
        GossipStatus(
            state: state, localHealth: localHealth.score, uptime: now - startedAt,
            peers: peers.map { status(of: $0, now: now) }, divergences: divergences.sorted,
            replicas: replicaStatus(tables, now: now), tombstones: departures.tombstones.count,
            floors: departures.floors.count, stalled: stalls.total)
    }

    private func status(of peer: Peer, now: Instant) -> GossipStatus.Peer {
        GossipStatus.Peer(
            name: peer.name, isConnected: peer.link != nil, incarnation: peer.incarnation, digest: peer.digest,
            agrees: peer.digest.map { $0.root == own.sketch.root }, sinceExchange: peer.lastExchange.map { now - $0 },
            roundTrip: peer.roundTrip,
            offsetUncertainty: peer.offset.map {
                .nanoseconds($0.highest.subtractingReportingOverflow($0.lowest).partialValue)
            },
            stalled: peer.stalled, exchanges: peer.exchanges, problem: peer.problem)
    }

    private func replicaStatus(
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant
    ) -> [GossipStatus.Replica] {
        var replicas: [GossipStatus.Replica] = []
        for number in late.union(held.keys).sorted() {
            guard let entry = own[ReplicaToken(number: number)], let hearing = tables.hearing(of: entry.token),
                let identity = tables.summary(of: entry.token)?.identity
            else { continue }
            replicas.append(
                GossipStatus.Replica(
                    identity: identity, source: held[number] == nil ? .late : .protected, age: now - hearing.lastHeard,
                    timeout: hearing.timeout, remaining: held[number].map { $0 - now }, isProvisional: false,
                    evidence: testimonies(of: entry.hash, now: now)))
        }
        for (hash, known) in learned {
            replicas.append(
                GossipStatus.Replica(
                    identity: known.identity, source: .learned, age: nil, timeout: known.timeout,
                    remaining: known.usableUntil - now, isProvisional: known.isProvisional,
                    evidence: testimonies(of: hash, now: now)))
        }
        return replicas.sorted {
            ($0.identity.cluster, $0.identity.name, $0.identity.id, $0.identity.address)
                < ($1.identity.cluster, $1.identity.name, $1.identity.id, $1.identity.address)
        }
    }

    private func testimonies(of replica: UInt64, now: Instant) -> [GossipStatus.Testimony] {
        evidence.evidence(of: replica).map {
            GossipStatus.Testimony(
                peer: peers[$0.peer].name, age: $0.evidence.life.ageHi(at: now), isConnected: $0.evidence.isConnected)
        }
    }
}
