/// One workload on one server: repetitions with their spread.
public struct Measurement: Codable, Sendable {
    /// One repetition.
    public struct Repetition: Hashable, Codable, Sendable {
        /// Its length.
        public var seconds: Double
        /// Requests that were due.
        public var due: Int
        /// Answers that came.
        public var answered: Int
        /// See `Interval.wrong`.
        public var wrong: Int
        /// See `Interval.unanswered`.
        public var unanswered: Int
        /// The server's CPU time, in microseconds for each answer.
        public var cpuMicroseconds: Double?
        /// The server's, at the end.
        public var residentBytes: Int?
        /// How late the generator itself sent at worst, in microseconds.
        public var lateness: Double
        /// Microseconds from the intended send time, one for each of `Measurement.percentiles`.
        public var latencies: [Double]

        /// Answers per second.
        public var perSecond: Double { Double(answered) / seconds }
    }

    /// A point of the distribution over all repetitions.
    public struct Point: Hashable, Codable, Sendable {
        /// 0 to 100.
        public var percentile: Double
        /// Microseconds.
        public var value: Double
    }

    /// Which percentiles `Repetition.latencies` holds.
    public static let percentiles = [50, 90, 99, 99.9, 100]
    /// Above this share of its ceiling a result says as much about the generator as about the server.
    public static let ceilingShare = 0.7

    /// What was sent.
    public var name: String
    /// `open` or `closed`.
    public var loop: String
    /// Open loop: requests per second that were due; closed: requests of each connection on their way.
    public var pace: Double
    /// Connections that sent.
    public var connections: Int
    /// Of one request's body; the first one's where they differ.
    public var bodyBytes: Int
    /// In order.
    public var repetitions: [Repetition] = []
    /// All repetitions together.
    public var distribution: [Point] = []
    /// Answers per second when as many requests as possible are always on their way; nil when that was not looked at.
    public var capacityPerSecond: Double?
    /// The same from a server that does nothing: the generator's own ceiling.
    public var ceilingPerSecond: Double?
    /// What a reader must know: wrong answers in words, overload.
    public var notes: [String] = []

    /// Whether the rate is near the generator's ceiling.
    public var isNearCeiling: Bool {
        ceilingPerSecond.map { max(perSecond.median, capacityPerSecond ?? 0) > $0 * Self.ceilingShare } ?? false
    }
    /// Answers per second.
    public var perSecond: Spread { Spread(repetitions.map(\.perSecond)) }
    /// Microseconds of the server's CPU time for each answer; empty when unknown.
    public var cpuMicroseconds: Spread { Spread(repetitions.compactMap(\.cpuMicroseconds)) }
    /// Resident bytes of the server at the end; nil when unknown.
    public var residentBytes: Int? { repetitions.last?.residentBytes }
    /// Wrong answers and requests without one.
    public var wrong: Int { repetitions.reduce(0) { $0 + $1.wrong + $1.unanswered } }

    /// Microseconds; `percentile` is one of `percentiles`.
    public func latency(_ percentile: Double) -> Spread {
        guard let index = Self.percentiles.firstIndex(of: percentile) else { return Spread([]) }
        return Spread(repetitions.map { $0.latencies[index] })
    }
}
