import Basics

// How gossip lengthens the life of a first-hand entry, and never shortens it:
//
//     an entry goes when  now > max(held until, min(last heard + timeout, closed + grace))
//
// Without gossip nothing is held and no grace given: then an entry goes when it was silent for longer than its timeout,
// or at once when its connection closes. Gossip never touches `lastHeard`.

/// Why an entry is kept, for the log.
struct Hold {
    /// Who heard the replica, in words.
    var witness: String?
    /// What the gossip layer says to the end of it, in words.
    var cause: String?
    /// Until when it is kept in any case, since this node stood still; counts until it is heard again.
    var sparedUntil = Instant.never
    /// The entry's own deadline, once it has passed and the log was told that the entry is kept; nil before.
    var since: Instant?
}

extension LiveEntry {
    /// When the connection closed and the grace has passed, or the replica has been silent for its timeout.
    var ownDeadline: Instant { min(silenceDeadline, graceEnd) }

    /// The last instant at which the entry still stands.
    var deadline: Instant { max(heldUntil, ownDeadline) }

    private var silenceDeadline: Instant { lastHeard.advanced(byNanoseconds: timeout) }

    /// Whether it would be gone but for a hold, and not for its connection.
    func isHeldForSilence(at now: Instant) -> Bool { !isClosing && silenceDeadline < now && heldUntil >= now }

    /// Whether its connection closed and it still stands.
    var isClosing: Bool { graceEnd != .distantFuture }

    /// Whether the entry would go for its connection, not for its silence.
    var goesByItsConnection: Bool { isClosing && graceEnd <= silenceDeadline }

    /// When a scan should look at it: as soon as its own deadline has passed, then when the hold has.
    func nextLook(now: Instant) -> Instant { ownDeadline < now ? deadline : ownDeadline }
}

extension NameServer {
    /// Keeps the entry at least until `until`, even if the replica is silent for longer than its timeout or its connection
    /// is closed. Replaces an earlier hold, also a longer one; never ends an entry before its own deadline.
    ///
    /// - Parameter witness: why, in words, for the log: `ns-2 heard it 31000 ms ago`.
    public mutating func hold(_ replica: ReplicaToken, until: Instant, witness: String? = nil) {
        guard let live = live(replica) else { return }
        hold(live, until: max(until, sparedUntil(live)), witness: witness)
    }

    mutating func hold(_ live: LiveID, until: Instant, witness: String?) {
        tables.live[live.index].heldUntil = until
        if planted(.holdRefreshes) { tables.live[live.index].lastHeard = until }
        tables.holds[live, default: Hold()].witness = witness
        tables.expiry.setNoLater(live, due: tables.live[live.index].deadline)
        if tables.live[live.index].isClosing { tables.closing.set(live, due: tables.live[live.index].deadline) }
    }

    /// Ends a hold and a close grace. The entry of a closed connection goes at once, another at the next scan if it has
    /// been silent for longer than its timeout; both not before what `stoodStill` grants them.
    ///
    /// Also for entries that were never held: `cause` is what the log says if the entry goes.
    ///
    /// - Parameter cause: in words: `no peer heard it either`.
    public mutating func release(
        _ replica: ReplicaToken, cause: String? = nil, now: Instant, wallTime: WallTime,
        directives: inout [Directive]
    ) {
        guard let live = live(replica) else { return }
        tables.live[live.index].heldUntil = sparedUntil(live)
        if let cause { tables.holds[live, default: Hold()].cause = cause }
        if tables.live[live.index].isClosing {
            tables.live[live.index].graceEnd = min(tables.live[live.index].graceEnd, now)
            guard tables.live[live.index].heldUntil >= now else {
                return depart(live, Arrival(now: now, wallTime: wallTime), &directives)
            }
            tables.closing.set(live, due: tables.live[live.index].deadline)
        }
        tables.expiry.setNoLater(live, due: tables.live[live.index].deadline)
    }

    /// The instant by which `scan` must run at the latest for something that does not wait for the usual scan: the grace or
    /// hold of a closed connection ends, or a topic leaves a registration image. Nil for nothing; may be in the past.
    public var nextRemoval: Instant? {
        guard let due = [tables.closing.first?.due, firstHand?.unconfirmed.first?.due].compactMap(\.self).min() else {
            return nil
        }
        return due.advanced(byNanoseconds: 1)
    }

    /// Removes the replicas whose connection closed and whose grace or hold is over, and lets topics leave registration
    /// images. Silence is left to `scan`.
    public mutating func endGraces(now: Instant, wallTime: WallTime, directives: inout [Directive]) {
        let arrival = Arrival(now: now, wallTime: wallTime)
        while let (due, id) = tables.closing.first, due < now {
            let deadline = tables.live[id.index].deadline
            if deadline < now {
                depart(id, arrival, &directives)
            } else {
                tables.closing.set(id, due: deadline)
            }
        }
        expireImageTopics(now: now, &directives)
    }

    // MARK: Closed connections

    /// Lets the entry stand for a while though its connection closed: peers may still hear the replica.
    mutating func beginGrace(_ live: LiveID, _ grace: Duration, _ arrival: Arrival, _ directives: inout [Directive]) {
        tables.bind(live, to: 0)
        if let hold = tables.holds[live], hold.sparedUntil == tables.live[live.index].heldUntil,
            sparedUntil(live) == .never
        {
            // It was heard since: this end is news.
            tables.live[live.index].heldUntil = .never
        }
        tables.live[live.index].graceEnd = arrival.now + grace
        tables.expiry.setNoLater(live, due: tables.live[live.index].nextLook(now: arrival.now))
        tables.closing.set(live, due: tables.live[live.index].deadline)
        let broker = identity(of: live)
        note(
            .closing, broker, "\(broker.label): its connection closed; kept for \(grace.wholeMilliseconds) ms", arrival,
            &directives)
        // After the line about it: what follows may be the removal, at once.
        if firstHand != nil { directives.append(.firstHand(.closed(live.token))) }
    }

    // MARK: Scanning

    /// Logs once that an entry is kept beyond its own deadline.
    mutating func noteHold(_ live: LiveID, _ arrival: Arrival, _ directives: inout [Directive]) {
        let entry = tables.live[live.index]
        guard entry.ownDeadline < arrival.now, tables.holds[live, default: Hold()].since == nil else { return }
        tables.holds[live]?.since = entry.ownDeadline
        let broker = identity(of: live)
        let witness = tables.holds[live]?.witness.map { ": \($0)" } ?? ""
        note(.held, broker, "\(broker.label) kept though \(own(entry, arrival.now))\(witness)", arrival, &directives)
    }

    /// Logs once that an entry which was kept is heard again, and forgets holds that have no effect any more.
    mutating func endHolds(_ arrival: Arrival, _ directives: inout [Directive]) {
        if tables.holds.isEmpty { return }
        for live in tables.holds.keys.sorted(by: { $0.number < $1.number }) {
            let entry = tables.live[live.index]
            guard entry.ownDeadline >= arrival.now else { continue }
            if let since = tables.holds[live]?.since {
                let held = max(0, entry.lastHeard.milliseconds(since: since))
                let broker = identity(of: live)
                note(.released, broker, "\(broker.label) heard again; held for \(held) ms", arrival, &directives)
                tables.holds[live]?.since = nil
            }
            if entry.heldUntil <= entry.ownDeadline { tables.holds[live] = nil }
        }
    }

    /// Removes an entry whose deadline has passed, for its silence or its closed connection.
    mutating func depart(_ live: LiveID, _ arrival: Arrival, _ directives: inout [Directive]) {
        let entry = tables.live[live.index]
        var cause = own(entry, arrival.now)
        if let hold = tables.holds[live] {
            if let since = hold.since { cause += "; held for \(arrival.now.milliseconds(since: since)) ms" }
            if let said = hold.cause { cause += "; \(said)" }
        }
        if entry.goesByItsConnection {
            counters.closedConnections += 1
            return remove(live, .connectionClosed, cause, arrival, &directives)
        }
        counters.expirations += 1
        remove(live, .expired, cause, arrival, &directives)
        // Other replicas that registered over the same connection and are not silent would die with it.
        let connection = entry.connection
        if connection != 0, tables.live(on: connection).isEmpty { directives.append(.close(connection)) }
    }

    /// Why the entry would go if nobody held it, in words.
    private func own(_ entry: LiveEntry, _ now: Instant) -> String {
        entry.goesByItsConnection
            ? "its connection closed" : "silent for \(now.milliseconds(since: entry.lastHeard)) ms"
    }
}

extension Arrival {
    /// An event that no request brought.
    init(now: Instant, wallTime: WallTime) {
        self.init(connection: 0, now: now, wallTime: wallTime, opaque: 0, isOneway: true)
    }
}
