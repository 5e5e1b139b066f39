import Basics
import Testing

struct TimeTests {
    @Test(
        arguments: [
            (Duration.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), -1), (.milliseconds(1500), 1_500_000_000),
            (.seconds(-3), -3_000_000_000),
            // A part of a nanosecond is cut off, towards zero.
            (Duration(secondsComponent: 0, attosecondsComponent: 1_999_999_999), 1),
            (Duration(secondsComponent: 0, attosecondsComponent: -1_999_999_999), -1),
            // The last duration that fits, and the first that does not.
            (Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 854_775_807_000_000_000), .max),
            (Duration(secondsComponent: 9_223_372_036, attosecondsComponent: 854_775_808_000_000_000), .max),
            (.seconds(Int64.max), .max), (.seconds(-9_223_372_037), .min), (.seconds(Int64.min), .min),
        ] as [(Duration, Int64)])
    func wholeNanoseconds(duration: Duration, expected: Int64) {
        #expect(duration.wholeNanoseconds == expected)
    }

    @Test(
        arguments: [
            (Duration.milliseconds(30_000), 30_000), (.nanoseconds(999_999), 0), (.nanoseconds(-999_999), 0),
            (.nanoseconds(1_999_999), 1), (.seconds(Int64.max), Int64.max / 1_000_000),
        ] as [(Duration, Int64)])
    func wholeMilliseconds(duration: Duration, expected: Int64) {
        #expect(duration.wholeMilliseconds == expected)
    }

    @Test(arguments: [
        (Instant.zero, Duration.seconds(1), Instant(nanoseconds: 1_000_000_000)),
        (Instant(nanoseconds: 5), .nanoseconds(-7), Instant(nanoseconds: -2)),
        (.distantFuture, .nanoseconds(1), .distantFuture), (.distantFuture, .seconds(Int64.max), .distantFuture),
        (Instant(nanoseconds: 1), .seconds(Int64.max), .distantFuture),
        (Instant(nanoseconds: -2), .seconds(Int64.min), Instant(nanoseconds: .min)),
    ])
    func addingSaturates(instant: Instant, duration: Duration, expected: Instant) {
        #expect(instant + duration == expected)
    }

    @Test func differences() {
        let early = Instant(nanoseconds: 1_000_000)
        let late = Instant(nanoseconds: 3_999_999)
        #expect(late - early == .nanoseconds(2_999_999))
        #expect(early - late == .nanoseconds(-2_999_999))
        #expect(late.milliseconds(since: early) == 2)
        #expect(early < late && late < .distantFuture)
        #expect(WallTime(milliseconds: 1) < WallTime(milliseconds: 2))
    }
}
