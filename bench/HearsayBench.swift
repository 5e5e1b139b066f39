import ArgumentParser
import Glibc

/// `hearsay-bench`: figures of a NameServer that anyone can repeat.
@main
struct HearsayBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearsay-bench",
        abstract: "Measure RocketMQ NameServers: any of them by address, or our own node.",
        discussion: "Without a subcommand it runs the quick set of `run` on our node: one and a half minutes.",
        subcommands: [
            RunCommand.self, PairCommand.self, CompareCommand.self, PlotCommand.self, LimitsCommand.self,
            MicroCommand.self, GossipCommand.self, SoakCommand.self,
        ], defaultSubcommand: RunCommand.self)
}

/// One decimal.
func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return "\(scaled / 10).\(abs(scaled % 10))"
}

func printLine(_ line: String) { writeLine(1, line) }

func writeLine(_ descriptor: Int32, _ line: String) {
    let bytes = Array((line + "\n").utf8)
    bytes.withUnsafeBytes { _ = write(descriptor, $0.baseAddress, $0.count) }
}
