// Hearsay that is served: registrations learned from peers, apart from everything this node heard itself.
//
//     entries   one per learned replica: what is known of it, and where its queues lie
//     groups    broker name -> its learned replicas by id
//     topics    name -> the queues that learned replicas brought, in no particular order
//
// The names are this table's own, not those of `RouteTables`: hearsay leaves no trace there, not even in a count that a
// limit looks at. Merging costs a look-up by name, but only while there is hearsay. Each queue knows its place in its
// replica's list and the list knows the queue's place in its topic, so that a replica is forgotten without searching.

import Basics
import Remoting

enum LearnedTopicKind {}
enum LearnedGroupKind {}
typealias LearnedTopicID = NameID<LearnedTopicKind>
typealias LearnedGroupID = NameID<LearnedGroupKind>
/// The number of a learned replica: numbered as live entries are, and so ordered by the same kind of queue.
typealias LearnedID = LiveID

/// One learned replica's queues of one topic, in 24 bytes.
struct LearnedQueue {
    var replica: LearnedID
    /// Where in the replica's `places` this queue stands.
    var place: UInt32
    var readQueues: Int32
    var writeQueues: Int32
    /// Without the write bit when an acting master brought it (protocol.md 2.5 step 10b).
    var permission: Int32
    var systemFlag: Int32
}

/// One learned replica.
struct LearnedEntry {
    /// Where one of the replica's queues lies.
    struct Place {
        var topic: LearnedTopicID
        var position: UInt32
    }

    var replica: LearnedReplica
    var group: LearnedGroupID
    var places: ContiguousArray<Place> = []

    var identity: ReplicaIdentity { replica.summary.identity }
}

/// The learned replicas of one broker name.
struct LearnedGroup {
    struct Slot {
        var brokerID: Int64
        var replica: LearnedID
        /// Whether its topics are the group's when nobody with a smaller id is there: a 5.x slave's are, a 4.x slave's not.
        var mayAct: Bool
    }

    /// Ordered by broker id, one per id.
    var slots: ContiguousArray<Slot> = []

    func slot(_ brokerID: Int64) -> Slot? { slots.first { $0.brokerID == brokerID } }
}

/// One replica's topics among those of others.
struct LearnedImage {
    var images: RegistrationImages
    var replica: Int

    var count: Int { images.topicCount(of: replica) }

    func forEach(_ body: (UnsafeRawBufferPointer, ImageTopic) -> Void) {
        images.forEachTopic(of: replica, body)
    }
}

/// The learned replicas of one node, at most one per (cluster, address), (broker name, id) and (broker name, address).
struct LearnedTable: ~Copyable {
    private struct Whereabouts: Hashable {
        var cluster: String
        var address: String
    }

    private(set) var topicNames = NameTable<LearnedTopicKind>()
    private(set) var groupNames = NameTable<LearnedGroupKind>()
    private(set) var count = 0

    /// By `LearnedID`; nil for a number that is not in use.
    private(set) var entries: ContiguousArray<LearnedEntry?> = []
    private var unused: ContiguousArray<LearnedID> = []
    /// By `LearnedTopicID`; empty for a number that is not in use.
    private(set) var topics: ContiguousArray<ContiguousArray<LearnedQueue>> = []
    /// By `LearnedGroupID`; without slots for a number that is not in use.
    private(set) var groups: ContiguousArray<LearnedGroup> = []
    /// How many learned replicas registered under each cluster name.
    private(set) var clusters: [String: Int] = [:]
    private var byAddress: [Whereabouts: LearnedID] = [:]
    private var expiry = ExpiryQueue()
    private var topicCount = 0
    private var directory = TopicDirectory<LearnedTopicKind>()

    var isEmpty: Bool { count == 0 }

    /// The replica whose evidence runs out first, and when.
    var nextExpiry: (due: Instant, entry: LearnedID)? { expiry.first }

    // MARK: Looking up

    subscript(id: LearnedID) -> LearnedEntry {
        guard let entry = entries[id.index] else { preconditionFailure("learned entry \(id.number) is not in use") }
        return entry
    }

    func group(of id: LearnedID) -> LearnedGroupID {
        guard let group = entries[id.index]?.group else { preconditionFailure("\(id.number) is not in use") }
        return group
    }

    func topic(named name: UnsafeRawBufferPointer) -> LearnedTopicID? { topicNames.lookup(name) }

    func group(named name: UnsafeRawBufferPointer) -> LearnedGroupID? { groupNames.lookup(name) }

    func entry(of identity: ReplicaIdentity) -> LearnedID? {
        guard let id = byAddress[Whereabouts(cluster: identity.cluster, address: identity.address)],
            self[id].identity == identity
        else { return nil }
        return id
    }

    /// The replica of that broker name and address, whatever its cluster and id.
    func entry(name: String, address: String) -> LearnedID? {
        guard let group = name.withBytes({ groupNames.lookup($0) }) else { return nil }
        return groups[group.index].slots.first { self[$0.replica].identity.address == address }?.replica
    }

    /// All that cannot stand beside `identity`, itself included: the same cluster and address, the same id or the same
    /// address in the group.
    func entries(excludedBy identity: ReplicaIdentity) -> [LearnedID] {
        var found: [LearnedID] = []
        if let id = byAddress[Whereabouts(cluster: identity.cluster, address: identity.address)] { found.append(id) }
        guard let group = identity.name.withBytes({ groupNames.lookup($0) }) else { return found }
        for slot in groups[group.index].slots where !found.contains(slot.replica) {
            if slot.brokerID == identity.id || self[slot.replica].identity.address == identity.address {
                found.append(slot.replica)
            }
        }
        return found
    }

    // MARK: Changing

    /// Adds a replica; nobody may be in its place.
    mutating func add(_ replica: LearnedReplica, _ image: LearnedImage) {
        let identity = replica.summary.identity
        precondition(entries(excludedBy: identity).isEmpty, "\(identity.label) is to stand where another one stands")
        let group = identity.name.withBytes { groupNames.retain($0) }
        while groups.count <= group.index { groups.append(LearnedGroup()) }
        let id = unused.popLast() ?? LearnedID(number: UInt32(entries.count))
        if id.index == entries.count { entries.append(nil) }
        entries[id.index] = LearnedEntry(replica: replica, group: group)
        count += 1
        clusters[identity.cluster, default: 0] += 1
        putQueues(of: id, image)
        let slot = LearnedGroup.Slot(
            brokerID: identity.id, replica: id, mayAct: replica.summary.actingMaster != nil)
        let slots = groups[group.index].slots
        let place = slots.firstIndex { identity.id < $0.brokerID } ?? slots.count
        groups[group.index].slots.insert(slot, at: place)
        byAddress[Whereabouts(cluster: identity.cluster, address: identity.address)] = id
        expiry.set(id, due: replica.usableUntil)
    }

    private mutating func putQueues(of id: LearnedID, _ image: LearnedImage) {
        let summary = self[id].replica.summary
        let isReadOnly = summary.identity.id != 0 && summary.actingMaster == true
        var places: ContiguousArray<LearnedEntry.Place> = []
        places.reserveCapacity(image.count)
        image.forEach { name, topic in
            let number = topicNames.retain(name)
            while topics.count <= number.index { topics.append([]) }
            if topics[number.index].isEmpty { topicAppeared(number) }
            let permission = isReadOnly ? topic.permission & ~PermissionBits.write : topic.permission
            topics[number.index].append(
                LearnedQueue(
                    replica: id, place: UInt32(places.count), readQueues: topic.readQueues,
                    writeQueues: topic.writeQueues, permission: permission, systemFlag: topic.systemFlag))
            places.append(.init(topic: number, position: UInt32(topics[number.index].count - 1)))
        }
        entries[id.index]?.places = places
    }

    private mutating func topicAppeared(_ id: LearnedTopicID) {
        topicCount += 1
        directory.added(id)
        if directory.ids.count > 2 * topicCount + 1_024 { sortDirectory() }
    }

    private mutating func sortDirectory() { directory.sort(by: topicNames) { topics[$0.index].isEmpty } }

    /// All topics that have a queue, in byte order.
    mutating func sortedTopics() -> ContiguousArray<LearnedTopicID> {
        sortDirectory()
        return directory.ids
    }

    mutating func update(_ id: LearnedID, usableUntil: Instant, isProvisional: Bool) {
        entries[id.index]?.replica.usableUntil = usableUntil
        entries[id.index]?.replica.isProvisional = isProvisional
        expiry.set(id, due: usableUntil)
    }

    /// Forgets a replica and what it brought.
    @discardableResult
    mutating func remove(_ id: LearnedID) -> LearnedReplica {
        let entry = self[id]
        let identity = entry.identity
        for place in entry.places {
            takeQueue(at: place)
            topicNames.release(place.topic)
        }
        groups[entry.group.index].slots.removeAll { $0.replica == id }
        let whereabouts = Whereabouts(cluster: identity.cluster, address: identity.address)
        byAddress[whereabouts] = nil
        if let others = clusters[identity.cluster], others > 1 {
            clusters[identity.cluster] = others - 1
        } else {
            clusters[identity.cluster] = nil
        }
        groupNames.release(entry.group)
        expiry.remove(id)
        entries[id.index] = nil
        unused.append(id)
        count -= 1
        return entry.replica
    }

    /// The topic's last queue moves to where the one that goes has been.
    private mutating func takeQueue(at place: LearnedEntry.Place) {
        let position = Int(place.position)
        guard let last = topics[place.topic.index].popLast() else {
            preconditionFailure("topic \(place.topic.number) has no queue at \(position)")
        }
        if position < topics[place.topic.index].count {
            topics[place.topic.index][position] = last
            entries[last.replica.index]?.places[Int(last.place)].position = place.position
        } else if topics[place.topic.index].isEmpty {
            // An array that was emptied still holds its memory.
            topics[place.topic.index] = []
            topicCount -= 1
            directory.removed()
        }
    }
}
