import Basics

/// How a network path is, in one direction.
public struct LinkConditions: Hashable, Sendable {
    /// Shortest time from end to end, in nanoseconds.
    public var latency: Int64 = 200_000
    /// Added to it, evenly drawn from 0 to this.
    public var jitter: Int64 = 100_000
    /// Bytes per second.
    public var bandwidth: Int64 = 125_000_000
    /// Packets lost, per mille: TCP sends them again, so to the receiver they are late.
    public var lossPerMille = 0
    /// Whole gossip frames lost, per mille. TCP never does this; the gossip core must survive it anyway.
    public var frameDropPerMille = 0
    /// Whole gossip frames that arrive twice, per mille.
    public var frameDoublePerMille = 0
    /// Whole gossip frames that may be overtaken, per mille.
    public var frameDelayPerMille = 0

    /// A good local network.
    public init() {}
}

/// The path from one host to another, shared by all connections between them.
final class Link {
    var conditions: LinkConditions
    /// How many faults cut it at the moment; 0 = it carries packets.
    var cuts = 0
    /// Nothing arrives before this true time.
    var stalledUntil: Int64 = 0
    /// When the line is free for the next byte.
    private var busyUntil: Int64 = 0

    init(_ conditions: LinkConditions) { self.conditions = conditions }

    /// When `bytes` sent now arrive.
    func arrival(of bytes: Int, now: Int64, random: inout SeededGenerator) -> Int64 {
        let start = max(now, busyUntil)
        busyUntil = start + Int64(bytes) * 1_000_000_000 / conditions.bandwidth
        var arrival = busyUntil + conditions.latency
        if conditions.jitter > 0 { arrival += Int64(random.next() % UInt64(conditions.jitter + 1)) }
        if conditions.lossPerMille > 0 {
            var timeout = Retransmission.first
            while Int(random.next() % 1_000) < conditions.lossPerMille, timeout < Retransmission.longest {
                arrival += timeout
                timeout *= 2
            }
        }
        return arrival
    }

    /// Whether an event of this many per mille happens.
    static func happens(_ perMille: Int, _ random: inout SeededGenerator) -> Bool {
        perMille > 0 && Int(random.next() % 1_000) < perMille
    }
}

/// TCP's patience, as on Linux.
enum Retransmission {
    static let first: Int64 = 200_000_000
    static let longest: Int64 = 120_000_000_000
    /// Without an acknowledgement for this long (15 doublings), the connection ends with ETIMEDOUT.
    static let limit: Int64 = 924_600_000_000

    /// For a connection that its process has closed or left behind: 8 doublings (`tcp_orphan_retries`).
    static let orphanLimit: Int64 = 102_200_000_000

    /// When TCP tries next, after it first failed at `start`.
    static func next(after now: Int64, since start: Int64) -> Int64 {
        var time = start
        var wait = first
        while time <= now {
            time += wait
            wait = min(2 * wait, longest)
        }
        return time
    }

    /// A SYN is repeated after 1, 2, 4 ... seconds.
    static func nextConnect(after now: Int64, since start: Int64) -> Int64 {
        var time = start
        var wait: Int64 = 1_000_000_000
        while time <= now {
            time += wait
            wait *= 2
        }
        return time
    }
}
