// How replicas leave: UNREGISTER_BROKER (104, protocol.md 2.9), expiry (4.2), a closed connection (4.6).
//
// Nothing is queued and nothing is matched by name alone: each of the three ends exactly the registration it belongs to.
//
//     expiry       looks at the entry's own time stamp, which a newer registration has moved
//     close        looks at the connection of the last registration only
//     104          takes the address out of the group, as RocketMQ does; a slot that has meanwhile gone to another address
//                  stays (a late farewell of the old master does not remove the new one), and a farewell over a connection
//                  that a newer registration of the same replica has replaced removes nothing

import Basics
import Remoting

extension NameServer {
    // MARK: Unregistration

    mutating func unregisterBroker(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        let broker: ReplicaIdentity
        do throws(MissingField) {
            broker = ReplicaIdentity(
                cluster: try header.required("clusterName"), name: try header.required("brokerName"),
                id: try header.requiredInteger("brokerId"), address: try header.required("brokerAddr"))
        } catch {
            return fail(error.remark, arrival, &output)
        }
        counters.unregistrations += 1
        supersede(cluster: broker.cluster, address: broker.address)
        if firstHand != nil, token(of: broker) == nil, learned(broker) == nil {
            directives.append(.firstHand(.saidGoodbye(broker)))
        }
        forgetUnregistered(broker, arrival, &directives)
        unregister(broker, arrival, &directives)
        output.answer(arrival)
    }

    private mutating func unregister(
        _ broker: ReplicaIdentity, _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        guard let address = broker.address.withBytes({ tables.addressNames.lookup($0) }) else { return }
        let cluster = broker.cluster.withBytes { tables.clusterNames.lookup($0) }
        let live = cluster.flatMap { tables.live(cluster: $0, address: address) }
        if let live, isLate(arrival, for: live) {
            return note(
                .lateUnregister, broker,
                "\(broker.name):\(broker.id) at \(broker.address) not unregistered: the "
                    + "request came over a connection that a newer registration has replaced", arrival, &directives)
        }
        tables.addressNames.retain(address)
        defer { tables.addressNames.release(address) }
        var hasLeft = false
        if let group = broker.name.withBytes({ tables.group(named: $0) }) {
            hasLeft = leave(group, address, listedIn: cluster, arrival, &directives) { $0.address == address }
        }
        if let live, !holdsSlot(address, cluster: tables.live[live.index].cluster) {
            let registered = identity(of: live)
            let group = tables.live[live.index].group
            tables.removeLive(live)
            endFirstHand(live, registered, group, .unregistered, &directives)
            hasLeft = true
        }
        guard hasLeft else { return }
        note(
            .unregistered, broker, "\(broker.name):\(broker.id) at \(broker.address) unregistered at its own request",
            arrival, &directives)
    }

    /// Ends the first-hand entry of a replica that unregistered at another node, after the last sign of life here
    /// (`applyUnregister`, gossip.md 2.9). Nothing happens when there is no such entry.
    public mutating func unregister(
        _ replica: ReplicaToken, saidTo node: String, now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) {
        guard let live = live(replica) else { return }
        remove(
            live, .unregistered, "it unregistered at \(node)", as: .relayed, Arrival(now: now, wallTime: wallTime),
            &directives)
    }

    /// Whether a request belongs to an older life of the replica: it came over the connection of an earlier registration,
    /// and the current one came over another.
    private func isLate(_ arrival: Arrival, for live: LiveID) -> Bool {
        arrival.connection != 0 && tables.live[live.index].connection != arrival.connection
            && tables.live[live.index].formerConnection == arrival.connection
    }

    /// Whether the address still has a slot somewhere that was registered through the cluster.
    private func holdsSlot(_ address: AddressID, cluster: ClusterID) -> Bool {
        tables.addresses[address.index].groups.contains { group in
            tables.groups[group.index].slots.contains { $0.address == address && $0.cluster == cluster }
        }
    }

    // MARK: Silence and closed connections

    /// Removes every replica that has been silent for longer than its timeout, and asks for its connection to be closed
    /// (protocol.md 4.2), unless it is held; also those whose close grace has passed. Looks only at entries that may be
    /// due.
    public mutating func scan(now: Instant, wallTime: WallTime, directives: inout [Directive]) {
        let arrival = Arrival(now: now, wallTime: wallTime)
        endHolds(arrival, &directives)
        while let (due, id) = tables.expiry.first, due < now {
            let deadline = tables.live[id.index].deadline
            if deadline < now || (planted(.scanForgetsHold) && tables.holds[id]?.since != nil) {
                depart(id, arrival, &directives)
            } else {
                noteHold(id, arrival, &directives)
                tables.expiry.set(id, due: tables.live[id.index].nextLook(now: now))
                if tables.live[id.index].isClosing { tables.closing.set(id, due: deadline) }
            }
        }
        expireImageTopics(now: now, &directives)
        dropOutdatedLearned(arrival, &directives)
    }

    /// The earliest instant at which a replica may have expired, unless it is heard before, or a learned one is to be
    /// dropped; nil without replicas.
    public var nextDeadline: Instant? {
        guard let learned = hearsay.nextExpiry?.due else { return tables.expiry.first?.due }
        return tables.expiry.first.map { min($0.due, learned) } ?? learned
    }

    /// The connection is gone: every replica whose last registration came over it leaves (4.6), after `closeGrace` if
    /// there is one.
    ///
    /// - Parameter isIdle: this node hung up itself, since nothing came. Of a replica that is held for its silence that is
    ///   no news, and the hold goes on; nor is it when this node could not listen.
    public mutating func connectionClosed(
        _ connection: UInt64, isIdle: Bool = false, now: Instant, wallTime: WallTime, directives: inout [Directive]
    ) {
        let arrival = Arrival(connection: connection, now: now, wallTime: wallTime, opaque: 0, isOneway: true)
        tearUpTickets(of: connection)
        for id in tables.live(on: connection) {
            if let closeGrace {
                if isIdle, tables.live[id.index].isHeldForSilence(at: now) || isUnheardSinceStandstill(id) {
                    tables.bind(id, to: 0)
                    continue
                }
                beginGrace(id, closeGrace, arrival, &directives)
                continue
            }
            counters.closedConnections += 1
            remove(id, .connectionClosed, "its connection closed", arrival, &directives)
        }
    }

    /// Ends the live entry, and the slots that its registrations gave the address.
    mutating func remove(
        _ id: LiveID, _ kind: TableEvent.Kind, _ cause: String, as departed: Departed? = nil, _ arrival: Arrival,
        _ directives: inout [Directive]
    ) {
        let broker = identity(of: id)
        let entry = tables.live[id.index]
        tables.addressNames.retain(entry.address)
        tables.clusterNames.retain(entry.cluster)
        tables.groupNames.retain(entry.group)
        tables.removeLive(id)
        var hadSlot = false
        for group in tables.addresses[entry.address.index].groups {
            let hasLeft = leave(group, entry.address, listedIn: entry.cluster, arrival, &directives) {
                $0.address == entry.address && $0.cluster == entry.cluster
            }
            hadSlot = hadSlot || hasLeft
        }
        // The cluster may still list a group that a request under another cluster's name has removed.
        if !tables.exists(entry.group) { tables.unlist(entry.group, from: entry.cluster) }
        tables.groupNames.release(entry.group)
        tables.clusterNames.release(entry.cluster)
        tables.addressNames.release(entry.address)
        endFirstHand(id, broker, entry.group, departed ?? Departed(kind), &directives)
        let standing = hadSlot ? "" : "; it held no place in its group any more"
        note(
            kind, broker, "\(broker.name):\(broker.id) at \(broker.address) removed: \(cause)\(standing)", arrival,
            &directives)
    }

    /// Takes slots out of the group; with the last one the group goes. Says whether there were any.
    ///
    /// A group that lost its smallest id tells the others, and one that lost its master for an acting one becomes
    /// read-only (2.9, 4.8).
    private mutating func leave(
        _ group: GroupID, _ address: AddressID, listedIn cluster: ClusterID?, _ arrival: Arrival,
        _ directives: inout [Directive], where isGone: (ReplicaSlot) -> Bool
    ) -> Bool {
        let smallest = tables.groups[group.index].smallestID
        guard tables.removeSlots(in: group, where: isGone) > 0 else { return false }
        let tick = tables.tick()
        defer { if settleAdministration(of: group) { directives.append(.firstHand(.administered)) } }
        if tables.groups[group.index].slots.isEmpty {
            tables.removeGroup(group, from: cluster, at: tick)
            return true
        }
        tables.groupChanged(group, at: tick)
        guard tables.groups[group.index].actsAsMaster else { return true }
        if tables.groups[group.index].slot(0) == nil {
            changePermissions(of: group, at: tick) { $0 & ~PermissionBits.write }
        }
        if tables.groups[group.index].smallestID != smallest, properties.notifyMinBrokerIdChanged {
            notifySmallestID(
                of: group, offline: tables.addressNames.text(of: address), haAddress: nil, &directives)
        }
        return true
    }
}
