import Basics
import GossipCore

/// One node tells another, over a bad network and with drifting clocks, how long ago it heard a broker. The simulation
/// knows the true times and checks the bounds after every delivery and long after the last one.
struct AgeSimulation {
    /// How the asking node turns a report into a bound: as built, or with a planted bug.
    enum Rule: CaseIterable {
        case asBuilt
        case withoutRoundTrip
        case withoutWidening
        /// A duplicate is adopted at its own receipt but charged the round trip of the first copy.
        case roundTripOfFirstCopy
        /// The peer's reading is taken for one of ours.
        case comparesReadings
        /// The lower bound charged like the upper one: safe for life, wrong against tombstones.
        case lowerBoundChargedWithRoundTrip
    }

    struct Violation: CustomStringConvertible {
        let seed: UInt64
        let time: Int64
        let trueAge: Int64
        let ageLo: Int64
        let ageHi: Int64
        var description: String {
            "seed \(seed), true time \(time) ns: age \(trueAge) not in [\(ageLo), \(ageHi)]"
        }
    }

    private struct Reply {
        let arrival: Int64
        let sent: Instant
        let firstArrival: Int64
        let age: Duration
        let eventReading: Instant
        let event: Int64
    }

    private static let end: Int64 = 1_500_000_000_000

    /// The first violation of `ageLo` <= true age <= `ageHi` in the run of this seed, if any.
    static func run(seed: UInt64, rule: Rule) -> Violation? {
        var generator = SeededGenerator(seed: seed)
        let peer = DriftingClock(generator: &generator, end: end)
        let own = DriftingClock(generator: &generator, end: end)
        var bounds: Bounds?
        var newest: Int64 = 0
        let replies = replies(peer: peer, own: own, generator: &generator)
        for (position, reply) in replies.enumerated() {
            let adopted = Bounds(reply: reply, own: own, rule: rule)
            bounds = bounds.map { $0.merged(adopted) } ?? adopted
            newest = max(newest, reply.event)
            let next = position + 1 < replies.count ? replies[position + 1].arrival : end
            for time in [reply.arrival, (reply.arrival + next) / 2, next] {
                guard let bounds else { continue }
                let now = own.reading(at: time)
                let violation = Violation(
                    seed: seed, time: time, trueAge: time - newest, ageLo: bounds.ageLo(now), ageHi: bounds.ageHi(now))
                if !(violation.ageLo...max(violation.ageLo, violation.ageHi)).contains(violation.trueAge) {
                    return violation
                }
            }
        }
        return nil
    }

    /// Heartbeats, requests, and the replies in the order of their arrival, with duplicates.
    private static func replies(
        peer: DriftingClock, own: DriftingClock, generator: inout SeededGenerator
    ) -> [Reply] {
        // A broker that dies early leaves long ages, in which drift adds up.
        let lastEvent = Int64.random(in: 0...end, using: &generator)
        var events: [Int64] = [0]
        while events[events.count - 1] < lastEvent {
            events.append(
                events[events.count - 1] + Int64.random(in: 1_000_000_000...60_000_000_000, using: &generator))
        }
        var replies: [Reply] = []
        var request: Int64 = 1_000_000
        while request < end / 2 {
            let received = request + delay(&generator)
            let event = events.last { $0 <= received } ?? 0
            let answered = received + (Bool.random(using: &generator) ? 0 : delay(&generator))
            let arrival = answered + delay(&generator)
            let copies = Int.random(in: 0..<4, using: &generator) == 0 ? 2 : 1
            for copy in 0..<copies {
                replies.append(
                    Reply(
                        arrival: arrival + (copy == 0 ? 0 : delay(&generator)), sent: own.reading(at: request),
                        firstArrival: arrival,
                        age: AgeBound.reportedAge(
                            heardAt: peer.reading(at: event), now: peer.reading(at: answered)),
                        eventReading: peer.reading(at: event), event: event))
            }
            request += Int64.random(in: 1_000_000...40_000_000_000, using: &generator)
        }
        return replies.sorted { $0.arrival < $1.arrival }
    }

    /// A fast network most of the time, a dreadful one now and then.
    private static func delay(_ generator: inout SeededGenerator) -> Int64 {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<7: Int64.random(in: 0...500_000, using: &generator)
        case 7..<9: Int64.random(in: 0...50_000_000, using: &generator)
        default: Int64.random(in: 0...30_000_000_000, using: &generator)
        }
    }

    /// The bounds on the newest event, by one of the rules.
    private struct Bounds {
        var bound: AgeBound
        /// For the rule without widening, which `AgeBound` cannot express.
        var plainEarliest: Instant
        let rule: Rule

        init(reply: Reply, own: DriftingClock, rule: Rule) {
            let received = own.reading(at: reply.arrival)
            var roundTrip = received - reply.sent
            var age = reply.age
            switch rule {
            case .asBuilt, .withoutWidening: break
            case .withoutRoundTrip: roundTrip = .zero
            case .roundTripOfFirstCopy: roundTrip = own.reading(at: reply.firstArrival) - reply.sent
            case .comparesReadings: age = max(.zero, min(received - reply.eventReading, ClockRate.longestAge))
            case .lowerBoundChargedWithRoundTrip: age += roundTrip
            }
            guard let bound = AgeBound(age: age, roundTrip: roundTrip, receivedAt: received) else {
                preconditionFailure("the simulation's ages are in range")
            }
            self.bound = bound
            self.rule = rule
            plainEarliest = received + (.zero - age - roundTrip)
        }

        func merged(_ other: Bounds) -> Bounds {
            var result = self
            result.bound.merge(other.bound)
            result.plainEarliest = max(plainEarliest, other.plainEarliest)
            return result
        }

        func ageLo(_ now: Instant) -> Int64 { bound.ageLo(at: now).wholeNanoseconds }

        func ageHi(_ now: Instant) -> Int64 {
            rule == .withoutWidening
                ? now.nanoseconds - plainEarliest.nanoseconds : bound.ageHi(at: now).wholeNanoseconds
        }
    }
}
