import Basics
import Remoting

// Signs of life: the repeated registration, BROKER_HEARTBEAT (904) and QUERY_DATA_VERSION (322).

extension NameServer {
    /// The live entry whose last accepted registration this one repeats, if doing it again would change nothing.
    ///
    /// A RocketMQ heartbeat is a whole registration with every topic in it. Everything it says is compared: the fields one
    /// by one, the body by length and two checksums. And since the last one nobody else may have touched the group or its
    /// queues (another replica, 104, 205, 216, 217, 327, an expiry), or doing it again could restore or change something.
    func repeatedRegistration(_ header: borrowing CommandHeader, _ fingerprint: BodyFingerprint) -> LiveID? {
        guard let address = header.field("brokerAddr"), let cluster = header.field("clusterName"),
            let id = tables.live(clusterName: cluster, addressText: address), let name = header.field("brokerName")
        else { return nil }
        let group = tables.live[id.index].group
        guard tables.live[id.index].fingerprint == fingerprint,
            tables.live[id.index].revisedAt == tables.groups[group.index].revisedAt,
            tables.groupNames.bytes(of: group).isSame(as: name),
            header.integer("brokerId") == tables.live[id.index].brokerID,
            isSame(header.field("haServerAddr"), tables.live[id.index].haAddress),
            isSame(header.field("__ZONE_NAME"), tables.groups[group.index].zone),
            header.integer("heartbeatTimeoutMillis") == tables.live[id.index].givenTimeout,
            header.boolean("enableActingMaster") == tables.live[id.index].actingMaster,
            header.version == tables.live[id.index].layout.version,
            (header.boolean("compressed") == true) == tables.live[id.index].layout.isCompressed
        else { return nil }
        return id
    }

    /// A repeated registration: the replica is alive, and perhaps its connection is another.
    mutating func heard(_ id: LiveID, _ arrival: Arrival, _ directives: inout [Directive]) {
        counters.registrations += 1
        counters.heartbeats += 1
        tables.heard(id, at: arrival.now)
        tables.live[id.index].registeredAt = arrival.now
        if !pending.isEmpty || hasStepsLeft {
            supersede(
                cluster: tables.clusterNames.text(of: tables.live[id.index].cluster),
                address: tables.addressNames.text(of: tables.live[id.index].address))
        }
        guard tables.live[id.index].connection != arrival.connection else { return }
        let wasClosing = tables.live[id.index].isClosing
        tables.bind(id, to: arrival.connection)
        if wasClosing, firstHand != nil { directives.append(.firstHand(.registered(id.token))) }
        let broker = identity(of: id)
        note(
            .reregistered, broker, "\(broker.name):\(broker.id) at \(broker.address) registered over a new connection",
            arrival, &directives)
    }

    /// 904: moves the time stamp of a known replica; an unknown one is no error (protocol.md 2.12).
    mutating func brokerHeartbeat(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        guard let cluster = header.field("clusterName"), let address = header.field("brokerAddr") else {
            return fail("clusterName or brokerAddr is missing", arrival, &output)
        }
        counters.lightHeartbeats += 1
        if let id = tables.live(clusterName: cluster, addressText: address) {
            tables.heard(id, at: arrival.now)
        }
        output.answer(arrival)
    }

    /// 322: says whether the broker's DataVersion is the registered one, and moves the time stamp in any case (2.11).
    mutating func queryDataVersion(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer, _ arrival: Arrival,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) {
        guard let cluster = header.field("clusterName"), let address = header.field("brokerAddr") else {
            return fail("clusterName or brokerAddr is missing", arrival, &output)
        }
        let version: DataVersion?
        do throws(RemotingError) {
            version = body.isEmpty ? nil : try DataVersion.decode(body, receivedAt: arrival.wallTime)
        } catch {
            return fail("\(error)", arrival, &output)
        }
        counters.lightHeartbeats += 1
        guard let id = tables.live(clusterName: cluster, addressText: address) else {
            let isHearsay = planted(.learnedAnswersQuery) && hearsay.names(address: address, of: cluster)
            return output.answer(arrival, fields: .one("changed", isHearsay ? "false" : "true"))
        }
        tables.heard(id, at: arrival.now)
        let known = tables.live[id.index].dataVersion
        if known == version { confirmImage(of: id, arrival, &directives) }
        let mark = output.beginAnswer(arrival, fields: .one("changed", known == version ? "false" : "true"))
        known.encode(into: &output)
        ResponseFrame.end(&output, mark)
    }

    func identity(of id: LiveID) -> ReplicaIdentity {
        let entry = tables.live[id.index]
        return ReplicaIdentity(
            cluster: tables.clusterNames.text(of: entry.cluster), name: tables.groupNames.text(of: entry.group),
            id: entry.brokerID, address: tables.addressNames.text(of: entry.address))
    }
}
