import Basics
import Remoting

// Steps 1 to 14 of protocol.md 2.5, for a registration that was accepted.

/// What an accepted registration changed in the tables, for the log.
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
        _ request: RegistrationRequest, _ names: RegistrationNames, _ body: borrowing RegistrationBody,
        _ fingerprint: BodyFingerprint, _ standing: RegistrationStanding, _ arrival: Arrival,
        _ directives: inout [Directive]
    ) -> LiveID {
        counters.registrations += 1
        counters.changedRegistrations += 1
        let tick = tables.tick()
        var difference = RegistrationDifference()
        takePlace(request, names, standing, at: tick, &difference)
        let slot = ReplicaSlot(brokerID: request.brokerID, address: names.address, cluster: names.cluster)
        if tables.groups[names.group.index].slot(request.brokerID) != slot {
            tables.setSlot(slot, in: names.group)
            tables.groupChanged(names.group, at: tick)
        }
        if standing.contributesTopics { applyTopics(request, names, body, standing, at: tick, &difference) }

        let live =
            standing.live
            ?? tables.createLive(
                cluster: names.cluster, address: names.address, group: names.group)
        let isNew = standing.live == nil
        update(live, request, names, body, fingerprint, arrival, at: tick, &difference)
        if isNew {
            note(
                .registered, request.identity,
                "\(request.label) registered, \(body.topics.count) topics", arrival, &directives)
        } else if !difference.text.isEmpty {
            note(
                .reregistered, request.identity, "\(request.label) registered again: \(difference.text)", arrival,
                &directives)
        }
        if request.brokerID < standing.previousSmallest, properties.notifyMinBrokerIdChanged {
            notifySmallestID(of: names.group, offline: nil, haAddress: request.haAddress, &directives)
        }
        return live
    }

    /// Steps 1, 2, 3 and 5 for a registration that lost against the holder of its id; the reference does no more and no
    /// less (step 6). The caller then ends the loser's live entry.
    mutating func yield(
        _ request: RegistrationRequest, _ names: RegistrationNames, _ standing: RegistrationStanding
    ) {
        var difference = RegistrationDifference()
        takePlace(request, names, standing, at: tables.tick(), &difference)
    }

    /// Steps 1, 2, 3 and 5: the cluster's list, the group, its flags, one id per address.
    private mutating func takePlace(
        _ request: RegistrationRequest, _ names: RegistrationNames, _ standing: RegistrationStanding,
        at tick: UInt64, _ difference: inout RegistrationDifference
    ) {
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

    /// Step 10: the topics of a master or of the smallest slave.
    private mutating func applyTopics(
        _ request: RegistrationRequest, _ names: RegistrationNames, _ body: borrowing RegistrationBody,
        _ standing: RegistrationStanding, at tick: UInt64, _ difference: inout RegistrationDifference
    ) {
        if properties.deleteTopicWithBrokerRegistration, body.mappingInfos.isEmpty {
            difference.removed = removeTopics(of: names.group, missingFrom: body, at: tick)
            if difference.removed > 0 { resolveTopics(of: body, standing.live) }
        }
        let isChanged =
            standing.isFirst || standing.live.map { tables.live[$0.index].dataVersion != body.dataVersion } ?? true
        let group = names.group
        let losesWriteBit = request.brokerID != 0 && request.actingMaster == true
        body.withNames { names in
            for (index, topic) in body.topics.enumerated() {
                let known = resolvedTopics[index]
                let current = known.flatMap { tables.entry(of: group, in: $0) }
                if !isChanged, current != nil { continue }
                let entry = QueueEntry(
                    group: group, readQueues: topic.readQueueNums, writeQueues: topic.writeQueueNums,
                    permission: losesWriteBit ? topic.perm & ~PermissionBits.write : topic.perm,
                    systemFlag: topic.topicSysFlag)
                if entry == current { continue }
                if let known, tables.isTopic(known) {
                    difference.count(tables.put(entry, in: known, at: tick))
                } else {
                    let name = names.part(topic.nameStart, topic.nameLength)
                    let (id, change) = tables.put(entry, underName: name, at: tick)
                    difference.count(change)
                    resolvedTopics[index] = id
                }
            }
        }
        if isChanged { applyMappings(names.group, body, at: tick) }
        if difference.added + difference.altered + difference.removed > 0 {
            tables.groups[names.group.index].revisedAt = tick
            tables.boundTopicList(of: names.group)
        }
    }

    /// Step 10a: what the broker does not name any more goes.
    private mutating func removeTopics(
        of group: GroupID, missingFrom body: borrowing RegistrationBody, at tick: UInt64
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
    private mutating func applyMappings(_ group: GroupID, _ body: borrowing RegistrationBody, at tick: UInt64) {
        for entry in body.mappingInfos {
            guard let brokerName = entry.info.bname else { continue }
            let mapping = TopicMapping(owner: group, brokerName: brokerName, info: entry.info)
            entry.topic.withBytes { tables.putMapping(mapping, underName: $0, at: tick) }
        }
    }

    /// Steps 11 and 12: the live entry becomes this registration's.
    private mutating func update(
        _ id: LiveID, _ request: RegistrationRequest, _ names: RegistrationNames,
        _ body: borrowing RegistrationBody, _ fingerprint: BodyFingerprint, _ arrival: Arrival, at tick: UInt64,
        _ difference: inout RegistrationDifference
    ) {
        let hadConnection = tables.live[id.index].connection
        tables.rename(id, to: names.group)
        // One that was decoded elsewhere arrived a while ago; a light heartbeat may have come since.
        tables.live[id.index].lastHeard = max(tables.live[id.index].lastHeard, arrival.now)
        tables.live[id.index].registeredAt = arrival.now
        tables.live[id.index].timeout = timeout(of: request)
        tables.live[id.index].brokerID = request.brokerID
        tables.live[id.index].layout = request.layout
        tables.live[id.index].actingMaster = request.actingMaster
        tables.live[id.index].givenTimeout = request.timeoutMillis
        tables.live[id.index].haAddress = request.haAddress
        tables.live[id.index].dataVersion = body.dataVersion
        tables.live[id.index].topicCount = body.topics.count
        tables.bind(id, to: arrival.connection)
        if hadConnection != 0, hadConnection != arrival.connection { difference.details.append("new connection") }
        if let servers = body.filterServers, servers != tables.live[id.index].filterServers {
            if tables.live[id.index].filterServers.isEmpty { tables.filterServerCount += 1 }
            if servers.isEmpty { tables.filterServerCount -= 1 }
            tables.live[id.index].filterServers = servers
            tables.groupChanged(names.group, at: tick)
        }
        rememberTopics(of: id, body)
        tables.expiry.setNoLater(id, due: tables.live[id.index].deadline)
        tables.live[id.index].revisedAt = tables.groups[names.group.index].revisedAt
        // A body without a time stamp was given the time of its arrival and equals no other, not even itself (3.3).
        let isRepeatable = body.dataVersion.timestamp != arrival.wallTime.milliseconds
        tables.live[id.index].fingerprint = isRepeatable ? fingerprint : nil
    }

    private mutating func rememberTopics(of id: LiveID, _ body: borrowing RegistrationBody) {
        guard resolvedTopics.count == body.topics.count else {
            tables.live[id.index].topicSequence = []
            return
        }
        tables.live[id.index].topicSequence.removeAll(keepingCapacity: true)
        for case let topic? in resolvedTopics { tables.live[id.index].topicSequence.append(topic) }
        resolvedTopics.removeAll(keepingCapacity: true)
    }

    /// Nanoseconds of silence that the replica is granted.
    private func timeout(of request: RegistrationRequest) -> Int64 {
        guard let given = request.timeoutMillis else { return limits.brokerTimeout.wholeNanoseconds }
        let (nanoseconds, overflow) = given.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? (given < 0 ? .min : .max) : nanoseconds
    }
}
