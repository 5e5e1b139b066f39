import Histogram

/// Latencies in nanoseconds, to three digits, up to one minute; what is longer counts as one minute.
public typealias LatencyHistogram = Histogram<UInt64>

/// The longest latency told from longer ones, in nanoseconds.
let latencyLimit: UInt64 = 60_000_000_000

func emptyLatencies() -> LatencyHistogram {
    LatencyHistogram(lowestDiscernibleValue: 1, highestTrackableValue: latencyLimit)
}

/// What one kind of traffic did in one repetition.
public struct Interval {
    /// Requests that were due, or sent, in this time.
    public var due = 0
    /// Answers that arrived in this time.
    public var answered = 0
    /// Answers with a wrong code, body or opaque, and requests whose connection the server closed.
    public var wrong = 0
    /// Requests due in this time that had no answer when the run ended; they count as slow as they have waited.
    public var unanswered = 0
    /// How late the generator itself sent at worst, in nanoseconds: it is part of the latencies, and no fault of the server.
    public var lateness: Int64 = 0
    /// Of the requests that were due in this time.
    public var latencies = emptyLatencies()
}

/// What a whole run did.
public struct RunOutcome {
    /// One for each traffic of the plan, each with one interval for each repetition.
    public var intervals: [[Interval]]
    /// How long each repetition really was, in nanoseconds.
    public var lengths: [Int64]
    /// The server's readings at the repetitions' ends, one more than there are repetitions; nil when its pid is unknown.
    public var usages: [ServerUsage?]
    /// Connections that the server closed.
    public var closedConnections = 0
    /// The first few wrong answers and closed connections.
    public var complaints: [LoadError] = []
    /// Whether every lane that sends once was answered to its end.
    public var isComplete = true
    /// Whether so many requests waited that no further ones could be sent.
    public var isOverloaded = false

    /// The server's CPU time in a repetition, in nanoseconds.
    public func cpu(_ repetition: Int) -> Double? {
        guard let before = usages[repetition], let after = usages[repetition + 1] else { return nil }
        return Double(after.cpuNanoseconds - before.cpuNanoseconds)
    }

    /// Answers of all traffics in a repetition.
    public func answered(_ repetition: Int) -> Int { intervals.reduce(0) { $0 + $1[repetition].answered } }
}
