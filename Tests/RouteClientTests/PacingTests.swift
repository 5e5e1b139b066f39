import Basics
import Remoting
import Testing

@testable import RouteClient

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// The attempts of protocol.md 7.5.
@Suite struct SendAttemptsTests {
    /// Every code of the table, and some others.
    @Test(
        arguments: [
            (0, SendAttempts.Verdict.accepted(.stored)), (10, .accepted(.flushDiskTimeout)),
            (11, .accepted(.slaveNotAvailable)), (12, .accepted(.flushSlaveTimeout)), (1, .retry), (2, .retry),
            (14, .retry), (16, .retry), (17, .retry), (204, .retry), (205, .retry), (1_500, .retry), (3, .failed),
            (13, .failed), (215, .failed), (29_999, .failed),
        ] as [(Int32, SendAttempts.Verdict)])
    func judgesCodes(_ code: Int32, _ verdict: SendAttempts.Verdict) {
        var attempts = SendAttempts(policy: .init(), startedAt: at(0))
        _ = attempts.begin(on: "a", now: at(0))
        #expect(attempts.verdict(.answered(code: code), now: at(1)) == verdict)
    }

    @Test func modesRetryDifferently() {
        for (mode, afterCode, afterSilence) in [
            (SendPolicy.Mode.sync, SendAttempts.Verdict.retry, SendAttempts.Verdict.retry), (.async, .failed, .retry),
            (.oneway, .failed, .failed),
        ] {
            var attempts = SendAttempts(policy: SendPolicy(mode: mode), startedAt: at(0))
            _ = attempts.begin(on: "a", now: at(0))
            #expect(attempts.verdict(.answered(code: 1), now: at(1)) == afterCode)
            #expect(attempts.verdict(.noAnswer, now: at(1)) == afterSilence)
        }
    }

    @Test func storedWithAWarningIsRetriedOnlyOnDemand() {
        var policy = SendPolicy()
        policy.retriesUnlessStored = true
        var attempts = SendAttempts(policy: policy, startedAt: at(0))
        _ = attempts.begin(on: "a", now: at(0))
        #expect(attempts.verdict(.answered(code: 12), now: at(1)) == .retry)
        #expect(attempts.verdict(.answered(code: 0), now: at(1)) == .accepted(.stored))
    }

    @Test func threeAttemptsWithinThreeSeconds() {
        var attempts = SendAttempts(policy: .init(), startedAt: at(0))
        #expect(attempts.begin(on: "a", now: at(0)) == .seconds(1))
        #expect(attempts.verdict(.noAnswer, now: at(1_000)) == .retry)
        #expect(attempts.lastBroker == "a")
        #expect(attempts.begin(on: "b", now: at(1_000)) == .seconds(1))
        #expect(attempts.begin(on: "c", now: at(2_500)) == .milliseconds(500))
        #expect(attempts.verdict(.noAnswer, now: at(2_600)) == .failed)
        #expect(attempts.begin(on: "d", now: at(2_600)) == nil)
        var late = SendAttempts(policy: .init(), startedAt: at(0))
        _ = late.begin(on: "a", now: at(0))
        #expect(late.verdict(.noAnswer, now: at(3_000)) == .failed)
        #expect(late.begin(on: "a", now: at(3_000)) == nil)
    }
}

/// When a load starts its sends.
@Suite struct ProducePacingTests {
    @Test func aRateIsKeptInVirtualTime() {
        var pacing = ProducePacing(count: 1_000, rate: 250, concurrency: 1_000, now: at(0))
        var now = at(0)
        var steps = 0
        loop: while true {
            steps += 1
            #expect(steps < 5_000)
            switch pacing.next(now: now) {
            case .start(let count): for _ in 0..<count { pacing.sendEnded() }
            case .wait(let instant):
                #expect(instant > now)
                now = instant
            case .waitForAnswer: Issue.record("every send has ended")
            case .finished: break loop
            }
        }
        // The last of 1,000 messages at 250 per second is due after 999 intervals of 4 ms.
        #expect(now.milliseconds(since: at(0)) == 3_996)
    }

    @Test func withoutRateTheBoundPaces() {
        var pacing = ProducePacing(count: 10, rate: nil, concurrency: 4, now: at(0))
        #expect(pacing.next(now: at(0)) == .start(4))
        #expect(pacing.next(now: at(0)) == .waitForAnswer)
        for _ in 0..<3 { pacing.sendEnded() }
        #expect(pacing.next(now: at(0)) == .start(3))
        for _ in 0..<4 { pacing.sendEnded() }
        #expect(pacing.next(now: at(0)) == .start(3))
        #expect(pacing.next(now: at(0)) == .waitForAnswer)
        for _ in 0..<3 { pacing.sendEnded() }
        #expect(pacing.next(now: at(0)) == .finished)
    }

    @Test func stoppingWaitsForAnswers() {
        var pacing = ProducePacing(count: nil, rate: nil, concurrency: 2, now: at(0))
        #expect(pacing.next(now: at(0)) == .start(2))
        pacing.stop()
        #expect(pacing.next(now: at(0)) == .waitForAnswer)
        pacing.sendEnded()
        pacing.sendEnded()
        #expect(pacing.next(now: at(0)) == .finished)
    }

    @Test func nothingToDo() {
        var pacing = ProducePacing(count: 0, rate: 1, concurrency: 1, now: at(0))
        #expect(pacing.next(now: at(0)) == .finished)
    }
}

@Suite struct LatencyHistogramTests {
    @Test func quantilesAreWithinThreePerCent() {
        var histogram = LatencyHistogram()
        #expect(histogram.quantile(0.5) == .zero)
        for value in (1...10_000).shuffled() { histogram.record(.microseconds(value * 10)) }
        for fraction in [0.01, 0.5, 0.9, 0.99, 0.999] {
            let exact = fraction * 100_000
            let found = Double(histogram.quantile(fraction).wholeNanoseconds) / 1_000
            #expect(found >= exact && found <= exact * 1.04, "\(fraction): \(found) for \(exact)")
        }
        #expect(histogram.quantile(1) == .milliseconds(100))
        #expect((histogram.count, histogram.maximum) == (10_000, .milliseconds(100)))
    }

    /// Rows in microseconds: exact below 32, an hour and beyond the last bucket.
    @Test(arguments: [0, 1, 31, 32, 33, 63, 64, 65, 1_000_000, 3_600_000_000, 1 << 41])
    func oneValueIsItsOwnQuantile(_ microseconds: Int64) {
        var histogram = LatencyHistogram()
        histogram.record(.microseconds(microseconds))
        #expect(histogram.quantile(0.5) <= .microseconds(microseconds))
        if microseconds < 1 << 40 { #expect(histogram.quantile(0.5) == .microseconds(microseconds)) }
        histogram.record(.seconds(-1))
        #expect(histogram.quantile(0.5) == .zero)
    }
}
