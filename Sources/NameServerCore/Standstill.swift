import Basics

// A node that stood still (a suspended host, a paused virtual machine, a stopped process) finds every deadline passed at
// once, though only it was not there to listen. What would have moved them waits in its sockets, or comes with the
// brokers' next heartbeat (gossip.md 2.7; Eureka's compensation time). Stock nodes do without; so does this one unless told.

extension NameServer {
    /// This node did nothing for a while that ends now: the deadline of each entry comes later by that, once, but no
    /// later than its replica needs to come back by itself, a sixth more than its usual interval.
    ///
    /// Entries heard again are judged as ever, and an UNREGISTER_BROKER is obeyed at once. To be called before anything
    /// else is judged by the time. Takes a walk over all entries.
    ///
    /// - Parameter lost: for how long it stood still, not negative.
    public mutating func stoodStill(for lost: Duration, now: Instant) {
        tables.stoodStillUntil = now
        for index in tables.live.indices where tables.live[index].isInUse {
            let entry = tables.live[index]
            let comesBack = now.advanced(byNanoseconds: entry.interval + entry.interval / 6)
            guard entry.ownDeadline < comesBack else { continue }
            let live = LiveID(number: UInt32(index))
            let until = min(entry.ownDeadline + lost, comesBack)
            tables.holds[live, default: Hold()].sparedUntil = until
            hold(live, until: max(entry.heldUntil, until), witness: "this node stood still itself")
        }
    }

    /// Until when the entry is kept because this node stood still; `.never` for one that was heard since.
    func sparedUntil(_ live: LiveID) -> Instant {
        isUnheardSinceStandstill(live) ? tables.holds[live]?.sparedUntil ?? .never : .never
    }

    /// Whether what happens to the entry's connection may be owed to this node's standing still.
    func isUnheardSinceStandstill(_ live: LiveID) -> Bool {
        tables.live[live.index].lastHeard < tables.stoodStillUntil
    }
}
