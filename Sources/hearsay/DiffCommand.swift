import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Platform

/// `hearsay diff`: who lacks what, since when, and what to do.
struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say in what the nodes of a cluster differ, since when, and what to do.",
        discussion: """
            Compares what the nodes list (brokers, addresses, topics, queues, permissions, ORDER_TOPIC_CONFIG) and adds what \
            their gossip reports. It works with Apache's NameServers, with ours, with gossip and without. What differs is read \
            again twice before it is reported, so that a heartbeat under way is no difference.

            HERE are the nodes that have it, THERE those that lack it or say otherwise.

            Exits with 0 when the nodes agree; with 1 when they differ or one does not answer; with 2 for wrong usage, or when \
            no node answers.

              hearsay diff --config cluster.yaml
              hearsay diff --namesrv '10.0.0.1:9876;10.0.0.2:9876' --topics Orders,Payments --json
            """)

    @OptionGroup var nameServers: NameServerOptions
    @Option(help: "Topics whose routes are compared: all, none, or names separated by commas.") var topics = "all"
    @Option(help: "With --topics all: compare at most so many.") var topicLimit = 20_000
    @Option(help: "Time between two readings of what differs.") var settle = TimeArgument(.seconds(2))
    @Option(help: "How long to wait for a node.") var timeout = TimeArgument(.seconds(3))
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let selection = try selection()
        let run = try SurveyRun(nodes: try nameServers.cluster().nodes, nameServers, timeout: timeout)
        var search: DifferenceSearch?
        let report: DifferenceReport = run.result { survey, finish in
            search = DifferenceSearch(
                platform: run.loop, survey: survey, topics: selection, settle: settle.duration, completion: finish)
            search?.start()
        }
        if json {
            printJSON(report)
        } else {
            let table = DifferenceTable(width: Terminal()?.size.columns, colour: Colours.areWanted)
            for line in table.lines(report) { printLine(line) }
        }
        if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }

    private func selection() throws -> TopicSelection {
        guard topicLimit > 0 else { throw failUsage("--topic-limit must be above 0") }
        switch topics {
        case "all": return .all(limit: topicLimit)
        case "none": return .none
        default:
            let names = topics.split(separator: ",").map(String.init)
            guard !names.isEmpty else { throw failUsage("--topics names no topic") }
            for name in names { try checkTopic(name) }
            return .named(names)
        }
    }
}
