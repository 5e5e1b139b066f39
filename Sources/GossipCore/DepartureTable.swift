import Basics

/// A replica that left: by request (a tombstone), or because it fell silent here (a floor).
struct Departed {
    /// When, on this node's clock.
    var event: AgeBound
    /// Nothing older than this is usable anyway.
    var keptUntil: Instant
    /// Counts up with each of this node's own tombstones; 0 for a peer's.
    var sequence: UInt64 = 0
    var timeout: Duration
}

/// Which evidence comes too late: tombstones of unregistered replicas and floors of evicted ones.
///
/// Kept for two timeouts (tombstones) or one (floors). That is sufficient, not a guess: evidence older than one timeout
/// is unusable by itself.
struct DepartureTable {
    private(set) var tombstones: [UInt64: Departed] = [:]
    private(set) var floors: [UInt64: Departed] = [:]
    private var lastSequence: UInt64 = 0

    /// What a bare heartbeat may still overtake its own broker's goodbye by.
    static let heartbeatSlack: Duration = .seconds(3)

    /// The replica said goodbye to this node.
    mutating func unregistered(_ replica: UInt64, timeout: Duration, at now: Instant) -> Departed {
        lastSequence += 1
        let entry = Departed(
            event: AgeBound(heardAt: now), keptUntil: now + timeout * 2, sequence: lastSequence, timeout: timeout)
        put(entry, replica, in: &tombstones)
        return entry
    }

    /// A peer says that the replica said goodbye to it at least `age` ago. Needs no round trip: only how new it can be
    /// matters, and the longer it travelled the older it is.
    mutating func heardOfGoodbye(_ replica: UInt64, age: Duration, timeout: Duration, at now: Instant) -> Bool {
        guard let event = AgeBound(age: age, roundTrip: .zero, receivedAt: now) else { return false }
        if let known = tombstones[replica], known.event.latest >= event.latest { return false }
        let entry = Departed(event: event, keptUntil: now + timeout * 2, timeout: timeout)
        put(entry, replica, in: &tombstones)
        return true
    }

    /// The replica was evicted here; `event` is the newest sign of life known of it.
    mutating func evicted(_ replica: UInt64, event: AgeBound, timeout: Duration, at now: Instant) {
        put(Departed(event: event, keptUntil: now + timeout, timeout: timeout), replica, in: &floors)
    }

    /// Whether the replica is known to have gone after this sign of life, or may have.
    func covers(_ life: AgeBound, of replica: UInt64, isRegistration: Bool) -> Bool {
        guard let tombstone = tombstones[replica] else { return false }
        let slack = isRegistration ? Duration.zero : Self.heartbeatSlack
        return life.earliest <= tombstone.event.latest + slack
    }

    /// Whether this sign of life is not surely newer than what the eviction already knew.
    func isBelowFloor(_ life: AgeBound, of replica: UInt64) -> Bool {
        floors[replica].map { life.earliest <= $0.event.latest } ?? false
    }

    /// It registered here at this instant: what was before does not matter any more.
    mutating func returned(_ replica: UInt64, at instant: Instant) {
        if let tombstone = tombstones[replica], tombstone.event.latest <= instant { tombstones[replica] = nil }
        if let floor = floors[replica], floor.event.latest <= instant { floors[replica] = nil }
    }

    mutating func prune(at now: Instant) {
        for (replica, entry) in tombstones where entry.keptUntil < now { tombstones[replica] = nil }
        for (replica, entry) in floors where entry.keptUntil < now { floors[replica] = nil }
    }

    /// This node's own tombstones above a sequence number, oldest first.
    func own(after sequence: UInt64) -> [(replica: UInt64, entry: Departed)] {
        tombstones.filter { $0.value.sequence > sequence }.map { ($0.key, $0.value) }
            .sorted { $0.entry.sequence < $1.entry.sequence }
    }

    private func put(_ entry: Departed, _ replica: UInt64, in table: inout [UInt64: Departed]) {
        guard table[replica] != nil || table.count < GossipLimits.departures else { return }
        table[replica] = entry
    }
}
