/// Something that was seen or done during one arm. The history of an arm is the list of these in the order of time, and
/// everything in the report is made from it.
public struct HistoryEvent: Hashable, Sendable {
    /// Seconds of scenario time since everybody was up and agreed; what happened before is negative.
    public var time: Double
    /// What.
    public var kind: Kind

    /// At some time.
    public init(time: Double, _ kind: Kind) { (self.time, self.kind) = (time, kind) }

    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// A fault began (or happened, when it is one that happens once): an index into `Scenario.faults`.
        case faultBegan(Int)
        /// A fault ended.
        case faultEnded(Int)
        /// The run's end.
        case ended

        /// A party's process changed.
        case process(Party, ProcessState)
        /// A node's entry of a broker changed; nodes that do not answer keep their last.
        case sight(node: Int, broker: Int, Sight)
        /// How many topics a node has routes for.
        case topics(node: Int, count: Int)
        /// How many differences a node reports, of all kinds.
        case divergences(node: Int, count: Int)
        /// A node's first report of a difference: the kind (`lateHere`, …) and its text.
        case divergence(node: Int, kind: String, text: String)
        /// A node logged a warning of a difference.
        case alarm(node: Int, text: String)
        /// Gossip bytes that a node has sent since the beginning.
        case gossipBytes(node: Int, total: Int)

        /// A client's route request was answered, or not.
        case route(client: Int, RouteOutcome)
        /// A client's message.
        case send(client: Int, SendOutcome)
        /// How many messages a consumer has read since the beginning, duplicates not counted.
        case received(client: Int, total: Int)

        /// Something worth a line: an operator's command was refused, a driver could not do a thing.
        case note(String)
    }

    /// What a process is doing.
    public enum ProcessState: String, Hashable, Sendable, Codable {
        /// It runs.
        case up
        /// It does not.
        case down
        /// It is stopped, and would go on.
        case paused
    }

    /// How a node sees a broker.
    public enum Sight: String, Hashable, Sendable, Codable {
        /// Not at all.
        case absent
        /// It heard the broker itself.
        case registered
        /// It would have dropped it, but a peer heard it.
        case protected
        /// It knows it from a peer only.
        case learned
    }

    /// What came of asking for a route.
    public enum RouteOutcome: Hashable, Sendable {
        /// A route with these brokers, indices of `Scenario.replicas`, sorted.
        case brokers([Int])
        /// TOPIC_NOT_EXIST.
        case noRoute
        /// "name server not ready".
        case notReady
        /// Nobody answered in time.
        case unanswered
    }

    /// What came of one message.
    public struct SendOutcome: Hashable, Sendable {
        /// The replica that took it; nil = given up.
        public var broker: Int?
        /// Tries, from 1; 0 when none was possible.
        public var attempts: Int
        /// From its intended time to its end, in real milliseconds.
        public var latencyMillis: Double
        /// Why it was given up; nil when it was not.
        public var failure: String?

        /// One message.
        public init(broker: Int?, attempts: Int, latencyMillis: Double, failure: String? = nil) {
            (self.broker, self.attempts, self.latencyMillis, self.failure) = (broker, attempts, latencyMillis, failure)
        }
    }
}
