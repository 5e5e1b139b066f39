import Basics

/// Between which two readings of this node's own clock an event on another node can have happened.
///
/// Nodes tell each other ages, never times; an age is charged with the whole round trip and with what both clocks may
/// drift. The claim, proven in ALGORITHM.md: at every later moment the true age of the event is at most `ageHi` and at
/// least
/// `ageLo`. So evidence can only look older than it is, and nothing keeps a dead broker alive.
public struct AgeBound: Hashable, Sendable {
    /// The oldest the event can be, on this node's clock; decides over life.
    public private(set) var earliest: Instant
    /// The newest the event can be; used only to order it against tombstones.
    public private(set) var latest: Instant

    /// An event this node saw itself.
    public init(heardAt instant: Instant) {
        earliest = instant
        latest = instant
    }

    /// An event that a peer reported as `age` old, in the answer to a request of ours.
    ///
    /// - Parameters:
    ///   - age: as the peer measured it when it answered, rounded up (`reportedAge`).
    ///   - roundTrip: from our sending the request to our receiving the answer, on our clock.
    ///   - receivedAt: our clock at the receipt.
    ///
    /// Nil when the age or the round trip is negative or longer than `ClockRate.longestAge`: such a report is no
    /// evidence.
    public init?(age: Duration, roundTrip: Duration, receivedAt: Instant) {
        let valid = Duration.zero...ClockRate.longestAge
        guard valid.contains(age), valid.contains(roundTrip) else { return nil }
        let (age, unit) = (age.wholeNanoseconds, ClockRate.ageUnit.wholeNanoseconds)
        let transit = planted(.dropRoundTrip) ? 0 : roundTrip.wholeNanoseconds
        let oldest = ClockRate.lengthened(age + transit, ppm: 4 * ClockRate.driftPPM) + unit
        let newest =
            ClockRate.shortened(planted(.newestChargedToo) ? age + transit : age, ppm: 4 * ClockRate.driftPPM) - unit
        earliest = Instant(nanoseconds: receivedAt.nanoseconds.addingSaturated(-oldest))
        latest = Instant(nanoseconds: receivedAt.nanoseconds.addingSaturated(-newest))
    }

    /// At least the event's true age when this node's clock reads `now`.
    public func ageHi(at now: Instant) -> Duration {
        precondition(now >= earliest, "age at \(now.nanoseconds) of an event after \(earliest.nanoseconds)")
        return .nanoseconds(ClockRate.lengthened(elapsed(from: earliest, to: now), ppm: 2 * ClockRate.driftPPM))
    }

    /// At most the event's true age when this node's clock reads `now`; never negative.
    public func ageLo(at now: Instant) -> Duration {
        .nanoseconds(ClockRate.shortened(max(0, elapsed(from: latest, to: now)), ppm: 2 * ClockRate.driftPPM))
    }

    /// Takes in another report, of the same event or of another one: afterwards the bounds are those of the newest
    /// event.
    ///
    /// Commutative, associative, idempotent: reports may come in any order and any number of times.
    public mutating func merge(_ other: AgeBound) {
        earliest = max(earliest, other.earliest)
        latest = max(latest, other.latest)
    }

    /// Makes the event older by the time a frozen clock may have lost (`ClockOffset`); it may also have lost none.
    public mutating func age(by stall: Duration) {
        precondition(stall >= .zero, "evidence made younger by \(stall)")
        earliest = Instant(nanoseconds: earliest.nanoseconds.addingSaturated(-stall.wholeNanoseconds))
    }

    /// Whether this event surely came after `other`, with both bounds on this node's clock.
    public func isSurelyAfter(_ other: AgeBound) -> Bool { earliest > other.latest }

    /// What to tell a peer about an event heard first-hand: its age on our own clock, rounded up to
    /// `ClockRate.ageUnit`.
    public static func reportedAge(heardAt instant: Instant, now: Instant) -> Duration {
        precondition(now >= instant, "age at \(now.nanoseconds) of an event at \(instant.nanoseconds)")
        let unit = ClockRate.ageUnit.wholeNanoseconds
        return .nanoseconds((now.nanoseconds - instant.nanoseconds + unit - 1) / unit * unit)
    }

    private func elapsed(from earlier: Instant, to later: Instant) -> Int64 {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? .max : difference
    }
}
