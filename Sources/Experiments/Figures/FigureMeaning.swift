import Basics

// What each figure is called, in which unit it is, and how it is defined, for people: the command line, the report and
// the README all say it with these words.

extension Figure {
    /// What a value counts.
    public enum Unit: String, Sendable {
        /// Seconds of scenario time.
        case seconds
        /// Brokers (as seen by one node) times seconds of scenario time.
        case brokerSeconds
        /// Differences times seconds of scenario time.
        case differenceSeconds
        /// Milliseconds as the clock on the wall has them, whatever the time scale.
        case milliseconds
        /// A number of things.
        case count
        /// Hundredths.
        case percent
        /// Bytes.
        case bytes

        /// Behind a number: `s`, ` broker·s`; empty for a number of things.
        public var suffix: String {
            switch self {
            case .seconds: " s"
            case .brokerSeconds: " broker·s"
            case .differenceSeconds: " difference·s"
            case .milliseconds: " ms"
            case .count: ""
            case .percent: " %"
            case .bytes: " B"
            }
        }
    }

    /// In a few words.
    public var title: String { meaning.title }
    /// What a value counts.
    public var unit: Unit { meaning.unit }
    /// How it is measured, in a sentence or two.
    public var definition: String { meaning.definition }

    /// Whether only nodes that gossip have it: others report no differences because they do not look for any.
    public var needsGossip: Bool { self == .divergence || self == .alarms }

    /// A value as people read it: `12.5 s`, `3`, `1.2 MB`; without one `never` where something was waited for, else `–`.
    public func text(_ value: Double?) -> String {
        guard let value else { return self == .timeToNotice || self == .timeToConverge ? "never" : "–" }
        switch unit {
        case .count: return Figure.decimal(value, places: value == value.rounded() ? 0 : 1)
        case .bytes:
            let steps: [(size: Double, suffix: String)] = [(1e9, " GB"), (1e6, " MB"), (1e3, " kB")]
            guard let step = steps.first(where: { value >= $0.size }) else { return "\(Int(value)) B" }
            return Figure.decimal(value / step.size, places: 1) + step.suffix
        case .percent: return Figure.decimal(value, places: value == 0 ? 0 : 2) + unit.suffix
        case .seconds, .brokerSeconds, .differenceSeconds, .milliseconds:
            return Figure.decimal(value, places: value == value.rounded() ? 0 : 1) + unit.suffix
        }
    }

    /// `12.5`; at most two places.
    private static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        let scale = [1.0, 10, 100][places]
        let scaled = Int64((abs(value) * scale).rounded())
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: places - fraction.count)
        return "\(sign)\(scaled / Int64(scale)).\(zeros)\(fraction)"
    }

    private struct Meaning {
        var title: String
        var unit: Unit
        var definition: String

        init(_ title: String, _ unit: Unit, _ definition: String) {
            (self.title, self.unit, self.definition) = (title, unit, definition)
        }
    }

    private var meaning: Meaning {
        switch self {
        case .timeToNotice:
            Meaning(
                "Time to notice", .seconds,
                "From the first fault until a node first reports that its picture differs from another's. "
                    + "Without gossip nobody compares, so nobody ever notices.")
        case .falseEvictions, .zombies, .routeGap, .timeToConverge, .gossipBytes, .divergence, .alarms: nodeMeaning
        case .wrongAnswers, .unanswered, .sendsFailed, .sendFailureRate, .sendsRetried, .sendLatencyMedian,
            .sendLatencyP99, .longestSendOutage, .unread:
            clientMeaning
        }
    }

    private var nodeMeaning: Meaning {
        switch self {
        case .falseEvictions:
            Meaning(
                "False evictions", .brokerSeconds,
                "How long a running node did not list a living broker that at least one running node could hear; "
                    + "summed over nodes and brokers. A broker lives once its process has been up for a quarter of a scan, "
                    + "which is how exactly nodes are observed.")
        case .zombies:
            Meaning(
                "Zombies", .brokerSeconds,
                "How long a running node still listed a dead broker after its timeout, one scan, a quarter of a scan "
                    + "(the observation) and one second; summed over nodes and brokers.")
        case .routeGap:
            Meaning(
                "Longest route gap", .seconds,
                "The longest time for which a running node did not list a living broker that it had listed before.")
        case .timeToConverge:
            Meaning(
                "Time to converge", .seconds,
                "From the end of the last fault (its beginning, when it lasts) until all running nodes list every living "
                    + "broker that one of them hears or lists and, with gossip, report no difference, and stay so to the end."
            )
        case .gossipBytes: Meaning("Gossip traffic", .bytes, "Bytes that the nodes sent to each other during the run.")
        case .divergence:
            Meaning(
                "Divergence", .differenceSeconds,
                "How many differences running nodes report, times how long; summed over nodes. Only nodes that gossip "
                    + "look for differences.")
        default:
            Meaning(
                "Alarms", .count,
                "Warnings of differences that nodes logged. Only nodes that gossip look for differences.")
        }
    }

    private var clientMeaning: Meaning {
        switch self {
        case .wrongAnswers:
            Meaning(
                "Wrong answers", .count,
                "Answers to clients' route requests that say there is no such topic though a living broker holds it, "
                    + "or that name dead brokers only though one lives.")
        case .unanswered: Meaning("Unanswered", .count, "Clients' route requests that no node answered in time.")
        case .sendsFailed:
            Meaning("Sends failed", .count, "Messages that a producer gave up, after all its tries.")
        case .sendFailureRate:
            Meaning("Failure rate", .percent, "Messages given up, as a share of all messages.")
        case .sendsRetried: Meaning("Sends retried", .count, "Messages taken only at a second or later try.")
        case .sendLatencyMedian:
            Meaning(
                "Send latency, median", .milliseconds,
                "Of the messages that were taken, half were taken faster, counted from the moment each was meant to be "
                    + "sent, all tries included; in real milliseconds.")
        case .sendLatencyP99:
            Meaning(
                "Send latency, 99th percentile", .milliseconds,
                "Of the messages that were taken, 99 % were taken faster; in real milliseconds.")
        case .longestSendOutage:
            Meaning(
                "Longest send outage", .seconds,
                "The longest time between two messages of one producer that were taken, where it is more than twice the "
                    + "time between two messages meant to be sent.")
        default:
            Meaning(
                "Unread", .count,
                "Messages that brokers took and that a consumer had not read at the end; of several consumers the largest."
            )
        }
    }
}
