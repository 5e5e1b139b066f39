import Basics

// Links come and go; peers stay. Who dials, who is let in, and what happens when two links or two nodes claim one name.

extension Gossip {
    /// How long a link may take for its handshake: several round trips of any network.
    static let handshakeLimit: Duration = .seconds(5)

    /// A further address to dial, found by DNS; its number is the next one.
    public mutating func addContact(now: Instant) {
        contacts.append(Contact(name: nil, phase: .idle(until: now + jitter(of: settings.period))))
    }

    /// Gives a contact's number to another address, unless a connection to the old one is up or under way; says whether it did.
    public mutating func replaceContact(_ contact: Int, now: Instant) -> Bool {
        precondition(contact >= settings.peers.count, "contact \(contact) is listed, not found by DNS")
        guard case .idle = contacts[contact].phase else { return false }
        contacts[contact] = Contact(name: nil, phase: .idle(until: now + jitter(of: settings.period)))
        return true
    }

    /// The contact could not be reached.
    public mutating func dialFailed(contact: Int, problem: String, now: Instant) {
        contacts[contact].failures += 1
        rest(contact, now: now)
        if let peer = contacts[contact].name.flatMap({ peerIndex(named: $0) }), peers[peer].link == nil {
            peers[peer].problem = problem
        }
    }

    /// A connection is up: one that was dialled, or an accepted one (`contact` nil).
    public mutating func linkOpened(
        _ link: LinkID, contact: Int?, now: Instant, directives: inout [GossipDirective]
    ) {
        guard links.count < max(GossipLimits.links, 2 * settings.peers.count) else {
            counters.refusedLinks += 1
            if let contact { rest(contact, now: now) }
            directives.append(.close(link))
            return
        }
        links[link] = Link(openedAt: now, contact: contact, lastReceived: now)
        guard let contact else { return }
        contacts[contact].phase = .linked(link)
        send(.hello(hello(now: now)), on: link, &directives)
    }

    /// A connection is gone, whoever closed it.
    public mutating func linkClosed(
        _ link: LinkID, problem: String, now: Instant, directives: inout [GossipDirective]
    ) {
        guard let old = links.removeValue(forKey: link) else { return }
        if let contact = old.contact {
            if old.peer == nil {
                contacts[contact].failures += 1
                if let peer = contacts[contact].name.flatMap({ peerIndex(named: $0) }), peers[peer].link == nil {
                    peers[peer].problem = problem
                }
            }
            rest(contact, now: now)
        }
        guard let peer = old.peer, peers[peer].link == link else { return }
        peers[peer].problem = problem
        leave(peer, isFarewell: problem == Self.farewell, now: now, &directives)
    }

    /// What is said of a peer that stops in order: nothing to look after.
    static let farewell = "it was stopped"

    private mutating func leave(
        _ peer: Int, isFarewell: Bool, now: Instant, _ directives: inout [GossipDirective]
    ) {
        peers[peer].unlink(at: now, patience: isFarewell ? .zero : settings.redialPatience)
        for key in divergences.keys(peer: peer, where: { !$0.kind.outlivesLink }) {
            // Nobody knows any more whether it still holds: it is dropped without a word.
            _ = divergences.cleared(key, at: now)
        }
        let name = peers[peer].name
        directives.append(
            .event(
                GossipEvent(
                    .peerDown, isFarewell ? .info : .warning, peer: name,
                    "\(name) does not take part any more: \(peers[peer].problem ?? "its connection closed"). "
                        + "Differences with it are not seen until it is back")))
        answersChanged(now: now, &directives)
    }

    /// Waits before the contact is dialled again; the higher name gives the lower one time to come by itself.
    private mutating func rest(_ contact: Int, now: Instant) {
        let ceiling = min(settings.longestBackoff, settings.period * (1 << min(contacts[contact].failures, 10)))
        let isFirstToDial = contacts[contact].name.map { settings.node < $0 } ?? true
        let courtesy = isFirstToDial ? Duration.zero : settings.period * 2
        contacts[contact].phase = .idle(until: now + courtesy + jitter(of: ceiling))
    }

    /// A peer that was away is back. What kept it away has probably ended for others, too: they are dialled within a period,
    /// whatever their backoff; each at most once for every peer that comes back.
    private mutating func dialOthersSoon(now: Instant) {
        for index in contacts.indices where contacts[index].failures > 0 && !isLinked(index) {
            guard case .idle(let until) = contacts[index].phase else { continue }
            contacts[index].phase = .idle(until: min(until, now + jitter(of: settings.period)))
        }
    }

    func isLinked(_ contact: Int) -> Bool {
        guard let name = contacts[contact].name else { return false }
        // A listed peer stands where its contact does.
        if contact < peers.count, peers[contact].name == name { return peers[contact].link != nil }
        return peerIndex(named: name).map { peers[$0].link != nil } ?? false
    }

    /// Dials whom it is time to dial, and gives up handshakes that take too long.
    mutating func dial(now: Instant, _ directives: inout [GossipDirective]) {
        for index in contacts.indices where !contacts[index].isSelf {
            guard case .idle(let until) = contacts[index].phase, until <= now, !isLinked(index) else {
                continue
            }
            contacts[index].phase = .dialling
            directives.append(.dial(contact: index))
        }
        var overdue: [LinkID] = []
        for (link, state) in links {
            let isStuck = state.peer == nil && now - state.openedAt > Self.handshakeLimit
            let isOld = state.supersededAt.map { now - $0 > settings.oldLifeWatch } ?? false
            if isStuck || isOld { overdue.append(link) }
        }
        for link in overdue.sorted() { drop(link, "its handshake took too long", now: now, &directives) }
    }

    mutating func drop(_ link: LinkID, _ problem: String, now: Instant, _ directives: inout [GossipDirective]) {
        directives.append(.close(link))
        linkClosed(link, problem: problem, now: now, directives: &directives)
    }

    private func hello(now: Instant) -> GossipMessage.Hello {
        GossipMessage.Hello(
            label: settings.label, node: settings.node, incarnation: incarnation, clock: now,
            uptime: .milliseconds((now - startedAt).wholeMilliseconds), mode: settings.mode, state: state,
            salt: settings.salt, timings: timings, software: settings.software)
    }

    private var timings: NodeTimings {
        NodeTimings(
            heartbeat: settings.heartbeat, scan: settings.scan, expiry: settings.expiry, period: settings.period)
    }

    // MARK: Letting peers in

    /// The first frame of a node that dialled us.
    mutating func received(
        _ hello: GossipMessage.Hello, on link: LinkID, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let state = links[link], !state.isDialled, state.peer == nil else {
            return refuseFrame(on: link, "a second handshake", now: now, &directives)
        }
        if hello.node == settings.node, hello.incarnation == incarnation {
            // Found by DNS, or listed under another name: the dialling end sees it by our answer.
            send(.helloAck(.init(hello: self.hello(now: now), refusal: .duplicate)), on: link, &directives)
            return drop(link, "it is this node itself", now: now, &directives)
        }
        let refusal = refusal(of: hello, isDialled: false, now: now)
        send(.helloAck(.init(hello: self.hello(now: now), refusal: refusal)), on: link, &directives)
        if let refusal { return refuse(hello, refusal, on: link, now: now, &directives) }
        establish(hello, on: link, now: now, &directives)
    }

    /// The answer of a node that we dialled.
    mutating func received(
        _ answer: GossipMessage.HelloAck, on link: LinkID, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard let state = links[link], let contact = state.contact, state.peer == nil else {
            return refuseFrame(on: link, "an answer to no handshake", now: now, &directives)
        }
        let hello = answer.hello
        if hello.node == settings.node, hello.incarnation == incarnation {
            contacts[contact].isSelf = true
            return drop(link, "it is this node itself", now: now, &directives)
        }
        if let refusal = answer.refusal ?? refusal(of: hello, isDialled: true, now: now) {
            return refuse(hello, refusal, on: link, now: now, &directives)
        }
        contacts[contact].failures = 0
        establish(hello, on: link, now: now, &directives)
        if let peer = links[link]?.peer { peers[peer].isUrgent = true }
    }

    private func refusal(of hello: GossipMessage.Hello, isDialled: Bool, now: Instant) -> HelloRefusal? {
        if hello.label != settings.label { return .label }
        if !hello.protocols.contains(GossipFrame.version) { return .version }
        if hello.salt != settings.salt { return .key }
        if hello.node == settings.node { return .duplicate }
        guard let peer = peerIndex(named: hello.node) else {
            guard settings.acceptsUnlistedPeers else { return .unknownNode }
            return peers.count < GossipLimits.peers || forgettablePeer(now: now) != nil ? nil : .unknownNode
        }
        guard let old = peers[peer].link, let current = links[old], peers[peer].incarnation == hello.incarnation else {
            return nil
        }
        // Two links of the same two lives: the one that the lower name dialled stays, unless it has gone quiet.
        let isQuiet = now - current.lastReceived > settings.period * 2
        let isSameDialler = current.isDialled == isDialled
        let lowerDialledNew = (settings.node < hello.node) == isDialled
        return isSameDialler || lowerDialledNew || isQuiet ? nil : .busy
    }

    /// Turns a peer down and says on this side, too, what does not fit. Nothing else changes.
    private mutating func refuse(
        _ hello: GossipMessage.Hello, _ refusal: HelloRefusal, on link: LinkID, now: Instant,
        _ directives: inout [GossipDirective]
    ) {
        // Of two crossing dials one is turned down: no fault of anybody. An address found by DNS has a name now.
        if refusal == .busy {
            if let contact = links[link]?.contact { contacts[contact].name = hello.node }
            return drop(link, "another connection is preferred", now: now, &directives)
        }
        counters.refusedLinks += 1
        let (text, advice) = explanation(of: refusal, hello)
        if let peer = peerIndex(named: hello.node) {
            peers[peer].problem = text
            note(.configuration, peer: peer, text: text, advice: advice, now: now, &directives)
        } else {
            directives.append(
                .event(
                    GossipEvent(
                        .refused, .warning, peer: hello.node, "gossip with \(hello.node) refused: \(text). \(advice)")))
        }
        if let contact = links[link]?.contact { contacts[contact].failures += 1 }
        directives.append(.close(link))
        linkClosed(link, problem: text, now: now, directives: &directives)
    }

    private func explanation(of refusal: HelloRefusal, _ hello: GossipMessage.Hello) -> (text: String, advice: String) {
        switch refusal {
        case .label:
            (
                "its label is '\(hello.label)', this node's '\(settings.label)'",
                "Give both nodes the same gossip.label, or take the other cluster's address off the list"
            )
        case .key:
            ("its cluster key is another than this node's", "Put the same gossip.preSharedKeys first on both nodes")
        case .unknownNode:
            (
                "it goes by the name '\(hello.node)', which one of the two does not list",
                "Add the node to the nodes of cluster.yaml on both sides"
            )
        case .version:
            (
                "it speaks versions \(hello.protocols.lowerBound) to \(hello.protocols.upperBound) of the gossip protocol, "
                    + "this node version \(GossipFrame.version)",
                "Upgrade the older of the two; until then they do not compare"
            )
        case .duplicate:
            (
                "two nodes go by the name '\(hello.node)'",
                "Start each node with a name of its own (--node); look for a second process of this name"
            )
        case .busy: ("it prefers another connection", "It is tried again by itself")
        }
    }

    private mutating func establish(
        _ hello: GossipMessage.Hello, on link: LinkID, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let peer = peerIndex(named: hello.node) ?? addPeer(hello.node, now: now, &directives)
        for index in contacts.indices where contacts[index].name == hello.node { contacts[index].failures = 0 }
        if let contact = links[link]?.contact { contacts[contact].name = hello.node }
        let wasDown = peers[peer].link == nil
        if let old = peers[peer].link { supersede(old, of: peer, by: hello.incarnation, now: now, &directives) }
        if peers[peer].incarnation != hello.incarnation {
            // Another life, another clock: nothing is known of it yet. What it said before stays true.
            peers[peer].offset = nil
            peers[peer].losses = StallLedger()
            peers[peer].expectedUntil = .zero
            peers[peer].incarnation = hello.incarnation
        }
        peers[peer].startedAt = now + (.zero - hello.uptime)
        peers[peer].link = link
        peers[peer].software = hello.software
        peers[peer].problem = nil
        peers[peer].nextExchange = now + settings.period * 2
        links[link]?.peer = peer
        compareTimings(hello, peer, now: now, &directives)
        if wasDown {
            dialOthersSoon(now: now)
            directives.append(
                .event(GossipEvent(.peerUp, peer: hello.node, "\(hello.node) takes part, mode \(hello.mode.name)")))
        }
        sendTombstones(to: peer, now: now, &directives)
    }

    private mutating func addPeer(_ name: String, now: Instant, _ directives: inout [GossipDirective]) -> Int {
        guard peers.count >= GossipLimits.peers, let old = forgettablePeer(now: now) else {
            peers.append(Peer(name: name, isListed: false, now: now))
            return peers.count - 1
        }
        for key in divergences.keys(peer: old) { _ = divergences.cleared(key, at: now) }
        evidence.removeAll(of: old)
        peers[old] = Peer(name: name, isListed: false, now: now)
        reconsiderAll(now: now, &directives)
        return old
    }

    /// The unlisted peer that has been away longest, if it has been away for so long that nothing it said counts any more:
    /// where nodes have another name in each life, the old ones must not use up all places.
    private func forgettablePeer(now: Instant) -> Int? {
        let memory = settings.expiry * 2
        let candidates = peers.indices.filter { index in
            !peers[index].isListed && peers[index].link == nil && now - peers[index].downSince > memory
                && !links.values.contains { $0.peer == index }
        }
        return candidates.min { (peers[$0].downSince, $0) < (peers[$1].downSince, $1) }
    }

    /// The peer has a newer link. One of the same life is closed; one of an earlier life is watched for a while: if it
    /// goes on speaking, two nodes go by one name.
    private mutating func supersede(
        _ old: LinkID, of peer: Int, by incarnation: UInt64, now: Instant, _ directives: inout [GossipDirective]
    ) {
        peers[peer].unlink(at: now, patience: settings.redialPatience)
        if peers[peer].incarnation == incarnation {
            if let contact = links[old]?.contact { rest(contact, now: now) }
            links[old] = nil
            directives.append(.close(old))
        } else {
            links[old]?.supersededAt = now
        }
    }

    /// A frame of a life that a newer one has replaced: is it a late one, or are there two?
    mutating func receivedFromOldLife(
        _ link: LinkID, _ peer: Int, since supersededAt: Instant, now: Instant, _ directives: inout [GossipDirective]
    ) {
        guard now - supersededAt > settings.period else { return }
        if planted(.trustDuplicates) { return }
        peers[peer].duplicateUntil = now + settings.duplicateMemory
        evidence.distrust(peer)
        let (text, advice) = (
            "two live nodes go by the name '\(peers[peer].name)'; neither counts as a witness",
            "Give each node a name of its own (--node)"
        )
        note(.duplicateID, peer: peer, text: text, advice: advice, now: now, &directives)
        reconsiderAll(now: now, &directives)
        drop(link, text, now: now, &directives)
    }

    private mutating func compareTimings(
        _ hello: GossipMessage.Hello, _ peer: Int, now: Instant, _ directives: inout [GossipDirective]
    ) {
        let (theirs, ours) = (hello.timings, timings)
        var differences: [String] = []
        for (name, mine, other) in [
            ("heartbeat", ours.heartbeat, theirs.heartbeat), ("scan", ours.scan, theirs.scan),
            ("expiry", ours.expiry, theirs.expiry), ("gossip.period", ours.period, theirs.period),
        ] where mine != other {
            differences.append("\(name) is \(mine.wholeMilliseconds) ms here and \(other.wholeMilliseconds) ms there")
        }
        let pair = "\(settings.node) and \(peers[peer].name)"
        if differences.isEmpty {
            clear(.configuration, peer: peer, now: now, &directives)
        } else {
            note(
                .configuration, peer: peer, text: differences.joined(separator: "; "),
                advice: "Give \(pair) the same timings in cluster.yaml, or they judge the same "
                    + "silence differently", now: now, &directives)
        }
    }

    /// Bytes that are no frames arrived: nothing that follows can be understood.
    public mutating func malformed(
        _ link: LinkID, _ error: GossipFormatError, now: Instant, directives: inout [GossipDirective]
    ) {
        refuseFrame(on: link, error.description, now: now, &directives)
    }

    /// A connection was turned down before it could say anything.
    public mutating func refusedLink() { counters.refusedLinks += 1 }

    /// A frame that nobody may send here: the link is closed, and nothing else changes.
    mutating func refuseFrame(
        on link: LinkID, _ what: String, now: Instant, _ directives: inout [GossipDirective]
    ) {
        counters.malformedFrames += 1
        let name = links[link]?.peer.map { peers[$0].name } ?? links[link]?.contact.flatMap { contacts[$0].name }
        if counters.malformedFrames <= 10 || counters.malformedFrames.isMultiple(of: 1_000) {
            directives.append(
                .event(
                    GossipEvent(
                        .refused, .warning, peer: name,
                        "gossip connection of \(name ?? "an unknown peer") closed: \(what). Look for another program, or another "
                            + "version, on that port")))
        }
        drop(link, what, now: now, &directives)
    }
}

extension DivergenceKind {
    /// Whether it is known without the peer's latest word.
    var outlivesLink: Bool { self == .configuration || self == .duplicateID }
}
