import Basics
import GossipCore
import Testing

@Suite("Age bound: the true age lies between the bounds, whatever clocks and network do")
struct AgeBoundTests {
    private let received = Instant(nanoseconds: 1_000_000_000_000)

    @Test("holds over 3,000 seeds of drifting clocks and delayed, duplicated, reordered replies")
    func holds() {
        for seed in 1...3_000 as ClosedRange<UInt64> {
            if let violation = AgeSimulation.run(seed: seed, rule: .asBuilt) {
                Issue.record("\(violation)")
                return
            }
        }
    }

    @Test("every planted bug is caught within 100 seeds", arguments: AgeSimulation.Rule.allCases.dropFirst())
    func mutants(rule: AgeSimulation.Rule) {
        let seeds = 1...100 as ClosedRange<UInt64>
        #expect(seeds.contains { AgeSimulation.run(seed: $0, rule: rule) != nil }, "\(rule) survives")
    }

    @Test("the price at 120 s is the round trip and less than half a second")
    func price() throws {
        let bound = try #require(
            AgeBound(age: .seconds(60), roundTrip: .milliseconds(3), receivedAt: received))
        let now = received + .seconds(60)
        // 60 s * 4r + 120 s * 2r + the unit = 0.12 + 0.12 + 0.001
        #expect(bound.ageHi(at: now) - .milliseconds(120_003) > .milliseconds(240))
        #expect(bound.ageHi(at: now) - .milliseconds(120_003) < .milliseconds(243))
        #expect(bound.ageLo(at: now) > .milliseconds(119_750) && bound.ageLo(at: now) < .seconds(120))
    }

    /// Rows: age, round trip; all useless.
    @Test("absurd reports are no evidence")
    func absurd() {
        let day = Duration.seconds(86_400)
        let rows: [(Duration, Duration)] = [
            (.nanoseconds(-1), .zero), (.zero, .nanoseconds(-1)), (day * 31, .zero), (.zero, day * 31),
            (.nanoseconds(Int64.max), .zero), (.nanoseconds(Int64.min), .zero),
        ]
        for (age, roundTrip) in rows {
            #expect(AgeBound(age: age, roundTrip: roundTrip, receivedAt: received) == nil, "\(age), \(roundTrip)")
        }
        #expect(AgeBound(age: day * 30, roundTrip: day * 30, receivedAt: .zero) != nil)
    }

    @Test("bounds never cross, and ages never fall as time passes", arguments: 1...20 as ClosedRange<UInt64>)
    func shape(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let age = Duration.milliseconds(Int64.random(in: 0...300_000, using: &generator))
            let roundTrip = Duration.nanoseconds(Int64.random(in: 0...1_000_000_000, using: &generator))
            let bound = try #require(AgeBound(age: age, roundTrip: roundTrip, receivedAt: received))
            var before = (low: Duration.zero, high: Duration.zero)
            for step in 0..<5 as Range<Int64> {
                let now = received + .seconds(step * step * 50)
                let (low, high) = (bound.ageLo(at: now), bound.ageHi(at: now))
                #expect(low <= high && before.low <= low && before.high <= high, "seed \(seed)")
                before = (low, high)
            }
        }
    }

    @Test("merging is commutative, associative, idempotent, and never makes an event older")
    func merging() throws {
        var generator = SeededGenerator(seed: 4)
        func random() throws -> AgeBound {
            try #require(
                AgeBound(
                    age: .milliseconds(Int64.random(in: 0...200_000, using: &generator)),
                    roundTrip: .milliseconds(Int64.random(in: 0...5_000, using: &generator)), receivedAt: received))
        }
        func merged(_ one: AgeBound, _ two: AgeBound) -> AgeBound {
            var result = one
            result.merge(two)
            return result
        }
        for _ in 0..<500 {
            let (a, b, c) = (try random(), try random(), try random())
            #expect(merged(a, b) == merged(b, a))
            #expect(merged(merged(a, b), c) == merged(a, merged(b, c)))
            #expect(merged(a, a) == a)
            #expect(merged(a, b).ageHi(at: received) == min(a.ageHi(at: received), b.ageHi(at: received)))
        }
    }

    @Test("a stall makes evidence older, and leaves the newest it can be")
    func stall() {
        var bound = AgeBound(heardAt: received)
        bound.age(by: .seconds(5))
        #expect(bound.earliest == received + .seconds(-5))
        #expect(bound.latest == received)
        bound.age(by: .nanoseconds(Int64.max))
        bound.age(by: .nanoseconds(Int64.max))
        #expect(bound.earliest == Instant(nanoseconds: .min))
        #expect(bound.ageHi(at: received) == .nanoseconds(Int64.max))
    }

    @Test("order is claimed only where the bounds do not overlap")
    func order() throws {
        let tombstone = try #require(AgeBound(age: .seconds(10), roundTrip: .seconds(2), receivedAt: received))
        /// Rows: age of the heartbeat, surely after the tombstone.
        let rows: [(Duration, Bool)] = [
            (.seconds(20), false), (.seconds(11), false), (.seconds(10), false), (.milliseconds(9_990), false),
            (.milliseconds(9_900), true), (.seconds(1), true),
        ]
        for (age, surely) in rows {
            let heartbeat = try #require(AgeBound(age: age, roundTrip: .zero, receivedAt: received))
            #expect(heartbeat.isSurelyAfter(tombstone) == surely, "\(age)")
        }
    }

    @Test("reported ages are rounded up to whole milliseconds")
    func reported() {
        /// Rows: nanoseconds since the event, milliseconds reported.
        let rows: [(Int64, Int64)] = [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2)]
        for (elapsed, milliseconds) in rows {
            let now = received + .nanoseconds(elapsed)
            #expect(AgeBound.reportedAge(heardAt: received, now: now) == .milliseconds(milliseconds))
        }
    }
}
