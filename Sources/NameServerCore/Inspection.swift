import Basics

// Read-only looks at the tables, for the simulator's checks and for tests. Nothing here is used to serve a request.

extension NameServer {
    /// Grows with every change of the tables; a repeated heartbeat changes nothing.
    public var tableTick: UInt64 { tables.now }

    /// When the replica was last heard by this node itself; nil when it has no live entry under exactly this identity.
    public func lastHeard(of replica: ReplicaIdentity) -> Instant? {
        let cluster = replica.cluster.withBytes { tables.clusterNames.lookup($0) }
        let address = replica.address.withBytes { tables.addressNames.lookup($0) }
        guard let cluster, let address, let live = tables.live(cluster: cluster, address: address) else { return nil }
        let entry = tables.live[live.index]
        guard entry.brokerID == replica.id, tables.groupNames.text(of: entry.group) == replica.name else { return nil }
        return entry.lastHeard
    }

    /// Whether routes and cluster views name the replica at this address.
    public func serves(_ replica: ReplicaIdentity) -> Bool {
        let address = replica.address.withBytes { tables.addressNames.lookup($0) }
        guard let address, let group = replica.name.withBytes({ tables.group(named: $0) }) else { return false }
        return tables.groups[group.index].slots.contains { $0.brokerID == replica.id && $0.address == address }
    }

    /// Every replica that routes and cluster views name, by group name and id.
    public var served: [ReplicaIdentity] {
        sortedGroups().flatMap { group in
            tables.groups[group.index].slots.map { slot in
                ReplicaIdentity(
                    cluster: tables.clusterNames.text(of: slot.cluster), name: tables.groupNames.text(of: group),
                    id: slot.brokerID, address: tables.addressNames.text(of: slot.address))
            }
        }
    }
}
