import Basics

/// The rhythm and the limits of registering with NameServers (protocol.md 4.10, 6.2, 6.3, 6.7).
public struct RegistrationTimings: Hashable, Sendable {
    /// From the start of one full registration to the start of the next, above zero. Default 30 s, as RocketMQ's.
    public var period: Duration
    /// From one light heartbeat (904) to the next while registered; nil, the default, sends none.
    public var heartbeatPeriod: Duration?
    /// How long one registration may take. Default 6 s: RocketMQ 4's limit; a slower answer counts as a failure.
    public var answerTimeout: Duration
    /// How long all unregistrations together may take at shutdown, in parallel. Default 3 s, RocketMQ's limit for one.
    public var unregisterTimeout: Duration
    /// The longest wait before the first retry. Default 1 s: a restarted node is found again quickly.
    public var firstRetry: Duration
    /// The longest wait before any retry, never above `period`. Default 10 s: a dead node costs six connects a minute.
    public var retryLimit: Duration
    /// Topics that may wait for one incremental registration; more make it a full one, which is then no larger.
    public var incrementalTopicLimit: Int

    /// RocketMQ's rhythm.
    public init(
        period: Duration = .seconds(30), heartbeatPeriod: Duration? = nil, answerTimeout: Duration = .seconds(6),
        unregisterTimeout: Duration = .seconds(3), firstRetry: Duration = .seconds(1),
        retryLimit: Duration = .seconds(10), incrementalTopicLimit: Int = 100
    ) {
        precondition(period > .zero && heartbeatPeriod.map { $0 > .zero } != false, "period \(period)")
        precondition(firstRetry > .zero && retryLimit > .zero, "retry \(firstRetry) up to \(retryLimit)")
        self.period = period
        self.heartbeatPeriod = heartbeatPeriod
        self.answerTimeout = answerTimeout
        self.unregisterTimeout = unregisterTimeout
        self.firstRetry = firstRetry
        self.retryLimit = retryLimit
        self.incrementalTopicLimit = incrementalTopicLimit
    }

    /// The timings of a cluster whose brokers register every `period`: with a shorter one than RocketMQ's, a silent
    /// NameServer is noticed after three of them, but not before 1 s nor after 6 s.
    public static func scaled(to period: Duration) -> RegistrationTimings {
        RegistrationTimings(period: period, answerTimeout: min(max(period * 3, .seconds(1)), .seconds(6)))
    }

    /// The wait before retry number `failures` (1, 2, ...): half of the doubling step for sure, the rest by chance, so
    /// that the brokers of a restarted node do not come back in one wave.
    func retryDelay(failures: Int, random: inout some RandomNumberGenerator) -> Duration {
        let limit = min(retryLimit, period)
        let doubled = firstRetry * (1 << min(max(failures - 1, 0), 20))
        let step = min(doubled, limit).wholeNanoseconds
        return .nanoseconds(Int64.random(in: step / 2...step, using: &random))
    }
}
