import Basics

// `applyUnregister`: a goodbye that a peer heard ends a first-hand entry here, if it surely came after the replica's last
// sign of life. The one exception to rule R4, opt-in, since UNREGISTER_BROKER is not authenticated.
//
// A tombstone comes unasked, so its way here is not bounded by a question about it. But links keep the order: it was
// sent after the peer had answered our last completed exchange on the same link, so after we began that one. That bounds its way, and
// with its age from below when the goodbye was. The age is worth what the peer's clock is worth; so it counts only when
// the next exchange shows that this clock has not stood still.

/// A peer's goodbye that may end an entry here.
struct HeardGoodbye {
    var replica: UInt64
    /// The goodbye was not before this, unless the peer's clock stood still.
    var earliest: Instant
    var heardAt: Instant
    /// How wide the difference of the two clocks was uncertain then.
    var uncertainty: Duration
}

extension Gossip {
    /// Goodbyes are told at once. One that is older was held up by something.
    private static let freshGoodbye: Duration = .seconds(1)

    /// A tombstone came: is it worth a look after the next exchange?
    mutating func consider(_ goodbye: TombstoneReport, from peer: Int, now: Instant) {
        guard settings.mode == .replicate, settings.appliesUnregister, goodbye.reason == .unregistered,
            own.replica(hash: goodbye.replica) != nil, goodbye.age <= Self.freshGoodbye,
            let startedAt = peers[peer].answeredSince, let offset = peers[peer].offset,
            peers[peer].goodbyes.count < WireLimits.tombstones,
            let bound = AgeBound(age: goodbye.age, roundTrip: now - startedAt, receivedAt: now)
        else { return }
        peers[peer].goodbyes.append(
            HeardGoodbye(
                replica: goodbye.replica, earliest: bound.earliest, heardAt: now,
                uncertainty: .nanoseconds(offset.highest.addingSaturated(-offset.lowest))))
        peers[peer].isUrgent = true
    }

    /// An exchange is complete; it may prove that the clock that measured a goodbye's age ran all the while.
    mutating func settleGoodbyes(
        of peer: Int, _ round: Round, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        peers[peer].answeredSince = max(peers[peer].answeredSince ?? .zero, round.sentAt)
        guard !peers[peer].goodbyes.isEmpty else { return }
        // Not one that was measured out of order, and not one that was begun before the goodbye came.
        let isMeasured = peers[peer].offsetSentAt == round.sentAt
        let due = peers[peer].goodbyes.filter { $0.heardAt <= round.sentAt }
        guard isMeasured, !due.isEmpty else { return }
        peers[peer].goodbyes.removeAll { $0.heardAt <= round.sentAt }
        guard peers[peer].isWitness, peers[peer].stalledAt == nil else { return }
        // A shorter stand-still than this may have gone unnoticed: what both measurements leave open, and drift.
        let unseen = peers[peer].roundTrip + ClockRate.readingSlack * 2 + .milliseconds(20)
        for goodbye in due where now - goodbye.heardAt <= settings.goodbyeProofLimit {
            guard let entry = own.replica(hash: goodbye.replica), let hearing = tables.hearing(of: entry.token),
                hearing.lastHeard + goodbye.uncertainty + unseen < goodbye.earliest
            else { continue }
            directives.append(.unregister(entry.token, peer: peers[peer].name))
        }
    }
}
