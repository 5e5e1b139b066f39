import Basics

/// When requests are sent.
public enum Pacing: Hashable, Sendable {
    /// At this rate over all lanes, whether or not answers come: latency counts from the moment a request was due.
    case open(perSecond: Double)
    /// So many requests of each lane are always on their way: what a server can do at most, and nothing about latency at a rate.
    case closed(depth: Int)
}

/// Requests of one kind: lanes, each a connection of its own, and their pace.
public struct Traffic: Sendable {
    /// For people.
    public var name: String
    /// For each connection the requests that it sends in turn.
    public var lanes: [[RequestBook.RequestID]]
    /// When.
    public var pacing: Pacing
    /// Whether a lane begins anew at its end; otherwise the run ends when all lanes are done.
    public var repeats: Bool

    /// Describes traffic; `lanes` must not be empty, nor any of them.
    public init(_ name: String, lanes: [[RequestBook.RequestID]], pacing: Pacing, repeats: Bool = true) {
        precondition(!lanes.isEmpty && !lanes.contains(where: \.isEmpty), "traffic '\(name)' without requests")
        self.name = name
        self.lanes = lanes
        self.pacing = pacing
        self.repeats = repeats
    }
}

/// All that a run sends.
public struct Plan {
    /// For people: `heartbeat, 8 brokers of 1,000 topics`.
    public var name: String
    /// All requests.
    public var book: RequestBook
    /// Sent once before anything is measured, each lane on a connection of its own that stays open (brokers live as long as
    /// their connection); every answer must be right.
    public var preparation: [[RequestBook.RequestID]] = []
    /// Sent and measured.
    public var traffics: [Traffic]

    /// Describes a run.
    public init(
        _ name: String, book: RequestBook, preparation: [[RequestBook.RequestID]] = [], traffics: [Traffic] = []
    ) {
        self.name = name
        self.book = book
        self.preparation = preparation
        self.traffics = traffics
    }

    /// The same with another pace for all traffic.
    public func paced(_ pacing: Pacing) -> Plan {
        var plan = self
        for index in plan.traffics.indices { plan.traffics[index].pacing = pacing }
        return plan
    }
}

/// How long a run lasts.
public struct Phases: Hashable, Sendable {
    /// Sent, but not counted.
    public var warmUp: Duration
    /// Measured one after the other, without a pause.
    public var repetitions: Int
    /// Of each repetition. Where no traffic repeats for ever, the only repetition ends as soon as all is answered, and this is
    /// the longest that it may take.
    public var length: Duration

    /// Describes a run's length.
    public init(warmUp: Duration, repetitions: Int, length: Duration) {
        precondition(repetitions > 0 && length > .zero, "a run of \(repetitions) repetitions of \(length)")
        self.warmUp = warmUp
        self.repetitions = repetitions
        self.length = length
    }

    /// Once, until every lane is done.
    public static func once(limit: Duration) -> Phases { Phases(warmUp: .zero, repetitions: 1, length: limit) }
}
