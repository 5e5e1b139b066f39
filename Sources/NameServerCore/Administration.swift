import Basics
import Remoting

// What administrators changed at this node alone: topics that differ from what their broker registered (205, 216, 217,
// 327), and key-values. Nodes compare one digest of each.

/// What 217 put on a group. The numbers hold references to their names.
struct AdministeredTopics {
    var added: Set<TopicID> = []
}

/// How a topic of the tables differs from what its broker registered.
private enum AdministeredKind: UInt8 {
    case deleted, changed, added
}

extension NameServer {
    /// A digest of all key-values, the same on two nodes exactly when they have the same ones (but for 1 in 2^64). A
    /// namespace without keys does not count. Walks over all of them.
    public func keyValueDigest(hash: KeyedHash) -> UInt64 {
        var digest: UInt64 = 0
        var item = ByteWriter()
        for (namespace, values) in keyValues.file.configTable {
            for (key, value) in values {
                item.removeAll()
                for text in [namespace, key, value] { text.withBytes { item.append(counted: $0) } }
                digest ^= hash.hash(item.bytes)
            }
        }
        return digest
    }

    /// A digest of what administrators changed in the topics of the groups: which (group, topic) differs from the image of
    /// the replica that registers the group's topics, and how. 0 without such changes, and without tracking.
    ///
    /// The write bit that a group without its master loses by itself does not count, nor does residue. Walks over the
    /// topics of the groups that were changed so, usually none.
    public func administrationDigest(hash: KeyedHash) -> UInt64 {
        guard let firstHand else { return 0 }
        var digest: UInt64 = 0
        for group in firstHand.administered.keys { digest ^= administrationDigest(of: group, hash) }
        return digest
    }

    private func administrationDigest(of group: GroupID, _ hash: KeyedHash) -> UInt64 {
        var digest: UInt64 = 0
        var item = ByteWriter()
        forEachAdministered(of: group) { topic, kind, entry in
            item.removeAll()
            item.append(counted: tables.groupNames.bytes(of: group))
            item.append(counted: tables.topicNames.bytes(of: topic))
            item.append(kind.rawValue)
            if let entry {
                for number in [entry.readQueues, entry.writeQueues, entry.permission, entry.systemFlag] {
                    item.append(bigEndian: number)
                }
            }
            digest ^= hash.hash(item.bytes)
        }
        return digest
    }

    /// Each topic of the group that differs from what was registered, in no particular order.
    private func forEachAdministered(
        of group: GroupID, _ body: (TopicID, AdministeredKind, QueueEntry?) -> Void
    ) {
        guard tables.exists(group), let firstHand else { return }
        let contributor = contributor(of: group)
        if let contributor {
            let entry = tables.live[contributor.index]
            let isReadOnly = entry.brokerID != 0 && entry.actingMaster == true
            for topic in firstHand.images[contributor.index].entries {
                guard let present = tables.entry(of: group, in: topic.topic) else {
                    body(topic.topic, .deleted, nil)
                    continue
                }
                let value = topic.value
                let registered = QueueEntry(
                    group: group, readQueues: value.readQueues, writeQueues: value.writeQueues,
                    permission: isReadOnly ? value.permission & ~PermissionBits.write : value.permission,
                    systemFlag: value.systemFlag)
                if present != registered { body(topic.topic, .changed, present) }
            }
        }
        for topic in firstHand.administered[group]?.added ?? [] {
            let isRegistered = contributor.map { firstHand.images[$0.index].position(of: topic) != nil } ?? false
            if !isRegistered, let entry = tables.entry(of: group, in: topic) { body(topic, .added, entry) }
        }
    }

    /// Whose registrations the group's topics come from: the replica with the smallest id that contributes any.
    func contributor(of group: GroupID) -> LiveID? {
        guard let firstHand else { return nil }
        for slot in tables.groups[group.index].slots {
            guard let live = tables.live(cluster: slot.cluster, address: slot.address),
                tables.live[live.index].group == group
            else { continue }
            if firstHand.images[live.index].contributes { return live }
        }
        return nil
    }

    // MARK: Following the requests

    /// 205 or 327 changed the permissions of a group's topics, or 216 or 217 one of its topics.
    mutating func administered(_ group: GroupID) {
        if firstHand?.administered[group] == nil { firstHand?.administered[group] = AdministeredTopics() }
    }

    /// 216 took the topic from the group.
    mutating func administered(_ group: GroupID, deleted topic: TopicID) {
        guard firstHand != nil else { return }
        administered(group)
        if firstHand?.administered[group]?.added.remove(topic) != nil { tables.topicNames.release(topic) }
    }

    /// 217 put the topic on the group.
    mutating func administered(_ group: GroupID, put topic: TopicID) {
        guard firstHand != nil else { return }
        administered(group)
        if let contributor = contributor(of: group), firstHand?.images[contributor.index].position(of: topic) != nil {
            return
        }
        if firstHand?.administered[group]?.added.insert(topic).inserted == true { tables.topicNames.retain(topic) }
    }

    /// A registration may have undone what was administered, and a departure ends it. Says whether the digest must be
    /// computed again.
    mutating func settleAdministration(of group: GroupID) -> Bool {
        guard let administered = firstHand?.administered[group] else { return false }
        let contributor = tables.exists(group) ? contributor(of: group) : nil
        for topic in administered.added.sorted() {
            let isRegistered = contributor.flatMap { firstHand?.images[$0.index].position(of: topic) } != nil
            guard isRegistered || tables.entry(of: group, in: topic) == nil else { continue }
            firstHand?.administered[group]?.added.remove(topic)
            tables.topicNames.release(topic)
        }
        var isClean = true
        forEachAdministered(of: group) { _, _, _ in isClean = false }
        if isClean { firstHand?.administered[group] = nil }
        return true
    }
}

extension ByteWriter {
    /// Appends the bytes behind their number in four.
    fileprivate mutating func append(counted bytes: UnsafeRawBufferPointer) {
        append(bigEndian: UInt32(bytes.count))
        append(bytes)
    }
}
