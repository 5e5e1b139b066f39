import ArgumentParser
import Experiments

/// `hearsay experiment`: partition-tolerance experiments from files.
struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Run a fault schedule with and without gossip, and report what it did to nodes, brokers and clients.",
        discussion: """
            A scenario file says who takes part, what goes wrong when, and what must hold; bench/experiments/README.md \
            explains it from the beginning. The shipped ones stand in bench/experiments of the repository, so that \
            their names work from there, or with --directory.

              hearsay experiment list
              hearsay experiment run one-way-cut
              hearsay experiment run one-way-cut --driver simulated --seed 7
              hearsay experiment new mine && hearsay experiment run mine.yaml
              hearsay experiment compare results/before results/after
            """,
        subcommands: [
            ExperimentRunCommand.self, ExperimentCompareCommand.self, ExperimentListCommand.self,
            ExperimentNewCommand.self,
        ])
}

extension DriverKind: ExpressibleByArgument {
    /// What each is.
    public static var allValueDescriptions: [String: String] {
        [
            "live": "real processes, with proxies between them that the runner controls; needs no rights",
            "netns": "real processes in network namespaces with packet filters; needs root",
            "simulated": "the same code in virtual time; the seed decides everything, minutes pass in moments",
        ]
    }
}

extension Arm: ExpressibleByArgument {}

/// Where named scenarios are.
struct ScenarioDirectory: ParsableArguments {
    @Option(help: "Where the scenarios are that are called by name.") var directory = "bench/experiments"

    /// The file that a word means: a name of the directory, or a path, which has a `/` or ends in `.yaml` or `.yml`.
    func path(of word: String) -> String {
        let isPath = word.contains("/") || word.hasSuffix(".yaml") || word.hasSuffix(".yml")
        return isPath ? word : "\(directory)/\(word).yaml"
    }
}
