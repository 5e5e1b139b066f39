/// One row of the timeline: one subject in one arm.
struct Lane {
    /// What it is about; the same subject has a lane in each arm.
    struct Subject: Hashable, Comparable {
        var group: Group
        /// Its place within the group.
        var order: Int
        /// `ns-2 lists broker-a:0`.
        var title: String

        static func < (one: Subject, other: Subject) -> Bool {
            (one.group.rawValue, one.order) < (other.group.rawValue, other.order)
        }
    }

    /// Lanes that belong together, in the order of the page.
    enum Group: Int, CaseIterable {
        case processes, sights, topics, gossip, clients, reports

        var title: String {
            switch self {
            case .processes: "Processes"
            case .sights: "Which brokers each node lists"
            case .topics: "Topics with routes"
            case .gossip: "Gossip"
            case .clients: "Clients"
            case .reports: "Reports"
            }
        }
    }

    /// What is drawn.
    enum Content {
        /// States, and below them the times in which the broker looked at was itself not running.
        case states([StateSpan], shadow: [StateSpan])
        /// A number that changes in steps; `parts` says what its summands are, one name each.
        case steps([Step], parts: [String])
        /// Things counted per column, a list for each category.
        case columns([Category])
        /// How fast a total grew, per second and column.
        case rates([Double], unit: String)
        /// How long things took, per column.
        case latencies([Latency?])
        /// Single moments with a text.
        case marks([Mark])
    }

    struct Step: Hashable {
        var from: Double
        /// One for each part; none while the node does not run.
        var values: [Int]
        var total: Int { values.reduce(0, +) }
    }

    struct Category {
        /// `given up`.
        var title: String
        /// How it is drawn: a class of the style sheet.
        var style: Style
        /// One for each column of the time span.
        var counts: [Int]

        enum Style: String { case good, late, bad, odd }
    }

    struct Latency: Hashable {
        /// Real milliseconds.
        var median: Double
        /// 99th percentile: with fewer than a hundred things the largest.
        var high: Double
        var count: Int
    }

    struct Mark: Hashable {
        /// More than this in a lane are cut off, and the lane says so.
        static let maximumCount = 500
        var time: Double
        var kind: Kind
        var text: String

        enum Kind: String, CaseIterable { case warning, difference, note }
    }

    var arm: Arm
    var subject: Subject
    var content: Content
    /// Beside the lane while nothing is pointed at: `absent 182.25 s`.
    var summary: String

    /// Whether nothing worth a look happens in it.
    var isQuiet: Bool {
        switch content {
        case .states(let spans, let shadow):
            spans.allSatisfy { $0.state == .registered || $0.state == .up } && spans.count <= 1 && shadow.isEmpty
        case .steps(let steps, _): steps.count <= 1
        case .columns(let categories): categories.allSatisfy { $0.counts.allSatisfy { $0 == 0 } }
        case .rates(let rates, _): rates.allSatisfy { $0 == 0 }
        case .latencies(let columns): columns.allSatisfy { $0 == nil }
        case .marks(let marks): marks.isEmpty
        }
    }

    /// The largest value, for a scale that all arms share; 0 where there is none.
    func top(_ span: TimeSpan) -> Double {
        switch content {
        case .states, .marks: 0
        case .steps(let steps, _): Double(steps.map(\.total).max() ?? 0)
        case .rates(let rates, _): rates.max() ?? 0
        case .columns(let categories):
            Double(
                (0..<span.columnCount).map { column in categories.reduce(0) { $0 + $1.counts[column] } }.max() ?? 0)
                / span.columnWidth
        case .latencies(let columns): columns.compactMap { $0?.high }.max() ?? 0
        }
    }
}
