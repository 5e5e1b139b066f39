/// How far a node's word counts. Its peers trust only a ready one; it starts warming.
public enum NodeState: UInt8, Hashable, Sendable, CaseIterable {
    /// Started, and not yet sure to have heard of every broker: no witness, and nobody's source of a snapshot.
    case warming = 0
    /// Its table is complete as far as it can know.
    case ready = 1
    /// Cut off: all peers silent, and most brokers late at once.
    case isolated = 2
    /// About to stop.
    case draining = 3

    /// In lower case, as status shows it.
    public var name: String { ["warming", "ready", "isolated", "draining"][Int(rawValue)] }
}
