import Basics
import Remoting

// What the gossip layer asks of the tables. Only what this node heard itself is visible here, and no residue.

extension NameServer {
    /// Every first-hand entry, by number.
    public var firstHandTokens: [ReplicaToken] {
        tables.live.indices.compactMap { tables.live[$0].isInUse ? ReplicaToken(number: UInt32($0)) : nil }
    }

    /// The first-hand entry of a replica, whether or not another has taken its place in the group; nil for none.
    public func token(of replica: ReplicaIdentity) -> ReplicaToken? {
        let live = replica.cluster.withBytes { cluster in
            replica.address.withBytes { tables.live(clusterName: cluster, addressText: $0) }
        }
        guard let live, tables.live[live.index].brokerID == replica.id else { return nil }
        let name = tables.groupNames.bytes(of: tables.live[live.index].group)
        return name.isSame(as: replica.name) ? live.token : nil
    }

    /// When and how the replica was last heard; nil when it has no first-hand entry.
    public func hearing(of replica: ReplicaToken) -> ReplicaHearing? {
        guard let live = live(replica) else { return nil }
        let entry = tables.live[live.index]
        return ReplicaHearing(
            lastHeard: entry.lastHeard, registeredAt: entry.registeredAt, isConnected: entry.connection != 0,
            interval: .nanoseconds(entry.interval), timeout: .nanoseconds(entry.timeout))
    }

    /// What the replica registered, without its topics; nil when it has no first-hand entry, and without tracking.
    ///
    /// Takes a walk over the topics only if the group was changed by others since the replica registered.
    public func summary(of replica: ReplicaToken) -> RegistrationSummary? {
        guard let live = live(replica), let image = firstHand?.images[live.index] else { return nil }
        let entry = tables.live[live.index]
        return RegistrationSummary(
            identity: identity(of: live), haAddress: entry.haAddress, zone: image.zone,
            actingMaster: entry.actingMaster, timeoutMillis: entry.timeout / 1_000_000,
            version: RegistrationVersion(
                stateVersion: entry.dataVersion.stateVersion, timestamp: entry.dataVersion.timestamp,
                counter: entry.dataVersion.counter),
            registrationHash: image.registrationHash, topicCount: image.entries.count,
            residueCount: residueCount(of: live))
    }

    /// At least the bytes that `encodeImages` writes for this replica alone; runs of several are not longer than the sum.
    /// 0 when it has no first-hand entry.
    public func imageSize(of replica: ReplicaToken) -> Int {
        guard let live = live(replica), let image = firstHand?.images[live.index] else { return 0 }
        return image.encodedBytes + RegistrationImage.countBytes
    }

    /// Appends the registration images of the replicas, in this order, as one run (`ImageCoding`). One without a
    /// first-hand entry has an empty image.
    public func encodeImages(of replicas: [ReplicaToken], into output: inout ByteWriter) {
        var encoder = ImageEncoder()
        for replica in replicas {
            guard let live = live(replica), let image = firstHand?.images[live.index] else {
                encoder.beginReplica(topics: 0)
                continue
            }
            encoder.beginReplica(topics: image.entries.count)
            for entry in image.entries {
                encoder.add(
                    entry.value, number: entry.topic.number, name: tables.topicNames.bytes(of: entry.topic))
            }
        }
        encoder.finish(into: &output)
    }

    /// The live entry of a token; nil when there is none.
    func live(_ replica: ReplicaToken) -> LiveID? {
        let live = LiveID(number: replica.number)
        return live.index < tables.live.count && tables.live[live.index].isInUse ? live : nil
    }
}
