// Pictures of results as SVG, written here: no library, no script, readable in print and for the colour-blind.

/// Draws reports.
public enum Plot {
    /// One file.
    public struct Picture: Hashable, Sendable {
        /// Without an ending.
        public var name: String
        /// The file's text.
        public var svg: String
    }

    /// Lines that can be told apart by colour, dashes and marks.
    public static let seriesLimit = 6

    /// One latency picture for each workload, and one of all rates.
    ///
    /// - Parameter names: one for each report, for the legend.
    public static func pictures(_ reports: [Report], names: [String]) -> [Picture] {
        var workloads: [String] = []
        for report in reports {
            for measurement in report.measurements where !workloads.contains(measurement.name) {
                workloads.append(measurement.name)
            }
        }
        guard !workloads.isEmpty else { return [] }
        var pictures = workloads.enumerated().map { index, workload in
            let series = zip(names, reports).compactMap { name, report in
                report.measurements.first { $0.name == workload }.map { (name, $0) }
            }
            return Picture(name: "latency-\(index + 1)", svg: LatencyPlot(workload, series).svg)
        }
        pictures.append(Picture(name: "throughput", svg: RatePlot(workloads, zip(names, reports).map { ($0, $1) }).svg))
        return pictures
    }
}

/// How one series looks: Okabe and Ito's colours, which differ for every kind of colour vision, in order of contrast on white.
struct SeriesStyle {
    let color: String
    let dashes: String
    /// Tells series apart where colours are lost.
    let mark: Character

    private static let all = [
        SeriesStyle(color: "#0072B2", dashes: "", mark: "c"), SeriesStyle(color: "#D55E00", dashes: "8 4", mark: "s"),
        SeriesStyle(color: "#009E73", dashes: "2 3", mark: "t"),
        SeriesStyle(color: "#CC79A7", dashes: "10 3 2 3", mark: "d"),
        SeriesStyle(color: "#000000", dashes: "4 2", mark: "d"),
        SeriesStyle(color: "#56B4E9", dashes: "1 4", mark: "s"),
    ]

    static func of(_ series: Int) -> SeriesStyle { all[series % all.count] }

    /// The mark at a place.
    func marked(_ x: Double, _ y: Double) -> String {
        switch mark {
        case "s": "<rect x='\((x - 4).decimals(1))' y='\((y - 4).decimals(1))' width='8' height='8' fill='\(color)'/>"
        case "t":
            "<path d='M\(x.decimals(1)) \((y - 5).decimals(1)) l5 9 h-10 z' fill='\(color)'/>"
        case "d":
            "<path d='M\(x.decimals(1)) \((y - 5.5).decimals(1)) l5.5 5.5 l-5.5 5.5 l-5.5 -5.5 z' fill='\(color)'/>"
        default: "<circle cx='\(x.decimals(1))' cy='\(y.decimals(1))' r='4' fill='\(color)'/>"
        }
    }
}

/// The frame of a picture and its text.
struct Canvas {
    let width: Double
    let height: Double
    private var body = ""

    init(width: Double, height: Double, title: String, subtitle: String) {
        self.width = width
        self.height = height
        text(20, 28, title, size: 16, weight: "bold")
        text(20, 48, subtitle, size: 12, color: "#444")
    }

    mutating func add(_ element: String) { body += element + "\n" }

    mutating func text(
        _ x: Double, _ y: Double, _ words: String, size: Int = 12, anchor: String = "start", weight: String = "normal",
        color: String = "#000", turned: Bool = false
    ) {
        let turn = turned ? " transform='rotate(-90 \(x.decimals(1)) \(y.decimals(1)))'" : ""
        add(
            "<text x='\(x.decimals(1))' y='\(y.decimals(1))' font-size='\(size)' text-anchor='\(anchor)' "
                + "font-weight='\(weight)' fill='\(color)'\(turn)>\(Self.escaped(words))</text>")
    }

    mutating func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, color: String = "#CCC", width: Double = 1
    ) {
        add(
            "<line x1='\(x1.decimals(1))' y1='\(y1.decimals(1))' x2='\(x2.decimals(1))' y2='\(y2.decimals(1))' "
                + "stroke='\(color)' stroke-width='\(width)'/>")
    }

    var svg: String {
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 \(Int(width)) \(Int(height))' width='\(Int(width))' "
            + "height='\(Int(height))' font-family='DejaVu Sans, Helvetica, Arial, sans-serif'>\n"
            + "<rect width='100%' height='100%' fill='#FFF'/>\n\(body)</svg>\n"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
