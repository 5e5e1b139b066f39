import Basics

/// What is known of the difference between a peer's clock and ours, and whether either of them stood still.
///
/// A frozen clock (a paused virtual machine, a suspended host) runs at no rate between 1-r and 1+r, so the age bounds
/// do not cover it. But it shifts the difference of the two clocks for ever, and every exchange measures that
/// difference: the peer's reading a lies between our readings q (request sent) and p (answer received), so that peer
/// minus ours is between a-p and a-q. A measurement that does not meet the earlier ones, widened by possible drift,
/// proves a stall. Kept per peer and incarnation. A loss shorter than the interval is wide (about the shortest round
/// trip) stays unseen.
public struct ClockOffset: Hashable, Sendable {
    /// What one exchange showed.
    public enum Finding: Hashable, Sendable {
        /// Both clocks may have run as they should.
        case consistent
        /// The peer's clock lost more than nothing and at most this: add it to every age it reported or reports from
        /// before.
        case peerStalled(atMost: Duration)
        /// Our own clock did: add it to every age we hold or report from before.
        case weStalled(atMost: Duration)
    }

    /// Peer's clock minus ours is at least this, as of the last exchange; nanoseconds.
    public private(set) var lowest: Int64
    /// Peer's clock minus ours is at most this.
    public private(set) var highest: Int64
    /// The peer's clock when it first answered us.
    public let firstContact: Instant
    private var asOf: Instant

    /// The first exchange with a peer: it read `peer` between our `sent` and `received`.
    ///
    /// Nil when the peer's reading is negative or beyond 2^62 (146 years), which no clock shows.
    public init?(peer: Instant, sent: Instant, received: Instant) {
        guard let interval = ClockOffset.interval(peer: peer, sent: sent, received: received) else { return nil }
        (lowest, highest) = (interval.lowerBound, interval.upperBound)
        firstContact = peer
        asOf = sent
    }

    /// Takes in a further exchange, in the order of their sending; nil and no change when the peer's reading is absurd.
    public mutating func observe(peer: Instant, sent: Instant, received: Instant) -> Finding? {
        guard let new = ClockOffset.interval(peer: peer, sent: sent, received: received) else { return nil }
        precondition(sent >= asOf, "exchange sent at \(sent.nanoseconds) after one at \(asOf.nanoseconds)")
        let elapsed = received.nanoseconds - asOf.nanoseconds
        let drift = (elapsed / 1_000_000 + 1) * ClockOffset.relativeDriftPPM
        let (low, high) = (lowest.addingSaturated(-drift), highest.addingSaturated(drift))
        asOf = sent
        if new.upperBound < low {
            (lowest, highest) = (new.lowerBound, new.upperBound)
            return .peerStalled(atMost: .nanoseconds(high.addingSaturated(-new.lowerBound)))
        }
        if new.lowerBound > high {
            (lowest, highest) = (new.lowerBound, new.upperBound)
            // While we stood still the peer's clock, which measured the loss, may have run slow, and `elapsed` missed
            // it.
            let shift = new.upperBound.addingSaturated(-low)
            return .weStalled(atMost: .nanoseconds(ClockRate.lengthened(shift, ppm: 2 * ClockRate.driftPPM)))
        }
        (lowest, highest) = (max(low, new.lowerBound), min(high, new.upperBound))
        return .consistent
    }

    /// Whether an event that the peer, its clock at `reading`, calls `age` old came after our first contact.
    ///
    /// Only such evidence may be adopted: a stall from before we met cannot be seen.
    public func isAfterFirstContact(age: Duration, reading: Instant) -> Bool {
        age >= .zero && reading.nanoseconds.addingSaturated(-age.wholeNanoseconds) >= firstContact.nanoseconds
    }

    /// Two clocks drift apart by 2r of true time, 2r/(1-r) of ours: 1,000.5 parts per million, rounded up.
    private static let relativeDriftPPM = 2 * ClockRate.driftPPM + 1

    private static func interval(peer: Instant, sent: Instant, received: Instant) -> ClosedRange<Int64>? {
        precondition(received >= sent, "answer at \(received.nanoseconds) to a request at \(sent.nanoseconds)")
        guard (0...(1 << 62)).contains(peer.nanoseconds) else { return nil }
        let slack = ClockRate.readingSlack.wholeNanoseconds
        let low = peer.nanoseconds.addingSaturated(-received.nanoseconds).addingSaturated(-slack)
        let high = peer.nanoseconds.addingSaturated(-sent.nanoseconds).addingSaturated(slack)
        return low...high
    }
}
