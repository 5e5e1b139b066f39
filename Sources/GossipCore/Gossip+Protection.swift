import Basics

// Mode protect: the removal of a replica that fell silent here is put off while a peer provably heard it.
//
// Only trusted evidence counts: from a ready peer, of an event after our first contact with its clock, not covered by a
// goodbye. It ends by itself when the replica's timeout has passed since the last heartbeat that any peer really received.

extension Gossip {
    /// A peer has answered about a replica, with or without an age.
    mutating func answered(
        _ report: AgeReport, by peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        if learned[report.replica] != nil { refresh(report.replica, now: now, &directives) }
        guard let entry = own.replica(hash: report.replica), let hearing = tables.hearing(of: entry.token) else {
            return
        }
        compareHearing(of: entry, hearing, report, with: peer, tables, now: now, &directives)
        guard settings.mode >= .protect || planted(.observeHolds) else { return }
        if closing[entry.hash] != nil { closing[entry.hash]?.answered.insert(peer) }
        reconsider(entry, hearing, now: now, &directives)
    }

    /// Whether the peer surely heard a replica later than this node did: then a link is cut, not a broker dead.
    private mutating func compareHearing(
        of entry: FirstHandSet.Replica, _ hearing: Hearing, _ report: AgeReport, with peer: Int,
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let known = evidence.evidence(of: entry.hash).first { $0.peer == peer }
        let isLateHere =
            late.contains(entry.token.number) && report.heard != nil
            && (known.map { $0.evidence.life.earliest > hearing.lastHeard + hearing.interval * 3 / 4 } ?? false)
        guard isLateHere, let known else {
            return clear(.lateHere, peer: peer, subject: entry.hash, now: now, &directives)
        }
        let key = DivergenceTable.Key(peer: peer, kind: .lateHere, subject: entry.hash)
        if divergences.isReported(key) == true { return }
        guard let identity = tables.summary(of: entry.token)?.identity else { return }
        let (name, node) = (peers[peer].name, settings.node)
        let silence = (now - hearing.lastHeard).wholeMilliseconds
        let there = known.evidence.life.ageHi(at: now).wholeMilliseconds
        note(
            .lateHere, peer: peer, subject: entry.hash, identity,
            text: "\(identity.label) has been silent here for \(silence) ms, while \(name) heard it \(there) ms ago",
            advice:
                "Check the network from \(identity.address) to \(node): the broker lives, only its heartbeats to this node are lost",
            now: now, &directives)
    }

    /// Puts the removal of a late or disconnected replica off, or no longer.
    mutating func reconsider(
        _ entry: FirstHandSet.Replica, _ hearing: Hearing, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard settings.mode >= .protect || planted(.observeHolds) else { return }
        let closed = closing[entry.hash]
        // An answer may come after the replica was heard again: then nobody has to vouch for it.
        let isLate = hearing.lastHeard + Self.lateAfter(hearing) <= now
        guard isLate || closed != nil else { return release(entry, &directives) }
        var lives = usableLives(of: entry.hash, timeout: hearing.timeout, now: now)
        if let closed, !planted(.beforeCloseCounts) {
            // A last heartbeat may overtake the end of the connection: who vouches must still be connected.
            let open = evidence.evidence(of: entry.hash).filter(\.evidence.isConnected).map(\.peer)
            lives.removeAll { $0.life.earliest <= closed.closedAt || !open.contains($0.peer) }
        }
        let wanted = planted(.oneWitness) ? 1 : settings.witnesses
        if lives.count >= wanted {
            let witness = lives[wanted - 1]
            return hold(
                entry, until: witness.life.usableUntil(timeout: hearing.timeout),
                "\(peers[witness.peer].name) heard it \(witness.life.ageHi(at: now).wholeMilliseconds) ms ago",
                &directives)
        }
        guard let closed else {
            if planted(.goodbyeReleasesNothing), departures.tombstones[entry.hash] != nil { return }
            return release(entry, &directives)
        }
        // Its connection closed here: is it open anywhere else?
        let answers = evidence.evidence(of: entry.hash).filter {
            peers[$0.peer].mayAnswer(at: now) && $0.evidence.answeredAt >= closed.closedAt
        }
        let open = answers.filter { $0.evidence.isConnected }
        let end = planted(.openIsForEver) ? Instant.distantFuture : closed.waitsUntil
        if let other = open.first, open.count >= settings.witnesses, now < end {
            return hold(
                entry, until: end, "its connection to \(peers[other.peer].name) is open", &directives)
        }
        waitForAnswers(entry, now: now, &directives)
    }

    /// The connection of a replica closed, and nobody has vouched for it so far: is there anybody who may yet?
    mutating func waitForAnswers(
        _ entry: FirstHandSet.Replica, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let closed = closing[entry.hash] else { return }
        let awaited = peers.indices.filter { peers[$0].mayAnswer(at: now) && !closed.answered.contains($0) }
        if awaited.isEmpty {
            closing[entry.hash] = nil
            held[entry.token.number] = nil
            directives.append(.release(entry.token))
            return
        }
        // What cut the replica off may have cut the peers off as well: their links come back first.
        let expected = awaited.filter { !peers[$0].isWitness }.map { peers[$0].expectedUntil }.max() ?? .zero
        let until = min(expected, closed.waitsUntil)
        if until > max(now, closed.closedAt + settings.closeGrace) {
            hold(entry, until: until, "its peers are being dialled again", &directives)
        }
    }

    /// The trusted signs of life that are still of use, those that last longest first.
    func usableLives(
        of replica: UInt64, timeout: Duration, now: Instant
    ) -> [(peer: Int, life: AgeBound)] {
        var lives: [(peer: Int, life: AgeBound)] = []
        for (peer, known) in evidence.evidence(of: replica) {
            guard let life = known.trusted, peers[peer].duplicateUntil == nil,
                life.usableUntil(timeout: timeout) > now,
                !departures.covers(life, of: replica, isRegistration: false)
            else { continue }
            lives.append((peer, life))
        }
        return lives.sorted { ($1.life.earliest, $0.peer) < ($0.life.earliest, $1.peer) }
    }

    private mutating func hold(
        _ entry: FirstHandSet.Replica, until: Instant, _ witness: String, _ directives: inout [GossipDirective]
    ) {
        guard held[entry.token.number] != until else { return }
        if held[entry.token.number] == nil { counters.holds += 1 }
        held[entry.token.number] = until
        directives.append(.hold(entry.token, until: until, witness: witness))
    }

    mutating func release(_ entry: FirstHandSet.Replica, _ directives: inout [GossipDirective]) {
        guard held.removeValue(forKey: entry.token.number) != nil else { return }
        directives.append(.release(entry.token))
    }

    /// Something that holds rest on has changed: a clock, a witness, a goodbye. Looks at every hold again at the next turn.
    mutating func reconsiderAll(now: Instant, _ directives: inout [GossipDirective]) {
        mustReconsider = true
        for hash in learned.keys.sorted() { refresh(hash, now: now, &directives) }
    }

    /// A peer has gone or lost its standing: closed connections that wait for its answer need not.
    mutating func answersChanged(now: Instant, _ directives: inout [GossipDirective]) { mustReconsider = true }

    mutating func reconsiderHolds(
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant, _ directives: inout [GossipDirective]
    ) {
        mustReconsider = false
        let tokens = Set(held.keys).union(closing.keys.compactMap { own.replica(hash: $0)?.token.number })
        for number in tokens.sorted() {
            guard let entry = own[ReplicaToken(number: number)], let hearing = tables.hearing(of: entry.token) else {
                held[number] = nil
                continue
            }
            reconsider(entry, hearing, now: now, &directives)
        }
    }

    // MARK: Goodbyes

    mutating func tellGoodbyes(now: Instant, _ directives: inout [GossipDirective]) {
        for peer in peers.indices where peers[peer].link != nil { sendTombstones(to: peer, now: now, &directives) }
    }

    /// Tells the peer of the goodbyes it has not been told on this link, one frame of them; the next exchange goes on.
    mutating func sendTombstones(to peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        let goodbyes = departures.own(after: peers[peer].sentTombstone, atMost: WireLimits.tombstones)
        guard let last = goodbyes.last else { return }
        peers[peer].sentTombstone = last.sequence
        let tombstones = goodbyes.map {
            TombstoneReport(
                replica: $0.replica, reason: .unregistered, sequence: $0.sequence,
                age: AgeBound.reportedAge(heardAt: $0.saidAt, now: now), timeoutMillis: $0.timeout.wholeMilliseconds)
        }
        send(.tombstones(.init(reports: tombstones)), to: peer, &directives)
    }

    /// No broker's timeout is longer; a peer that says so is not made to matter for longer.
    static let longestTimeout: Duration = .seconds(86_400)

    mutating func received(
        _ goodbyes: GossipMessage.Tombstones, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        for goodbye in goodbyes.reports {
            consider(goodbye, from: peer, now: now)
            let timeout = min(max(settings.expiry, .milliseconds(goodbye.timeoutMillis)), Self.longestTimeout)
            guard
                departures.heardOfGoodbye(goodbye.replica, age: goodbye.age, timeout: timeout, at: now)
            else { continue }
            if learned[goodbye.replica] != nil { refresh(goodbye.replica, now: now, &directives) }
            if let entry = own.replica(hash: goodbye.replica), let hearing = tables.hearing(of: entry.token) {
                reconsider(entry, hearing, now: now, &directives)
            }
        }
    }
}
