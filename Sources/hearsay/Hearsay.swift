import ArgumentParser
import Glibc

/// The program. Each subcommand has a file of its own and holds argument parsing and printing only.
@main
struct Hearsay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearsay",
        abstract: "A NameServer cluster for Apache RocketMQ.",
        discussion: """
            Brokers and clients of RocketMQ 4.9 and 5.3 use it unchanged: give them the addresses of all nodes, for \
            example namesrvAddr=host1:9876;host2:9876;host3:9876.
            """,
        version: softwareVersion,
        subcommands: [
            ServeCommand.self, RunCommand.self, CheckCommand.self, BrokerCommand.self, RouteCommand.self,
            ProduceCommand.self, ConsumeCommand.self,
            StatusCommand.self, DiffCommand.self, ExplainCommand.self, AdminCommand.self, SimulateCommand.self,
            ShadowCommand.self, RecordCommand.self, ReplayCommand.self,
            ExperimentCommand.self,
        ])

    /// Wrong usage exits with 2, as every other mistake of the caller does; the parser's own choice would be 64.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let status = exitCode(for: error)
            if status == ExitCode.validationFailure {
                printError(fullMessage(for: error))
                Glibc.exit(2)
            }
            exit(withError: error)
        }
    }
}

/// Program name and version, as shown by `--version` and in a node's status.
let softwareVersion = "hearsay 0.1.0"
