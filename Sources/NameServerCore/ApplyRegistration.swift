import Basics
import Remoting

// Steps 1 to 14 of protocol.md 2.5, for a registration that was accepted: `start`, its topics in one piece or several
// (TopicSteps.swift), `complete`.

/// What a registration changed in the tables, for the log.
struct RegistrationDifference {
    var added = 0
    var altered = 0
    var removed = 0
    var details: [String] = []

    mutating func count(_ change: EntryChange) {
        switch change {
        case .same: break
        case .added: added += 1
        case .altered: altered += 1
        }
    }

    var touchesTopics: Bool { added + altered + removed > 0 }

    var text: String {
        var parts = details
        if added > 0 { parts.append("\(added) topics added") }
        if altered > 0 { parts.append("\(altered) topics changed") }
        if removed > 0 { parts.append("\(removed) topics removed") }
        return parts.joined(separator: ", ")
    }
}

extension NameServer {
    /// Gives an accepted registration its place and its live entry; its topics are still to come.
    mutating func start(
        _ registration: IncomingRegistration, _ body: RegistrationBody, _ standing: RegistrationStanding,
        number: UInt64, _ directives: inout [Directive]
    ) -> RegistrationUnderWay {
        counters.registrations += 1
        counters.changedRegistrations += 1
        let request = registration.request
        let names = registration.names
        giveWay(to: request.identity, registration.arrival, &directives)
        let tick = tables.tick()
        let mark = firstHandMark(of: standing.live)
        var difference = RegistrationDifference()
        takePlace(registration, standing, at: tick, &difference)
        let slot = ReplicaSlot(brokerID: request.brokerID, address: names.address, cluster: names.cluster)
        if tables.groups[names.group.index].slot(request.brokerID) != slot {
            tables.setSlot(slot, in: names.group)
            tables.groupChanged(names.group, at: tick)
        }
        let isNewVersion =
            standing.isFirst || standing.live.map { tables.live[$0.index].dataVersion != body.dataVersion } ?? true
        let live =
            standing.live ?? tables.createLive(cluster: names.cluster, address: names.address, group: names.group)
        update(live, registration, body, number: number, at: tick, &difference)
        if standing.contributesTopics { tables.expectTopics(body.topics.count, of: names.group) }
        if standing.contributesTopics, properties.deleteTopicWithBrokerRegistration, body.mappingInfos.isEmpty {
            difference.removed = removeTopics(of: names.group, missingFrom: body, at: tick)
        }
        return RegistrationUnderWay(
            number: number, registration: registration, body: body, standing: standing, live: live, slot: slot,
            isNewVersion: isNewVersion, mark: mark, difference: difference,
            hints: standing.contributesTopics ? tables.live[live.index].topicSequence : [])
    }

    /// Ends what `start` began, once its topics are in the tables.
    mutating func complete(_ step: inout RegistrationUnderWay, _ directives: inout [Directive]) {
        let registration = step.registration
        let request = registration.request
        let (live, body, standing) = (step.live, step.body, step.standing)
        if standing.contributesTopics, step.isNewVersion, !body.mappingInfos.isEmpty {
            applyMappings(registration.names.group, body, at: tables.tick())
        }
        settle(live, registration, body, topics: step.topics)
        followFirstHand(live, registration, body, standing, topics: step.topics, since: step.mark, &directives)

        let label = request.label
        if standing.live == nil {
            note(
                .registered, request.identity, "\(label) registered, \(body.topics.count) topics",
                registration.arrival, &directives)
        } else if !step.difference.text.isEmpty {
            note(
                .reregistered, request.identity, "\(label) registered again: \(step.difference.text)",
                registration.arrival, &directives)
        }
        if request.brokerID < standing.previousSmallest, properties.notifyMinBrokerIdChanged {
            notifySmallestID(
                of: registration.names.group, offline: nil, haAddress: request.haAddress, &directives)
        }
    }

    /// Steps 1, 2, 3 and 5 for a registration that lost against the holder of its id; the reference does no more and no
    /// less (step 6). The caller then ends the loser's live entry.
    mutating func yield(_ registration: IncomingRegistration, _ standing: RegistrationStanding) {
        var difference = RegistrationDifference()
        takePlace(registration, standing, at: tables.tick(), &difference)
    }

    /// Steps 1, 2, 3 and 5: the cluster's list, the group, its flags, one id per address.
    private mutating func takePlace(
        _ registration: IncomingRegistration, _ standing: RegistrationStanding, at tick: UInt64,
        _ difference: inout RegistrationDifference
    ) {
        let request = registration.request
        let names = registration.names
        tables.list(names.group, in: names.cluster)
        if !standing.groupExists { tables.createGroup(names.group, cluster: names.cluster, at: tick) }
        let actsAsMaster = request.actingMaster == true
        if tables.groups[names.group.index].actsAsMaster != actsAsMaster {
            tables.groups[names.group.index].actsAsMaster = actsAsMaster
            tables.groupChanged(names.group, at: tick)
            if standing.groupExists { difference.details.append("acting master \(actsAsMaster ? "on" : "off")") }
        }
        if tables.groups[names.group.index].zone != request.zone {
            tables.groups[names.group.index].zone = request.zone
            tables.groupChanged(names.group, at: tick)
            if standing.groupExists { difference.details.append("zone \(request.zone ?? "none")") }
        }
        let given = tables.removeSlots(in: names.group) {
            $0.address == names.address && $0.brokerID != request.brokerID
        }
        if given > 0 {
            tables.groupChanged(names.group, at: tick)
            difference.details.append("id \(request.brokerID) instead of an older one")
        }
    }

    // MARK: Topics

    /// Step 10a: what the broker does not name any more goes.
    private mutating func removeTopics(
        of group: GroupID, missingFrom body: RegistrationBody, at tick: UInt64
    ) -> Int {
        var named: Set<TopicID> = []
        body.withNames { names in
            for topic in body.topics {
                if let id = tables.topicNames.lookup(names.part(topic.keyStart, topic.keyLength)) { named.insert(id) }
            }
        }
        var removed = 0
        for id in tables.topics(of: group) where !named.contains(id) {
            if tables.removeEntry(of: group, from: id, at: tick) { removed += 1 }
        }
        if removed > 0 { tables.groups[group.index].revisedAt = tick }
        return removed
    }

    /// Step 10c: the mappings of static topics.
    private mutating func applyMappings(_ group: GroupID, _ body: RegistrationBody, at tick: UInt64) {
        for entry in body.mappingInfos {
            guard let brokerName = entry.info.bname else { continue }
            let mapping = TopicMapping(owner: group, brokerName: brokerName, info: entry.info)
            entry.topic.withBytes { tables.putMapping(mapping, underName: $0, at: tick) }
        }
    }

    // MARK: Live entry

    /// Steps 11 and 12: the live entry becomes this registration's, but for what only a whole one is to say.
    private mutating func update(
        _ id: LiveID, _ registration: IncomingRegistration, _ body: RegistrationBody, number: UInt64, at tick: UInt64,
        _ difference: inout RegistrationDifference
    ) {
        let request = registration.request
        let group = registration.names.group
        let arrival = registration.arrival
        let hadConnection = tables.live[id.index].connection
        tables.bind(id, to: arrival.connection)
        if hadConnection != 0, hadConnection != arrival.connection { difference.details.append("new connection") }
        tables.rename(id, to: group)
        updateFilterServers(of: id, group, body, at: tick)
        // One that was decoded elsewhere arrived a while ago; a light heartbeat may have come since.
        let timeout = timeout(of: request)
        if timeout != tables.live[id.index].timeout {
            tables.live[id.index].timeout = timeout
            tables.live[id.index].interval = timeout / 4
            tables.live[id.index].lastHeard = max(tables.live[id.index].lastHeard, arrival.now)
        } else if arrival.now > tables.live[id.index].lastHeard {
            tables.live[id.index].heard(at: arrival.now)
        }
        tables.noteHeard(id)
        tables.live[id.index].registeredAt = arrival.now
        tables.live[id.index].brokerID = request.brokerID
        tables.live[id.index].layout = request.layout
        tables.live[id.index].actingMaster = request.actingMaster
        tables.live[id.index].givenTimeout = request.timeoutMillis
        tables.live[id.index].haAddress = request.haAddress
        tables.live[id.index].fingerprint = nil
        tables.live[id.index].underWay = number
        tables.expiry.setNoLater(id, due: tables.live[id.index].deadline)
    }

    /// All of the registration is in the tables: from now on the entry says so, and knows a repetition of it.
    private mutating func settle(
        _ id: LiveID, _ registration: IncomingRegistration, _ body: RegistrationBody, topics: ContiguousArray<TopicID>
    ) {
        tables.live[id.index].dataVersion = body.dataVersion
        tables.live[id.index].topicCount = body.topics.count
        tables.live[id.index].topicSequence = topics
        tables.live[id.index].revisedAt = tables.groups[registration.names.group.index].revisedAt
        // A body without a time stamp was given the time of its arrival and equals no other, not even itself (3.3).
        let isRepeatable = body.dataVersion.timestamp != registration.arrival.wallTime.milliseconds
        tables.live[id.index].fingerprint = isRepeatable ? registration.fingerprint : nil
        tables.live[id.index].underWay = 0
    }

    private mutating func updateFilterServers(
        of id: LiveID, _ group: GroupID, _ body: RegistrationBody, at tick: UInt64
    ) {
        guard let servers = body.filterServers, servers != tables.live[id.index].filterServers else { return }
        if tables.live[id.index].filterServers.isEmpty { tables.filterServerCount += 1 }
        if servers.isEmpty { tables.filterServerCount -= 1 }
        tables.live[id.index].filterServers = servers
        tables.groupChanged(group, at: tick)
    }

    /// Nanoseconds of silence that the replica is granted.
    private func timeout(of request: RegistrationRequest) -> Int64 {
        guard let given = request.timeoutMillis else { return limits.brokerTimeout.wholeNanoseconds }
        let (nanoseconds, overflow) = given.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (given < 0 ? .min : .max) : nanoseconds
    }
}
