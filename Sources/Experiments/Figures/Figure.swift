/// What is measured, per arm; of every figure less is better. FigureMeaning.swift says it in people's words, and
/// `ArmFigures.compute` makes the values from the history. Times are scenario time unless the unit says "real".
public enum Figure: String, Hashable, Sendable, CaseIterable, Codable {
    /// From the first fault to the first report of a difference, by a node (gossip) or, where nodes do not compare, by nobody.
    case timeToNotice
    /// Sum over nodes and brokers: how long a running node did not list a living broker that at least one running node could hear.
    case falseEvictions
    /// Sum over nodes and brokers: how long a node listed a dead broker beyond its timeout and one scan (and one second).
    case zombies
    /// The longest time for which one running node did not list one living broker that it had listed before.
    case routeGap
    /// Route answers "no such topic" for topics that a living broker held, and routes without any living broker though one lived.
    case wrongAnswers
    /// Route requests that no node answered.
    case unanswered
    /// Sends given up after all retries.
    case sendsFailed
    /// Share of all sends that were given up, in percent.
    case sendFailureRate
    /// Sends that succeeded only at another try.
    case sendsRetried
    /// Median latency of successful sends, all tries included, in real milliseconds.
    case sendLatencyMedian
    /// 99th percentile of the same.
    case sendLatencyP99
    /// The longest time in which one producer had no successful send although it tried.
    case longestSendOutage
    /// Messages that brokers took and that a consumer had not read at the end; of several consumers the largest.
    case unread
    /// From the end of the last fault until all running nodes list the same living brokers (and, with gossip, report no difference), and stay so.
    case timeToConverge
    /// Bytes that nodes sent to each other.
    case gossipBytes
    /// Sum over time of how many differences the nodes report: difference-seconds.
    case divergence
    /// Warnings that nodes logged of differences.
    case alarms
}
