/// Something that goes wrong, or that somebody does. Durations are in scenario time.
public enum Fault: Hashable, Sendable {
    // MARK: Links. Until the fault ends, unless said otherwise.

    /// Nothing gets through, and nobody is told: what is sent meanwhile arrives after the end, as TCP sends it again.
    case cut([Link])
    /// Everything takes so much longer, give or take a drawn part of `jitter`.
    case delay([Link], by: Duration, jitter: Duration)
    /// Packets are lost, per mille; TCP sends them again, so applications see delay.
    case loss([Link], perMille: Int)
    /// Gossip frames arrive twice, per mille. Simulated driver only: TCP never does that to its users.
    case duplicate([Link], perMille: Int)
    /// So many bytes a second get through, in real time.
    case bandwidth([Link], bytesPerSecond: Int)
    /// Every open connection between the two ends of each link is reset, once.
    case reset([Link])
    /// Every open connection between the two ends goes dead silently; new ones work. Once.
    case halfOpen([Link])

    // MARK: Processes

    /// kill -9; with an end, it starts again then. A node's KV configuration stays on its disk when `keepsState`.
    case kill([Party], keepsState: Bool)
    /// Ended in order (SIGTERM; a broker unregisters); with an end, it starts again then.
    case stop([Party])
    /// The machine loses power: no FIN, no reset; with an end, the process starts again then.
    case powerLoss([Party])
    /// The process stands still (SIGSTOP) until the end.
    case pause([Party])

    // MARK: Clocks

    /// The wall clock jumps, once.
    case clockJump([Party], by: Duration)
    /// The clock runs faster (or slower), parts per million. Simulated driver only.
    case clockDrift([Party], perMillion: Int)

    // MARK: Brokers

    /// The broker comes back at another address, once: killed, and started elsewhere.
    case move(broker: Int)
    /// The broker's goodbye reaches only these nodes, once; the broker ends without a word to the others.
    case unregister(broker: Int, at: [Int])
    /// An unregistration of the broker, by somebody else or late, reaches these nodes while it lives. Once.
    case strayUnregister(broker: Int, at: [Int])
    /// The broker creates a topic with 4 queues. Once.
    case createTopic(broker: Int, name: String)

    // MARK: Operators

    /// PUT_KV_CONFIG at these nodes only, once.
    case putKeyValue(namespace: String, key: String, value: String, at: [Int])
    /// DELETE_KV_CONFIG at these nodes only, once.
    case deleteKeyValue(namespace: String, key: String, at: [Int])
    /// WIPE_WRITE_PERM of a broker group at these nodes only, once.
    case wipeWritePermission(group: String, at: [Int])
    /// Durable writes fail until the end.
    case diskFull([Int])
}

/// A fault with its time.
public struct PlannedFault: Hashable, Sendable {
    /// Its number in the file, from 1; the parts of a repeated fault (`every`) share it.
    public var number: Int
    /// When it begins, counted from the moment when everybody is up and agrees.
    public var start: Duration
    /// When it ends; nil for what happens once, or stays to the end.
    public var end: Duration?
    /// What.
    public var fault: Fault
    /// As people say it, for progress, the history and the report: `cut broker-a:0 → ns-2`.
    public var text: String
}

/// Something that must hold in the arms named.
public struct Check: Hashable, Sendable {
    /// What is looked at.
    public var figure: Figure
    /// In which arms, at least one.
    public var arms: [Arm]
    /// The bound.
    public var bound: Bound
    /// As written, for the report.
    public var text: String

    /// What the figure must be.
    public enum Bound: Hashable, Sendable {
        /// Not more; a figure that has no value (never converged, never noticed) violates it.
        case atMost(Double)
        /// Not less.
        case atLeast(Double)
        /// Not more than in another arm, times a factor.
        case atMostOf(Arm, factor: Double)
    }
}
