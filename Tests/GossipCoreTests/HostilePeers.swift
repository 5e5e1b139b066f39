import Basics
import Testing

@testable import GossipCore

/// One node under test among peers that want it to fall: with the key and without, in every state, with well-formed answers to
/// its real questions, random messages, replayed, reflected and damaged frames, clocks that jump.
///
/// Stretches of 1,000 frames alternate: in calm ones sessions last and peers lie only in what they say, so that the attack reaches
/// what lies behind handshake and exchange; in erratic ones they break every rule as often as they can.
final class HostilePeers {
    static let hash = KeyedHash(low: 1, high: 2)
    private static let names = ["h1", "h2", "h3"]

    private(set) var core: Gossip
    private(set) var frames = 0
    private(set) var tally = HostileTally()
    private var tables = HandTables()
    private var now = Instant(nanoseconds: 5_000_000_000_000)
    private var random: SeededGenerator
    private var messages: RandomMessages
    private var peers: [String: HostilePeer] = [:]
    private var links: [LinkID] = []
    private var nextLink: UInt64 = 1
    private var history: [[UInt8]] = []
    private let settings: GossipSettings

    init(mode: GossipMode, seed: UInt64) {
        random = SeededGenerator(seed: seed)
        messages = RandomMessages(seed: seed &+ 1)
        var settings = GossipSettings(node: "m", label: "test", mode: mode, hash: Self.hash, salt: 7)
        settings.peers = ["h1", "h2"]
        settings.acceptsUnlistedPeers = seed.isMultiple(of: 2)
        settings.witnesses = seed.isMultiple(of: 3) ? 2 : 1
        self.settings = settings
        core = Gossip(settings, incarnation: 1, seed: seed, now: now)
    }

    private var isErratic: Bool { !(frames / 1_000).isMultiple(of: 2) }

    /// Does something; at least every third time a frame arrives.
    func step() {
        // What would end sessions is done often in erratic stretches, now and then in calm ones.
        let isRude = isErratic || below(60) == 0
        switch below(24) {
        case 0: passTime(.milliseconds(below(400)))
        case 1: if below(isErratic ? 20 : 2_000) == 0 { passTime(.seconds(below(200))) }
        case 2: if below(4) == 0 { changeTables() } else { beat() }
        case 3: if links.count < (isErratic ? 200 : 6) { open(contact: nil) }
        case 4: if isRude, below(4) == 0, let link = anyLink() { close(link) }
        case 5: if let link = unknownLink() { deliver(.hello(hello()), on: link) }
        case 6...7: if isRude, let link = anyLink() { deliver(.hello(hello()), on: link) }
        case 8...9: if isRude { deliverOld() } else { answer() }
        case 10:
            if isRude, let link = anyLink() {
                deliver(messages.message(.allCases.randomElement(using: &random)!), on: link)
            }
        case 11: if below(400) == 0 { restart() }
        default: answer()
        }
    }

    // MARK: What the node does

    private func input(_ body: (inout Gossip, borrowing HandTables, inout [GossipDirective]) -> Void) {
        var directives: [GossipDirective] = []
        let holds = core.counters.holds
        body(&core, tables, &directives)
        tally.holds += core.counters.holds - holds
        for directive in directives { carryOut(directive) }
    }

    private func carryOut(_ directive: GossipDirective) {
        switch directive {
        case .send(_, let frame): remember(frame)
        case .close(let link): links.removeAll { $0 == link }
        case .dial(let contact):
            if below(2) == 0 { return open(contact: contact) }
            core.dialFailed(contact: contact, problem: "no", now: now)
        case .hold(let token, let until, _):
            let granted = tables.rows[token.number].map { now + max(.zero, $0.hearing.timeout) }
            if until > granted ?? .zero { Issue.record("held until \(until), granted \(String(describing: granted))") }
        case .learn(let learned): learn(learned)
        case .learnAll(let batch, _): for learned in batch where learned.usableUntil > now { learn(learned) }
        case .extend(_, let until, _): #expect(until <= now + Gossip.longestTimeout)
        case .unregister, .applyKeyValues, .applyPermissions, .stampsChanged:
            Issue.record("nothing of what operators do is replicated here: \(directive)")
        case .release, .forget, .state, .event: break
        }
    }

    private func learn(_ learned: LearnedFromPeer) {
        #expect(learned.usableUntil <= now + Gossip.longestTimeout)
        #expect(core.settings.mode >= .protect)
        tally.learned += 1
        // As the tables, which hold so many replicas and no more.
        if core.learned.count > 500 || below(4) == 0 { core.refusedToLearn(learned.summary.identity, now: now) }
    }

    private func passTime(_ span: Duration) {
        now = now + span
        let wall = WallTime(
            milliseconds: now.nanoseconds / 1_000_000 + Int64(isErratic && below(50) == 0 ? below(100_000) : 0))
        input { $0.advance(tables: $1, now: now, wallTime: wall, directives: &$2) }
    }

    /// The process ends; the next one knows nothing and warms up.
    private func restart() {
        links = []
        tables.rows = [:]
        tally.lives += 1
        count(core.counters)
        core = Gossip(settings, incarnation: UInt64(tally.lives), seed: random.next(), now: now)
    }

    private func count(_ counters: GossipCounters) {
        tally.exchanges += counters.exchanges
        tally.refused += counters.malformedFrames + counters.unsolicitedAnswers + counters.refusedLinks
    }

    /// The tally with the present life's counters.
    var total: HostileTally {
        let before = tally
        defer { tally = before }
        count(core.counters)
        return tally
    }

    // MARK: What the brokers do

    private func beat() {
        guard let number = tables.rows.keys.sorted().randomElement(using: &random) else { return }
        tables.rows[number]?.hearing.lastHeard = now
    }

    private func changeTables() {
        let number = UInt32(below(60))
        let token = ReplicaToken(number: number)
        switch below(6) {
        case 0:
            guard tables.rows.removeValue(forKey: number) != nil else { return }
            let cause = FirstHandRemoval.allCases.randomElement(using: &random)!
            input { $0.removed(token, cause, now: now, directives: &$2) }
        case 1 where tables.rows[number] != nil:
            tables.rows[number]?.hearing.isConnected = false
            input { $0.connectionClosed(token, tables: $1, now: now, directives: &$2) }
        default:
            var summary = messages.record().summary
            if below(4) > 0 { summary.timeoutMillis = [10_000, 120_000].randomElement(using: &random)! }
            let timeout = Duration.milliseconds(summary.timeoutMillis)
            tables.rows[number] = HandTables.Row(
                summary: summary,
                hearing: Hearing(
                    lastHeard: now, registeredAt: now, isConnected: true, interval: timeout / 4, timeout: timeout))
            input { $0.registered(token, tables: $1, now: now, directives: &$2) }
        }
    }

    // MARK: What the peers do

    private func open(contact: Int?) {
        let link = LinkID(nextLink)
        nextLink += 1
        links.append(link)
        input { $0.linkOpened(link, contact: contact, now: now, directives: &$2) }
        // Who was dialled answers.
        if contact != nil, below(4) > 0, core.links[link] != nil {
            deliver(.helloAck(.init(hello: hello(contact.map { settings.peers[$0] }), refusal: nil)), on: link)
        }
    }

    private func close(_ link: LinkID) {
        links.removeAll { $0 == link }
        input { $0.linkClosed(link, problem: "gone", now: now, directives: &$2) }
    }

    private func deliver(_ message: GossipMessage, on link: LinkID) {
        var frame = ByteWriter(capacity: 512)
        message.encode(into: &frame)
        remember(frame.array())
        deliver(frame.array(), on: link)
    }

    private func deliver(_ frame: [UInt8], on link: LinkID) {
        frames += 1
        frame.withUnsafeBytes { bytes in
            input { $0.received(bytes, on: link, tables: $1, now: now, directives: &$2) }
        }
    }

    /// A frame from before, of either side, on any link, whole or damaged.
    private func deliverOld() {
        guard let link = anyLink(), var frame = history.randomElement(using: &random) else { return }
        if below(8) == 0 {
            for _ in 0...below(3) { frame[8 + below(frame.count - 8 + 1) % max(1, frame.count - 8)] ^= 1 << below(8) }
        }
        deliver(frame, on: link)
    }

    private func remember(_ frame: [UInt8]) {
        guard frame.count > 8 else { return }
        if history.count < 64 { history.append(frame) } else { history[below(64)] = frame }
    }

    private func hello(_ dialled: String? = nil) -> GossipMessage.Hello {
        let name =
            below(isErratic ? 10 : 100) == 0
            ? "pod-\(below(100))" : dialled ?? Self.names.randomElement(using: &random)!
        // Another life, or an earlier one.
        if below(isErratic ? 6 : 200) == 0 { change(name) { $0.incarnation = UInt64(below(4)) } }
        let odd = isErratic ? 20 : 400
        return GossipMessage.Hello(
            label: below(odd) == 0 ? "other" : "test", node: name, incarnation: peer(name).incarnation,
            clock: clock(of: name), uptime: .zero, mode: .replicate, state: .ready, salt: below(odd) == 0 ? 8 : 7,
            timings: NodeTimings(
                heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), period: .seconds(1)),
            software: "h")
    }

    private func peer(_ name: String) -> HostilePeer {
        if let known = peers[name] { return known }
        if peers.count > 100 { peers = [:] }
        let new = HostilePeer(name: name, clockError: .seconds(1_000 + below(1_000)))
        peers[name] = new
        return new
    }

    private func change(_ name: String, _ body: (inout HostilePeer) -> Void) {
        var changed = peer(name)
        body(&changed)
        peers[name] = changed
    }

    /// A well-formed answer to one of the node's questions, or a question, over a link that passed the handshake.
    private func answer() {
        let connected = core.peers.indices.filter { core.peers[$0].link != nil }
        guard let index = connected.randomElement(using: &random), let link = core.peers[index].link else {
            if let link = anyLink() { deliver(.hello(hello()), on: link) }
            return
        }
        let name = core.peers[index].name
        if below(300) == 0 || peer(name).epoch == 1 { retell(name) }
        guard let message = message(to: core.peers[index], as: peer(name)) else { return }
        let before = core.peers[index]
        deliver(message, on: link)
        tallyUp(message, index, before)
    }

    private func retell(_ name: String) {
        let records = (0..<below(30)).map { _ in record() }
        change(name) { $0.retell(core.own, records) { below(12) == 0 } }
    }

    /// What came of an answer: whether it was taken in.
    private func tallyUp(_ message: GossipMessage, _ index: Int, _ before: Peer) {
        guard index < core.peers.count, core.peers[index].name == before.name else { return }
        let after = core.peers[index]
        switch message {
        case .synAck(let answer): tallyUp(answer.ages, index)
        case .ack(let answer): tallyUp(answer.ages, index)
        case .sketch, .list:
            if before.reconciliation != nil, after.reconciliation == nil, after.compared != before.compared {
                tally.decoded += 1
            }
        case .item: tally.named += max(0, after.remote.count - before.remote.count)
        case .snapshotChunk(let chunk):
            if before.snapshot?.round.nonce == chunk.echo, after.snapshot?.round.nonce != chunk.echo {
                tally.chunks += 1
            }
        default: break
        }
    }

    private func tallyUp(_ reports: [AgeReport], _ index: Int) {
        for report in reports where report.heard != nil {
            let kept = core.evidence.evidence(of: report.replica).first { $0.peer == index }?.evidence
            guard let kept, kept.answeredAt == now else { continue }
            tally.adoptions += 1
            if kept.trusted != nil { tally.trusted += 1 }
        }
    }

    private func message(to peer: Peer, as liar: HostilePeer) -> GossipMessage? {
        switch below(20) {
        case 0...2:
            return .syn(
                .init(
                    nonce: random.next(), clock: clock(of: liar.name), digest: digest(liar), asks: hashes(liar),
                    stall: stall()))
        case 3...6:
            guard let round = peer.round else { return nil }
            return .synAck(
                .init(
                    echo: round.nonce, nonce: random.next(), clock: clock(of: liar.name), digest: digest(liar),
                    ages: ages(round.asked), asks: hashes(liar), stall: stall()))
        case 7...8:
            return peer.answer.map { .ack(.init(echo: $0.nonce, clock: clock(of: liar.name), ages: ages($0.asked))) }
        case 9...12: return repair(of: peer, as: liar)
        case 13...14: return image(for: peer, as: liar)
        case 15...16: return snapshot(for: peer, as: liar)
        case 17:
            guard below(8) == 0 else { return nil }
            let reports = hashes(liar).prefix(4).map {
                TombstoneReport(
                    replica: $0, reason: .unregistered, sequence: random.next(), age: .milliseconds(below(300_000)),
                    timeoutMillis: [0, 120_000, .max].randomElement(using: &random)!)
            }
            return .tombstones(.init(reports: reports))
        case 18: return question()
        default:
            if below(isErratic ? 30 : 2_000) == 0 { return .bye(.init(reason: "x")) }
            return below(2) == 0 ? .busy(.init(retryMillis: 1)) : .hint(.init())
        }
    }

    private func question() -> GossipMessage {
        switch below(4) {
        case 0: .snapshotRequest(.init(nonce: random.next(), clock: now, cursor: UInt64(below(100))))
        case 1: .sketchRequest(.init(epoch: core.own.epoch, first: below(4_096), count: 1))
        case 2: .listRequest(.init(epoch: core.own.epoch, cursor: random.next()))
        default:
            .itemRequest(
                .init(
                    nonce: random.next(), clock: now,
                    items: [core.own.all.map { $0.item }.randomElement(using: &random) ?? 0], imageOffset: below(12)))
        }
    }

    private func repair(of peer: Peer, as liar: HostilePeer) -> GossipMessage? {
        if let round = peer.itemRound {
            let entries = round.asked.prefix(16).map { item in
                ItemEntry(item: item, record: below(8) == 0 ? nil : liar.record(of: item))
            }
            return .item(.init(echo: round.nonce, clock: clock(of: liar.name), entries: entries))
        }
        guard let work = peer.reconciliation else { return nil }
        // Another state than the one that is being compared: symbols of two sets, under the epoch of the first or not.
        let epoch = below(20) == 0 ? 0 : below(4) == 0 ? liar.epoch : work.epoch
        switch work.phase {
        case .sketch(let decoder):
            let run = liar.sketch.run(from: min(decoder.received, 4_096), count: 16 + below(100))
            return .sketch(.init(epoch: epoch, run: run))
        case .list(let cursor, _):
            return .list(.init(epoch: epoch, items: liar.items.filter { $0 >= cursor }, next: nil))
        }
    }

    private func image(for peer: Peer, as liar: HostilePeer) -> GossipMessage? {
        guard let pull = peer.imagePull, let record = liar.record(of: pull.item) else { return nil }
        let bytes = [UInt8](repeating: 1, count: 1 + below(40))
        let offset = pull.bytes.count
        let total = offset + bytes.count + (below(3) > 0 ? 0 : below(GossipLimits.imageBytes))
        return .item(
            .init(
                echo: pull.round.nonce, clock: clock(of: liar.name),
                entries: [ItemEntry(item: pull.item, record: record)],
                image: ImageChunk(offset: offset, total: total, bytes: bytes)))
    }

    private func snapshot(for peer: Peer, as liar: HostilePeer) -> GossipMessage? {
        guard let pull = peer.snapshot else { return nil }
        let some = liar.records.shuffled(using: &random).prefix(below(8))
        let entries = some.map { SnapshotEntry(item: HostilePeer.item($0), record: $0) }
        let next = below(12) == 0 ? 0 : pull.cursor &+ UInt64(below(3))
        return .snapshotChunk(
            .init(echo: pull.round.nonce, clock: clock(of: liar.name), nextCursor: next, entries: entries, images: []))
    }

    // MARK: Parts

    /// Mostly one that can be believed.
    private func record() -> ReplicaRecord {
        var record = messages.record()
        if below(8) == 0 { return record }
        let age = age()
        record.hearing = ReportedHearing(age: age, registrationAge: age, isConnected: true)
        record.summary.timeoutMillis = below(8) == 0 ? .max : 120_000
        return record
    }

    /// Half of them within the time that a session may have lasted, so that they count.
    private func age() -> Duration { .milliseconds(below(2) == 0 ? below(4_000) : below(200_000)) }

    private func digest(_ peer: HostilePeer) -> Digest {
        let root = below(isErratic ? 4 : 40) == 0 ? core.own.sketch.root : peer.sketch.root
        return Digest(
            state: below(isErratic ? 8 : 60) == 0 ? .warming : .ready, mode: .replicate, localHealth: 0,
            replicas: root.count, late: 0, root: root, versionXor: random.next(), keyValueDigest: 0,
            administrationDigest: random.next(), epoch: peer.epoch)
    }

    /// Hashes of the node's own replicas, of claimed ones and of none.
    private func hashes(_ peer: HostilePeer) -> [UInt64] {
        let known = core.own.all.map { $0.hash } + peer.records.map { Self.hash.replica($0.summary.identity) }
        return (0..<below(12)).map { _ in below(6) == 0 ? random.next() : known.randomElement(using: &random) ?? 0 }
    }

    private func ages(_ asked: [UInt64]) -> [AgeReport] {
        asked.prefix(WireLimits.asks).map { replica in
            let age = below(6) == 0 ? .zero : age()
            return AgeReport(
                replica: replica,
                heard: below(8) == 0
                    ? nil
                    : .init(
                        hearing: ReportedHearing(age: age, registrationAge: age, isConnected: below(2) == 0),
                        registrationHash: random.next()))
        }
    }

    private func clock(of name: String) -> Instant {
        // A clock that jumped spoils all evidence for a while.
        switch isErratic ? below(40) : 40 {
        case 0: .zero
        case 1: Instant(nanoseconds: 1 << 62)
        case 2: Instant(nanoseconds: Int64(below(1 << 61)))
        default: now + peer(name).clockError
        }
    }

    private func stall() -> Duration? { below(isErratic ? 60 : 2_000) == 0 ? .seconds(below(1_000)) : nil }
    private func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &random) }
    private func anyLink() -> LinkID? { links.randomElement(using: &random) }
    private func unknownLink() -> LinkID? {
        links.filter { core.links[$0]?.peer == nil }.randomElement(using: &random)
    }

    // MARK: Checks

    /// Everything within its bounds, and what was heard first-hand as the tables have it.
    func check() {
        #expect(core.links.count <= GossipLimits.links && core.peers.count <= GossipLimits.peers)
        #expect(core.divergences.entries.count <= GossipLimits.divergences)
        #expect(core.departures.tombstones.count <= GossipLimits.departures)
        #expect(core.departures.floors.count <= GossipLimits.departures)
        #expect(core.evidence.replicaCount <= GossipLimits.evidence + core.own.count + core.learned.count)
        #expect(core.learned.count <= 502)
        #expect(core.held.count <= core.own.count && core.closing.count <= core.own.count)
        #expect(core.late.count <= core.own.count)
        for peer in core.peers {
            #expect(peer.remote.count <= GossipLimits.namedDifferences + GossipLimits.itemsAsked)
            #expect(peer.unnamed.count <= GossipLimits.namedDifferences)
            #expect((peer.imagePull?.bytes.count ?? 0) <= GossipLimits.imageBytes)
        }
        #expect(core.own.count == tables.rows.count)
        for entry in core.own.all {
            let summary = tables.rows[entry.token.number]?.summary
            #expect(summary.map { Self.hash.replica($0.identity) } == entry.hash)
            #expect(summary?.registrationHash == entry.registration)
        }
        _ = core.status(tables: tables, now: now)
        #expect(core.nextWake >= .zero)
    }
}
