import Basics

// Read-only looks into the gossip core, for the simulator's checks and for tests. Nothing here decides anything.

/// What one peer said of one replica, as this node keeps it.
public struct InspectedEvidence: Hashable, Sendable {
    /// The peer's name.
    public var peer: String
    /// The newest sign of life told.
    public var life: AgeBound
    /// The newest that counts.
    public var trusted: AgeBound?
    /// Whether the peer's connection to the replica was open.
    public var isConnected: Bool
    /// The life of the peer that answered last.
    public var incarnation: UInt64?
}

/// A peer, as this node knows it.
public struct InspectedPeer: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Whether there is a link to it.
    public var isLinked: Bool
    /// Whether its word counts.
    public var isWitness: Bool
    /// Its life.
    public var incarnation: UInt64?
    /// Its last digest on this link.
    public var digest: Digest?
    /// Its clock at the first contact with this life.
    public var firstContact: Instant?
    /// How far the difference of the two clocks is unknown; zero before contact.
    public var offsetWidth: Duration
    /// Time that its clock was found to have lost.
    public var stalled: Duration
    /// When the last exchange ended, and how long it took.
    public var lastExchange: Instant?
    /// See `lastExchange`.
    public var roundTrip: Duration
    /// Nonces whose answers are awaited.
    public var nonces: [UInt64]
    /// The roots that the known difference belongs to.
    public var comparedOwn: SketchSymbol?
    /// See `comparedOwn`.
    public var comparedPeer: SketchSymbol?
    /// Items of ours that it lacks.
    public var onlyHere: [UInt64]
    /// Items of its that we lack, named and not.
    public var onlyThere: [UInt64]
}

/// A learned replica, as the core knows it.
public struct InspectedLearned: Hashable, Sendable {
    /// Which.
    public var identity: ReplicaIdentity
    /// Known from a snapshot only.
    public var isProvisional: Bool
    /// How long it may be served.
    public var usableUntil: Instant
}

/// How much the core keeps.
public struct GossipSizes: Hashable, Sendable {
    /// Replicas with evidence.
    public var evidence: Int
    /// Goodbyes.
    public var tombstones: Int
    /// Evictions.
    public var floors: Int
    /// Divergences.
    public var divergences: Int
    /// Links.
    public var links: Int
    /// Peers.
    public var peers: Int
    /// Reconciliations under way.
    public var reconciliations: Int
}

extension Gossip {
    /// What the peers said of the replica, in the order of the peers.
    public func inspectEvidence(of replica: UInt64) -> [InspectedEvidence] {
        evidence.evidence(of: replica).map { peer, known in
            InspectedEvidence(
                peer: peers[peer].name, life: known.life, trusted: known.trusted, isConnected: known.isConnected,
                incarnation: known.incarnation)
        }
    }

    /// Whether any peer said anything of any replica.
    public var hasInspectedEvidence: Bool { evidence.replicaCount > 0 }

    /// All peers, in their order.
    public var inspectedPeers: [InspectedPeer] { peers.indices.map { inspectPeer($0) } }

    private func inspectPeer(_ index: Int) -> InspectedPeer {
        let nonces = [
            peers[index].round?.nonce, peers[index].answer?.nonce, peers[index].itemRound?.nonce,
            peers[index].imagePull?.round.nonce, peers[index].snapshot?.round.nonce,
        ]
        return InspectedPeer(
            name: peers[index].name, isLinked: peers[index].link != nil, isWitness: peers[index].isWitness,
            incarnation: peers[index].incarnation, digest: peers[index].digest,
            firstContact: peers[index].offset?.firstContact, offsetWidth: inspectWidth(index),
            stalled: peers[index].stalled, lastExchange: peers[index].lastExchange,
            roundTrip: peers[index].roundTrip, nonces: nonces.compactMap { $0 },
            comparedOwn: peers[index].compared?.own, comparedPeer: peers[index].compared?.peer,
            onlyHere: peers[index].onlyHere, onlyThere: peers[index].remote.keys.sorted() + peers[index].unnamed)
    }

    private func inspectWidth(_ peer: Int) -> Duration {
        .nanoseconds(
            peers[peer].offset.map { $0.highest.subtractingReportingOverflow($0.lowest).partialValue } ?? 0)
    }

    /// Brings what `inspectedPeers` gave before up to date. One event changes one peer, mostly, and in a large cluster to look
    /// at them all would cost more than the event.
    ///
    /// - Parameters:
    ///   - place: the only peer that may have changed; nil: any may.
    ///   - changed: gets the place of each peer that is another than before, and what it was; nil for a new one.
    public func updateInspected(
        _ known: inout [InspectedPeer], at place: Int? = nil, changed: inout [(place: Int, old: InspectedPeer?)]
    ) {
        let places = place.map { $0..<$0 + 1 } ?? peers.indices
        for place in places {
            if place == known.count {
                known.append(inspectPeer(place))
                changed.append((place, nil))
            } else if !isCurrent(&known, place) {
                changed.append((place, known[place]))
                known[place] = inspectPeer(place)
            }
        }
    }

    /// Whether the peer is as it was. (What differs from a peer changes with the roots or in number.) Field by field: both
    /// structures are too large to be copied.
    private func isCurrent(_ known: inout [InspectedPeer], _ peer: Int) -> Bool {
        let isWitness =
            peers[peer].link != nil && peers[peer].digest?.state == .ready && peers[peer].duplicateUntil == nil
        return known[peer].lastExchange == peers[peer].lastExchange && hasNonces(&known, peer)
            && known[peer].isLinked == (peers[peer].link != nil) && known[peer].isWitness == isWitness
            && known[peer].incarnation == peers[peer].incarnation && known[peer].digest == peers[peer].digest
            && known[peer].comparedOwn == peers[peer].compared?.own
            && known[peer].comparedPeer == peers[peer].compared?.peer
            && known[peer].onlyHere.count == peers[peer].onlyHere.count
            && known[peer].onlyThere.count == peers[peer].remote.count + peers[peer].unnamed.count
            && known[peer].stalled == peers[peer].stalled && known[peer].offsetWidth == inspectWidth(peer)
            && known[peer].firstContact == peers[peer].offset?.firstContact && known[peer].name == peers[peer].name
    }

    private func hasNonces(_ known: inout [InspectedPeer], _ peer: Int) -> Bool {
        var place = 0
        func isNext(_ nonce: UInt64?) -> Bool {
            guard let nonce else { return true }
            defer { place += 1 }
            return place < known[peer].nonces.count && known[peer].nonces[place] == nonce
        }
        return isNext(peers[peer].round?.nonce) && isNext(peers[peer].answer?.nonce)
            && isNext(peers[peer].itemRound?.nonce) && isNext(peers[peer].imagePull?.round.nonce)
            && isNext(peers[peer].snapshot?.round.nonce) && place == known[peer].nonces.count
    }

    /// Changes whenever anything was received, sent or decided.
    public var inspectionTick: Int {
        counters.framesReceived + counters.framesSent + counters.malformedFrames + counters.holds + counters.learned
            + periods
    }

    /// Until when a first-hand replica is held; nil when it is not.
    public func inspectHold(of replica: ReplicaToken) -> Instant? { held[replica.number] }

    /// Whether the replica's connection closed and its removal was put off.
    public func inspectIsClosing(_ replica: UInt64) -> Bool { closing[replica] != nil }

    /// When the connection closed of a replica whose removal was put off.
    public func inspectClosing(of replica: UInt64) -> Instant? { closing[replica]?.closedAt }

    /// The stamp of each key-value known, by `namespace/key`.
    public var inspectedStamps: [String: UInt64] {
        var stamps: [String: UInt64] = [:]
        for key in operations.sortedKeys { stamps["\(key.namespace)/\(key.key)"] = operations[key]?.stamp }
        return stamps
    }

    /// What is learned, by replica hash.
    public var inspectedLearned: [InspectedLearned] {
        learned.sorted { $0.key < $1.key }.map {
            InspectedLearned(
                identity: $0.value.identity, isProvisional: $0.value.isProvisional, usableUntil: $0.value.usableUntil)
        }
    }

    /// The goodbye that is remembered of a replica, and until when.
    public func inspectTombstone(of replica: UInt64) -> (event: AgeBound, keptUntil: Instant)? {
        departures.tombstones[replica].map { ($0.event, $0.keptUntil) }
    }

    /// All goodbyes: until when each is to be kept.
    public var inspectedTombstones: [Instant] { departures.tombstones.values.map(\.keptUntil) }

    /// The items of the first-hand set, in order, and the sketch's root.
    public var inspectedItems: (items: [UInt64], root: SketchSymbol) {
        (own.all.map(\.item).sorted(), own.sketch.root)
    }

    /// The sketch's root alone.
    public var inspectedRoot: SketchSymbol { own.sketch.root }

    /// Time that this node's own clock is believed to have lost, in all.
    public var inspectedStall: Duration { stalls.total }

    /// How much is kept.
    public var inspectedSizes: GossipSizes {
        GossipSizes(
            evidence: evidence.replicaCount, tombstones: departures.tombstones.count, floors: departures.floors.count,
            divergences: divergences.entries.count, links: links.count, peers: peers.count,
            reconciliations: peers.count { $0.reconciliation != nil })
    }
}

// MARK: What planted bugs do

extension Gossip {
    /// For `PlantedBug.relayHearsay`: the youngest age that any peer told.
    func youngestHearsay(of replica: UInt64, now: Instant) -> Duration {
        let ages = evidence.evidence(of: replica).map {
            Duration.milliseconds($0.evidence.life.ageHi(at: now).wholeMilliseconds)
        }
        return ages.min() ?? ClockRate.longestAge
    }

    /// For `PlantedBug.agesStandStill`.
    mutating func renewHearsayOfTheAbsent() {
        for peer in peers.indices where peers[peer].link == nil { evidence.renew(by: settings.period, from: peer) }
    }

    /// For `PlantedBug.learnedInDigest`: the root with everything learned.
    var rootWithHearsay: SketchSymbol {
        var sketch = own.sketch
        for item in learned.values.map(\.item).sorted() { sketch.insert(item) }
        return sketch.root
    }
}
