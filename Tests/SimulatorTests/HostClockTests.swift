import Basics
import Simulator
import Testing

@Suite struct HostClockTests {
    /// For any history of rates and freezes: the clock never goes back, and `trueTime` is the first time at which it
    /// shows the instant.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func invertsItself(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var clock = HostClock(origin: 1_000_000_000_000, driftPPM: 137)
        var now: Int64 = 0
        var last = clock.reading(at: 0)
        for _ in 0..<2_000 {
            now += Int64.random(in: 0..<20_000_000_000, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: clock.setDrift(ppm: Int64.random(in: -5_000...5_000, using: &random), at: now)
            case 1: clock.setFrozen(Bool.random(using: &random), at: now)
            default: break
            }
            #expect(clock.reading(at: now) >= last, "seed \(seed)")
            last = clock.reading(at: now)
            let wanted = last + .nanoseconds(Int64.random(in: 1..<100_000_000_000, using: &random))
            let due = clock.trueTime(of: wanted, now: now)
            if clock.isFrozen {
                #expect(due == .max)
            } else {
                #expect(clock.reading(at: due) >= wanted && clock.reading(at: due - 1) < wanted, "seed \(seed)")
            }
        }
    }
}
