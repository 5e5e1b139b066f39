// What answers show: the first-hand tables, and where they are empty what was learned (gossip.md 2.8).
//
//     replicas   a first-hand slot always wins; a learned replica can only be where none is, which `learn` and `giveWay`
//                see to, so that here the two lists of slots are simply put together
//     group      its cluster, acting master and zone are the first-hand group's, else those of the learned replica with
//                the smallest id
//     queues     the first-hand table's entry of (topic, group) wins, else that of the learned replica whose topics are
//                the group's: its master, or the smallest 5.x slave, as for registrations (protocol.md 2.5 step 9).
//                But a learned master takes back what its acting first-hand slave has made read-only, as one that
//                registers does (4.8).
//
// Only reading happens here. While nothing is learned a `Shown…` value is just its first-hand half.

import Basics
import Remoting

/// A topic name as answers show it; each half is nil when that table does not know the name.
struct ShownTopic {
    /// May be a topic without brokers, whose name a mapping holds.
    var firstHand: TopicID?
    var learned: LearnedTopicID?
}

/// A broker group as answers show it; at least one half is not nil.
struct ShownGroup {
    var firstHand: GroupID?
    var learned: LearnedGroupID?
}

/// One group's queues of one topic, as answers show them.
struct ShownQueue {
    var group: ShownGroup
    var readQueues: Int32
    var writeQueues: Int32
    var permission: Int32
    var systemFlag: Int32

    init(group: ShownGroup, _ entry: QueueEntry) {
        self.group = group
        readQueues = entry.readQueues
        writeQueues = entry.writeQueues
        permission = entry.permission
        systemFlag = entry.systemFlag
    }

    init(group: ShownGroup, _ queue: LearnedQueue) {
        self.group = group
        readQueues = queue.readQueues
        writeQueues = queue.writeQueues
        permission = queue.permission
        systemFlag = queue.systemFlag
    }

    var isWritable: Bool { permission & PermissionBits.write != 0 }
}

extension NameServer {
    // MARK: Groups

    /// The group of that name; nil when neither table has one.
    func shownGroup(named name: UnsafeRawBufferPointer) -> ShownGroup? {
        let group = ShownGroup(
            firstHand: tables.group(named: name), learned: hearsay.isEmpty ? nil : hearsay.group(named: name))
        return group.firstHand == nil && group.learned == nil ? nil : group
    }

    func shownGroup(_ id: GroupID) -> ShownGroup {
        ShownGroup(
            firstHand: id, learned: hearsay.isEmpty ? nil : hearsay.group(named: tables.groupNames.bytes(of: id)))
    }

    func shownGroup(_ id: LearnedGroupID) -> ShownGroup {
        ShownGroup(firstHand: tables.group(named: hearsay.groupNames.bytes(of: id)), learned: id)
    }

    /// The broker name; valid until the tables change.
    @inline(__always) func name(of group: ShownGroup) -> UnsafeRawBufferPointer {
        if let id = group.firstHand { return tables.groupNames.bytes(of: id) }
        guard let id = group.learned else { preconditionFailure("a group of neither table") }
        return hearsay.groupNames.bytes(of: id)
    }

    func precedes(_ first: ShownGroup, _ second: ShownGroup) -> Bool { name(of: first).precedes(name(of: second)) }

    func hasMaster(_ group: ShownGroup) -> Bool {
        if let id = group.firstHand, tables.groups[id.index].slot(0) != nil { return true }
        return group.learned.map { hearsay.groups[$0.index].slot(0) != nil } ?? false
    }

    func actsAsMaster(_ group: ShownGroup) -> Bool {
        if let id = group.firstHand { return tables.groups[id.index].actsAsMaster }
        return leader(of: group).summary.actingMaster == true
    }

    func zone(of group: ShownGroup) -> String? {
        if let id = group.firstHand { return tables.groups[id.index].zone }
        return leader(of: group).summary.zone
    }

    /// The learned replica that speaks for a group which is learned only.
    func leader(of group: ShownGroup) -> LearnedReplica {
        guard let id = group.learned, let slot = hearsay.groups[id.index].slots.first else {
            preconditionFailure("group \(group) has no learned replica")
        }
        return hearsay[slot.replica].replica
    }

    /// Every replica of the group by id, from both tables.
    func shownSlots(of group: ShownGroup) -> [(brokerID: Int64, address: String)] {
        var slots: [(brokerID: Int64, address: String)] = []
        if let id = group.firstHand {
            for slot in tables.groups[id.index].slots {
                slots.append((slot.brokerID, tables.addressNames.text(of: slot.address)))
            }
        }
        if let id = group.learned {
            for slot in hearsay.groups[id.index].slots {
                slots.append((slot.brokerID, hearsay[slot.replica].identity.address))
            }
        }
        slots.sort { $0.brokerID < $1.brokerID }
        return slots
    }

    // MARK: Queues

    /// Whether anything learned could show in the topic's route.
    func isTouchedByHearsay(_ topic: ShownTopic) -> Bool {
        if topic.learned != nil { return true }
        guard let id = topic.firstHand, id.index < tables.topics.count else { return false }
        return tables.topics[id.index].entries.contains { shownGroup($0.group).learned != nil }
    }

    /// The learned replica whose topics are the group's, if it has one.
    private func contributor(to group: ShownGroup) -> LearnedID? {
        guard let id = group.learned else { return nil }
        if let master = hearsay.groups[id.index].slot(0) { return master.replica }
        guard let slot = hearsay.groups[id.index].slots.first, slot.mayAct else { return nil }
        if let firstHand = group.firstHand, let smallest = tables.groups[firstHand.index].smallestID,
            smallest < slot.brokerID
        {
            return nil
        }
        return slot.replica
    }

    /// Whether the group's queues are those that an acting slave registered here and its master is learned.
    private func isMasterLearned(_ group: ShownGroup) -> Bool {
        guard let firstHand = group.firstHand, let learned = group.learned else { return false }
        return tables.groups[firstHand.index].actsAsMaster && tables.groups[firstHand.index].slot(0) == nil
            && hearsay.groups[learned.index].slot(0) != nil
    }

    private func firstHandEntry(of group: ShownGroup, in topic: ShownTopic) -> QueueEntry? {
        guard let group = group.firstHand, let topic = topic.firstHand else { return nil }
        return tables.entry(of: group, in: topic)
    }

    /// Calls `body` with each group's queues of the topic, in no particular order.
    func forEachShownQueue(of topic: ShownTopic, _ body: (ShownQueue) -> Void) {
        if hearsay.isEmpty {
            guard let id = topic.firstHand, id.index < tables.topics.count else { return }
            for entry in tables.topics[id.index].entries {
                body(ShownQueue(group: ShownGroup(firstHand: entry.group), tables.whole(entry)))
            }
            return
        }
        var replaced: Set<GroupID> = []
        if let learned = topic.learned {
            for queue in hearsay.topics[learned.index] {
                let group = shownGroup(hearsay.group(of: queue.replica))
                guard contributor(to: group) == queue.replica else { continue }
                if let id = group.firstHand, firstHandEntry(of: group, in: topic) != nil {
                    guard isMasterLearned(group) else { continue }
                    replaced.insert(id)
                }
                body(ShownQueue(group: group, queue))
            }
        }
        guard let id = topic.firstHand, id.index < tables.topics.count else { return }
        for entry in tables.topics[id.index].entries where replaced.isEmpty || !replaced.contains(entry.group) {
            body(ShownQueue(group: shownGroup(entry.group), tables.whole(entry)))
        }
    }

    /// Each group's queues of the topic, by broker name.
    ///
    /// - Parameter zone: leaves out brokers that have a master and lie in another zone (protocol.md 2.7); nil none.
    func shownQueues(of topic: ShownTopic, zone: String?) -> ContiguousArray<ShownQueue> {
        var queues: ContiguousArray<ShownQueue> = []
        if let id = topic.firstHand, id.index < tables.topics.count {
            queues.reserveCapacity(tables.topics[id.index].entries.count)
        }
        forEachShownQueue(of: topic) { queue in
            if let zone, hasMaster(queue.group), self.zone(of: queue.group)?.lowercased() != zone.lowercased() {
                return
            }
            queues.append(queue)
        }
        queues.sort { precedes($0.group, $1.group) }
        return queues
    }

    // MARK: Topics

    /// The name; valid until the tables change.
    @inline(__always) func name(of topic: ShownTopic) -> UnsafeRawBufferPointer {
        if let id = topic.firstHand { return tables.topicNames.bytes(of: id) }
        guard let id = topic.learned else { preconditionFailure("a topic of neither table") }
        return hearsay.topicNames.bytes(of: id)
    }

    func shownTopic(_ id: TopicID) -> ShownTopic {
        ShownTopic(
            firstHand: id, learned: hearsay.isEmpty ? nil : hearsay.topic(named: tables.topicNames.bytes(of: id)))
    }

    func shownTopic(_ id: LearnedTopicID) -> ShownTopic {
        ShownTopic(firstHand: tables.topicNames.lookup(hearsay.topicNames.bytes(of: id)), learned: id)
    }

    /// Whether the topic has at least one broker.
    func isShown(_ topic: ShownTopic) -> Bool {
        if let id = topic.firstHand, tables.isTopic(id) { return true }
        var isShown = false
        forEachShownQueue(of: topic) { _ in isShown = true }
        return isShown
    }

    /// All topics that have a broker, in byte order.
    mutating func sortedShownTopics() -> ContiguousArray<ShownTopic> {
        let firstHand = tables.sortedTopics()
        if hearsay.isEmpty { return ContiguousArray(firstHand.lazy.map { ShownTopic(firstHand: $0) }) }
        let learned = hearsay.sortedTopics()
        var shown: ContiguousArray<ShownTopic> = []
        shown.reserveCapacity(firstHand.count + learned.count)
        var next = 0
        for id in firstHand {
            let name = tables.topicNames.bytes(of: id)
            var topic = ShownTopic(firstHand: id)
            while next < learned.count {
                let other = hearsay.topicNames.bytes(of: learned[next])
                if other.isSame(as: name) { topic.learned = learned[next] } else if name.precedes(other) { break }
                if topic.learned == nil { appendIfShown(shownTopic(learned[next]), to: &shown) }
                next += 1
            }
            shown.append(topic)
        }
        for id in learned[next...] { appendIfShown(shownTopic(id), to: &shown) }
        return shown
    }

    private func appendIfShown(_ topic: ShownTopic, to shown: inout ContiguousArray<ShownTopic>) {
        if isShown(topic) { shown.append(topic) }
    }

    /// All topics that have a queue of one of the groups, in byte order.
    mutating func shownTopics(of groups: [ShownGroup]) -> ContiguousArray<ShownTopic> {
        var found: ContiguousArray<ShownTopic> = []
        var seen: Set<TopicID> = []
        var seenLearned: Set<LearnedTopicID> = []
        for group in groups {
            guard let id = group.firstHand else { continue }
            for topic in tables.topics(of: id) where seen.insert(topic).inserted { found.append(shownTopic(topic)) }
        }
        for group in groups {
            guard let replica = contributor(to: group) else { continue }
            for place in hearsay[replica].places where seenLearned.insert(place.topic).inserted {
                let topic = shownTopic(place.topic)
                if let id = topic.firstHand, seen.contains(id) { continue }
                found.append(topic)
            }
        }
        found.sort { name(of: $0).precedes(name(of: $1)) }
        return found
    }

    // MARK: Lists

    /// All groups, by name.
    func sortedShownGroups() -> [ShownGroup] {
        var groups: [ShownGroup] = []
        for index in tables.groups.indices where tables.groups[index].exists {
            groups.append(shownGroup(GroupID(number: UInt32(index))))
        }
        for index in hearsay.groups.indices where !hearsay.groups[index].slots.isEmpty {
            let group = shownGroup(LearnedGroupID(number: UInt32(index)))
            if group.firstHand == nil { groups.append(group) }
        }
        groups.sort { precedes($0, $1) }
        return groups
    }

    /// Each cluster with the broker names listed under it, both by name. A learned replica lists its broker name under
    /// the cluster it registered with, as a registration does.
    func sortedShownClusters() -> [(name: String, groups: [String])] {
        var names: [String: Set<String>] = [:]
        for (index, cluster) in tables.clusters.enumerated() where !cluster.groups.isEmpty {
            let listed = cluster.groups.map { tables.groupNames.text(of: $0) }
            names[tables.clusterNames.text(of: ClusterID(number: UInt32(index)))] = Set(listed)
        }
        for entry in hearsay.entries {
            guard let identity = entry?.identity else { continue }
            names[identity.cluster, default: []].insert(identity.name)
        }
        return names.keys.sorted { $0.precedes($1) }.map { cluster in
            (cluster, names[cluster, default: []].sorted { $0.precedes($1) })
        }
    }

    /// The groups listed under the cluster, each once; names without a group are left out.
    func shownGroups(inCluster name: UnsafeRawBufferPointer) -> [ShownGroup] {
        var groups: [ShownGroup] = []
        var known: Set<LearnedGroupID> = []
        if let cluster = tables.cluster(named: name) {
            for id in tables.clusters[cluster.index].groups {
                // A list may name a group that is gone, or only learned (protocol.md 2.9).
                guard let group = shownGroup(named: tables.groupNames.bytes(of: id)) else { continue }
                groups.append(group)
                if let learned = group.learned { known.insert(learned) }
            }
        }
        let cluster = String(decoding: name, as: UTF8.self)
        guard hearsay.clusters[cluster] != nil else { return groups }
        for entry in hearsay.entries {
            guard let entry, entry.identity.cluster == cluster, known.insert(entry.group).inserted else { continue }
            groups.append(shownGroup(entry.group))
        }
        return groups
    }
}
