import AccessControl
import ArgumentParser
import Basics
import ClusterConfiguration
import Glibc

/// `hearsay check cluster.yaml`: every mistake of a configuration file, each with its line.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for mistakes in a cluster.yaml; changes nothing.",
        discussion: """
            Looks into access.accountsFile, too, and says what is valid and still worth knowing: who can do what without \
            proof, what others can read. Exits with 0 when the file is valid, with 2 when it is not.
            """)

    @Argument(help: "The file.")
    var file = "cluster.yaml"

    func run() throws {
        let configuration = try ClusterConfiguration.loadOrExit(path: file)
        let accountNotices: [String]
        do {
            accountNotices = try checkAccounts(configuration)
        } catch let errors as ConfigurationErrors {
            printError("\(errors)")
            throw ExitCode(2)
        }
        let nodes = counted(configuration.nodes.count, "node")
        let groups = counted(configuration.brokers.count, "broker group")
        printLine("\(file): ok (\(nodes), \(groups))")
        if configuration.gossip.insecure, configuration.nodes.contains(where: { $0.gossipMode != .off }) {
            printLine("\(file): gossip is in plain text, for gossip.insecure is true; keys would make it safe")
        }
        for line in openPages(configuration) { printLine("\(file): \(line)") }
        for notice in configuration.notices { printLine("\(notice)") }
        for line in accountNotices { printLine(line) }
    }

    /// Also the file of accounts, if there is one: a node would not start with a wrong one.
    private func checkAccounts(_ configuration: ClusterConfiguration) throws -> [String] {
        guard let path = configuration.access.accountsFile else { return [] }
        let accounts = try AccountsFile.load(path: path)
        var notices: [String] = []
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
            let mode = String(status.st_mode & 0o777, radix: 8)
            notices.append("\(path): others can read the secrets in it (mode \(mode)); chmod 600 keeps them out")
        }
        let rules = configuration.access.rules
        for requestClass in RequestClass.allCases where rules[requestClass].needsAccount {
            if !accounts.has(requestClass) {
                notices.append(
                    "\(path): no account has the class \(requestClass), and access.\(requestClass).accounts wants one")
            }
        }
        return notices
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
