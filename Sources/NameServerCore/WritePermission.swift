import Basics
import Remoting

// WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327), protocol.md 2.13.

extension NameServer {
    mutating func wipeWritePermission(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        let count = changePermissions(header, grants: false, arrival, &directives)
        output.answer(arrival, fields: .one("wipeTopicCount", "\(count)"))
    }

    mutating func addWritePermission(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        let count = changePermissions(header, grants: true, arrival, &directives)
        output.answer(arrival, fields: .one("addTopicCount", "\(count)"))
    }

    private mutating func changePermissions(
        _ header: borrowing CommandHeader, grants: Bool, _ arrival: Arrival, _ directives: inout [Directive]
    ) -> Int {
        guard let name = header.field("brokerName"), let group = tables.group(named: name) else { return 0 }
        completeSteps(of: group, &directives)
        if let basis = permissionBasis(of: group) {
            let broker = tables.groupNames.text(of: group)
            directives.append(.firstHand(.wrote(.writePermission(broker: broker, grants: grants, basis: basis))))
        }
        return setWritePermission(of: group, grants: grants, "by request", arrival, &directives)
    }

    /// Wipes the write permission of every topic of the group, or gives every topic read and write permission, whatever it
    /// had: the inherit bit is lost, as in RocketMQ. Says how many topics there are.
    ///
    /// - Parameter cause: the end of the event's line.
    mutating func setWritePermission(
        of group: GroupID, grants: Bool, _ cause: String, _ arrival: Arrival, _ directives: inout [Directive]
    ) -> Int {
        completeSteps(of: group, &directives)
        let count = changePermissions(of: group, at: tables.tick()) {
            grants ? PermissionBits.read | PermissionBits.write : $0 & ~PermissionBits.write
        }
        if firstHand != nil {
            administered(group)
            directives.append(.firstHand(.administered))
        }
        note(
            grants ? .writePermissionAdded : .writePermissionWiped, nil,
            "write permission \(grants ? "added" : "wiped") on \(count) topics of \(tables.groupNames.text(of: group)) \(cause)",
            arrival, &directives)
        return count
    }

    /// Changes the permission of every queue entry of the group; says how many there are, changed or not.
    @discardableResult
    mutating func changePermissions(of group: GroupID, at tick: UInt64, _ change: (Int32) -> Int32) -> Int {
        let topics = tables.topics(of: group)
        for topic in topics {
            guard var entry = tables.entry(of: group, in: topic) else { continue }
            entry.permission = change(entry.permission)
            tables.put(entry, in: topic, at: tick)
        }
        tables.groups[group.index].revisedAt = tick
        return topics.count
    }
}
