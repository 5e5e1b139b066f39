import Basics

// Modes replicate, and protect while it warms up: registrations that a peer heard and this node did not. They live in an
// overlay of the tables; here is what is known of each, and until when it may be served.

/// A registration that is served by hearsay.
struct LearnedReplica {
    var identity: ReplicaIdentity
    /// The state that was learned.
    var item: UInt64
    var timeout: Duration
    var isProvisional: Bool
    var usableUntil: Instant

    /// Its evidence is as old as that of a late broker, or it has none that counts yet.
    func wantsEvidence(at now: Instant) -> Bool {
        isProvisional || usableUntil - now < timeout * 11 / 16
    }
}

/// Fetching one image, part by part.
struct ImagePull {
    var round: Round
    let item: UInt64
    var bytes: [UInt8] = []
}

extension Gossip {
    /// Fetches what the peer has and this node lacks, one image at a time, once it has been missing for two exchanges.
    mutating func learnFrom(_ peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        guard settings.mode == .replicate, state != .warming, peers[peer].isWitness else { return }
        var pullable: [UInt64] = []
        for (item, remote) in peers[peer].remote where learned[remote.replica]?.item != item {
            // More exchanges than two say no more, and writing each time costs.
            if remote.exchanges < 2 { peers[peer].remote[item]?.exchanges += 1 }
            if remote.exchanges >= 1 { pullable.append(item) }
        }
        peers[peer].pullable = pullable.sorted(by: >)
        if let pull = peers[peer].imagePull, now - pull.round.sentAt > settings.period * Self.repairPatience {
            peers[peer].imagePull = nil
        }
        pullNextImage(from: peer, now: now, &directives)
    }

    private mutating func pullNextImage(from peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        guard peers[peer].imagePull == nil else { return }
        while let item = peers[peer].pullable.popLast() {
            guard let remote = peers[peer].remote[item], remote.restsUntil <= now,
                own.replica(hash: remote.replica) == nil || planted(.learnedBesideFirstHand),
                learned[remote.replica]?.item != item,
                usableUntil(remote, now: now) != nil
            else { continue }
            return askForImage(of: item, from: peer, offset: 0, now: now, &directives)
        }
    }

    /// Asks for what follows the bytes that are there.
    private mutating func askForImage(
        of item: UInt64, from peer: Int, offset: Int, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let round = Round(nonce: draw(), sentAt: now, asked: [item])
        if offset == 0 { peers[peer].imagePull = ImagePull(round: round, item: item) }
        peers[peer].imagePull?.round = round
        send(
            .itemRequest(.init(nonce: round.nonce, clock: now, items: [item], imageOffset: offset)), to: peer,
            &directives)
    }

    /// A part of the image that is being pulled. (The bytes stay where they are, so that they are never copied.)
    mutating func receivedImage(
        _ answer: GossipMessage.Item, from peer: Int, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let item = peers[peer].imagePull?.item, let round = peers[peer].imagePull?.round,
            let length = peers[peer].imagePull?.bytes.count
        else { return }
        guard answer.entries.first?.item == item, let record = answer.entries.first?.record,
            let chunk = answer.image, chunk.offset == length, chunk.total <= GossipLimits.imageBytes,
            let remote = peers[peer].remote[item]
        else {
            // The peer has it no more, or it is too long: asking again at once would bring the same.
            peers[peer].imagePull = nil
            peers[peer].remote[item]?.restsUntil = now + settings.refusalMemory
            return pullNextImage(from: peer, now: now, &directives)
        }
        adopt(
            record.hearing, registration: record.summary.registrationHash, of: remote.replica, from: peer, round,
            clock: answer.clock, now: now)
        peers[peer].imagePull?.bytes += chunk.bytes
        if length + chunk.bytes.count < chunk.total {
            return askForImage(
                of: item, from: peer, offset: length + chunk.bytes.count, now: now, &directives)
        }
        let image = peers[peer].imagePull?.bytes ?? []
        peers[peer].imagePull = nil
        if let until = usableUntil(remote, now: now) {
            learn(remote, item: item, image: image, from: peer, until: until, &directives)
        }
        pullNextImage(from: peer, now: now, &directives)
    }

    /// Until when a replica may be served on what the peers said of it; nil when on nothing.
    private func usableUntil(_ remote: RemoteItem, now: Instant) -> Instant? {
        provenUntil(of: remote.replica, timeout: Self.grantedTimeout(remote.summary), now: now)
    }

    /// Until when trusted evidence proves a replica alive that this node does not hear; nil when nothing does.
    func provenUntil(of replica: UInt64, timeout: Duration, now: Instant) -> Instant? {
        let lives = usableLives(of: replica, timeout: timeout, now: now).filter {
            !departures.isBelowFloor($0.life, of: replica)
        }
        guard lives.count >= settings.witnesses else { return nil }
        return lives[settings.witnesses - 1].life.usableUntil(timeout: timeout)
    }

    /// The silence that a replica is granted on a peer's word.
    static func grantedTimeout(_ summary: RegistrationSummary) -> Duration {
        min(max(.zero, .milliseconds(summary.timeoutMillis)), longestTimeout)
    }

    private mutating func learn(
        _ remote: RemoteItem, item: UInt64, image: [UInt8], from peer: Int, until: Instant,
        _ directives: inout [GossipDirective]
    ) {
        counters.learned += 1
        learned[remote.replica] = LearnedReplica(
            identity: remote.summary.identity, item: item,
            timeout: Self.grantedTimeout(remote.summary), isProvisional: false, usableUntil: until)
        directives.append(
            .learn(
                LearnedFromPeer(
                    summary: remote.summary, image: image, origin: peers[peer].name, isProvisional: false,
                    usableUntil: until)))
    }

    /// The tables would not take a registration that was learned, or serve it no longer by themselves: it is not tried again
    /// for a while. (Its place may have been taken, and become free.)
    public mutating func refusedToLearn(_ identity: ReplicaIdentity, now: Instant) {
        let replica = settings.hash.replica(identity)
        guard let item = learned.removeValue(forKey: replica)?.item else { return }
        for peer in peers.indices { peers[peer].remote[item]?.restsUntil = now + settings.refusalMemory }
    }

    /// There is new evidence of a learned replica, or some has lost its worth.
    mutating func refresh(_ replica: UInt64, now: Instant, _ directives: inout [GossipDirective]) {
        guard var known = learned[replica] else { return }
        let lives = usableLives(of: replica, timeout: known.timeout, now: now)
        if lives.count >= settings.witnesses {
            known.isProvisional = false
            known.usableUntil = lives[settings.witnesses - 1].life.usableUntil(timeout: known.timeout)
        } else if known.isProvisional, let until = provisionalUntil(of: replica, timeout: known.timeout) {
            known.usableUntil = until
        } else if !planted(.learnedForEver) {
            let saidGoodbye = departures.tombstones[replica] != nil
            return unlearn(
                replica, cause: saidGoodbye ? "it said goodbye to a peer" : "no peer vouches for it any more",
                &directives)
        }
        guard known.usableUntil > now || planted(.learnedForEver) else {
            return unlearn(replica, cause: "no peer heard it within its timeout", &directives)
        }
        let old = learned.updateValue(known, forKey: replica)
        if old?.usableUntil != known.usableUntil || old?.isProvisional != known.isProvisional {
            directives.append(
                .extend(known.identity, usableUntil: known.usableUntil, isProvisional: known.isProvisional))
        }
    }

    mutating func unlearn(_ replica: UInt64, cause: String, _ directives: inout [GossipDirective]) {
        guard let known = learned.removeValue(forKey: replica) else { return }
        directives.append(.forget(known.identity, cause: cause))
    }

    /// Ends what time has ended.
    mutating func pruneLearned(now: Instant, _ directives: inout [GossipDirective]) {
        for (replica, known) in learned.sorted(by: { $0.key < $1.key }) {
            if known.usableUntil <= now, !planted(.learnedForEver) {
                unlearn(replica, cause: "no peer heard it within its timeout", &directives)
            } else if known.isProvisional, now >= warmUp.provisionalEnd {
                unlearn(replica, cause: "known from a snapshot only, and not heard of since", &directives)
            } else if settings.mode < .replicate, now >= warmUp.provisionalEnd {
                unlearn(replica, cause: "warm-up is over", &directives)
            }
        }
    }
}
