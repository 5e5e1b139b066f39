import Basics

/// What one peer said of one replica, with the bounds on this node's own clock.
struct Evidence: Hashable {
    /// The newest sign of life the peer heard itself.
    var life: AgeBound
    /// The newest one that counts: the peer was ready, and the event came after our first contact with its clock.
    var trusted: AgeBound?
    /// Whether the peer's connection to the replica was open when it last answered.
    var isConnected: Bool
    /// The peer's registration hash of the replica when it last answered.
    var registration: UInt64
    /// When it last answered, on our clock.
    var answeredAt: Instant
    /// The life of the peer that last answered.
    var incarnation: UInt64?

    mutating func merge(_ new: Evidence) {
        life.merge(new.life)
        if var known = trusted, let other = new.trusted {
            known.merge(other)
            trusted = known
        } else {
            trusted = trusted ?? new.trusted
        }
        isConnected = new.isConnected
        registration = new.registration
        answeredAt = new.answeredAt
        incarnation = new.incarnation
    }
}

extension AgeBound {
    /// Until when a replica with this timeout may count as alive on this evidence.
    ///
    /// `ageHi` stays at most the timeout up to here: (timeout shortened by 2r)(1+2r) <= timeout.
    func usableUntil(timeout: Duration) -> Instant {
        let span = ClockRate.shortened(timeout.wholeNanoseconds, ppm: 2 * ClockRate.driftPPM)
        return earliest + .nanoseconds(span)
    }
}

/// Evidence by replica and by the peer it comes from: never relayed, never part of what this node reports.
struct EvidenceTable {
    private var table: [UInt64: ContiguousArray<(peer: Int, evidence: Evidence)>] = [:]

    var replicaCount: Int { table.count }

    /// What the peers said of the replica, in the order of the peers.
    func evidence(of replica: UInt64) -> ContiguousArray<(peer: Int, evidence: Evidence)> { table[replica] ?? [] }

    /// Merges a new answer: bounds only move forward.
    mutating func adopt(_ new: Evidence, of replica: UInt64, from peer: Int) {
        var list = table[replica] ?? []
        if let index = list.firstIndex(where: { $0.peer == peer }) {
            list[index].evidence.merge(new)
        } else {
            list.append((peer, new))
            list.sort { $0.peer < $1.peer }
        }
        table[replica] = list
    }

    /// The peer's connection state without a sign of life: it knows nothing of the replica, or nothing usable.
    mutating func disconnected(_ replica: UInt64, at peer: Int) {
        guard let index = table[replica]?.firstIndex(where: { $0.peer == peer }) else { return }
        table[replica]?[index].evidence.isConnected = false
    }

    /// Makes evidence older because a clock stood still: that of one peer, or all of it when the clock was ours.
    mutating func age(by loss: Duration, from peer: Int?) {
        for (replica, var list) in table {
            for index in list.indices where peer == nil || list[index].peer == peer {
                list[index].evidence.life.age(by: loss)
                list[index].evidence.trusted?.age(by: loss)
            }
            table[replica] = list
        }
    }

    /// For `PlantedBug.agesStandStill`: makes what a peer said younger, which nothing else does.
    mutating func renew(by span: Duration, from peer: Int) {
        for (replica, var list) in table {
            for index in list.indices where list[index].peer == peer {
                let life = list[index].evidence.life
                list[index].evidence.life.merge(AgeBound(heardAt: life.earliest + span))
            }
            table[replica] = list
        }
    }

    /// A peer that two nodes claim to be vouches for nothing.
    mutating func distrust(_ peer: Int) {
        for (replica, var list) in table {
            for index in list.indices where list[index].peer == peer { list[index].evidence.trusted = nil }
            table[replica] = list
        }
    }

    /// A peer that is forgotten: its number is another's from now on.
    mutating func removeAll(of peer: Int) {
        for replica in Array(table.keys) { remove(replica, from: peer) }
    }

    func incarnation(of replica: UInt64, from peer: Int) -> UInt64? {
        table[replica]?.first { $0.peer == peer }?.evidence.incarnation
    }

    mutating func remove(_ replica: UInt64, from peer: Int) {
        guard var list = table[replica] else { return }
        list.removeAll { $0.peer == peer }
        table[replica] = list.isEmpty ? nil : list
    }

    /// Forgets what was last answered before `instant`, but for what is kept by name.
    mutating func prune(before instant: Instant, keeping isKept: (UInt64) -> Bool) {
        for (replica, var list) in table where !isKept(replica) {
            list.removeAll { $0.evidence.answeredAt < instant }
            table[replica] = list.isEmpty ? nil : list
        }
    }
}
