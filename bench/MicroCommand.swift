import ArgumentParser
import Load

/// `hearsay-bench micro`: single steps of the node, without sockets.
struct MicroCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro", abstract: "Time the steps that requests are made of, in this process: thread CPU time.")

    @Argument(help: "Which; all when left out.") var parts: [MicroBenchmark] = []
    @Option(help: "Rounds; the fastest and the median are shown.") var rounds = 51
    @Option(help: "Topics of a body, brokers of a table.") var size = 1_000
    @Option(help: "Write all figures to this file as JSON.") var json: String?

    func run() throws {
        try exiting {
            guard rounds > 0, (1...Fleet.topicLimit).contains(size) else {
                throw LoadError(.usage, "--rounds \(rounds) --size \(size)")
            }
            var figures: [LimitFigure] = []
            for part in parts.isEmpty ? MicroBenchmark.allCases : parts {
                let figure = part.run(size: size, rounds: rounds)
                printLine(figure.line)
                figures.append(figure)
            }
            if let json { try Report(figures: figures, command: CommandLine.arguments).write(json) }
        }
    }
}

extension MicroBenchmark: ExpressibleByArgument {}
