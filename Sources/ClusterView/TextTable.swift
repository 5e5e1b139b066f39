/// Rows of cells with aligned columns, for terminals.
public struct TextTable: Sendable {
    /// A column's title and alignment.
    public enum Column: Sendable {
        /// Flush left.
        case left(String)
        /// Flush right, for numbers.
        case right(String)

        var title: String {
            switch self {
            case .left(let title), .right(let title): title
            }
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// Rows added so far.
    var count: Int { rows.count }

    /// An empty table.
    public init(_ columns: [Column]) { self.columns = columns }

    /// Adds a row; missing cells are empty, and the last given cell of a short row may run over them.
    public mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The title line and the rows, each without blanks at its end.
    public var lines: [String] {
        var widths = columns.map { Self.columns($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() where index + 1 < row.count || row.count == columns.count {
                widths[index] = max(widths[index], Self.columns(cell))
            }
        }
        return ([columns.map(\.title)] + rows).map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: max(0, widths[index] - Self.columns(cell)))
                if index > 0 { line += "  " }
                if case .right = columns[index] { line += padding + cell } else { line += cell + padding }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// How many columns a text takes on a terminal, colour sequences not counted.
    static func columns(_ text: String) -> Int {
        var count = 0
        var inSequence = false
        for character in text {
            if character == "\u{1B}" {
                inSequence = true
            } else if inSequence {
                if character == "m" { inSequence = false }
            } else {
                count += 1
            }
        }
        return count
    }
}
