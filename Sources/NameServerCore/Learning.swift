// What the gossip layer does with hearsay, and how hearsay gives way to what the node hears itself.
//
//     learn            puts a replica into the overlay, if nobody first-hand is in its place
//     a registration   of the same replica, or into the same place: the learned one goes    (from `apply`)
//     104              names it: it goes, though no first-hand entry has to exist            (from `unregisterBroker`)
//     scan             its evidence has run out: it goes                                     (from `scan`)

import Basics
import Remoting

extension NameServer {
    // MARK: From the gossip layer

    /// Serves a replica that a peer hears and this node does not, until its evidence runs out (gossip.md 2.8).
    ///
    /// First-hand always wins, and a learned replica never stands in the place of one. Among learned ones the higher
    /// stateVersion wins, then the one that may be served longer, then the one that was there. The same identity again
    /// replaces what was learned of it. `trackFirstHand` must have been called: it gives the key of the image's hash.
    ///
    /// - Parameter directives: gains the event, and `learnedDropped` for a learned replica that lost its place.
    public mutating func learn(
        _ registration: LearnedRegistration, now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) -> LearnOutcome {
        let replica = LearnedReplica(
            summary: registration.summary, origin: registration.origin, isProvisional: registration.isProvisional,
            usableUntil: registration.usableUntil)
        if let obstacle = obstacle(to: replica, now: now) { return obstacle }
        let images: RegistrationImages
        do throws(ImageFormatError) {
            images = try RegistrationImages.decode(registration.image, replicas: 1)
        } catch {
            return .malformed
        }
        return learn(replica, image: 0, of: images, now: now, wallTime: wallTime, directives: &directives)
    }

    /// The same for one of many replicas whose images came together, as in a snapshot.
    ///
    /// - Parameter image: which of `images` is the replica's.
    public mutating func learn(
        _ replica: LearnedReplica, image: Int, of images: RegistrationImages, now: Instant, wallTime: WallTime,
        directives: inout [Directive]
    ) -> LearnOutcome {
        let summary = replica.summary
        let identity = summary.identity
        if let obstacle = obstacle(to: replica, now: now) { return obstacle }
        let topics = LearnedImage(images: images, replica: image)
        if !isImage(topics, of: summary) { return .imageMismatch }
        if exceedsTopicLimits(topics) { return .limit }
        let arrival = Arrival(now: now, wallTime: wallTime)
        let known = removeRivals(of: identity, arrival, &directives)
        hearsay.add(replica, topics)
        if known != summary.registrationHash {
            note(
                .learned, identity,
                "\(identity.label) learned from \(replica.origin), \(summary.topicCount) topics", arrival, &directives)
        }
        return .learned
    }

    /// New evidence, or new doubt, about a replica that was learned: sets until when it may be served, earlier or later
    /// than before. Nothing happens to one that is not learned.
    public mutating func extendLearned(_ replica: ReplicaIdentity, usableUntil: Instant, isProvisional: Bool) {
        guard let id = hearsay.entry(of: replica) else { return }
        hearsay.update(id, usableUntil: usableUntil, isProvisional: isProvisional)
    }

    /// Serves the learned replica no longer. Nothing happens to one that is not learned.
    ///
    /// - Parameter cause: for people, as in "no longer served as learned from ns-2: <cause>".
    public mutating func forgetLearned(
        _ replica: ReplicaIdentity, cause: String, now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) {
        guard let id = hearsay.entry(of: replica) else { return }
        dropLearned(id, cause, Arrival(now: now, wallTime: wallTime), &directives)
    }

    /// Serves no learned replica any more; one event tells of all of them.
    ///
    /// - Parameter cause: for people, as in "3 learned brokers no longer served: <cause>".
    public mutating func forgetAllLearned(
        cause: String, now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) {
        guard !hearsay.isEmpty else { return }
        let count = hearsay.count
        hearsay = LearnedTable()
        note(
            .learnedDropped, nil, "\(count) learned brokers no longer served: \(cause)",
            Arrival(now: now, wallTime: wallTime), &directives)
    }

    /// All learned replicas, in an order that only the history of this node decides.
    public var learned: [LearnedReplica] { hearsay.entries.compactMap { $0?.replica } }

    /// What was learned of the replica; nil when it is not learned.
    public func learned(_ replica: ReplicaIdentity) -> LearnedReplica? {
        hearsay.entry(of: replica).map { hearsay[$0].replica }
    }

    /// How many replicas are served though this node does not hear them.
    public var learnedCount: Int { hearsay.count }

    // MARK: May it be learned?

    /// What keeps the replica from being learned, whatever its topics are.
    private func obstacle(to replica: LearnedReplica, now: Instant) -> LearnOutcome? {
        let identity = replica.summary.identity
        if replica.usableUntil < now { return .outdated }
        if let claim = firstHandClaim(on: identity), !planted(.learnedBesideFirstHand) { return claim }
        let rivals = hearsay.entries(excludedBy: identity)
        for rival in rivals where !outranks(replica, hearsay[rival].replica) { return .slotTaken }
        return exceedsNameLimits(replica.summary, replacing: rivals.count) ? .limit : nil
    }

    private func firstHandClaim(on identity: ReplicaIdentity) -> LearnOutcome? {
        guard let address = identity.address.withBytes({ tables.addressNames.lookup($0) }) else {
            return holdsSlot(identity, address: nil) ? .slotTaken : nil
        }
        if let cluster = identity.cluster.withBytes({ tables.clusterNames.lookup($0) }),
            tables.live(cluster: cluster, address: address) != nil
        {
            return .isFirstHand
        }
        return holdsSlot(identity, address: address) ? .slotTaken : nil
    }

    private func holdsSlot(_ identity: ReplicaIdentity, address: AddressID?) -> Bool {
        guard let group = identity.name.withBytes({ tables.group(named: $0) }) else { return false }
        return tables.groups[group.index].slots.contains { $0.brokerID == identity.id || $0.address == address }
    }

    private func outranks(_ newcomer: LearnedReplica, _ holder: LearnedReplica) -> Bool {
        if newcomer.summary.identity == holder.summary.identity { return true }
        let (new, old) = (newcomer.summary.version.stateVersion, holder.summary.version.stateVersion)
        return new == old ? newcomer.usableUntil > holder.usableUntil : new > old
    }

    private func isImage(_ image: LearnedImage, of summary: RegistrationSummary) -> Bool {
        guard let hash = imageHash else { preconditionFailure("learn before trackFirstHand") }
        return image.count == summary.topicCount
            && image.images.registrationHash(of: image.replica, RegistrationFields(summary), under: hash)
                == summary.registrationHash
    }

    private func exceedsNameLimits(_ summary: RegistrationSummary, replacing: Int) -> Bool {
        let identity = summary.identity
        for text in [
            identity.cluster, identity.name, identity.address, summary.haAddress ?? "", summary.zone ?? "",
        ] where text.utf8.count > limits.nameBytes { return true }
        if tables.liveCount + hearsay.count - replacing >= limits.brokers { return true }
        if hearsay.clusters[identity.cluster] != nil || isFirstHandCluster(identity.cluster) { return false }
        let others = hearsay.clusters.keys.reduce(0) { $0 + (isFirstHandCluster($1) ? 0 : 1) }
        return tables.clusterCount + others >= limits.clusters
    }

    private func isFirstHandCluster(_ name: String) -> Bool { name.withBytes { tables.cluster(named: $0) } != nil }

    /// A name that both tables hold counts twice. The names that are new are looked for only when it may matter.
    private func exceedsTopicLimits(_ image: LearnedImage) -> Bool {
        var isTooLong = false
        image.forEach { name, _ in isTooLong = isTooLong || name.count > limits.topicNameBytes }
        if isTooLong { return true }
        let held = tables.topicNames.count + hearsay.topicNames.count
        if held + image.count <= limits.topics { return false }
        var unknown = 0
        image.forEach { name, _ in if hearsay.topicNames.lookup(name) == nil { unknown += 1 } }
        return unknown > 0 && held + unknown > limits.topics
    }

    /// Removes those who are in the newcomer's place; gives the hash of what was learned of the newcomer itself before.
    private mutating func removeRivals(
        of newcomer: ReplicaIdentity, _ arrival: Arrival, _ directives: inout [Directive]
    ) -> UInt64? {
        var known: UInt64?
        for rival in hearsay.entries(excludedBy: newcomer) {
            if hearsay[rival].identity == newcomer {
                known = hearsay.remove(rival).summary.registrationHash
            } else {
                dropLearned(rival, .outranked, arrival, &directives)
            }
        }
        return known
    }

    // MARK: Giving way

    /// A registration was accepted: what was learned of the same replica, or stands in its place, goes.
    mutating func giveWay(
        to replica: ReplicaIdentity, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        guard !hearsay.isEmpty else { return }
        for id in hearsay.entries(excludedBy: replica) { dropLearned(id, .heardFirstHand, arrival, &directives) }
    }

    /// A replica said goodbye here, which may never have heard it. Its address decides, as for first-hand ones (2.9).
    mutating func forgetUnregistered(
        _ replica: ReplicaIdentity, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        guard !hearsay.isEmpty, let id = hearsay.entry(name: replica.name, address: replica.address) else { return }
        dropLearned(id, .unregistered, arrival, &directives)
    }

    /// Drops every learned replica whose evidence has run out.
    mutating func dropOutdatedLearned(_ arrival: Arrival, _ directives: inout [Directive]) {
        while let (due, id) = hearsay.nextExpiry, due < arrival.now, !planted(.learnedForEver) {
            dropLearned(id, .evidenceRanOut, arrival, &directives)
        }
    }

    private mutating func dropLearned(
        _ id: LearnedID, _ drop: LearnedDrop, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        let identity = hearsay[id].identity
        dropLearned(id, drop.rawValue, arrival, &directives)
        directives.append(.learnedDropped(identity, drop))
    }

    private mutating func dropLearned(
        _ id: LearnedID, _ cause: String, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        let replica = hearsay.remove(id)
        let identity = replica.summary.identity
        note(
            .learnedDropped, identity,
            "\(identity.label) no longer served as learned from \(replica.origin): \(cause)", arrival, &directives)
    }
}

// MARK: Status

extension NameServer {
    /// Appends the member `learned` of the node's status (29001), by cluster, broker name and id; nothing when there is
    /// none.
    func encodeLearned(named name: String? = nil, _ arrival: Arrival, _ output: inout ByteWriter) {
        guard !hearsay.isEmpty else { return }
        let chosen = learned.filter { name == nil || $0.summary.identity.name == name }
        let sorted = chosen.sorted { left, right in
            let (first, second) = (left.summary.identity, right.summary.identity)
            if first.cluster != second.cluster { return first.cluster.precedes(second.cluster) }
            if first.name != second.name { return first.name.precedes(second.name) }
            return first.id < second.id
        }
        output.append(",\"learned\":[")
        output.appendList(sorted) { replica, output in
            let identity = replica.summary.identity
            output.append("{\"cluster\":")
            output.appendJSON(string: identity.cluster, dialect: .standard)
            output.appendMember("name", identity.name)
            output.append(",\"id\":")
            output.append(decimal: identity.id)
            output.appendMember("address", identity.address)
            output.appendMember("origin", replica.origin)
            output.append(replica.isProvisional ? ",\"provisional\":true" : ",\"provisional\":false")
            output.append(",\"remainingMillis\":")
            output.append(decimal: max(0, replica.usableUntil.milliseconds(since: arrival.now)))
            output.append(",\"topics\":")
            output.append(decimal: replica.summary.topicCount)
            output.append(ascii: "}")
        }
        output.append(ascii: "]")
    }
}
