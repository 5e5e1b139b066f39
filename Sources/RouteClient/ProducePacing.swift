import Basics

/// When a load of messages may start its next send: a number of messages, a rate, a bound on those under way.
public struct ProducePacing: Sendable {
    /// Messages in all; nil = until stopped.
    public let count: Int?
    /// Messages per second; nil = as fast as answers come.
    public let rate: Double?
    /// Sends under way at the same time, at least 1.
    public let concurrency: Int

    /// Sends started.
    public private(set) var started = 0
    /// Sends that ended.
    public private(set) var ended = 0

    private let startedAt: Instant
    private var isStopped = false

    /// What to do now.
    public enum Next: Hashable, Sendable {
        /// Start this many sends.
        case start(Int)
        /// Come back then.
        case wait(until: Instant)
        /// Come back when a send has ended.
        case waitForAnswer
        /// All is done.
        case finished
    }

    /// The first message is due at `now`.
    public init(count: Int?, rate: Double?, concurrency: Int, now: Instant) {
        precondition(concurrency > 0 && count ?? 0 >= 0 && rate ?? 1 > 0, "count, rate or concurrency out of range")
        self.count = count
        self.rate = rate
        self.concurrency = concurrency
        startedAt = now
    }

    /// What to do at `now`; counts the sends it says to start.
    public mutating func next(now: Instant) -> Next {
        let left = isStopped ? 0 : count.map { $0 - started } ?? .max
        if left == 0 { return ended == started ? .finished : .waitForAnswer }
        let free = concurrency - (started - ended)
        if free == 0 { return .waitForAnswer }
        let due = dueCount(now) - started
        if due <= 0 { return .wait(until: dueTime(of: started)) }
        let batch = min(left, free, due)
        started += batch
        return .start(batch)
    }

    /// A send ended, well or not.
    public mutating func sendEnded() { ended += 1 }

    /// Start no more.
    public mutating func stop() { isStopped = true }

    private func dueCount(_ now: Instant) -> Int {
        guard let rate else { return .max }
        return Int(min(Double((now - startedAt).wholeNanoseconds) * rate / 1e9, 1e18)) + 1
    }

    /// When message number `index` is due; rounded up so that it is due when that time has come.
    private func dueTime(of index: Int) -> Instant {
        startedAt + .nanoseconds(Int64((Double(index) * 1e9 / (rate ?? 1)).rounded(.up)) + 1)
    }
}
