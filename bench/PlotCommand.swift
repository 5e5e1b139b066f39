import ArgumentParser
import Load

/// `hearsay-bench plot`: pictures of results.
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "Draw results as SVG: latency by percentile, and answers per second.",
        discussion: """
            Each file is one line of each picture; workloads of the same name are drawn together. Lines differ in colour, dashes and \
            marks, so that they can be told apart in print.
            """)

    @Argument(help: "Results of `run` or `pair`.") var files: [String]
    @Option(name: [.customShort("o"), .long], help: "The folder for the pictures.") var output = "."

    func run() throws {
        try exiting {
            guard !files.isEmpty, files.count <= Plot.seriesLimit else {
                throw LoadError(.usage, "1 to \(Plot.seriesLimit) files, not \(files.count)")
            }
            var reports: [Report] = []
            for file in files { reports.append(try Report.read(file)) }
            let names = files.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
            let pictures = Plot.pictures(
                reports, names: names.map { $0.hasSuffix(".json") ? String($0.dropLast(5)) : $0 })
            guard !pictures.isEmpty else {
                throw LoadError(.usage, "no measurements in \(files.joined(separator: ", "))")
            }
            for picture in pictures {
                try TextFile.write("\(output)/\(picture.name).svg", picture.svg)
                printLine("\(output)/\(picture.name).svg")
            }
        }
    }
}
