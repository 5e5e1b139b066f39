import ArgumentParser
import Load

/// `hearsay-bench compare A.json B.json`.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two files of results: B to A, workload by workload.",
        discussion: """
            Ratios are taken repetition by repetition, which means most where `pair` wrote the files. Where the spreads of A and B \
            overlap, the difference may be none.
            """)

    @Argument(help: "Results of `run`, `pair`, `limits` or `micro`.") var files: [String]

    func run() throws {
        try exiting {
            guard files.count == 2 else { throw LoadError(.usage, "two files, not \(files.count)") }
            let (first, second) = (try Report.read(files[0]), try Report.read(files[1]))
            printLine("A: \(files[0]), \(first.summary)")
            printLine("B: \(files[1]), \(second.summary)")
            if first.machine.processor != second.machine.processor || first.machine.cores != second.machine.cores {
                printLine("measured on DIFFERENT machines")
            }
            for line in first.compared(with: second) { printLine(line) }
        }
    }
}
