/// What a node may do with what its peers tell it; each mode may do all that the one before may.
public enum GossipMode: UInt8, Hashable, Comparable, Sendable, CaseIterable {
    /// Nothing: no socket, no comparison.
    case off = 0
    /// Compare and report; every answer to brokers and clients is what it would be without gossip.
    case observe = 1
    /// Also put off a removal while a peer provably heard the broker recently.
    case protect = 2
    /// Also fill gaps with registrations learned from peers.
    case replicate = 3

    /// As cluster.yaml spells it.
    public var name: String { ["off", "observe", "protect", "replicate"][Int(rawValue)] }

    /// Reads what cluster.yaml spells.
    public init?(name: String) {
        guard let mode = GossipMode.allCases.first(where: { $0.name == name }) else { return nil }
        self = mode
    }

    /// Less may do less.
    public static func < (left: GossipMode, right: GossipMode) -> Bool { left.rawValue < right.rawValue }
}
