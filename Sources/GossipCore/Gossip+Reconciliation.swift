import Basics

// Which replicas do two nodes hold in different states? Equal roots: none, at no cost. Otherwise symbols of the peer's
// sketch are asked for until the difference decodes, or its list; then the items that this node lacks are named.

/// Working out one difference.
struct Reconciliation {
    enum Phase {
        /// Symbols are asked for.
        case sketch(SketchDecoder)
        /// The whole list is, part by part, from `cursor` on.
        case list(cursor: UInt64, items: [UInt64])
    }

    /// The two sets it belongs to.
    let roots: RootPair
    let epoch: UInt32
    let startedAt: Instant
    var phase: Phase
}

extension Gossip {
    /// Reconciliations and requests for items that got no answer are given up after so many periods.
    static let repairPatience = 5

    /// What the peer's digest says beside ours.
    mutating func compare(
        _ digest: Digest, asks: [UInt64], with peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        now: Instant, _ directives: inout [GossipDirective]
    ) {
        peers[peer].digest = digest
        peers[peer].asks = asks
        let roots = RootPair(own: own.sketch.root, peer: digest.root)
        if let work = peers[peer].reconciliation, now - work.startedAt > settings.period * Self.repairPatience {
            // Others have their turn first: who never answers must not keep both places.
            peers[peer].reconciliation = nil
            peers[peer].reconcilesFrom = now + settings.period * Self.repairPatience
        }
        if let round = peers[peer].itemRound, now - round.sentAt > settings.period * Self.repairPatience {
            peers[peer].itemRound = nil
            peers[peer].unnamed = []
            peers[peer].compared = nil
        }
        if roots.own == roots.peer {
            if planted(.compareEquals) { send(.listRequest(.init(epoch: digest.epoch)), to: peer, &directives) }
            peers[peer].reconciliation = nil
            peers[peer].compared = roots
            setDifference(of: peer, SetDifference(onlyHere: [], onlyThere: []), now: now, &directives)
        } else if peers[peer].compared != roots, peers[peer].reconciliation == nil, peers[peer].reconcilesFrom <= now {
            reconcile(peer, roots, epoch: digest.epoch, now: now, &directives)
        }
        // A node that has just started does not wait for its next period to be told what its peers heard.
        advanceWarmUp(now: now, &directives)
        compareWhole(digest, with: peer, now: now, &directives)
        compareOperations(digest, with: peer, tables, now: now, &directives)
        compareLateness(of: peer, tables, now: now, &directives)
        noteDifferences(with: peer, tables, now: now, &directives)
        learnFrom(peer, now: now, &directives)
    }

    private mutating func reconcile(
        _ peer: Int, _ roots: RootPair, epoch: UInt32, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard peers.count(where: { $0.reconciliation != nil }) < GossipLimits.reconciliations else { return }
        counters.reconciliations += 1
        var decoder = SketchDecoder(local: own.sketch)
        // The peer's root came with the exchange: one missing replica is found at no cost at all.
        let root = SymbolRun(first: 0, itemCount: roots.peer.count, symbols: [roots.peer])
        if case .decoded(let difference) = decoder.receive(root) {
            return decoded(difference, roots, of: peer, now: now, &directives)
        }
        let question = SketchLadder.question(here: roots.own, there: roots.peer)
        peers[peer].reconciliation = Reconciliation(
            roots: roots, epoch: epoch, startedAt: now, phase: .sketch(decoder))
        ask(question, of: peer, received: decoder.received, now: now, &directives)
    }

    private mutating func ask(
        _ question: SketchLadder.Question, of peer: Int, received: Int, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        guard let epoch = peers[peer].reconciliation?.epoch else { return }
        switch question {
        case .nothing: peers[peer].reconciliation = nil
        case .sketch(let symbols):
            let count = min(symbols - received, SketchLimits.symbolsPerRun)
            send(.sketchRequest(.init(epoch: epoch, first: received, count: count)), to: peer, &directives)
        case .list:
            peers[peer].reconciliation?.phase = .list(cursor: 0, items: [])
            send(.listRequest(.init(epoch: epoch)), to: peer, &directives)
        }
    }

    mutating func received(
        _ answer: GossipMessage.SketchAnswer, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let work = peers[peer].reconciliation, case .sketch(var decoder) = work.phase else {
            counters.unsolicitedAnswers += 1
            return
        }
        guard answer.epoch == work.epoch else {
            // Its set has changed meanwhile: the next exchange begins anew.
            peers[peer].reconciliation = nil
            return
        }
        let before = decoder.received
        switch decoder.receive(answer.run) {
        case .needsMore where decoder.received == before:
            // Nothing new, for ever.
            peers[peer].reconciliation = nil
            peers[peer].reconcilesFrom = now + settings.period * Self.repairPatience
        case .decoded(let difference):
            peers[peer].reconciliation = nil
            decoded(difference, work.roots, of: peer, now: now, &directives)
            noteNamedDifferences(with: peer, tables, now: now, &directives)
        case .needsMore:
            peers[peer].reconciliation?.phase = .sketch(decoder)
            ask(
                SketchLadder.question(after: decoder.received), of: peer, received: decoder.received, now: now,
                &directives)
        case .failed:
            counters.failedDecodings += 1
            ask(.list, of: peer, received: 0, now: now, &directives)
        }
    }

    mutating func received(
        _ list: GossipMessage.List, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let work = peers[peer].reconciliation, case .list(let cursor, var items) = work.phase else {
            counters.unsolicitedAnswers += 1
            return
        }
        guard list.epoch == work.epoch, list.items.first.map({ $0 >= cursor }) ?? true,
            items.count + list.items.count <= min(work.roots.peer.count, GossipLimits.listedItems)
        else {
            peers[peer].reconciliation = nil
            return
        }
        items += list.items
        if let next = list.next {
            peers[peer].reconciliation?.phase = .list(cursor: next, items: items)
            return send(.listRequest(.init(epoch: work.epoch, cursor: next)), to: peer, &directives)
        }
        peers[peer].reconciliation = nil
        guard own.sketch.root == work.roots.own else { return }
        let difference = SetDifference.between(own.sortedItems(), items)
        decoded(difference, work.roots, of: peer, now: now, &directives)
        noteNamedDifferences(with: peer, tables, now: now, &directives)
    }

    /// Notes a difference that was just worked out, unless the peer is yet to name some of it: then with the names, in a later
    /// turn than the decoding.
    private mutating func noteNamedDifferences(
        with peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        if peers[peer].unnamed.isEmpty { noteDifferences(with: peer, tables, now: now, &directives) }
    }

    private mutating func decoded(
        _ difference: SetDifference, _ roots: RootPair, of peer: Int, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        peers[peer].compared = roots
        setDifference(of: peer, difference, now: now, &directives)
    }

    /// The difference with the peer is now this; items that this node cannot name are asked for.
    private mutating func setDifference(
        of peer: Int, _ difference: SetDifference, now: Instant, _ directives: inout [GossipDirective]
    ) {
        peers[peer].onlyHere = Array(difference.onlyHere.prefix(GossipLimits.namedDifferences))
        if difference.onlyThere.isEmpty {
            peers[peer].remote = [:]
            peers[peer].unnamed = []
            return
        }
        let wanted = difference.onlyThere.prefix(GossipLimits.namedDifferences)
        let still = Set(wanted)
        peers[peer].remote = peers[peer].remote.filter { still.contains($0.key) }
        peers[peer].unnamed = wanted.filter { peers[peer].remote[$0] == nil }
        askForItems(of: peer, now: now, &directives)
    }

    private mutating func askForItems(of peer: Int, now: Instant, _ directives: inout [GossipDirective]) {
        guard peers[peer].itemRound == nil, !peers[peer].unnamed.isEmpty else { return }
        let items = Array(peers[peer].unnamed.prefix(GossipLimits.itemsAsked))
        let nonce = draw()
        peers[peer].itemRound = Round(nonce: nonce, sentAt: now, asked: items)
        send(.itemRequest(.init(nonce: nonce, clock: now, items: items)), to: peer, &directives)
    }

    mutating func received(
        _ answer: GossipMessage.Item, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        if peers[peer].imagePull?.round.nonce == answer.echo {
            return receivedImage(answer, from: peer, now: now, &directives)
        }
        guard let round = peers[peer].itemRound, round.nonce == answer.echo else {
            counters.unsolicitedAnswers += 1
            return
        }
        peers[peer].itemRound = nil
        // What was registered here meanwhile, or gone from the peer, is no difference any more.
        let asked = Set(round.asked).intersection(peers[peer].unnamed)
        for entry in answer.entries where asked.contains(entry.item) {
            guard let record = entry.record else { continue }
            let replica = settings.hash.replica(record.summary.identity)
            // What does not hash to its item was never its state.
            guard settings.hash.item(replica: replica, registration: record.summary.registrationHash) == entry.item
            else { continue }
            peers[peer].remote[entry.item] = RemoteItem(replica: replica, summary: record.summary)
            adopt(
                record.hearing, registration: record.summary.registrationHash, of: replica, from: peer, round,
                clock: answer.clock, now: now)
        }
        // The peer answers from the front; what it left out is asked for again, what it no longer has is not.
        let answered = Set(answer.entries.map(\.item))
        let isProgress = !answered.isDisjoint(with: asked)
        peers[peer].unnamed.removeAll { answered.contains($0) || (!isProgress && asked.contains($0)) }
        askForItems(of: peer, now: now, &directives)
        noteNamedDifferences(with: peer, tables, now: now, &directives)
    }

    // MARK: Answering

    mutating func answer(
        _ request: GossipMessage.SketchRequest, from peer: Int, _ now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        guard request.first <= own.sketch.symbols.count else { return }
        let cost = request.count * SketchLadder.symbolBytes
        guard mayAnswer(peer, cost, now: now, &directives) else { return }
        let run = own.sketch.run(from: request.first, count: request.count)
        send(.sketch(.init(epoch: own.epoch, run: run)), to: peer, &directives)
    }

    mutating func answer(
        _ request: GossipMessage.ListRequest, from peer: Int, _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard mayAnswer(peer, WireLimits.listItems * 8, now: now, &directives) else { return }
        let all = own.sortedItems()
        let start = all.partitioningIndex { $0 >= request.cursor }
        let end = min(start + WireLimits.listItems, all.count)
        send(
            .list(.init(epoch: own.epoch, items: Array(all[start..<end]), next: end < all.count ? all[end] : nil)),
            to: peer, &directives)
    }

    mutating func answer(
        _ request: GossipMessage.ItemRequest, from peer: Int, _ tables: borrowing some FirstHandTables & ~Copyable,
        _ now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard mayAnswer(peer, request.items.count * 128, now: now, &directives) else { return }
        var entries: [ItemEntry] = []
        var room = WireLimits.frameBytes - GossipMessage.Item.overhead
        for item in request.items {
            let entry = ItemEntry(item: item, record: record(ofItem: item, tables, now: now))
            guard entry.encodedSize <= room else { break }
            room -= entry.encodedSize
            entries.append(entry)
        }
        var image: ImageChunk?
        if let offset = request.imageOffset, entries.count == 1, entries[0].record != nil {
            image = imageChunk(ofItem: entries[0].item, from: offset, room: room, tables)
        }
        guard mayAnswer(peer, image?.bytes.count ?? 0, now: now, &directives) else { return }
        send(
            .item(.init(echo: request.nonce, clock: now, entries: entries, image: image)), to: peer, &directives)
    }

    /// A state of a replica as peers hear it; nil when the replica is in that state no more. A node that is warming up names
    /// what it has, too; what it heard is no evidence for its peers.
    func record(
        ofItem item: UInt64, _ tables: borrowing some FirstHandTables & ~Copyable, now: Instant
    ) -> ReplicaRecord? {
        guard let entry = own.replica(item: item), let hearing = tables.hearing(of: entry.token),
            let summary = tables.summary(of: entry.token), summary.registrationHash == entry.registration
        else { return nil }
        return ReplicaRecord(summary: summary, hearing: report(hearing, now: now))
    }

    private func imageChunk(
        ofItem item: UInt64, from offset: Int, room: Int, _ tables: borrowing some FirstHandTables & ~Copyable
    ) -> ImageChunk? {
        guard let entry = own.replica(item: item) else { return nil }
        var image = ByteWriter(capacity: 4_096)
        tables.encodeImages(of: [entry.token], into: &image)
        guard offset <= image.count, image.count <= WireLimits.imageBytes else { return nil }
        let end = min(image.count, offset + room - ImageChunk.overhead)
        return ImageChunk(offset: offset, total: image.count, bytes: Array(image.bytes[offset..<end]))
    }

    /// Whether the peer may still make this node work; if not it is told to wait.
    mutating func mayAnswer(
        _ peer: Int, _ bytes: Int, now: Instant, _ directives: inout [GossipDirective]
    ) -> Bool {
        if peers[peer].budget.take(bytes, at: now) { return true }
        counters.busyAnswers += 1
        sendBusy(to: peer, &directives)
        return false
    }

    mutating func sendBusy(to peer: Int, _ directives: inout [GossipDirective]) {
        let pause = min(Int(settings.period.wholeMilliseconds), WireLimits.retryMillis)
        send(.busy(.init(retryMillis: pause)), to: peer, &directives)
    }

    /// The peer has no time for repairs: what was asked of it is asked again after a later exchange.
    mutating func wait(for peer: Int) {
        peers[peer].reconciliation = nil
        peers[peer].itemRound = nil
        peers[peer].unnamed = []
        peers[peer].compared = nil
        peers[peer].imagePull = nil
        peers[peer].operationsAskedAt = nil
        // A snapshot goes on from where it was, with the next period.
        peers[peer].snapshot?.isWaiting = true
    }
}

extension SetDifference {
    /// The difference of two sets given as increasing lists.
    static func between(_ here: [UInt64], _ there: [UInt64]) -> SetDifference {
        var (onlyHere, onlyThere): ([UInt64], [UInt64]) = ([], [])
        var (left, right) = (0, 0)
        while left < here.count || right < there.count {
            if right == there.count || (left < here.count && here[left] < there[right]) {
                onlyHere.append(here[left])
                left += 1
            } else if left == here.count || there[right] < here[left] {
                onlyThere.append(there[right])
                right += 1
            } else {
                left += 1
                right += 1
            }
        }
        return SetDifference(onlyHere: onlyHere, onlyThere: onlyThere)
    }
}

extension Array {
    /// The first index whose element passes, in an array where all that pass stand behind those that do not.
    func partitioningIndex(where passes: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if passes(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
