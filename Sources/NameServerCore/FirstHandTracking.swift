import Basics
import Remoting

// Keeps each live entry's registration image and tells the gossip layer of every change. Without gossip `firstHand` is
// nil, and none of this costs anything.

/// What is kept of first-hand registrations beyond what the tables need.
struct FirstHandTracking {
    let hash: KeyedHash
    /// Nanoseconds for which a topic stays in an image that later registrations do not name; see `confirmationWindow`.
    let window: Int64
    /// By live entry.
    var images: ContiguousArray<RegistrationImage> = []
    /// When the next topic of an image is due.
    var unconfirmed = ExpiryQueue()
    /// The groups in which 205, 216, 217 or 327 left something that no registration says.
    var administered: [GroupID: AdministeredTopics] = [:]
}

/// What the gossip layer knew of an entry before a registration.
struct FirstHandMark {
    var registeredAt: Instant
    var brokerID: Int64
    var group: GroupID
    var version: DataVersion
    var isClosing: Bool
    var registrationHash: UInt64
    var topicCount: Int
    /// Whether the tables have all topics of the image.
    var isWhole: Bool
}

extension NameServer {
    /// Starts to keep registration images and to append `.firstHand` directives. Call it once, before the first request.
    ///
    /// - Parameter hash: the cluster's; makes the registration hashes.
    public mutating func trackFirstHand(hash: KeyedHash) {
        precondition(firstHand == nil && tables.liveCount == 0, "tracking starts with \(tables.liveCount) entries")
        let window = limits.brokerTimeout.wholeNanoseconds / 2 + Self.confirmationSlack.wholeNanoseconds
        firstHand = FirstHandTracking(hash: hash, window: window)
        tables.silence = SilenceOrder()
    }

    /// With half the default timeout this is how long a topic stays in an image after the last registration that named
    /// it: 65 s, two of the 30 s in which a broker sends all pieces of a split registration, plus slack. No broker's
    /// period is above 60 s. It does not depend on what this node observed, so that nodes agree on images.
    private static let confirmationSlack = Duration.seconds(5)

    /// What images are hashed with; nil without tracking.
    var imageHash: KeyedHash? { firstHand?.hash }

    // MARK: Registrations

    /// The entry as the gossip layer knows it; nil without tracking, or for a new one.
    func firstHandMark(of live: LiveID?) -> FirstHandMark? {
        guard let firstHand, let live else { return nil }
        let entry = tables.live[live.index]
        let image = firstHand.images[live.index]
        return FirstHandMark(
            registeredAt: entry.registeredAt, brokerID: entry.brokerID, group: entry.group,
            version: entry.dataVersion, isClosing: entry.isClosing, registrationHash: image.registrationHash,
            topicCount: image.entries.count,
            isWhole: tables.exists(entry.group) && image.countedAt == tables.groups[entry.group.index].revisedAt
                && image.presentCount == image.entries.count)
    }

    private mutating func tell(_ live: LiveID, _ directives: inout [Directive]) {
        let residue = residueCount(of: live)
        firstHand?.images[live.index].toldResidue = residue
        directives.append(.firstHand(.registered(live.token)))
    }

    /// Brings the image up to an accepted registration, after the tables.
    mutating func followFirstHand(
        _ live: LiveID, _ registration: IncomingRegistration, _ body: RegistrationBody,
        _ standing: RegistrationStanding, topics: ContiguousArray<TopicID>, since mark: FirstHandMark?,
        _ directives: inout [Directive]
    ) {
        guard firstHand != nil else { return }
        updateImage(of: live, registration, body, standing, topics, since: mark)
        var hasSettled = settleAdministration(of: registration.names.group)
        if let old = mark?.group, old != registration.names.group {
            hasSettled = settleAdministration(of: old) || hasSettled
        }
        if hasSettled { directives.append(.firstHand(.administered)) }
        guard let new = firstHandMark(of: live), let told = firstHand?.images[live.index].toldResidue
        else { return }
        if new.differs(from: mark) || told != residueCount(of: live) { tell(live, &directives) }
    }

    /// Tells of a replica, or of another place of it, whose topics enter the tables in several steps: until the last one it
    /// counts as one that registers none, as with the first piece of a split registration. So whatever becomes of it
    /// meanwhile is told of something that is known.
    mutating func introduce(_ step: inout RegistrationUnderWay, _ directives: inout [Directive]) {
        guard var tracking = firstHand.take() else { return }
        let (live, request) = (step.live, step.registration.request)
        let isKnown =
            step.mark.map { $0.group == step.registration.names.group && $0.brokerID == request.brokerID } ?? false
        if !isKnown {
            while tracking.images.count <= live.index { tracking.images.append(RegistrationImage()) }
            tracking.unconfirmed.remove(live)
            tracking.images[live.index].removeAll(&tables.topicNames)
            tracking.images[live.index].contributes = false
            tracking.images[live.index].zone = request.zone
            tracking.images[live.index].fieldsHash =
                registrationFields(of: live, zone: request.zone).hash(under: tracking.hash)
        }
        firstHand = tracking
        guard !isKnown else { return }
        if let old = step.mark?.group, old != step.registration.names.group, settleAdministration(of: old) {
            directives.append(.firstHand(.administered))
        }
        tell(live, &directives)
        step.mark = firstHandMark(of: live)
    }

    private mutating func updateImage(
        of live: LiveID, _ registration: IncomingRegistration, _ body: RegistrationBody,
        _ standing: RegistrationStanding, _ topics: ContiguousArray<TopicID>, since mark: FirstHandMark?
    ) {
        guard var tracking = firstHand.take() else { return }
        defer { firstHand = tracking }
        while tracking.images.count <= live.index { tracking.images.append(RegistrationImage()) }
        tracking.images[live.index].contributes = standing.contributesTopics
        tracking.images[live.index].zone = registration.request.zone
        tracking.images[live.index].fieldsHash =
            registrationFields(of: live, zone: registration.request.zone).hash(under: tracking.hash)
        let isAnother =
            mark.map { $0.group != registration.names.group || $0.brokerID != registration.request.brokerID } ?? true
        if isAnother || !standing.mayContribute { tracking.images[live.index].removeAll(&tables.topicNames) }
        guard standing.mayContribute else { return tracking.unconfirmed.remove(live) }
        let borrowed = standing.contributesTopics ? [] : borrowNumbers(of: body)
        tracking.images[live.index].register(
            body, standing.contributesTopics ? ContiguousArray(topics.lazy.map(Optional.some)) : borrowed,
            previous: mark?.registeredAt ?? registration.arrival.now, &tables.topicNames, tracking.hash)
        for case let topic? in borrowed { tables.topicNames.release(topic) }
        _ = tracking.expireTopics(of: live, now: registration.arrival.now, &tables.topicNames)
        guard standing.contributesTopics else { return }
        // A registration only adds to the tables, unless the node is set to remove what it does not name.
        let isWhole = !properties.deleteTopicWithBrokerRegistration && !isAnother && mark?.isWhole == true
        tracking.images[live.index].countPresent(
            in: tables, group: registration.names.group, where: isWhole ? .all : .current)
    }

    /// The numbers of topics that do not enter the tables, each with a reference to be given back; nil for a new name above
    /// the limit of topics.
    private mutating func borrowNumbers(of body: RegistrationBody) -> ContiguousArray<TopicID?> {
        var numbers: ContiguousArray<TopicID?> = []
        numbers.reserveCapacity(body.topics.count)
        body.withNames { names in
            for topic in body.topics {
                let name = names.part(topic.nameStart, topic.nameLength)
                let isKnown = tables.topicNames.lookup(name) != nil
                let hasRoom = isKnown || tables.topicNames.count < limits.topics
                numbers.append(
                    hasRoom && name.count <= limits.topicNameBytes ? tables.topicNames.retain(name) : nil)
            }
        }
        return numbers
    }

    private func registrationFields(of live: LiveID, zone: String?) -> RegistrationFields {
        let entry = tables.live[live.index]
        return RegistrationFields(
            haAddress: entry.haAddress, zone: zone, actingMaster: entry.actingMaster,
            timeoutMillis: entry.timeout / 1_000_000)
    }

    /// Topics that the tables hold for the group and the replica does not register; 0 for one that contributes none.
    func residueCount(of live: LiveID) -> Int {
        let group = tables.live[live.index].group
        guard var image = firstHand?.images[live.index], image.contributes, tables.exists(group) else { return 0 }
        if image.countedAt != tables.groups[group.index].revisedAt { image.countPresent(in: tables, group: group) }
        return tables.groups[group.index].topicCount - image.presentCount
    }

    // MARK: Other changes

    /// QUERY_DATA_VERSION with the registered version: the broker has all that it registered.
    mutating func confirmImage(of live: LiveID, _ arrival: Arrival, _ directives: inout [Directive]) {
        guard let tracking = firstHand else { return }
        // What is overdue does not come back by it, whether or not a scan has been here yet.
        if let due = tracking.unconfirmed.due(of: live), due < arrival.now {
            expireImageTopics(of: live, arrival.now, &directives)
        }
        firstHand?.images[live.index].confirmAll(at: arrival.now)
    }

    /// Drops from images what nothing has confirmed for long enough.
    mutating func expireImageTopics(now: Instant, _ directives: inout [Directive]) {
        while let (due, live) = firstHand?.unconfirmed.first, due < now {
            expireImageTopics(of: live, now, &directives)
        }
    }

    private mutating func expireImageTopics(of live: LiveID, _ now: Instant, _ directives: inout [Directive]) {
        guard firstHand?.expireTopics(of: live, now: now, &tables.topicNames) == true else { return }
        let group = tables.live[live.index].group
        firstHand?.images[live.index].countPresent(in: tables, group: group)
        if settleAdministration(of: group) { directives.append(.firstHand(.administered)) }
        tell(live, &directives)
    }

    /// The live entry has been removed.
    mutating func endFirstHand(
        _ live: LiveID, _ broker: ReplicaIdentity, _ group: GroupID, _ departed: Departed,
        _ directives: inout [Directive]
    ) {
        guard firstHand != nil else { return }
        firstHand?.unconfirmed.remove(live)
        firstHand?.images[live.index].removeAll(&tables.topicNames)
        firstHand?.images[live.index] = RegistrationImage()
        directives.append(.firstHand(.removed(live.token, broker, departed)))
        if settleAdministration(of: group) { directives.append(.firstHand(.administered)) }
    }
}

extension FirstHandMark {
    /// Whether the gossip layer sees a difference.
    fileprivate func differs(from mark: FirstHandMark?) -> Bool {
        guard let mark else { return true }
        return brokerID != mark.brokerID || group != mark.group || version != mark.version
            || isClosing != mark.isClosing || registrationHash != mark.registrationHash
            || topicCount != mark.topicCount
    }
}

extension FirstHandTracking {
    /// Drops what is overdue of one image; says whether there was anything.
    fileprivate mutating func expireTopics(
        of live: LiveID, now: Instant, _ names: inout NameTable<TopicKind>
    ) -> Bool {
        let (hasChanged, next) = images[live.index].expire(now: now, window: window, &names, hash)
        if let next { unconfirmed.set(live, due: next) } else { unconfirmed.remove(live) }
        return hasChanged
    }
}

extension RegistrationImage {
    /// Which topics of an image are known to be in the tables.
    fileprivate enum Presence {
        case none, current, all
    }

    /// Counts the topics that the tables have for the group.
    fileprivate mutating func countPresent(
        in tables: borrowing RouteTables, group: GroupID, where presence: Presence = .none
    ) {
        presentCount = 0
        guard tables.exists(group) else { return }
        if presence == .all {
            presentCount = entries.count
        } else {
            for entry in entries
            where presence == .current && entry.isCurrent || tables.entry(of: group, in: entry.topic) != nil {
                presentCount += 1
            }
        }
        countedAt = tables.groups[group.index].revisedAt
    }
}

extension LiveID {
    var token: ReplicaToken { ReplicaToken(number: number) }
}
