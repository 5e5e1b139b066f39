/// Which replica of which broker group: what a NameServer keeps one live entry for.
public struct ReplicaIdentity: Hashable, Sendable {
    /// The cluster it registered under.
    public var cluster: String
    /// The broker name, shared by its group.
    public var name: String
    /// 0 is the master.
    public var id: Int64
    /// Where clients find it.
    public var address: String

    /// Puts the parts together.
    public init(cluster: String, name: String, id: Int64, address: String) {
        self.cluster = cluster
        self.name = name
        self.id = id
        self.address = address
    }

    /// `broker-a:0 at 10.0.0.1:10911`, as events and alarms say it.
    public var label: String { "\(name):\(id) at \(address)" }
}

/// The number of a replica's live entry in one node's tables; reused after the entry is gone, and never seen outside the node.
public struct ReplicaToken: Hashable, Sendable {
    /// Dense, starting at 0.
    public var number: UInt32

    /// Wraps a number.
    @inlinable public init(number: UInt32) { self.number = number }
}
