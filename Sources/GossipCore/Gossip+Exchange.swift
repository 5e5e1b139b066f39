import Basics

// SYN, SYN-ACK, ACK: digests are compared, late replicas are asked about by name, and ages are adopted, each from the
// answer to a fresh nonce of one's own and charged with the whole round trip (rule R2).

extension Gossip {
    /// One frame of a peer, whole.
    public mutating func received(
        _ frame: UnsafeRawBufferPointer, on link: LinkID, tables: borrowing some FirstHandTables & ~Copyable,
        now: Instant, directives: inout [GossipDirective]
    ) {
        guard let state = links[link] else { return }
        counters.bytesReceived += frame.count
        let message: GossipMessage
        do throws(GossipFormatError) {
            guard let decoded = try GossipMessage.decode(frame) else { return }
            message = decoded
        } catch {
            return refuseFrame(on: link, error.description, now: now, &directives)
        }
        counters.framesReceived += 1
        links[link]?.lastReceived = now
        guard let peer = state.peer else {
            switch message {
            case .hello(let hello): received(hello, on: link, now: now, &directives)
            case .helloAck(let answer): received(answer, on: link, now: now, &directives)
            default: refuseFrame(on: link, "a frame before the handshake", now: now, &directives)
            }
            return
        }
        if let supersededAt = state.supersededAt, !planted(.oldLinkSpeaks) {
            return receivedFromOldLife(link, peer, since: supersededAt, now: now, &directives)
        }
        guard peers[peer].link == link || planted(.oldLinkSpeaks) else { return }
        take(message, from: peer, on: link, tables, now, &directives)
    }

    private mutating func take(
        _ message: GossipMessage, from peer: Int, on link: LinkID,
        _ tables: borrowing some FirstHandTables & ~Copyable, _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        switch message {
        case .hello, .helloAck: refuseFrame(on: link, "a second handshake", now: now, &directives)
        case .syn(let syn): answer(syn, from: peer, tables, now, &directives)
        case .synAck(let answer): complete(answer, from: peer, tables, now, &directives)
        case .ack(let ack): complete(ack, from: peer, tables, now, &directives)
        case .sketchRequest(let request): answer(request, from: peer, now, &directives)
        case .sketch(let answer): received(answer, from: peer, tables, now, &directives)
        case .listRequest(let request): answer(request, from: peer, now, &directives)
        case .list(let list): received(list, from: peer, tables, now, &directives)
        case .itemRequest(let request): answer(request, from: peer, tables, now, &directives)
        case .item(let item): received(item, from: peer, tables, now, &directives)
        case .tombstones(let goodbyes): received(goodbyes, from: peer, tables, now, &directives)
        case .snapshotRequest(let request): answer(request, from: peer, tables, now, &directives)
        case .snapshotChunk(let chunk): received(chunk, from: peer, tables, now, &directives)
        case .hint:
            // A hint is worth an exchange, but not one after the other.
            if peers[peer].lastExchange.map({ now - $0 > settings.period / 2 }) ?? true { peers[peer].isUrgent = true }
        case .busy: wait(for: peer)
        case .bye: drop(link, Self.farewell, now: now, &directives)
        case .operations(let answer): received(answer, from: peer, tables, now, &directives)
        case .operationsRequest(let request): answer(request, from: peer, now, &directives)
        }
    }

    // MARK: Beginning

    /// When the next exchange with the peer is to begin.
    func exchangeDue(_ peer: Int) -> Instant {
        if let sentAt = peers[peer].round?.sentAt { return sentAt + patience }
        return peers[peer].isUrgent ? Instant.zero : peers[peer].nextExchange
    }

    /// How long an answer may take.
    private var patience: Duration { settings.period * 2 * localHealth.stretch }

    /// Begins the exchanges that are due, and gives up those that got no answer.
    mutating func exchange(
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant, _ directives: inout [GossipDirective]
    ) {
        for peer in peers.indices where peers[peer].link != nil && exchangeDue(peer) <= now {
            if peers[peer].round != nil {
                missed(peer, now: now, &directives)
            } else {
                startExchange(with: peer, tables, now: now, directives: &directives)
            }
        }
    }

    private mutating func missed(_ peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        counters.missedExchanges += 1
        localHealth.failed()
        peers[peer].round = nil
        peers[peer].missed += 1
        peers[peer].nextExchange = now
        guard peers[peer].missed >= GossipLimits.missedExchanges, let link = peers[peer].link else { return }
        drop(link, "it has not answered \(peers[peer].missed) exchanges", now: now, &directives)
    }

    mutating func startExchange(
        with peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        directives: inout [GossipDirective]
    ) {
        // Who fell silent since the last look is asked about now, not an exchange later.
        lookForLate(tables, now: now, &directives)
        let asks = asks(of: peer, tables, now: now)
        let nonce = draw()
        peers[peer].round = Round(nonce: nonce, sentAt: now, asked: asks)
        peers[peer].isUrgent = false
        // Of each pair the lower name begins, once a period; the other one only after two periods of silence.
        let pause = settings.node < peers[peer].name ? settings.period : settings.period * 2
        peers[peer].nextExchange = now + pause * 0.8 + jitter(of: pause * 0.4)
        let syn = GossipMessage.Syn(
            nonce: nonce, clock: now, digest: digest, asks: asks, stall: takeStall(of: peer))
        send(.syn(syn), to: peer, &directives)
    }

    var digest: Digest {
        Digest(
            state: state, mode: settings.mode, localHealth: localHealth.score, replicas: own.count,
            late: min(late.count, own.count), root: planted(.learnedInDigest) ? rootWithHearsay : own.sketch.root,
            versionXor: own.versionDigest,
            keyValueDigest: keyValueDigest, administrationDigest: administrationDigest, epoch: own.epoch)
    }

    private mutating func takeStall(of peer: Int) -> Duration? {
        let stall = peers[peer].stallToTell
        peers[peer].stallToTell = .zero
        return stall > .zero ? stall : nil
    }

    // MARK: Answering

    private mutating func answer(
        _ syn: GossipMessage.Syn, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, _ now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        noteToldStall(syn.stall, by: peer, now: now)
        lookForLate(tables, now: now, &directives)
        let asks = asks(of: peer, tables, now: now)
        let nonce = draw()
        peers[peer].answer = Round(nonce: nonce, sentAt: now, asked: asks)
        let pause = settings.node < peers[peer].name ? settings.period : settings.period * 2
        peers[peer].nextExchange = max(peers[peer].nextExchange, now + pause * 0.8)
        let answer = GossipMessage.SynAck(
            echo: syn.nonce, nonce: nonce, clock: now, digest: digest, ages: reports(of: syn.asks, tables, now: now),
            asks: asks, stall: takeStall(of: peer))
        send(.synAck(answer), to: peer, &directives)
        compare(syn.digest, asks: syn.asks, with: peer, tables, now: now, &directives)
    }

    private mutating func complete(
        _ answer: GossipMessage.SynAck, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let round = peers[peer].round, round.nonce == answer.echo else {
            counters.unsolicitedAnswers += 1
            if planted(.lateDigestCounts) { peers[peer].digest = answer.digest }
            return
        }
        peers[peer].round = nil
        noteToldStall(answer.stall, by: peer, now: now)
        peers[peer].digest = answer.digest
        // First of all whether a clock stood still: what is told now, and what was just told, is older by that.
        exchanged(peer, round, clock: answer.clock, now: now, &directives)
        // The answer to what it asks leaves before the rest is looked at: its clock charges the time.
        let ack = GossipMessage.Ack(
            echo: answer.nonce, clock: now, ages: reports(of: answer.asks, tables, now: now))
        send(.ack(ack), to: peer, &directives)
        settleGoodbyes(of: peer, round, tables, now: now, &directives)
        adopt(answer.ages, from: peer, round, clock: answer.clock, tables, now: now, &directives)
        compare(answer.digest, asks: answer.asks, with: peer, tables, now: now, &directives)
    }

    private mutating func complete(
        _ ack: GossipMessage.Ack, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, _ now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        let unasked = Round(nonce: ack.echo, sentAt: now, asked: ack.ages.map(\.replica))
        guard let round = peers[peer].answer ?? (planted(.adoptUnasked) ? unasked : nil), round.nonce == ack.echo else {
            counters.unsolicitedAnswers += 1
            return
        }
        if !planted(.adoptTwice) { peers[peer].answer = nil }
        exchanged(peer, round, clock: ack.clock, now: now, &directives)
        settleGoodbyes(of: peer, round, tables, now: now, &directives)
        adopt(ack.ages, from: peer, round, clock: ack.clock, tables, now: now, &directives)
    }

    private mutating func exchanged(
        _ peer: Int, _ round: Round, clock: Instant, now: Instant, _ directives: inout [GossipDirective]
    ) {
        counters.exchanges += 1
        localHealth.succeeded()
        peers[peer].missed = 0
        peers[peer].exchanges += 1
        peers[peer].lastExchange = now
        peers[peer].roundTrip = now - round.sentAt
        observeClock(of: peer, reading: clock, sentAt: round.sentAt, now: now, &directives)
        sendTombstones(to: peer, now: now, &directives)
    }

    /// What this node heard itself of each replica asked about. A node that is not ready gives no evidence (2.10).
    private func reports(
        of asks: [UInt64], _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant
    ) -> [AgeReport] {
        asks.map {
            AgeReport(
                replica: $0,
                heard: state == .warming && !planted(.answerWhileWarming) ? nil : heard($0, tables, now: now))
        }
    }

    private func heard(
        _ replica: UInt64, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant
    ) -> AgeReport.Heard? {
        guard let own = own.replica(hash: replica), let hearing = tables.hearing(of: own.token) else { return nil }
        var told = report(hearing, now: now)
        if planted(.relayHearsay) { told.age = min(told.age, youngestHearsay(of: replica, now: now)) }
        return AgeReport.Heard(hearing: told, registrationHash: own.registration)
    }

    /// A hearing as it is told to peers: as ages, and older by what this node's clock may have lost since.
    func report(_ hearing: Hearing, now: Instant) -> ReportedHearing {
        ReportedHearing(
            age: AgeBound.reportedAge(heardAt: hearing.lastHeard, now: now) + stalls.loss(since: hearing.lastHeard),
            registrationAge: AgeBound.reportedAge(heardAt: hearing.registeredAt, now: now)
                + stalls.loss(since: hearing.registeredAt),
            isConnected: hearing.isConnected)
    }

    // MARK: Adopting

    private mutating func adopt(
        _ reports: [AgeReport], from peer: Int, _ round: Round, clock: Instant,
        _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let asked = Set(round.asked)
        for report in reports {
            guard asked.contains(report.replica) || planted(.adoptUnasked) else {
                counters.unsolicitedAnswers += 1
                continue
            }
            if let heard = report.heard {
                adopt(
                    heard.hearing, registration: heard.registrationHash, of: report.replica, from: peer, round,
                    clock: clock, now: now)
            } else {
                denied(report.replica, by: peer)
            }
            answered(report, by: peer, tables, now: now, &directives)
        }
    }

    /// The peer has no entry. If it is the life that told of one, the entry is gone: it vouches no longer, as RocketMQ's node
    /// would serve it no longer. One that restarted meanwhile may merely not have heard the replica yet.
    private mutating func denied(_ replica: UInt64, by peer: Int) {
        let isSameLife =
            peers[peer].isWitness && evidence.incarnation(of: replica, from: peer) == peers[peer].incarnation
        if isSameLife { evidence.remove(replica, from: peer) } else { evidence.disconnected(replica, at: peer) }
    }

    /// Takes in one age of an answer to our own request; the bound charges it with the whole round trip.
    mutating func adopt(
        _ hearing: ReportedHearing, registration: UInt64, of replica: UInt64, from peer: Int, _ round: Round,
        clock: Instant, now: Instant
    ) {
        // A node that is not ready gives no evidence of any kind (2.10).
        guard peers[peer].isWitness else { return }
        let age = planted(.foreignClock) ? max(.zero, now - (clock + (.zero - hearing.age))) : hearing.age
        // The way there and back took longer by what this node's clock may have lost meanwhile.
        let roundTrip = now - round.sentAt + stalls.loss(since: round.sentAt)
        guard var life = AgeBound(age: age, roundTrip: roundTrip, receivedAt: now) else { return }
        life.age(by: peers[peer].losses.loss(since: clock + (.zero - hearing.age)))
        let isTrusted =
            planted(.adoptBeforeContact)
            || peers[peer].offset?.isAfterFirstContact(age: hearing.age, reading: clock) ?? false
        let isKnown = own.replica(hash: replica) != nil || learned[replica] != nil
        guard isKnown || evidence.replicaCount < GossipLimits.evidence else { return }
        evidence.adopt(
            Evidence(
                life: life, trusted: isTrusted ? life : nil, isConnected: hearing.isConnected,
                registration: registration, answeredAt: now, incarnation: peers[peer].incarnation),
            of: replica, from: peer)
    }
}
