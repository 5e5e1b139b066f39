import Basics

// What happens in this node's own tables: replicas register, fall silent, and leave.

/// A replica whose connection closed here and whose removal was put off.
struct ClosedConnection {
    var closedAt: Instant
    /// Until when it is kept because a peer's connection to it is open, unless a sign of life comes.
    var waitsUntil: Instant
    /// Peers that answered since.
    var answered: Set<Int> = []
}

extension Gossip {
    /// How long the heartbeat may take that a peer's open connection promises: a sixth over the usual interval (35 s of 30).
    private static func heartbeatPatience(_ hearing: Hearing) -> Duration { hearing.interval * 7 / 6 }

    /// A replica registered: it is new here, or something of its registration has changed; or topics left its image, which is
    /// no sign of life.
    public mutating func registered(
        _ replica: ReplicaToken, tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        directives: inout [GossipDirective]
    ) {
        guard let summary = tables.summary(of: replica), let hearing = tables.hearing(of: replica),
            summary.isCarriable
        else {
            if let old = own[replica] { forget(old, now: now, &directives) }
            return
        }
        if let old = own[replica], old.hash != settings.hash.replica(summary.identity) {
            if held[replica.number] != nil { directives.append(.release(replica)) }
            forget(old, now: now, &directives)
        }
        let old = own[replica]
        own.set(replica, summary)
        guard let entry = own[replica] else { return }
        if hearing.isConnected { closing[entry.hash] = nil }
        departures.returned(entry.hash, at: hearing.registeredAt)
        learned[entry.hash] = nil
        if old == nil { lastNewReplica = now }
        // It was heard just now: no peer can vouch for longer than that.
        release(entry, &directives)
    }

    /// The connection of its last registration closed; its removal was put off so that the peers can be asked.
    public mutating func connectionClosed(
        _ replica: ReplicaToken, tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        directives: inout [GossipDirective]
    ) {
        guard settings.mode >= .protect, let entry = own[replica], let hearing = tables.hearing(of: replica) else {
            return directives.append(.release(replica))
        }
        if held[replica.number] != nil, hearing.lastHeard + hearing.timeout <= now {
            // On a connection that was silent for longer than that, the end tells nothing new (mostly this node itself gives it
            // up as idle): what peers hear still counts. They are asked at once whether they, too, saw it close.
            for peer in peers.indices where peers[peer].isWitness { peers[peer].isUrgent = true }
            return
        }
        // An open connection elsewhere is no sign of life: it buys one interval, and never more than silence itself is granted.
        let wait = min(now + Self.heartbeatPatience(hearing), hearing.lastHeard + hearing.timeout)
        closing[entry.hash] = ClosedConnection(closedAt: now, waitsUntil: wait)
        if held.removeValue(forKey: replica.number) != nil {
            // It was held for its silence, on signs of life from before the close.
            directives.append(.hold(replica, until: now, witness: "its connection closed"))
        }
        for peer in peers.indices where peers[peer].isWitness { peers[peer].isUrgent = true }
        waitForAnswers(entry, now: now, &directives)
    }

    /// The replica's entry is gone.
    public mutating func removed(
        _ replica: ReplicaToken, _ cause: FirstHandRemoval, now: Instant, directives: inout [GossipDirective]
    ) {
        guard let old = own[replica] else { return }
        let timeout = old.timeout
        forget(old, now: now, &directives)
        switch cause {
        case .unregistered:
            departures.unregistered(old.hash, timeout: timeout, at: now)
            tellGoodbyes(now: now, &directives)
        case .expired, .connectionClosed, .conflict:
            // An expired replica was last heard a timeout ago or earlier; a closed one may have been heard just now.
            var event = AgeBound(heardAt: cause == .expired ? now + (.zero - timeout) : now)
            for (_, known) in evidence.evidence(of: old.hash) { event.merge(known.life) }
            departures.evicted(old.hash, event: event, timeout: timeout, at: now)
        }
    }

    /// UNREGISTER_BROKER named a replica that this node knows by hearsay only, or not at all; the tables do not serve it.
    public mutating func saidGoodbye(
        _ identity: ReplicaIdentity, now: Instant, directives: inout [GossipDirective]
    ) {
        let hash = settings.hash.replica(identity)
        let timeout = learned[hash]?.timeout ?? settings.expiry
        departures.unregistered(hash, timeout: timeout, at: now)
        tellGoodbyes(now: now, &directives)
        learned[hash] = nil
    }

    /// The key-value configuration or what operators changed is now this.
    public mutating func administered(keyValues: UInt64, administration: UInt64) {
        (keyValueDigest, administrationDigest) = (keyValues, administration)
    }

    private mutating func forget(
        _ old: FirstHandSet.Replica, now: Instant, _ directives: inout [GossipDirective]
    ) {
        own.remove(old.token)
        late.remove(old.token.number)
        held[old.token.number] = nil
        closing[old.hash] = nil
        for peer in peers.indices {
            for kind in [DivergenceKind.lateHere, .lateThere] {
                clear(kind, peer: peer, subject: old.hash, now: now, &directives)
            }
        }
    }

    // MARK: Silence

    /// When a replica counts as late.
    static func lateAfter(_ hearing: Hearing) -> Duration {
        .nanoseconds(
            Silence.unusual(interval: hearing.interval.wholeNanoseconds, timeout: hearing.timeout.wholeNanoseconds))
    }

    /// Brings the set of late replicas up to date. Costs what is late, and was.
    mutating func lookForLate(
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let silent = tables.lateReplicas(at: now)
        if silent.isEmpty, late.isEmpty { return }
        let current = Set(silent.filter { own[$0] != nil }.map(\.number))
        for number in late.subtracting(current).sorted() {
            guard let entry = own[ReplicaToken(number: number)] else { continue }
            for peer in peers.indices { clear(.lateHere, peer: peer, subject: entry.hash, now: now, &directives) }
            if closing[entry.hash] == nil, held.removeValue(forKey: number) != nil {
                directives.append(.release(entry.token))
            }
        }
        late = current
    }

    /// Whom to ask the peers about: what is closing, what is late, and what is known by hearsay only and getting old;
    /// those closest to their end first.
    mutating func asks(
        of peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant
    ) -> [UInt64] {
        var wanted: [(end: Instant, hash: UInt64)] = []
        for (hash, closed) in closing { wanted.append((closed.closedAt, hash)) }
        for number in late {
            guard let entry = own[ReplicaToken(number: number)], closing[entry.hash] == nil,
                let hearing = tables.hearing(of: entry.token)
            else { continue }
            wanted.append((max(hearing.lastHeard + hearing.timeout, held[number] ?? .zero), entry.hash))
        }
        for (hash, replica) in learned {
            // What no peer lists any more has probably left; what is old may be dead.
            let isListed = peers.contains { $0.remote[replica.item] != nil }
            guard !isListed || replica.wantsEvidence(at: now) else { continue }
            wanted.append((replica.usableUntil, hash))
        }
        if settings.mode == .replicate { wanted += unprovenElsewhere(now: now).map { (.distantFuture, $0) } }
        wanted.sort { ($0.end, $0.hash) < ($1.end, $1.hash) }
        guard wanted.count > GossipLimits.asks else { return wanted.map(\.hash) }
        // Half of the room for the most urgent; of the others each has its turn, though those before it are dead for good.
        let urgent = wanted.prefix(GossipLimits.asks / 2).map(\.hash)
        let others = wanted.dropFirst(urgent.count).map(\.hash).sorted()
        let start = others.firstIndex { $0 > peers[peer].lastAsked } ?? 0
        let turn = (others[start...] + others[..<start]).prefix(GossipLimits.asks - urgent.count)
        peers[peer].lastAsked = turn.last ?? 0
        return urgent + turn
    }

    /// What peers have and this node lacks, and what nothing yet proves alive that happened since they met.
    private func unprovenElsewhere(now: Instant) -> some Sequence<UInt64> {
        var unproven: Set<UInt64> = []
        for peer in peers {
            for remote in peer.remote.values where remote.restsUntil <= now && own.replica(hash: remote.replica) == nil
            {
                let timeout = Self.grantedTimeout(remote.summary)
                // Evidence from before an eviction here proves nothing, fresh as it may be.
                if learned[remote.replica] == nil, provenUntil(of: remote.replica, timeout: timeout, now: now) == nil {
                    unproven.insert(remote.replica)
                }
            }
        }
        return unproven.sorted().prefix(GossipLimits.asks / 4)
    }
}
