import ArgumentParser
import Basics
import ClusterConfiguration

/// `hearsay check cluster.yaml`: every mistake of a configuration file, each with its line.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for mistakes in a cluster.yaml; changes nothing.",
        discussion: "Exits with 0 when the file is valid, with 2 when it is not.")

    @Argument(help: "The file.")
    var file = "cluster.yaml"

    func run() throws {
        let configuration = try ClusterConfiguration.loadOrExit(path: file)
        let nodes = counted(configuration.nodes.count, "node")
        let groups = counted(configuration.brokers.count, "broker group")
        printLine("\(file): ok (\(nodes), \(groups))")
        if configuration.gossip.insecure, configuration.nodes.contains(where: { $0.gossipMode != .off }) {
            printLine("\(file): gossip is in plain text, for gossip.insecure is true; keys would make it safe")
        }
        for line in openPages(configuration) { printLine("\(file): \(line)") }
    }

    /// Whoever reaches an HTTP port can read it.
    private func openPages(_ configuration: ClusterConfiguration) -> [String] {
        configuration.nodes.compactMap { node in
            guard let http = node.http, !http.isLoopback else { return nil }
            return "nodes.http of \(node.name), \(http), is beyond this machine: whoever reaches it can read the tables"
        }
    }

    private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}

extension ClusterConfiguration {
    /// Loads the file; prints its faults and asks for exit status 2 when it has any.
    static func loadOrExit(path: String) throws -> ClusterConfiguration {
        do {
            return try load(path: path)
        } catch {
            printError("\(error)")
            throw ExitCode(2)
        }
    }
}
