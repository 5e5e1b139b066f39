/// What a measurement found: a table for people, and the same for programs.
public struct BenchSection: Sendable {
    /// One value of a row.
    public enum Cell: Sendable {
        /// Words.
        case text(String)
        /// A number with so many decimals.
        case number(Double, decimals: Int)
    }

    /// One goal, and what was measured against it.
    public struct Goal: Sendable {
        /// What the goal is, in words.
        public var text: String
        /// Measured.
        public var value: Double
        /// The highest value that reaches it.
        public var limit: Double
        /// Whether it is reached.
        public var isReached: Bool { value <= limit }
    }

    /// A short name, the key in JSON.
    public var name: String
    /// One line above the table.
    public var title: String
    /// Titles of the columns; the first is words, the others are numbers.
    public var columns: [String]
    /// The rows.
    public var rows: [[Cell]] = []
    /// What was left out, which models were used.
    public var notes: [String] = []
    /// The goals of gossip.md section 5 that this measurement is about.
    public var goals: [Goal] = []

    /// An empty section.
    public init(_ name: String, _ title: String, columns: [String]) {
        self.name = name
        self.title = title
        self.columns = columns
    }

    /// Adds a row.
    public mutating func add(_ cells: Cell...) { rows.append(cells) }

    /// Adds a goal.
    public mutating func goal(_ text: String, _ value: Double, atMost limit: Double) {
        goals.append(Goal(text: text, value: value, limit: limit))
    }

    /// The section as one JSON object.
    public var json: String {
        let rows = rows.map { row in
            "{" + zip(columns, row).map { "\(Self.quoted($0)):\($1.json)" }.joined(separator: ",") + "}"
        }
        let goals = goals.map {
            "{\"goal\":\(Self.quoted($0.text)),\"value\":\($0.value),\"limit\":\($0.limit),\"reached\":\($0.isReached)}"
        }
        return "{\"name\":\(Self.quoted(name)),\"rows\":[\(rows.joined(separator: ","))],"
            + "\"notes\":[\(notes.map(Self.quoted).joined(separator: ","))],\"goals\":[\(goals.joined(separator: ","))]}"
    }

    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { output += "\\" }
            output.unicodeScalars.append(scalar)
        }
        return output + "\""
    }
}

extension BenchSection.Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    /// Words.
    public init(stringLiteral value: String) { self = .text(value) }

    /// A whole number.
    public static func count(_ value: Int) -> Self { .number(Double(value), decimals: 0) }
    /// One decimal.
    public static func tenths(_ value: Double) -> Self { .number(value, decimals: 1) }
    /// Two decimals.
    public static func hundredths(_ value: Double) -> Self { .number(value, decimals: 2) }

    /// For a table.
    public var text: String {
        switch self {
        case .text(let text): return text
        case .number(let value, let decimals):
            let scale = decimals == 0 ? 1.0 : decimals == 1 ? 10 : 100
            let scaled = Int((value * scale).rounded())
            let whole = Self.grouped(abs(scaled) / Int(scale))
            let sign = scaled < 0 ? "-" : ""
            guard decimals > 0 else { return sign + whole }
            let rest = String(abs(scaled) % Int(scale))
            return sign + whole + "." + String(repeating: "0", count: decimals - rest.count) + rest
        }
    }

    private static func grouped(_ value: Int) -> String {
        var (digits, output) = (Array(String(value)), "")
        while digits.count > 3 {
            output = "," + String(digits.suffix(3)) + output
            digits.removeLast(3)
        }
        return String(digits) + output
    }

    var json: String {
        switch self {
        case .text(let text): BenchSection.quoted(text)
        case .number(let value, let decimals): decimals == 0 ? "\(Int(value.rounded()))" : "\(value)"
        }
    }
}

/// The values of many trials.
struct Sample {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }
    var mean: Double { values.reduce(0, +) / Double(Swift.max(1, values.count)) }
    var max: Double { values.max() ?? 0 }

    /// The value that a share of `quantile` does not exceed.
    func quantile(_ quantile: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[Swift.min(sorted.count - 1, Int((quantile * Double(sorted.count)).rounded(.up)) - 1)]
    }
}
