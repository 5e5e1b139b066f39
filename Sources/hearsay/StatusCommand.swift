import ArgumentParser
import Basics
import ClusterConfiguration
import ClusterView
import EventLoop
import Platform

/// `hearsay status`: all nodes of a cluster at once.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show all nodes of a cluster: state, peers, agreement, brokers and their ages.",
        discussion: """
            Asks every node at the same time. NameServers of Apache take part: they tell which brokers they list, but no \
            ages.

            Exits with 0 when all nodes answer and agree; with 1 when one does not answer or they differ; with 2 for wrong \
            usage, or when no node answers.

              hearsay status --config cluster.yaml
              hearsay status --namesrv '10.0.0.1:9876;10.0.0.2:9876' --json
            """)

    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "How long to wait for a node.") var timeout = TimeArgument(.seconds(3))
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let (cluster, nodes) = try nameServers.cluster()
        let survey = try SurveyRun(nodes: nodes, nameServers, timeout: timeout)
        let status = survey.result { survey, finish in
            survey.read(includesTopics: false) { finish(ClusterStatus(cluster: cluster, $0)) }
        }
        if json {
            printJSON(status)
        } else {
            for line in status.lines(colour: Colours.areWanted) { printLine(line) }
            for page in try nameServers.pages() { printLine(page) }
        }
        if status.exitStatus != 0 { throw ExitCode(status.exitStatus) }
    }
}

extension NameServerOptions {
    /// Where the nodes of a cluster.yaml answer HTTP, a line each.
    func pages() throws -> [String] {
        guard let config, namesrv == nil else { return [] }
        let nodes = try ClusterConfiguration.loadOrExit(path: config).nodes
        return nodes.compactMap { node in node.http.map { "\(node.name) answers http://\($0)/" } }
    }

    /// The cluster's label, and its nodes with their names; nodes given by address are called by it.
    func cluster() throws -> (label: String, nodes: [(name: String, address: Address)]) {
        if let config, namesrv == nil {
            let cluster = try ClusterConfiguration.loadOrExit(path: config)
            return (cluster.name, cluster.nodes.map { ($0.name, $0.listen) })
        }
        var seen: Set<Address> = []
        let nodes = try addresses().filter { seen.insert($0).inserted }.map { ("\($0)", $0) }
        return ("", nodes)
    }
}

/// One survey on a loop of its own.
struct SurveyRun {
    let loop: EventLoop
    let survey: ClusterSurvey

    init(
        nodes: [(name: String, address: Address)], _ nameServers: NameServerOptions, timeout: TimeArgument
    ) throws {
        guard timeout.duration > .zero else { throw failUsage("--timeout must be above 0") }
        var options = SurveyOptions()
        options.timeout = timeout.duration
        options.sign = try nameServers.signing.signer()
        do {
            loop = try EventLoop()
        } catch {
            throw failUsage(error)
        }
        survey = ClusterSurvey(platform: try nameServers.tls.platform(over: loop), nodes: nodes, options: options)
    }

    /// Runs the loop until `ask` has finished with a value.
    func result<Value>(_ ask: (ClusterSurvey, @escaping (Value) -> Void) -> Void) -> Value {
        var value: Value?
        ask(survey) { [survey, loop] in
            value = $0
            survey.close()
            loop.stop()
        }
        loop.run()
        // The loop ends when it is stopped, above.
        guard let value else { preconditionFailure("the survey ended without a result") }
        return value
    }
}

/// Whether to colour standard output.
enum Colours {
    /// On a terminal, unless NO_COLOR is set (no-color.org).
    static var areWanted: Bool { Terminal() != nil && (environment("NO_COLOR") ?? "").isEmpty }
}
