import ArgumentParser
import Experiments

/// `hearsay experiment compare`: two results side by side.
struct ExperimentCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two results: before and after a change, live and simulated, two settings.",
        discussion: """
            A and B are folders that experiment run wrote (experiment-results/NAME). Prints figures side by side and writes \
            a page with both. Exits with 0, or with 2 when one of them cannot be read.
            """)

    @Argument(help: ArgumentHelp("A folder of results.", valueName: "a")) var first: String
    @Argument(help: ArgumentHelp("Another.", valueName: "b")) var second: String
    @Option(help: ArgumentHelp("The page.", valueName: "file")) var output = "comparison.html"

    func run() throws {
        do throws(ExperimentError) {
            let results = (try ExperimentParts.read(first), try ExperimentParts.read(second))
            let page = ExperimentParts.comparison(results.0, results.1)
            try writeFile(output, page)
            for line in ExperimentTable.comparison(results.0, results.1, names: [first, second]) { printLine(line) }
            printLine("")
            printLine("report: \(output)")
        } catch {
            throw failUsage(error)
        }
    }
}
