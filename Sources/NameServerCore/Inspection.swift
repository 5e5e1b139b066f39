import Basics

// Read-only looks at the tables, for the simulator's checks and for tests. Nothing here is used to serve a request.

extension NameServer {
    /// Grows with every change of what is served; a repeated heartbeat changes nothing.
    public var tableTick: UInt64 { tables.now &+ UInt64(hearsay.count) << 32 }

    /// Whether routes and cluster views name the replica at this address, first-hand or learned.
    public func serves(_ replica: ReplicaIdentity) -> Bool {
        guard let group = replica.name.withBytes({ shownGroup(named: $0) }) else { return false }
        return shownSlots(of: group).contains { $0.brokerID == replica.id && $0.address == replica.address }
    }

    /// Every replica that routes and cluster views name, as `name:id at address`, by group name and id.
    public var served: [String] {
        sortedShownGroups().flatMap { group in
            let name = String(decoding: name(of: group), as: UTF8.self)
            return shownSlots(of: group).map { "\(name):\($0.brokerID) at \($0.address)" }
        }
    }
}

extension LearnedTable {
    /// For `PlantedBug.learnedAnswersQuery`: whether a replica at this address of the cluster is learned.
    func names(address: UnsafeRawBufferPointer, of cluster: UnsafeRawBufferPointer) -> Bool {
        entries.contains { entry in
            guard let identity = entry?.identity else { return false }
            return identity.cluster.withBytes { $0.isSame(as: cluster) }
                && identity.address.withBytes { $0.isSame(as: address) }
        }
    }
}
