/// A broker replica as nodes tell them apart: group and id.
public struct ReplicaKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The group.
    public var name: String
    /// 0 = master.
    public var id: Int64

    /// Puts the two together.
    public init(name: String, id: Int64) {
        self.name = name
        self.id = id
    }

    /// By name, then by id.
    public static func < (left: ReplicaKey, right: ReplicaKey) -> Bool {
        (left.name, left.id) < (right.name, right.id)
    }

    /// `broker-a:0`.
    public var description: String { "\(name):\(id)" }
}

/// What one node knows of a broker replica. Times are ages in milliseconds.
public enum ReplicaSight: Hashable, Sendable {
    /// The node does not answer.
    case unknown
    /// The node answers and does not list the broker.
    case missing
    /// A NameServer that tells no ages lists the broker.
    case listed
    /// The node heard it this many milliseconds ago, and drops it after `timeout` milliseconds.
    case heard(milliseconds: Int64, timeout: Int64)
    /// As `heard`, and kept `held` milliseconds longer (nil: not said) because a peer hears it.
    case protected(milliseconds: Int64, timeout: Int64, held: Int64?)
    /// Not heard by the node; `origin` told it, who heard it `milliseconds` ago.
    case learned(milliseconds: Int64?, origin: String?, isProvisional: Bool)

    /// Whether clients of the node are sent to the broker; nil when nobody can say.
    public var isServed: Bool? {
        switch self {
        case .unknown: nil
        case .missing: false
        case .listed, .heard, .protected, .learned: true
        }
    }

    /// How long ago the node itself heard the broker, and after what silence it drops it; nil when it does not say.
    var firstHand: (age: Int64, timeout: Int64)? {
        switch self {
        case .unknown, .missing, .listed, .learned: nil
        case .heard(let age, let timeout), .protected(let age, let timeout, _): (age, timeout)
        }
    }

    /// Whether the node heard the broker from nobody but a peer, or not at all.
    var isNotFirstHand: Bool {
        switch self {
        case .missing, .learned: true
        case .unknown, .listed, .heard, .protected: false
        }
    }
}

/// When a broker is late: gossip.md 2.3, for brokers whose heartbeat interval is not known but is a quarter of their
/// timeout (30 s of 120 s, RocketMQ's defaults).
enum Lateness {
    /// The age in milliseconds above which a broker is late.
    static func limit(timeout: Int64) -> Int64 { timeout / 16 * 5 }
    /// How much fresher another node's hearing must be for the silence to be the link's and not the broker's.
    static func margin(timeout: Int64) -> Int64 { timeout / 16 * 3 }
}
