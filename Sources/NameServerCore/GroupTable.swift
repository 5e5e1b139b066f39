import Remoting

/// One replica's place in its group.
struct ReplicaSlot: Equatable {
    /// 0 is the master.
    var brokerID: Int64
    var address: AddressID
    /// The cluster this replica registered under, which need not be the group's: the first registration named that.
    var cluster: ClusterID
}

/// A broker group, RocketMQ's BrokerData: a master and its slaves under one broker name.
struct BrokerGroup {
    var exists = false
    var cluster = ClusterID(number: 0)
    /// Ordered by broker id; never empty while the group exists.
    var slots: ContiguousArray<ReplicaSlot> = []
    /// `enableActingMaster` of the last registration of any replica.
    var actsAsMaster = false
    /// `zoneName` of the last registration of any replica.
    var zone: String?

    /// Every topic the group serves, and perhaps others; see `compactTopics`.
    var topics: ContiguousArray<TopicID> = []
    /// How many topics have an entry of the group.
    var topicCount = 0
    /// Topics that may hold a mapping which this group registered.
    var mappedTopics: ContiguousArray<TopicID> = []

    /// The tick of the last change to what routes show of the group itself.
    var changedAt: UInt64 = 0
    /// The tick of the last change that could make a repeated registration of one of its replicas do something.
    var revisedAt: UInt64 = 0

    var smallestID: Int64? { slots.first?.brokerID }

    func slot(_ brokerID: Int64) -> ReplicaSlot? { slots.first { $0.brokerID == brokerID } }

    mutating func servesTopic(_ id: TopicID) {
        topics.append(id)
        topicCount += 1
    }
}

/// A cluster: the broker names listed under it, ordered by number.
struct Cluster {
    var groups: ContiguousArray<GroupID> = []
}

/// An address some broker told us: an opaque text, normally `host:port`.
struct KnownAddress {
    /// The groups in which the address has a slot; nearly always one.
    var groups: ContiguousArray<GroupID> = []
    /// The live entries of the address, one per cluster; nearly always one. The others follow through the entries.
    var firstLive: LiveID?
}

extension RouteTables {
    func exists(_ group: GroupID) -> Bool { group.index < groups.count && groups[group.index].exists }

    /// The number of a group that exists.
    func group(named name: UnsafeRawBufferPointer) -> GroupID? {
        guard let id = groupNames.lookup(name), exists(id) else { return nil }
        return id
    }

    /// The number of a cluster that lists at least one broker.
    func cluster(named name: UnsafeRawBufferPointer) -> ClusterID? {
        guard let id = clusterNames.lookup(name), exists(id) else { return nil }
        return id
    }

    func exists(_ cluster: ClusterID) -> Bool {
        cluster.index < clusters.count && !clusters[cluster.index].groups.isEmpty
    }

    /// Makes the group, without replicas yet.
    mutating func createGroup(_ id: GroupID, cluster: ClusterID, at tick: UInt64) {
        while groups.count <= id.index { groups.append(BrokerGroup()) }
        precondition(!groups[id.index].exists, "group \(id.number) exists already")
        groups[id.index] = BrokerGroup()
        groups[id.index].exists = true
        groups[id.index].cluster = cluster
        groups[id.index].changedAt = tick
        groups[id.index].revisedAt = tick
        groupNames.retain(id)
        clusterNames.retain(cluster)
        groupCount += 1
    }

    /// The group's list of topics gets memory for so many, if it has none yet.
    mutating func expectTopics(_ count: Int, of id: GroupID) {
        if groups[id.index].topics.isEmpty { groups[id.index].topics.reserveCapacity(count) }
    }

    /// Forgets a group that has lost its last replica: its queues in every topic, its mappings, and its place in the
    /// cluster lists, provided that `cluster` lists it. (A request that names another cluster leaves the lists as they
    /// are: protocol.md 2.9.)
    mutating func removeGroup(_ id: GroupID, from cluster: ClusterID?, at tick: UInt64) {
        precondition(groups[id.index].slots.isEmpty, "group \(id.number) still has \(groups[id.index].slots)")
        for topic in topics(of: id) { removeEntry(of: id, from: topic, at: tick) }
        removeMappings(registeredBy: id, at: tick)
        let home = groups[id.index].cluster
        groups[id.index] = BrokerGroup()
        groups[id.index].changedAt = tick
        groupCount -= 1
        if let cluster { unlist(id, from: cluster) }
        clusterNames.release(home)
        groupNames.release(id)
    }

    /// Adds the broker name to the cluster's list.
    mutating func list(_ group: GroupID, in cluster: ClusterID) {
        while clusters.count <= cluster.index { clusters.append(Cluster()) }
        let place = clusters[cluster.index].groups.firstIndex { !($0 < group) } ?? clusters[cluster.index].groups.count
        if place < clusters[cluster.index].groups.count, clusters[cluster.index].groups[place] == group { return }
        if clusters[cluster.index].groups.isEmpty {
            clusterNames.retain(cluster)
            clusterCount += 1
        }
        clusters[cluster.index].groups.insert(group, at: place)
        groupNames.retain(group)
    }

    func isListed(_ group: GroupID, in cluster: ClusterID) -> Bool {
        cluster.index < clusters.count && clusters[cluster.index].groups.contains(group)
    }

    /// Takes the broker name off every cluster's list, if `cluster` is one of those that have it.
    mutating func unlist(_ group: GroupID, from cluster: ClusterID) {
        guard isListed(group, in: cluster) else { return }
        for index in clusters.indices {
            guard let place = clusters[index].groups.firstIndex(of: group) else { continue }
            clusters[index].groups.remove(at: place)
            if clusters[index].groups.isEmpty {
                clusterCount -= 1
                clusterNames.release(ClusterID(number: UInt32(index)))
            }
            groupNames.release(group)
        }
    }

    /// Puts the replica into its slot; whoever held the slot loses it.
    mutating func setSlot(_ slot: ReplicaSlot, in id: GroupID) {
        removeSlots(in: id) { $0.brokerID == slot.brokerID }
        let place =
            groups[id.index].slots.firstIndex { slot.brokerID < $0.brokerID } ?? groups[id.index].slots.count
        groups[id.index].slots.insert(slot, at: place)
        addressNames.retain(slot.address)
        clusterNames.retain(slot.cluster)
        while addresses.count <= slot.address.index { addresses.append(KnownAddress()) }
        if !addresses[slot.address.index].groups.contains(id) { addresses[slot.address.index].groups.append(id) }
    }

    /// Empties the slots for which `isGone` holds; says how many there were.
    @discardableResult
    mutating func removeSlots(in id: GroupID, where isGone: (ReplicaSlot) -> Bool) -> Int {
        var removed = 0
        var place = 0
        while place < groups[id.index].slots.count {
            let slot = groups[id.index].slots[place]
            guard isGone(slot) else {
                place += 1
                continue
            }
            groups[id.index].slots.remove(at: place)
            removed += 1
            if !groups[id.index].slots.contains(where: { $0.address == slot.address }) {
                addresses[slot.address.index].groups.removeAll { $0 == id }
            }
            clusterNames.release(slot.cluster)
            addressNames.release(slot.address)
        }
        return removed
    }

    /// A change that routes show: addresses, acting master, zone, filter servers.
    mutating func groupChanged(_ id: GroupID, at tick: UInt64) {
        groups[id.index].changedAt = tick
        groups[id.index].revisedAt = tick
    }
}
