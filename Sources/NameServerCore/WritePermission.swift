import Basics
import Remoting

// WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327), protocol.md 2.13.

extension NameServer {
    mutating func wipeWritePermission(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        let count = changePermissions(header, .writePermissionWiped, "wiped", arrival, &directives) {
            $0 & ~PermissionBits.write
        }
        output.answer(arrival, fields: .one("wipeTopicCount", "\(count)"))
    }

    /// Gives every topic of the broker read and write permission, whatever it had: the inherit bit is lost, as in RocketMQ.
    mutating func addWritePermission(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        let count = changePermissions(header, .writePermissionAdded, "added", arrival, &directives) { _ in
            PermissionBits.read | PermissionBits.write
        }
        output.answer(arrival, fields: .one("addTopicCount", "\(count)"))
    }

    private mutating func changePermissions(
        _ header: borrowing CommandHeader, _ kind: TableEvent.Kind, _ verb: String, _ arrival: Arrival,
        _ directives: inout [Directive], _ change: (Int32) -> Int32
    ) -> Int {
        guard let name = header.field("brokerName"), let group = tables.group(named: name) else { return 0 }
        let count = changePermissions(of: group, at: tables.tick(), change)
        if firstHand != nil {
            administered(group)
            directives.append(.firstHand(.administered))
        }
        note(
            kind, nil, "write permission \(verb) on \(count) topics of \(tables.groupNames.text(of: group)) by request",
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
