import Basics
import Testing

@testable import GossipCore

/// One node under test among peers that want it to fall: with the key and without, in every state, with well-formed answers to
/// its real questions, random messages, replayed, reflected and damaged frames, clocks that jump.
final class HostilePeers {
    private static let hash = CoreCluster.hash
    private static let names = ["h1", "h2", "h3"]

    private(set) var core: Gossip
    private(set) var frames = 0
    private var tables = HandTables()
    private var now = Instant(nanoseconds: 5_000_000_000_000)
    private var random: SeededGenerator
    private var messages: RandomMessages
    private var links: [LinkID] = []
    private var nextLink: UInt64 = 1
    private var history: [[UInt8]] = []
    /// What the hostile peers claim to have beside what the node has.
    private var records: [ReplicaRecord] = []

    init(mode: GossipMode, seed: UInt64) {
        random = SeededGenerator(seed: seed)
        messages = RandomMessages(seed: seed &+ 1)
        var settings = GossipSettings(node: "m", label: "test", mode: mode, hash: Self.hash, salt: 7)
        settings.peers = ["h1", "h2"]
        settings.acceptsUnlistedPeers = seed.isMultiple(of: 2)
        settings.witnesses = seed.isMultiple(of: 3) ? 2 : 1
        core = Gossip(settings, incarnation: 1, seed: seed, now: now)
    }

    /// Does something; at least every third time a frame arrives.
    func step() {
        switch below(24) {
        case 0: passTime(.milliseconds(below(400)))
        case 1: if below(20) == 0 { passTime(.seconds(below(200))) }
        case 2: changeTables()
        case 3: if links.count < 200 { open(contact: nil) }
        case 4: if let link = anyLink(), below(4) == 0 { close(link) }
        case 5...7: if let link = anyLink() { deliver(.hello(hello()), on: link) }
        case 8...9: deliverOld()
        case 10:
            if let link = anyLink() { deliver(messages.message(.allCases.randomElement(using: &random)!), on: link) }
        default: answer()
        }
    }

    // MARK: What the node does

    private func input(_ body: (inout Gossip, borrowing HandTables, inout [GossipDirective]) -> Void) {
        var directives: [GossipDirective] = []
        body(&core, tables, &directives)
        for directive in directives { carryOut(directive) }
    }

    private func carryOut(_ directive: GossipDirective) {
        switch directive {
        case .send(_, let frame):
            remember(frame)
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
        // As the tables, which hold so many replicas and no more.
        if core.learned.count > 500 || below(4) == 0 { core.refusedToLearn(learned.summary.identity, now: now) }
    }

    private func passTime(_ span: Duration) {
        now = now + span
        let wall = WallTime(
            milliseconds: now.nanoseconds / 1_000_000 + Int64(isErratic && below(50) == 0 ? below(100_000) : 0))
        input { $0.advance(tables: $1, now: now, wallTime: wall, directives: &$2) }
    }

    private func changeTables() {
        let number = UInt32(below(60))
        let token = ReplicaToken(number: number)
        switch below(4) {
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

    private var isErratic: Bool { (frames / 1_000).isMultiple(of: 2) }

    // MARK: What the peers do

    private func open(contact: Int?) {
        let link = LinkID(nextLink)
        nextLink += 1
        links.append(link)
        input { $0.linkOpened(link, contact: contact, now: now, directives: &$2) }
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

    private func hello() -> GossipMessage.Hello {
        let name = below(10) == 0 ? "pod-\(below(100))" : Self.names.randomElement(using: &random)!
        return GossipMessage.Hello(
            label: below(20) == 0 ? "other" : "test", node: name, incarnation: UInt64(below(3)), clock: clock(),
            uptime: .zero, mode: .replicate, state: .ready, salt: below(20) == 0 ? 8 : 7,
            timings: NodeTimings(
                heartbeat: .seconds(30), scan: .seconds(10), expiry: .seconds(120), period: .seconds(1)),
            software: "h")
    }

    /// A well-formed answer to one of the node's questions, or a question, over a link that passed the handshake.
    private func answer() {
        let connected = core.peers.indices.filter { core.peers[$0].link != nil }
        guard let index = connected.randomElement(using: &random), let link = core.peers[index].link else {
            if let link = anyLink() { deliver(.hello(hello()), on: link) }
            return
        }
        if let message = message(to: core.peers[index]) { deliver(message, on: link) }
    }

    private func message(to peer: Peer) -> GossipMessage? {
        switch below(16) {
        case 0...2:
            return .syn(.init(nonce: random.next(), clock: clock(), digest: digest(), asks: hashes(), stall: stall()))
        case 3...5:
            guard let round = peer.round else { return nil }
            return .synAck(
                .init(
                    echo: round.nonce, nonce: random.next(), clock: clock(), digest: digest(), ages: ages(round.asked),
                    asks: hashes(), stall: stall()))
        case 6...7:
            return peer.answer.map { .ack(.init(echo: $0.nonce, clock: clock(), ages: ages($0.asked))) }
        case 8...9: return repair(of: peer)
        case 10: return image(for: peer)
        case 11...12: return snapshot(for: peer)
        case 13:
            let reports = hashes().prefix(4).map {
                TombstoneReport(
                    replica: $0, reason: .unregistered, sequence: random.next(), age: .milliseconds(below(300_000)),
                    timeoutMillis: [0, 120_000, .max].randomElement(using: &random)!)
            }
            return .tombstones(.init(reports: reports))
        case 14: return question()
        default:
            if below(30) == 0 { return .bye(.init(reason: "x")) }
            return below(2) == 0 ? .busy(.init(retryMillis: 1)) : .hint(.init())
        }
    }

    private func question() -> GossipMessage {
        switch below(4) {
        case 0: .snapshotRequest(.init(nonce: random.next(), clock: clock(), cursor: UInt64(below(100))))
        case 1: .sketchRequest(.init(epoch: core.own.epoch, first: below(4_096), count: 1))
        case 2: .listRequest(.init(epoch: core.own.epoch, cursor: random.next()))
        default:
            .itemRequest(
                .init(
                    nonce: random.next(), clock: clock(),
                    items: [core.own.all.map { $0.item }.randomElement(using: &random) ?? 0], imageOffset: below(12)))
        }
    }

    private func repair(of peer: Peer) -> GossipMessage? {
        if let round = peer.itemRound {
            let entries = round.asked.prefix(8).map { item in
                ItemEntry(item: item, record: below(8) == 0 ? nil : records.first { Self.item($0) == item })
            }
            return .item(.init(echo: round.nonce, clock: clock(), entries: entries))
        }
        guard let work = peer.reconciliation else { return nil }
        let epoch = below(20) == 0 ? 0 : work.epoch
        switch work.phase {
        case .sketch(let decoder):
            let run = sketch().run(from: min(decoder.received, 4_096), count: below(600))
            return .sketch(.init(epoch: epoch, run: run))
        case .list(let cursor, _):
            var set = core.own
            let items = (set.sortedItems() + records.map(Self.item)).filter { $0 >= cursor }.sorted()
            return .list(.init(epoch: epoch, items: Array(Set(items)).sorted(), next: nil))
        }
    }

    private func image(for peer: Peer) -> GossipMessage? {
        guard let pull = peer.imagePull, let record = records.first(where: { Self.item($0) == pull.item }) else {
            return nil
        }
        let bytes = [UInt8](repeating: 1, count: 1 + below(40))
        let offset = pull.bytes.count
        let total = offset + bytes.count + (below(3) > 0 ? 0 : below(GossipLimits.imageBytes))
        return .item(
            .init(
                echo: pull.round.nonce, clock: clock(), entries: [ItemEntry(item: pull.item, record: record)],
                image: ImageChunk(offset: offset, total: total, bytes: bytes)))
    }

    private func snapshot(for peer: Peer) -> GossipMessage? {
        guard let pull = peer.snapshot else { return nil }
        let entries = (0..<below(6)).map { _ in
            let record = record()
            return SnapshotEntry(item: Self.item(record), record: record)
        }
        let next = below(6) == 0 ? 0 : pull.cursor &+ UInt64(below(3))
        return .snapshotChunk(
            .init(echo: pull.round.nonce, clock: clock(), nextCursor: next, entries: entries, images: []))
    }

    // MARK: Parts

    /// Mostly one that can be believed.
    private func record() -> ReplicaRecord {
        var record = messages.record()
        if below(4) == 0 { return record }
        let age = Duration.milliseconds(below(200_000))
        record.hearing = ReportedHearing(age: age, registrationAge: age, isConnected: true)
        record.summary.timeoutMillis = below(8) == 0 ? .max : 120_000
        return record
    }

    private static func item(_ record: ReplicaRecord) -> UInt64 {
        hash.item(replica: hash.replica(record.summary.identity), registration: record.summary.registrationHash)
    }

    /// The node's own set and what the peers add to it, or leave out.
    private func sketch() -> Sketch {
        var sketch = core.own.sketch
        for record in records { sketch.insert(Self.item(record)) }
        return sketch
    }

    private func digest() -> Digest {
        if below(4) == 0 { records.append(record()) }
        if records.count > 40 || below(8) == 0 { records.removeAll { _ in below(2) == 0 } }
        let root = below(4) == 0 ? core.own.sketch.root : sketch().root
        return Digest(
            state: below(8) == 0 ? .warming : .ready, mode: .replicate, localHealth: 0, replicas: root.count, late: 0,
            root: root, versionXor: random.next(), keyValueDigest: 0, administrationDigest: random.next(),
            epoch: UInt32(below(1_000)))
    }

    /// Hashes of the node's own replicas, of claimed ones and of none.
    private func hashes() -> [UInt64] {
        let known = core.own.all.map { $0.hash } + records.map { Self.hash.replica($0.summary.identity) }
        return (0..<below(12)).map { _ in below(6) == 0 ? random.next() : known.randomElement(using: &random) ?? 0 }
    }

    private func ages(_ asked: [UInt64]) -> [AgeReport] {
        asked.prefix(WireLimits.asks).map { replica in
            let age = Duration.milliseconds(below(6) == 0 ? 0 : below(200_000))
            return AgeReport(
                replica: replica,
                heard: below(8) == 0
                    ? nil
                    : .init(
                        hearing: ReportedHearing(age: age, registrationAge: age, isConnected: below(2) == 0),
                        registrationHash: random.next()))
        }
    }

    private func clock() -> Instant {
        // A clock that jumped spoils all evidence for a while; every second stretch is without.
        switch isErratic ? below(40) : 40 {
        case 0: .zero
        case 1: Instant(nanoseconds: 1 << 62)
        case 2: Instant(nanoseconds: Int64(below(1 << 61)))
        default: now + .seconds(1_000)
        }
    }

    private func stall() -> Duration? { below(60) == 0 ? .seconds(below(1_000)) : nil }
    private func below(_ limit: Int) -> Int { Int.random(in: 0..<max(1, limit), using: &random) }
    private func anyLink() -> LinkID? { links.randomElement(using: &random) }

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
        #expect(core.lateness.count <= 2 * core.own.count + 300)
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
