import Basics
import Remoting

// Steps 1 to 14 of protocol.md 2.5, for a registration that was accepted.

/// What a registration changed in the tables, for the log.
private struct RegistrationDifference {
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
    /// Carries out an accepted registration; gives its live entry.
    mutating func apply(
        _ registration: IncomingRegistration, _ body: RegistrationBody, _ standing: RegistrationStanding,
        _ directives: inout [Directive]
    ) -> LiveID {
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
        var topics = standing.topics
        if standing.contributesTopics { applyTopics(registration, body, standing, &topics, at: tick, &difference) }
        let live =
            standing.live ?? tables.createLive(cluster: names.cluster, address: names.address, group: names.group)
        update(live, registration, body, at: tick, &difference)
        tables.live[live.index].topicSequence = ContiguousArray(topics.lazy.compactMap(\.self))
        followFirstHand(live, registration, body, standing, topics: topics, since: mark, &directives)

        let label = request.label
        if standing.live == nil {
            note(
                .registered, request.identity, "\(label) registered, \(body.topics.count) topics",
                registration.arrival, &directives)
        } else if !difference.text.isEmpty {
            note(
                .reregistered, request.identity, "\(label) registered again: \(difference.text)",
                registration.arrival, &directives)
        }
        if request.brokerID < standing.previousSmallest, properties.notifyMinBrokerIdChanged {
            notifySmallestID(of: names.group, offline: nil, haAddress: request.haAddress, &directives)
        }
        return live
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

    /// Step 10: the topics of a master or of the smallest slave.
    private mutating func applyTopics(
        _ registration: IncomingRegistration, _ body: RegistrationBody, _ standing: RegistrationStanding,
        _ topics: inout ContiguousArray<TopicID?>, at tick: UInt64, _ difference: inout RegistrationDifference
    ) {
        let group = registration.names.group
        if properties.deleteTopicWithBrokerRegistration, body.mappingInfos.isEmpty {
            difference.removed = removeTopics(of: group, missingFrom: body, at: tick)
            if difference.removed > 0 { topics = topicIDs(of: body, hints: standing.live) }
        }
        let isNewVersion =
            standing.isFirst || standing.live.map { tables.live[$0.index].dataVersion != body.dataVersion } ?? true
        let isReadOnly = registration.request.brokerID != 0 && registration.request.actingMaster == true
        body.withNames { names in
            for (index, topic) in body.topics.enumerated() {
                let current = topics[index].flatMap { tables.entry(of: group, in: $0) }
                if current != nil, !isNewVersion { continue }
                let entry = QueueEntry(
                    group: group, readQueues: topic.readQueueNums, writeQueues: topic.writeQueueNums,
                    permission: isReadOnly ? topic.perm & ~PermissionBits.write : topic.perm,
                    systemFlag: topic.topicSysFlag)
                if entry == current { continue }
                let name = names.part(topic.nameStart, topic.nameLength)
                let (id, change) = tables.put(entry, underName: name, at: tick)
                topics[index] = id
                difference.count(change)
            }
        }
        if isNewVersion { applyMappings(group, body, at: tick) }
        if difference.touchesTopics {
            tables.groups[group.index].revisedAt = tick
            tables.boundTopicList(of: group)
        }
    }

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

    /// Steps 11 and 12: the live entry becomes this registration's.
    private mutating func update(
        _ id: LiveID, _ registration: IncomingRegistration, _ body: RegistrationBody, at tick: UInt64,
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
        tables.live[id.index].dataVersion = body.dataVersion
        tables.live[id.index].topicCount = body.topics.count
        tables.live[id.index].revisedAt = tables.groups[group.index].revisedAt
        // A body without a time stamp was given the time of its arrival and equals no other, not even itself (3.3).
        let isRepeatable = body.dataVersion.timestamp != arrival.wallTime.milliseconds
        tables.live[id.index].fingerprint = isRepeatable ? registration.fingerprint : nil
        tables.expiry.setNoLater(id, due: tables.live[id.index].deadline)
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
