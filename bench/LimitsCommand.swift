import ArgumentParser
import Load

/// `hearsay-bench limits`: our node beside what this machine can do at most.
struct LimitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Measure our node against plain C servers and the goals of the project.",
        discussion: """
            Starts our node and the C server, runs them in alternation, and shows the median of the ratios pair by pair. Ratios of \
            CPU time are judged, since they do not depend on the generator's speed. The exit status is 1 when a goal is missed.
            """)

    @Argument(help: "What to measure; everything when left out.") var parts: [Limits.Part] = []
    @OptionGroup var programs: Programs
    @Option(help: "Pairs of what alternates.") var rounds = 7
    @Option(help: "Seconds of one turn.") var seconds = 1.0
    @Option(help: "Scales the brokers and topics of the large parts.") var scale = 1.0
    @Option(help: "Write all figures to this file as JSON.") var json: String?

    func run() throws {
        try exiting {
            var limits = Limits(node: try programs.node, limitServer: try programs.limitServer)
            limits.pinning = try programs.pinning
            limits.rounds = rounds
            limits.length = .seconds(seconds)
            limits.scale = scale
            var figures: [LimitFigure] = []
            guard rounds > 0, seconds > 0, scale > 0, scale <= 1 else {
                throw LoadError(.usage, "--rounds \(rounds) --seconds \(seconds) --scale \(scale)")
            }
            printLine("load average \(MachineFacts.loadAverage); \(rounds) rounds of \(tenths(seconds)) s")
            for part in parts.isEmpty ? Limits.Part.allCases : parts {
                let measured = try limits.measure(part)
                figures += measured
                for figure in measured { printLine(figure.line) }
            }
            if let json { try Report(figures: figures, command: CommandLine.arguments).write(json) }
            if figures.contains(where: { $0.isReached == false }) { throw ExitCode(1) }
        }
    }
}

extension Limits.Part: ExpressibleByArgument {}
