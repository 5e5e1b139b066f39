import Basics

// Clocks that stood still: found by comparing offsets, made up for by making ages older, never younger (rule R3).

extension Gossip {
    /// One exchange with the peer also measures the difference of the two clocks.
    mutating func observeClock(
        of peer: Int, reading: Instant, sentAt: Instant, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard peers[peer].offset != nil else {
            peers[peer].offset = ClockOffset(peer: reading, sent: sentAt, received: now)
            peers[peer].offsetSentAt = sentAt
            return
        }
        // Of two exchanges that cross, the one begun first may end last: its measurement adds nothing.
        guard sentAt >= peers[peer].offsetSentAt else { return }
        let finding = peers[peer].offset?.observe(peer: reading, sent: sentAt, received: now)
        peers[peer].offsetSentAt = sentAt
        switch finding {
        case nil, .consistent: break
        case .peerStalled(let loss): peerStalled(peer, loss, reading: reading, now: now, &directives)
        case .weStalled(let loss):
            stalled(loss, noticedBy: peers[peer].name, now: now, &directives)
        }
    }

    private mutating func peerStalled(
        _ peer: Int, _ loss: Duration, reading: Instant, now: Instant, _ directives: inout [GossipDirective]
    ) {
        // It may hear of its loss late, or never: what it goes on telling is made older here in any case.
        if !planted(.ignorePeerStalls) { peers[peer].losses.note(loss, by: peers[peer].name, at: reading) }
        peers[peer].stalled += loss
        peers[peer].stalledAt = now
        peers[peer].stallToTell += loss
        if !planted(.ignorePeerStalls) { evidence.age(by: loss, from: peer) }
        let text = "the clock of \(peers[peer].name) stood still for at most \(loss.wholeMilliseconds) ms, or runs slow"
        note(
            .clock, peer: peer, text: text,
            advice: "Look for a paused virtual machine or a suspended host; ages it reports are made older by that",
            now: now,
            &directives)
        reconsiderAll(now: now, &directives)
    }

    /// A stall that is worth a line of its own, however many there are.
    private static let longStall: Duration = .seconds(1)

    /// This node's own clock lost time: all its evidence is older than it seemed, and so is what it reports.
    private mutating func stalled(
        _ loss: Duration, noticedBy observer: String, now: Instant, _ directives: inout [GossipDirective]
    ) {
        stalls.note(loss, by: observer, at: now)
        if !planted(.ignoreOwnStalls) { evidence.age(by: loss, from: nil) }
        // A clock that runs slow loses a little at every exchange: that is one alarm, as for a peer's clock.
        let isNews = stallAlarmedAt.map { now - $0 >= DivergenceTable.alarmInterval } ?? true
        if isNews || loss >= Self.longStall {
            stallAlarmedAt = now
            directives.append(
                .event(
                    GossipEvent(
                        .stalled, .warning,
                        "this node's clock stood still for at most \(loss.wholeMilliseconds) ms, or runs slow (noticed by comparing "
                            + "with \(observer)). Look for a paused virtual machine or a suspended host")))
        }
        reconsiderAll(now: now, &directives)
    }

    /// A peer found that our clock lost time: our reports get older by it. (What it may claim is bounded; a liar can make
    /// this node a useless witness, never a generous one.)
    mutating func noteToldStall(_ loss: Duration?, by peer: Int, now: Instant) {
        guard let loss, loss <= ClockRate.longestAge else { return }
        stalls.note(loss, by: peers[peer].name, at: now)
    }

    /// The wall clock as a further witness: when it went on by a second more than our own, ours may have stood still. Wrong
    /// guesses (somebody set the wall clock) only make ages older.
    mutating func compareClocks(wallTime: WallTime, now: Instant, _ directives: inout [GossipDirective]) {
        defer { lastClocks = (wallTime, now) }
        guard let last = lastClocks else { return }
        let (passed, overflow) = wallTime.milliseconds.subtractingReportingOverflow(last.wall.milliseconds)
        let own = (now - last.own).wholeMilliseconds
        guard !overflow, passed - own > 1_000 else { return }
        stalled(
            .milliseconds(min(passed - own, ClockRate.longestAge.wholeMilliseconds)), noticedBy: "the wall clock",
            now: now, &directives)
    }
}
