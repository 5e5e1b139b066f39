import Basics

// What the differences mean, said so that an operator knows what to do.

extension Gossip {
    /// Notes a difference; a line is logged when it is new and proven, or has lasted.
    mutating func note(
        _ kind: DivergenceKind, peer: Int, subject: UInt64 = 0, _ replica: ReplicaIdentity? = nil,
        text: @autoclosure () -> String, advice: @autoclosure () -> String, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        let key = DivergenceTable.Key(peer: peer, kind: kind, subject: subject)
        let change = divergences.saw(
            key, replica, peer: peers[peer].name, at: now, text: text(), advice: advice())
        if let change { tell(change, &directives) }
    }

    mutating func clear(
        _ kind: DivergenceKind, peer: Int, subject: UInt64 = 0, now: Instant, _ directives: inout [GossipDirective]
    ) {
        clear(DivergenceTable.Key(peer: peer, kind: kind, subject: subject), now: now, &directives)
    }

    private mutating func clear(
        _ key: DivergenceTable.Key, now: Instant, _ directives: inout [GossipDirective]
    ) {
        if let change = divergences.cleared(key, at: now) { tell(change, &directives) }
    }

    private mutating func tell(_ change: DivergenceTable.Change, _ directives: inout [GossipDirective]) {
        switch change {
        case .reported(let found, let isAlarm):
            // A node in trouble itself keeps its alarms down; the difference is shown all the same.
            let level: GossipEvent.Level = isAlarm && localHealth.score < LocalHealth.worst / 2 ? .warning : .info
            if level == .warning { counters.alarms += 1 }
            directives.append(
                .event(
                    GossipEvent(
                        .diverged, level, peer: found.peer, replica: found.replica, divergence: found.kind,
                        "\(found.text). \(found.advice)")))
        case .healed(let found, let duration):
            let subject = found.replica.map { "\($0.label): " } ?? ""
            directives.append(
                .event(
                    GossipEvent(
                        .healed, peer: found.peer, replica: found.replica, divergence: found.kind,
                        "\(subject)\(found.kind.name) with \(found.peer) is over after \(duration.wholeMilliseconds) ms"
                    )))
        }
    }

    /// Digests of whole tables: what differs is not known, only that something does.
    mutating func compareWhole(
        _ digest: Digest, with peer: Int, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let name = peers[peer].name
        let here = settings.node
        mark(
            .versionOnly, peer, digest.root == own.sketch.root && digest.versionXor != own.versionDigest, now,
            "\(here) and \(name) hold the same registrations under different DataVersions",
            "Nothing to do when a broker has just registered; if it stays, one of the two misses registrations",
            &directives)
        mark(
            .keyValue, peer, digest.keyValueDigest != keyValueDigest, now,
            "the key-value configurations of \(here) and \(name) differ",
            "Run hearsay diff to see the keys, then repeat the mqadmin updateKvConfig or deleteKvConfig; it stops at the first node "
                + "that it cannot reach", &directives)
        mark(
            .permission, peer,
            digest.root == own.sketch.root && digest.administrationDigest != administrationDigest, now,
            "write permissions or topics were changed by request on one of \(here) and \(name) only",
            "Run hearsay diff to see where, then repeat mqadmin wipeWritePerm, addWritePerm or deleteTopic on the node that missed it",
            &directives)
    }

    private mutating func mark(
        _ kind: DivergenceKind, _ peer: Int, _ isDifferent: Bool, _ now: Instant, _ text: String, _ advice: String,
        _ directives: inout [GossipDirective]
    ) {
        let mayJudge = state != .warming && peers[peer].digest?.state != .warming
        if isDifferent, mayJudge {
            note(kind, peer: peer, text: text, advice: advice, now: now, &directives)
        } else {
            clear(kind, peer: peer, now: now, &directives)
        }
    }

    /// Replicas that the peer asks about and this node heard lately: a cut between them and the peer.
    mutating func compareLateness(
        of peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        if peers[peer].asks.isEmpty, divergences.keys(peer: peer, of: [.lateThere]).isEmpty { return }
        let asked = Set(peers[peer].asks)
        for key in divergences.keys(peer: peer, of: [.lateThere], where: { !asked.contains($0.subject) }) {
            clear(key, now: now, &directives)
        }
        let missing = Set(peers[peer].onlyHere)
        for hash in peers[peer].asks {
            guard let entry = own.replica(hash: hash), !missing.contains(entry.item),
                let hearing = tables.hearing(of: entry.token)
            else {
                clear(.lateThere, peer: peer, subject: hash, now: now, &directives)
                continue
            }
            let isRecent = now - hearing.lastHeard < Self.lateAfter(hearing) * 3 / 4
            let key = DivergenceTable.Key(peer: peer, kind: .lateThere, subject: hash)
            if isRecent, divergences.isReported(key) == true { continue }
            guard isRecent, let identity = tables.summary(of: entry.token)?.identity
            else {
                clear(.lateThere, peer: peer, subject: hash, now: now, &directives)
                continue
            }
            let name = peers[peer].name
            note(
                .lateThere, peer: peer, subject: hash, identity,
                text: "\(identity.label) has fallen silent at \(name), while this node heard it "
                    + "\((now - hearing.lastHeard).wholeMilliseconds) ms ago",
                advice: "Check the network from \(identity.address) to \(name)", now: now, &directives)
        }
    }

    /// The replicas that the two nodes hold differently, by kind.
    mutating func noteDifferences(
        with peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        // A node that is filling up differs all the time; there is nothing to report. Ready by a snapshot, it still waits for what
        // the brokers say themselves.
        let isFilling = now - max(startedAt, peers[peer].startedAt) < settings.brokersReturn
        let mayJudge = state != .warming && peers[peer].digest?.state != .warming && !isFilling
        // On a new link the difference is not known yet: what it was is neither confirmed nor healed.
        if mayJudge, peers[peer].compared == nil { return }
        let shown = NotedDifference.Shown(
            compared: peers[peer].compared, own: own.sketch.root, named: peers[peer].remote.count,
            unnamed: peers[peer].unnamed.count, mayJudge: mayJudge)
        if peers[peer].noted?.shown == shown { return noteAgain(peer, now: now, &directives) }
        let present = mayJudge ? noteAll(peer, tables, now: now, &directives) : []
        // While the peer has not named all of its items, one that is not among them may yet come.
        let isNamed = peers[peer].unnamed.isEmpty || !mayJudge
        let kinds: [DivergenceKind] = isNamed ? [.missingHere, .missingThere, .content] : [.missingThere]
        for key in divergences.keys(peer: peer, of: kinds, where: { !present.contains($0) }) {
            clear(key, now: now, &directives)
        }
        let unreported = present.sorted().filter { divergences.isReported($0) != true }
        let isWhole = unreported.allSatisfy { divergences.isReported($0) != nil }
        peers[peer].noted = isWhole ? NotedDifference(shown: shown, unreported: unreported) : nil
    }

    /// The same difference as at the last exchange: only what has not been reported yet is looked at.
    private mutating func noteAgain(_ peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        guard let unreported = peers[peer].noted?.unreported, !unreported.isEmpty else { return }
        for key in unreported {
            if let change = divergences.sawAgain(key, at: now) { tell(change, &directives) }
        }
        peers[peer].noted?.unreported.removeAll { divergences.isReported($0) != false }
    }

    /// Notes every replica that the two hold differently; of new ones only so many that no turn becomes long, the others
    /// follow with the next exchanges.
    private mutating func noteAll(
        _ peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) -> Set<DivergenceTable.Key> {
        var present: Set<DivergenceTable.Key> = []
        var room = GossipLimits.newDivergences
        func isNew(_ key: DivergenceTable.Key) -> Bool {
            present.insert(key)
            switch divergences.isReported(key) {
            case true?: return false
            case false?:
                if let change = divergences.sawAgain(key, at: now) { tell(change, &directives) }
                return false
            case nil:
                room -= 1
                return room >= 0
            }
        }
        var here: [UInt64: FirstHandSet.Replica] = [:]
        for item in peers[peer].onlyHere {
            if let entry = own.replica(item: item) { here[entry.hash] = entry }
        }
        for (_, remote) in peers[peer].remote.sorted(by: { $0.key < $1.key }) {
            let isHere = here.removeValue(forKey: remote.replica) != nil
            let key = DivergenceTable.Key(
                peer: peer, kind: isHere ? .content : .missingHere, subject: remote.replica)
            if isNew(key) { noteThere(remote, key, now, &directives) }
        }
        for (hash, entry) in here.sorted(by: { $0.key < $1.key }) {
            let key = DivergenceTable.Key(peer: peer, kind: .missingThere, subject: hash)
            if isNew(key) { noteMissingThere(entry, key, tables, now, &directives) }
        }
        return present
    }

    private mutating func noteThere(
        _ remote: RemoteItem, _ key: DivergenceTable.Key, _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        let identity = remote.summary.identity
        let (name, node) = (peers[key.peer].name, settings.node)
        let isHere = key.kind == .content
        note(
            key.kind, peer: key.peer, subject: key.subject, identity,
            text: isHere
                ? "\(identity.label) registered something else at \(name) than here"
                : "\(name) has \(identity.label), which is not registered here",
            advice: isHere
                ? "Its next registration should bring both together; if not, check that it reaches \(node) and \(name) alike"
                : "Check that the broker's namesrvAddr names \(node), and the network from \(identity.address) to it",
            now: now, &directives)
    }

    private mutating func noteMissingThere(
        _ entry: FirstHandSet.Replica, _ key: DivergenceTable.Key,
        _ tables: borrowing some FirstHandTables & ~Copyable, _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        let name = peers[key.peer].name
        let identity = tables.summary(of: entry.token)?.identity
        let label = identity?.label ?? "a broker"
        note(
            .missingThere, peer: key.peer, subject: key.subject, identity,
            text: "\(name) lacks \(label), which is registered here",
            advice:
                "Check that the broker's namesrvAddr names \(name), and the network from \(identity?.address ?? "it") to \(name)",
            now: now, &directives)
    }
}
