import ArgumentParser

/// The command line; each subcommand has its own file.
@main
struct Hearsay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hearsay",
        abstract: "A NameServer cluster for Apache RocketMQ.",
        subcommands: [CheckCommand.self])
}
