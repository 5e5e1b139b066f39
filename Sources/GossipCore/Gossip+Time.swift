import Basics

// What time brings: dials, exchanges, lateness, the end of evidence, and the node's own state.

extension Gossip {
    /// Share of replicas, in tenths, that must be late at once for a node without peers to take itself for cut off.
    static let isolationTenths = 8
    /// Old evidence, goodbyes and alarms are swept once in so many periods.
    static let sweepPeriods = 10

    /// Does what is due; to be called at `nextWake` at the latest.
    public mutating func advance(
        tables: borrowing some FirstHandTables & ~Copyable, now: Instant, wallTime: WallTime,
        directives: inout [GossipDirective]
    ) {
        if nextHousekeeping <= now {
            nextHousekeeping = now + settings.period
            compareClocks(wallTime: wallTime, now: now, &directives)
            lookForLate(tables, now: now, &directives)
            if planted(.agesStandStill) { renewHearsayOfTheAbsent() }
            pruneLearned(now: now, &directives)
            advanceWarmUp(now: now, &directives)
            lookForIsolation(now: now, &directives)
            periods += 1
            if periods.isMultiple(of: Self.sweepPeriods) { sweep(now: now, &directives) }
        }
        if mustReconsider { reconsiderHolds(tables, now: now, &directives) }
        dial(now: now, &directives)
        exchange(tables, now: now, &directives)
    }

    /// This node is about to stop: peers are told, so that they do not wait for it.
    public mutating func stop(now: Instant, directives: inout [GossipDirective]) {
        state = .draining
        for peer in peers.indices where peers[peer].link != nil {
            send(.bye(.init(reason: "this node stops")), to: peer, &directives)
        }
        for link in links.keys.sorted() { directives.append(.close(link)) }
        links = [:]
        for peer in peers.indices where peers[peer].link != nil { peers[peer].unlink(at: now) }
    }

    private mutating func lookForIsolation(now: Instant, _ directives: inout [GossipDirective]) {
        guard state == .ready || state == .isolated, !contacts.allSatisfy(\.isSelf) else { return }
        let isAlone = peers.allSatisfy { $0.link == nil }
        let mostAreLate = own.count > 0 && late.count * 10 >= own.count * Self.isolationTenths
        if isAlone, mostAreLate {
            become(
                .isolated,
                "no peer answers and \(late.count) of \(own.count) brokers are silent. Check this machine's network; clients should "
                    + "use another node", &directives)
        } else if state == .isolated, !isAlone || late.count * 2 < own.count {
            become(.ready, "it hears the cluster again", &directives)
        }
    }

    private mutating func sweep(now: Instant, _ directives: inout [GossipDirective]) {
        let oldest = Swift.max(settings.expiry, .seconds(60)) * 2
        evidence.prune(before: now + (.zero - oldest)) { learned[$0] != nil }
        stalls.prune(before: now + (.zero - ClockRate.longestAge))
        departures.prune(at: now)
        divergences.prune(at: now)
        sweepOperations(now: now, &directives)
        for peer in peers.indices {
            if let until = peers[peer].duplicateUntil, until <= now {
                peers[peer].duplicateUntil = nil
                clear(.duplicateID, peer: peer, now: now, &directives)
            }
            if let at = peers[peer].stalledAt, now - at > settings.clockMemory {
                peers[peer].stalledAt = nil
                clear(.clock, peer: peer, now: now, &directives)
            }
        }
    }
}
