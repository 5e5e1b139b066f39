import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Platform

/// `hearsay explain BROKER`: why each node serves a broker, or does not.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why each node sends clients to a broker, or does not.",
        discussion: """
            Per node: heard by itself and how long ago; kept because which peer hears it and until when; learned from whom; \
            dropped when and why. NameServers of Apache only say whether they list it.

            Exits with 0 when every node serves the broker; with 1 when some does not, or does not answer; with 2 for wrong \
            usage, or when no node serves it.

              hearsay explain broker-a --config cluster.yaml
              hearsay explain broker-a:1 --namesrv 10.0.0.1:9876,10.0.0.2:9876
            """)

    @Argument(help: "A broker's name, or name:id for one replica.") var broker: String
    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "How long to wait for a node.") var timeout = TimeArgument(.seconds(3))
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        guard !broker.isEmpty, broker.utf8.count <= 1_024 else { throw failUsage("a broker has 1 to 1024 bytes") }
        let run = try SurveyRun(nodes: try nameServers.cluster().nodes, nameServers, timeout: timeout)
        let explanation = run.result { survey, finish in
            survey.read(includesTopics: false, routeOf: BrokerExplanation.ownTopic(broker)) {
                finish(BrokerExplanation(broker, $0))
            }
        }
        if json {
            printJSON(explanation)
        } else {
            for line in explanation.lines(colour: Colours.areWanted) { printLine(line) }
            if explanation.replicas.isEmpty {
                printError("hearsay: no node knows a broker \(broker)")
                for (node, error) in explanation.errors.sorted(by: { $0.key < $1.key }) {
                    printError("hearsay: \(node) does not answer: \(error)")
                }
            }
        }
        if explanation.exitStatus != 0 { throw ExitCode(explanation.exitStatus) }
    }
}
