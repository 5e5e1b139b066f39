import Basics

// From start to ready. A node that has just started knows less than its peers; until it has caught up it is nobody's
// witness and nobody's source (a node filling from another empty node is how whole clusters were lost elsewhere), and it
// may refuse to say that a topic does not exist.

/// How far the warm-up is.
struct WarmUp {
    /// Sources that were pulled dry.
    var completed = 0
    var firstCompleted: Instant?
    /// When entries that only a snapshot vouches for end.
    var provisionalEnd = Instant.distantFuture
}

/// Pulling what one ready peer heard, part by part.
struct SnapshotPull {
    var round: Round
    var cursor: UInt64
    /// The source is busy: goes on with the next period.
    var isWaiting = false
}

extension Gossip {
    /// Room for images in one part, so that with the entries it fits a frame; an image above it is fetched by itself.
    static let snapshotImageRoom = 44 << 10

    /// Whether this node serves by hearsay while it warms up.
    private var warmsBySnapshot: Bool { settings.mode >= .protect }

    mutating func advanceWarmUp(now: Instant, _ directives: inout [GossipDirective]) {
        guard state == .warming else { return }
        if warmsBySnapshot {
            warmUp.provisionalEnd =
                planted(.provisionalForEver) ? .distantFuture : startedAt + settings.heartbeat * 2
            pullSnapshots(now: now, &directives)
        }
        if isWarm(now: now) { become(.ready, "its table is complete as far as it can know", &directives) }
    }

    private func isWarm(now: Instant) -> Bool {
        let uptime = now - startedAt
        if planted(.readyAtOnce) { return true }
        if contacts.allSatisfy(\.isSelf), !settings.acceptsUnlistedPeers { return true }
        // As long as brokers need to come by themselves, half as long again: nothing is gained by waiting longer.
        if uptime >= settings.heartbeat * 3 / 2 { return true }
        let readyPeers = peers.filter { $0.isWitness }
        if readyPeers.contains(where: { $0.digest?.root == own.sketch.root }) { return true }
        if let first = warmUp.firstCompleted {
            let isPulling = peers.contains { $0.snapshot != nil }
            return !isPulling || now - first >= settings.secondSnapshotWait
        }
        return readyPeers.isEmpty && uptime >= settings.brokersReturn
            && now - lastNewReplica >= settings.heartbeat / 3
    }

    mutating func become(_ new: NodeState, _ why: String, _ directives: inout [GossipDirective]) {
        guard state != new else { return }
        state = new
        directives.append(.state(new))
        directives.append(
            .event(GossipEvent(.state, new == .isolated ? .warning : .info, "this node is \(new.name): \(why)")))
    }

    // MARK: Pulling

    private mutating func pullSnapshots(now: Instant, _ directives: inout [GossipDirective]) {
        for peer in peers.indices {
            guard let pull = peers[peer].snapshot else { continue }
            if pull.isWaiting {
                request(from: peer, cursor: pull.cursor, now: now, &directives)
            } else if now - pull.round.sentAt > settings.period * Self.repairPatience {
                peers[peer].snapshot = nil
            }
        }
        guard warmUp.completed == 0 else { return }
        var sources = peers.count { $0.snapshot != nil }
        for peer in peers.indices
        where sources < GossipLimits.snapshotSources && peers[peer].snapshot == nil && !isCovered(peer)
            && (peers[peer].isWitness || (planted(.snapshotWhileWarming) && peers[peer].link != nil))
        {
            request(from: peer, cursor: 0, now: now, &directives)
            sources += 1
        }
    }

    /// Whether another source that is being pulled heard the very same: a second copy would only cost its time. Where one
    /// witness is not enough, the second one's ages are wanted all the same.
    private func isCovered(_ peer: Int) -> Bool {
        settings.witnesses == 1
            && peers.contains { $0.snapshot != nil && $0.digest?.root == peers[peer].digest?.root }
    }

    private mutating func request(
        from peer: Int, cursor: UInt64, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let round = Round(nonce: draw(), sentAt: now)
        peers[peer].snapshot = SnapshotPull(round: round, cursor: cursor)
        send(.snapshotRequest(.init(nonce: round.nonce, clock: now, cursor: cursor)), to: peer, &directives)
    }

    mutating func received(
        _ chunk: GossipMessage.SnapshotChunk, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let pull = peers[peer].snapshot, pull.round.nonce == chunk.echo, state == .warming else {
            counters.unsolicitedAnswers += 1
            return
        }
        var batch: [LearnedFromPeer] = []
        for entry in chunk.entries {
            let replica = settings.hash.replica(entry.record.summary.identity)
            adopt(
                entry.record.hearing, registration: entry.record.summary.registrationHash, of: replica, from: peer,
                pull.round, clock: chunk.clock, now: now)
            if entry.isOversized { continue }
            batch.append(
                provisional(entry.record.summary, replica, item: entry.item, from: peer, now: now))
        }
        directives.append(.learnAll(batch, images: chunk.images))
        if chunk.nextCursor > pull.cursor {
            return request(from: peer, cursor: chunk.nextCursor, now: now, &directives)
        }
        peers[peer].snapshot = nil
        warmUp.completed += 1
        warmUp.firstCompleted = warmUp.firstCompleted ?? now
        advanceWarmUp(now: now, &directives)
    }

    /// What is to be served of a snapshot's entry; without usable evidence its time is over at once, and the tables drop it.
    private mutating func provisional(
        _ summary: RegistrationSummary, _ replica: UInt64, item: UInt64, from peer: Int, now: Instant
    ) -> LearnedFromPeer {
        let timeout = Self.grantedTimeout(summary)
        let proven = provenUntil(of: replica, timeout: timeout, now: now)
        let isProven = proven != nil
        let until = proven ?? provisionalUntil(of: replica, timeout: timeout) ?? .zero
        if own.replica(hash: replica) == nil, until > now {
            counters.learned += 1
            learned[replica] = LearnedReplica(
                identity: summary.identity, item: item, timeout: timeout, isProvisional: !isProven, usableUntil: until)
        }
        return LearnedFromPeer(
            summary: summary, image: [], origin: peers[peer].name, isProvisional: !isProven, usableUntil: until)
    }

    /// On evidence that does not count otherwise: an event from before our first contact with the peer's clock. A source whose
    /// clock stood still before we met does harm for two heartbeats at the most.
    func provisionalUntil(of replica: UInt64, timeout: Duration) -> Instant? {
        let ends = evidence.evidence(of: replica).filter {
            !departures.covers($0.evidence.life, of: replica, isRegistration: false)
                && !departures.isBelowFloor($0.evidence.life, of: replica) && peers[$0.peer].duplicateUntil == nil
        }.map { $0.evidence.life.usableUntil(timeout: timeout) }
        return ends.max().map { min($0, warmUp.provisionalEnd) }
    }

    // MARK: Being a source

    mutating func answer(
        _ request: GossipMessage.SnapshotRequest, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard state == .ready || planted(.snapshotWhileWarming) else {
            return sendBusy(to: peer, &directives)
        }
        guard mayAnswer(peer, WireLimits.frameBytes, now: now, &directives) else { return }
        var entries: [SnapshotEntry] = []
        var tokens: [ReplicaToken] = []
        var room = WireLimits.frameBytes - GossipMessage.SnapshotChunk.overhead - Self.snapshotImageRoom
        var imageRoom = Self.snapshotImageRoom
        var next = Int(clamping: request.cursor)
        while let entry = own.replica(from: next) {
            guard let record = record(ofItem: entry.item, tables, now: now) else {
                next = Int(entry.token.number) + 1
                continue
            }
            let size = tables.imageSize(of: entry.token)
            let isOversized = size > Self.snapshotImageRoom
            let part = SnapshotEntry(item: entry.item, record: record, isOversized: isOversized)
            let fits = part.encodedSize <= room && (isOversized || size <= imageRoom)
            guard fits, entries.count < WireLimits.snapshotEntries else { break }
            room -= part.encodedSize
            if !isOversized {
                imageRoom -= size
                tokens.append(entry.token)
            }
            entries.append(part)
            next = Int(entry.token.number) + 1
        }
        var images = ByteWriter(capacity: 64 << 10)
        tables.encodeImages(of: tokens, into: &images)
        // Many registrations of the same topics weigh far less together than they might have.
        peers[peer].budget.giveBack(room + Self.snapshotImageRoom - images.count)
        let cursor = own.replica(from: next) == nil ? 0 : UInt64(next)
        send(
            .snapshotChunk(
                .init(echo: request.nonce, clock: now, nextCursor: cursor, entries: entries, images: images.array())),
            to: peer, &directives)
        if planted(.snapshotAtOnce), cursor > 0 {
            answer(.init(nonce: request.nonce, clock: now, cursor: cursor), from: peer, tables, now, &directives)
        }
    }
}
