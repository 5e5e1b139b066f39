import Basics
import Remoting

/// The number of a live entry; reused after the entry is removed.
struct LiveID: Hashable, Sendable {
    var number: UInt32
    var index: Int { Int(number) }
}

/// What a replica told in its last accepted registration and when it was heard, RocketMQ's BrokerLiveInfo.
///
/// The key is (cluster, address). The first block is all that a heartbeat looks at.
struct LiveEntry {
    var lastHeard: Instant = .zero
    /// Nanoseconds of silence after which the replica is taken for dead; 0 or less: at the next scan.
    var timeout: Int64 = 0
    /// Nanoseconds between two signs of life, as observed; see `ReplicaHearing.interval`.
    var interval: Int64 = 0
    var brokerID: Int64 = 0
    /// The body of the last accepted registration; nil when a repeated one is not to be taken for a heartbeat.
    var fingerprint: BodyFingerprint?
    var layout = BodyLayout(version: 0, isCompressed: false)
    /// `BrokerGroup.revisedAt` after the last accepted registration was applied.
    var revisedAt: UInt64 = 0
    /// `enableActingMaster` as given: nil marks a 4.x broker.
    var actingMaster: Bool?
    /// `heartbeatTimeoutMillis` as given.
    var givenTimeout: Int64?
    var haAddress: String?
    /// The address once more, as text: slaves are told their master's with each heartbeat.
    var addressText = ""

    var cluster = ClusterID(number: 0)
    var address = AddressID(number: 0)
    var group = GroupID(number: 0)
    var isInUse = false

    /// The connection of the last registration; 0 for none.
    var connection: UInt64 = 0
    /// A connection that carried an earlier registration of this replica, so that what still comes over it is late; 0
    /// for none.
    var formerConnection: UInt64 = 0
    var nextWithAddress: LiveID?
    var nextOnConnection: LiveID?
    var previousOnConnection: LiveID?

    /// The number of the registration whose topics are entering the tables (`RegistrationUnderWay`); 0 for none.
    var underWay: UInt64 = 0

    var registeredAt: Instant = .zero
    var dataVersion = DataVersion.zero
    var filterServers: [String] = []
    /// How many topics the last registration named.
    var topicCount = 0
    /// The topics of the last registration that was applied, in its order: a hint where to find the same names in the
    /// next one without hashing them. The numbers hold no references, so each is checked by name before use.
    var topicSequence: ContiguousArray<TopicID> = []

    /// Until when a peer's word keeps the entry; `.never` for not at all.
    var heldUntil = Instant.never
    /// When the entry goes because its connection has closed; `.distantFuture` while it has not.
    var graceEnd = Instant.distantFuture

    /// A sign of life.
    @inline(__always)
    mutating func heard(at now: Instant) {
        let gap = now.nanoseconds &- lastHeard.nanoseconds
        lastHeard = now
        guard gap >= timeout / 40 else { return }
        interval = max(timeout / 12, min(timeout / 2, interval &+ (gap &- interval) / 4))
    }
}

/// What besides its bytes decides how a registration body is read.
struct BodyLayout: Hashable, Sendable {
    var version: Int32
    var isCompressed: Bool
}

extension RouteTables {
    /// The live entry of (cluster, address).
    func live(cluster: ClusterID, address: AddressID) -> LiveID? {
        guard address.index < addresses.count else { return nil }
        var next = addresses[address.index].firstLive
        while let id = next, live[id.index].cluster != cluster { next = live[id.index].nextWithAddress }
        return next
    }

    /// The live entry of (cluster, address), from a request's bytes.
    func live(clusterName: UnsafeRawBufferPointer, addressText: UnsafeRawBufferPointer) -> LiveID? {
        guard let address = addressNames.lookup(addressText), address.index < addresses.count else { return nil }
        // Walking the address's entries and comparing the cluster's name saves hashing it.
        var next = addresses[address.index].firstLive
        while let id = next, !clusterNames.bytes(of: live[id.index].cluster).isSame(as: clusterName) {
            next = live[id.index].nextWithAddress
        }
        return next
    }

    /// A new live entry for (cluster, address), which must not have one.
    mutating func createLive(cluster: ClusterID, address: AddressID, group: GroupID) -> LiveID {
        let id: LiveID
        if let reused = unusedLive.popLast() {
            id = reused
        } else {
            id = LiveID(number: UInt32(live.count))
            live.append(LiveEntry())
        }
        live[id.index].isInUse = true
        live[id.index].cluster = cluster
        live[id.index].address = address
        live[id.index].group = group
        live[id.index].addressText = addressNames.text(of: address)
        clusterNames.retain(cluster)
        addressNames.retain(address)
        groupNames.retain(group)
        while addresses.count <= address.index { addresses.append(KnownAddress()) }
        live[id.index].nextWithAddress = addresses[address.index].firstLive
        addresses[address.index].firstLive = id
        return id
    }

    /// Notes that the entry's address registered under another broker name.
    mutating func rename(_ id: LiveID, to group: GroupID) {
        groupNames.retain(group)
        groupNames.release(live[id.index].group)
        live[id.index].group = group
    }

    /// Forgets the live entry; the replica's slot and queues are another matter.
    mutating func removeLive(_ id: LiveID) {
        let entry = live[id.index]
        precondition(entry.isInUse, "live entry \(id.number) is not in use")
        bind(id, to: 0)
        expiry.remove(id)
        closing.remove(id)
        silence?.remove(id)
        holds[id] = nil
        if !entry.filterServers.isEmpty { filterServerCount -= 1 }
        if addresses[entry.address.index].firstLive == id {
            addresses[entry.address.index].firstLive = entry.nextWithAddress
        } else {
            var previous = addresses[entry.address.index].firstLive
            while let other = previous, live[other.index].nextWithAddress != id {
                previous = live[other.index].nextWithAddress
            }
            guard let previous else { preconditionFailure("live entry \(id.number) is not with its address") }
            live[previous.index].nextWithAddress = entry.nextWithAddress
        }
        live[id.index] = LiveEntry()
        unusedLive.append(id)
        clusterNames.release(entry.cluster)
        addressNames.release(entry.address)
        groupNames.release(entry.group)
    }

    /// Binds the entry to the connection of its last registration (protocol.md 4.3); 0 unbinds it.
    mutating func bind(_ id: LiveID, to connection: UInt64) {
        let old = live[id.index].connection
        guard old != connection else { return }
        if old != 0 {
            let next = live[id.index].nextOnConnection
            let previous = live[id.index].previousOnConnection
            if let next { live[next.index].previousOnConnection = previous }
            if let previous { live[previous.index].nextOnConnection = next } else { bindings[old] = next }
            live[id.index].nextOnConnection = nil
            live[id.index].previousOnConnection = nil
        }
        live[id.index].connection = connection
        guard connection != 0 else { return }
        live[id.index].formerConnection = old
        if live[id.index].isClosing {
            live[id.index].graceEnd = .distantFuture
            closing.remove(id)
        }
        if let first = bindings.updateValue(id, forKey: connection) {
            live[id.index].nextOnConnection = first
            live[first.index].previousOnConnection = id
        }
    }

    /// The live entries bound to the connection.
    func live(on connection: UInt64) -> [LiveID] {
        var found: [LiveID] = []
        var next = bindings[connection]
        while let id = next {
            found.append(id)
            next = live[id.index].nextOnConnection
        }
        return found
    }
}
