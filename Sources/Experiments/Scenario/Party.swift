/// Somebody in an experiment: a node, a broker replica or a client.
public enum Party: Hashable, Sendable {
    /// A NameServer, from 0.
    case node(Int)
    /// A broker replica: an index into `Scenario.replicas`.
    case broker(Int)
    /// A client: an index into `Scenario.clients`.
    case client(Int)
}

/// Traffic from one party to another; the other way is another link.
public struct Link: Hashable, Sendable {
    /// Who sends.
    public var from: Party
    /// Who is to receive.
    public var to: Party

    /// One direction.
    public init(from: Party, to: Party) { (self.from, self.to) = (from, to) }

    /// The opposite direction.
    public var reversed: Link { Link(from: to, to: from) }
}
