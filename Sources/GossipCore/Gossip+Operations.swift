import Basics

// Mode replicate with `replicate: [kv, perm]`: what operators write at one node reaches the others. Last writer wins, by
// stamps of hybrid clocks; every node joins what it hears, from whomever, so the way and the order do not matter.
//
// Digests travel anyway. Where they differ, the journal of the peer is read on from where it was left; equal digests cost
// nothing.

extension Gossip {
    /// Differing keys of one peer that are named one by one.
    static let namedKeys = 16
    /// Characters of a value that a divergence shows.
    static let shownCharacters = 48

    var replicatesKeyValues: Bool {
        settings.mode == .replicate && (settings.replicatesKeyValues || planted(.replicateUnasked))
    }
    var replicatesPermissions: Bool { settings.mode == .replicate && settings.replicatesPermissions }

    // MARK: This node's own writes

    /// The key-value configuration at the start, and the file of stamps as `keyValueStamps` gave it in an earlier life; call
    /// it before any other input.
    ///
    /// - Throws: when the file is damaged. Every key then counts as older than any stamped write, which is safe.
    public mutating func restoreKeyValues(
        _ values: [String: [String: String]], stamps: [UInt8]?, wallTime: WallTime
    ) throws(GossipFormatError) {
        guard replicatesKeyValues else { return }
        let highest = try operations.restore(values, node: settings.node, stamps: stamps)
        _ = clock.observe(highest, at: wallTime)
    }

    /// What must be kept beside the key-value configuration so that stamps survive a restart; asked for after
    /// `GossipDirective.stampsChanged`.
    public var keyValueStamps: [UInt8] { operations.encodedStamps() }

    /// A request set a key at this node, or deleted it (`value` nil).
    public mutating func wroteKeyValue(
        namespace: String, key: String, value: String?, wallTime: WallTime, directives: inout [GossipDirective]
    ) {
        guard replicatesKeyValues else { return }
        let replaced = operations[OperationLog.Key(namespace: namespace, key: key)]?.stamp ?? 0
        operations.record(
            KVOperation(
                namespace: namespace, key: key, value: value, hlc: clock.stamp(at: wallTime, after: replaced),
                node: settings.node))
        directives.append(.stampsChanged)
        hasten()
    }

    /// A request granted or wiped a broker's write permission at this node.
    ///
    /// - Parameter registrationHash: `FirstHandTables.permissionBasis` of the broker.
    public mutating func changedPermission(
        broker: String, grants: Bool, registrationHash: UInt64, wallTime: WallTime
    ) {
        guard replicatesPermissions else { return }
        let replaced = operations.permissions[broker]?.operation.hlc ?? 0
        operations.record(
            PermissionOperation(
                brokerName: broker, grants: grants, hlc: clock.stamp(at: wallTime, after: replaced),
                node: settings.node, registrationHash: registrationHash))
        hasten()
    }

    /// A replica of the broker is gone: a permission ends with the registration that it was given to.
    public mutating func replicaLeft(broker: String, tables: borrowing some FirstHandTables & ~Copyable) {
        guard let entry = operations.permissions[broker],
            tables.permissionBasis(ofGroup: broker) != entry.operation.registrationHash
        else { return }
        operations.set(.void, ofPermission: broker)
    }

    /// Writes do not wait for the next period.
    private mutating func hasten() {
        for peer in peers.indices where peers[peer].link != nil { peers[peer].isUrgent = true }
    }

    // MARK: Reading a peer's journal

    /// Asks the peer for its operations if the tables differ and both sides replicate.
    mutating func compareOperations(
        _ digest: Digest, with peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        guard replicatesKeyValues || replicatesPermissions else { return }
        let keysDiffer = replicatesKeyValues && digest.keyValueDigest != keyValueDigest
        // Without the same registrations nobody can tell what the permissions should be.
        let permissionsDiffer =
            replicatesPermissions && digest.root == own.sketch.root
            && digest.administrationDigest != administrationDigest
        noteKeys(of: peer, areDifferent: keysDiffer, now: now, &directives)
        if permissionsDiffer { settlePermissions(tables, &directives) }
        guard keysDiffer || permissionsDiffer, digest.mode == .replicate else { return }
        let patience = settings.period * Self.repairPatience
        if let askedAt = peers[peer].operationsAskedAt, now - askedAt <= patience { return }
        askForOperations(of: peer, now: now, &directives)
    }

    private mutating func askForOperations(of peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        peers[peer].operationsAskedAt = now
        send(.operationsRequest(.init(cursor: peers[peer].operationsCursor)), to: peer, &directives)
    }

    mutating func answer(
        _ request: GossipMessage.OperationsRequest, from peer: Int, _ now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        let answer = operations.operations(
            after: request.cursor, keyValues: replicatesKeyValues, permissions: replicatesPermissions)
        let size =
            answer.keyValues.reduce(0) { $0 + $1.encodedSize } + answer.permissions.reduce(0) { $0 + $1.encodedSize }
        guard mayAnswer(peer, size + GossipMessage.Operations.overhead, now: now, &directives) else { return }
        send(.operations(answer), to: peer, &directives)
    }

    mutating func received(
        _ answer: GossipMessage.Operations, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard peers[peer].operationsAskedAt != nil else {
            counters.unsolicitedAnswers += 1
            return
        }
        peers[peer].operationsAskedAt = nil
        // The end of the journal, or one that does not go on.
        guard !answer.keyValues.isEmpty || !answer.permissions.isEmpty,
            answer.nextCursor > peers[peer].operationsCursor
        else { return }
        peers[peer].operationsCursor = answer.nextCursor
        let wall = wallTime(at: now)
        observe(answer, from: peer, wall, now: now, &directives)
        if replicatesKeyValues { join(answer.keyValues, from: peer, wall, &directives) }
        if replicatesPermissions {
            for operation in answer.permissions { count(operations.join(operation)) }
            settlePermissions(tables, &directives)
        }
        askForOperations(of: peer, now: now, &directives)
    }

    private mutating func join(
        _ received: [KVOperation], from peer: Int, _ wall: WallTime, _ directives: inout [GossipDirective]
    ) {
        var changed: Set<OperationLog.Key> = []
        for operation in received {
            let key = OperationLog.Key(namespace: operation.namespace, key: operation.key)
            let outcome = operations.join(operation, at: wall)
            count(outcome)
            switch outcome {
            case .adopted:
                changed.insert(key)
                for peer in peers.indices { peers[peer].quarantined[key] = nil }
            case .quarantined:
                if peers[peer].quarantined.count < Self.namedKeys { peers[peer].quarantined[key] = operation }
            case .known, .refused: break
            }
        }
        guard !changed.isEmpty else { return }
        directives.append(.stampsChanged)
        // While a key is contested its value stays what it is, on every node.
        let winners = changed.sorted().compactMap { key in
            operations[key]?.winner.map { claim in
                KVOperation(
                    namespace: key.namespace, key: key.key, value: claim.value, hlc: operations[key]?.stamp ?? 0,
                    node: claim.node)
            }
        }
        if !winners.isEmpty { directives.append(.applyKeyValues(winners)) }
    }

    private mutating func count(_ outcome: OperationLog.Outcome) {
        switch outcome {
        case .adopted: counters.operations += 1
        case .quarantined: counters.quarantinedOperations += 1
        case .refused: counters.refusedOperations += 1
        case .known: break
        }
    }

    /// Puts permissions into force whose broker's registration here is the one they were given to; a broker that has
    /// registered anew since has lost them.
    private mutating func settlePermissions(
        _ tables: borrowing some FirstHandTables & ~Copyable, _ directives: inout [GossipDirective]
    ) {
        var due: [PermissionOperation] = []
        for (broker, entry) in operations.permissions.sorted(by: { $0.key < $1.key }) {
            let isMeant = tables.permissionBasis(ofGroup: broker) == entry.operation.registrationHash
            switch entry.standing {
            case .pending where isMeant:
                operations.set(.inForce, ofPermission: broker)
                due.append(entry.operation)
            case .inForce where !isMeant: operations.set(.void, ofPermission: broker)
            case .pending, .inForce, .void: break
            }
        }
        if !due.isEmpty { directives.append(.applyPermissions(due)) }
    }

    // MARK: Clocks

    /// The wall clock now, as last read and moved on by our own clock; the epoch before it was ever read.
    private func wallTime(at now: Instant) -> WallTime {
        guard let lastClocks else { return WallTime(milliseconds: 0) }
        return WallTime(milliseconds: lastClocks.wall.milliseconds + (now - lastClocks.own).wholeMilliseconds)
    }

    private mutating func observe(
        _ answer: GossipMessage.Operations, from peer: Int, _ wall: WallTime, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        var ahead: (stamp: UInt64, node: String)?
        let writes = answer.keyValues.map { ($0.hlc, $0.node) } + answer.permissions.map { ($0.hlc, $0.node) }
        for (stamp, node) in writes where !clock.observe(stamp, at: wall) && stamp > ahead?.stamp ?? 0 {
            ahead = (stamp, node)
        }
        guard let ahead, lastClocks != nil else { return }
        peers[peer].stampAhead = max(peers[peer].stampAhead, ahead.stamp)
        let lead = HybridClock.wallTime(of: ahead.stamp).milliseconds - wall.milliseconds
        note(
            .clock, peer: peer, subject: Self.wallClockSubject,
            text: "a write made at \(ahead.node) bears a time \(lead) ms ahead of this node's wall clock",
            advice: "Set the wall clocks of both (NTP). The write counts until a node that has it takes a later one",
            now: now, &directives)
    }

    /// Sets the wall clock's divergence apart from that of a clock that stood still.
    static let wallClockSubject: UInt64 = 1

    /// Old deletions are forgotten, and clocks catch up.
    mutating func sweepOperations(now: Instant, _ directives: inout [GossipDirective]) {
        guard replicatesKeyValues || replicatesPermissions, lastClocks != nil else { return }
        let wall = wallTime(at: now)
        if operations.forgetOldDeletions(at: wall) { directives.append(.stampsChanged) }
        for peer in peers.indices where peers[peer].stampAhead > 0 {
            guard clock.observe(peers[peer].stampAhead, at: wall) else { continue }
            peers[peer].stampAhead = 0
            clear(.clock, peer: peer, subject: Self.wallClockSubject, now: now, &directives)
        }
    }

    // MARK: What cannot be decided

    /// Names the keys that stay different until somebody writes them.
    private mutating func noteKeys(
        of peer: Int, areDifferent: Bool, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let mayJudge = state != .warming && peers[peer].digest?.state != .warming
        var present: Set<UInt64> = []
        if areDifferent, mayJudge {
            for key in contestedKeys(with: peer) { present.insert(noteContested(key, peer, now, &directives)) }
            for (key, operation) in peers[peer].quarantined.sorted(by: { $0.key < $1.key }) {
                present.insert(noteQuarantined(key, operation, peer, now, &directives))
            }
        }
        for key in divergences.keys(
            peer: peer, where: { $0.kind == .keyValue && $0.subject != 0 && !present.contains($0.subject) })
        { clear(.keyValue, peer: peer, subject: key.subject, now: now, &directives) }
    }

    private func contestedKeys(with peer: Int) -> [OperationLog.Key] {
        let name = peers[peer].name
        let concerned = operations.contested.filter { key in
            guard case .unstamped(let lowest, let highest) = operations[key] else { return false }
            return lowest.node == name || highest.node == name
        }
        return Array(concerned.sorted().prefix(Self.namedKeys))
    }

    private mutating func noteContested(
        _ key: OperationLog.Key, _ peer: Int, _ now: Instant, _ directives: inout [GossipDirective]
    ) -> UInt64 {
        let subject = settings.hash.keyValue(key)
        guard case .unstamped(let lowest, let highest) = operations[key] else { return subject }
        let name = shown("\(key.namespace)/\(key.key)")
        note(
            .keyValue, peer: peer, subject: subject,
            text: "\(name) was '\(shown(lowest.value ?? ""))' at \(lowest.node) and '\(shown(highest.value ?? ""))' at "
                + "\(highest.node) before replication began, and neither is known to be newer",
            advice: "Set the key once more with mqadmin updateKvConfig, at any node; both stay as they are until then",
            now: now, &directives)
        return subject
    }

    private mutating func noteQuarantined(
        _ key: OperationLog.Key, _ operation: KVOperation, _ peer: Int, _ now: Instant,
        _ directives: inout [GossipDirective]
    ) -> UInt64 {
        let subject = settings.hash.keyValue(key)
        let name = shown("\(key.namespace)/\(key.key)")
        let owner = peers[peer].name
        note(
            .keyValue, peer: peer, subject: subject,
            text: "\(owner) has \(name) = '\(shown(operation.value ?? ""))', which is unknown here and older than "
                + "deletions that are forgotten after 7 days: it is not taken over",
            advice: "Delete the key with mqadmin deleteKvConfig at \(owner), or set it there once more to keep it",
            now: now, &directives)
        return subject
    }
}

/// A text of bounded length, on one line.
private func shown(_ text: String) -> String {
    let start = text.prefix(Gossip.shownCharacters).map { $0.isNewline ? " " : $0 }
    return String(start) + (start.count < text.count ? "…" : "")
}

extension KeyedHash {
    /// Names a key; never the subject 0 of a whole configuration.
    fileprivate func keyValue(_ key: OperationLog.Key) -> UInt64 {
        var bytes = ByteWriter(capacity: 128)
        bytes.append(bigEndian: UInt32(truncatingIfNeeded: key.namespace.utf8.count))
        bytes.append(utf8: key.namespace)
        bytes.append(utf8: key.key)
        return max(1, hash(bytes.bytes))
    }
}
