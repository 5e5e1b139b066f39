import Basics

/// A replica that left: by request (a tombstone), or because it fell silent here (a floor).
struct Departed {
    /// When, on this node's clock.
    var event: AgeBound
    /// Nothing older than this is usable anyway.
    var keptUntil: Instant
}

/// A goodbye that was said to this node, as it tells its peers.
struct OwnGoodbye {
    let sequence: UInt64
    let replica: UInt64
    let saidAt: Instant
    let timeout: Duration
}

/// Which evidence comes too late: tombstones of unregistered replicas and floors of evicted ones.
///
/// Kept for two timeouts (tombstones) or one (floors). That is sufficient, not a guess: evidence older than one timeout
/// is unusable by itself.
struct DepartureTable {
    private(set) var tombstones: [UInt64: Departed] = [:]
    private(set) var floors: [UInt64: Departed] = [:]
    /// What this node heard itself, in the order of the sequence: only that is told on (rule R1).
    private var own: [OwnGoodbye] = []
    private var lastSequence: UInt64 = 0

    /// What a bare heartbeat may still overtake its own broker's goodbye by.
    static let heartbeatSlack: Duration = .seconds(3)

    /// The replica said goodbye to this node.
    mutating func unregistered(_ replica: UInt64, timeout: Duration, at now: Instant) {
        lastSequence += 1
        if own.count >= GossipLimits.departures { own.removeFirst(own.count / 2) }
        own.append(OwnGoodbye(sequence: lastSequence, replica: replica, saidAt: now, timeout: timeout))
        if planted(.forgetTombstones) { return }
        let kept = planted(.shortRetention) ? timeout / 8 : timeout * 2
        put(Departed(event: AgeBound(heardAt: now), keptUntil: now + kept), replica, in: &tombstones)
    }

    /// A peer says that the replica said goodbye to it at least `age` ago. Needs no round trip: only how new it can be
    /// matters, and the longer it travelled the older it is.
    mutating func heardOfGoodbye(_ replica: UInt64, age: Duration, timeout: Duration, at now: Instant) -> Bool {
        guard let event = AgeBound(age: age, roundTrip: .zero, receivedAt: now) else { return false }
        if let known = tombstones[replica], known.event.latest >= event.latest { return false }
        // Half of the room is this node's own, whatever peers tell.
        guard tombstones[replica] != nil || tombstones.count < GossipLimits.departures / 2 else { return false }
        put(Departed(event: event, keptUntil: now + timeout * 2), replica, in: &tombstones)
        return true
    }

    /// The replica was evicted here; `event` is the newest sign of life known of it.
    mutating func evicted(_ replica: UInt64, event: AgeBound, timeout: Duration, at now: Instant) {
        put(Departed(event: event, keptUntil: now + timeout), replica, in: &floors)
    }

    /// Whether the replica is known to have gone after this sign of life, or may have.
    func covers(_ life: AgeBound, of replica: UInt64, isRegistration: Bool) -> Bool {
        guard let tombstone = tombstones[replica] else { return false }
        let slack = isRegistration || planted(.noHeartbeatSlack) ? Duration.zero : Self.heartbeatSlack
        if planted(.flipTombstone) { return life.earliest > tombstone.event.latest + slack }
        return life.earliest <= tombstone.event.latest + slack
    }

    /// Whether this sign of life is not surely newer than what the eviction already knew.
    func isBelowFloor(_ life: AgeBound, of replica: UInt64) -> Bool {
        planted(.forgetFloor) ? false : floors[replica].map { life.earliest <= $0.event.latest } ?? false
    }

    /// It registered here at this instant: what was before does not matter any more.
    mutating func returned(_ replica: UInt64, at instant: Instant) {
        if let tombstone = tombstones[replica], tombstone.event.latest <= instant { tombstones[replica] = nil }
        if let floor = floors[replica], floor.event.latest <= instant { floors[replica] = nil }
    }

    mutating func prune(at now: Instant) {
        for (replica, entry) in tombstones where entry.keptUntil < now && !planted(.tombstonesForEver) {
            tombstones[replica] = nil
        }
        for (replica, entry) in floors where entry.keptUntil < now { floors[replica] = nil }
        own.removeAll { $0.saidAt + $0.timeout * 2 < now }
    }

    /// This node's own goodbyes above a sequence number that still hold, the oldest ones first.
    func own(after sequence: UInt64, atMost limit: Int = .max) -> [OwnGoodbye] {
        var first = own.count
        while first > 0, own[first - 1].sequence > sequence { first -= 1 }
        return Array(own[first...].lazy.filter { tombstones[$0.replica] != nil }.prefix(limit))
    }

    private func put(_ entry: Departed, _ replica: UInt64, in table: inout [UInt64: Departed]) {
        guard table[replica] != nil || table.count < GossipLimits.departures else { return }
        table[replica] = entry
    }
}
