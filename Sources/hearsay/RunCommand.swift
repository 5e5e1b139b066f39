import ArgumentParser
import Basics
import ClusterConfiguration
import ClusterView
import EventLoop
import Glibc
import Platform
import Supervisor

/// `hearsay run`: a whole cluster on this machine, with its demonstration brokers and a live screen.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run all nodes and brokers of a cluster.yaml here and watch them.",
        discussion: """
            Starts one process per node and per broker replica, then shows what each node knows. On a terminal the \
            screen is redrawn; otherwise events are printed as plain lines. Ctrl-C stops everything within 2 s. \
            Output of the processes goes to files in --logs.
            """)

    @Option(help: "The cluster to run.") var config = "cluster.yaml"
    @Option(help: "Directory for the output of the processes.") var logs = "data/logs"
    @Option(help: "Stop everything after this time. Default: at Ctrl-C.") var duration: TimeArgument?
    @Flag(help: "Plain lines even on a terminal.") var plain = false
    @Flag(help: "Only the nodes, no demonstration brokers.") var noBrokers = false

    func run() throws {
        let cluster = try ClusterConfiguration.loadOrExit(path: config)
        try checkPortsAreFree(cluster)
        do {
            let loop = try EventLoop()
            let session = try RunSession(loop: loop, cluster: cluster, command: self)
            try session.start()
            loop.run()
            if session.failed { throw ExitCode(1) }
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    /// A port in use is one clear line before anything is started, not a child that dies later.
    private func checkPortsAreFree(_ cluster: ClusterConfiguration) throws {
        do {
            let loop = try EventLoop()
            let refusing = RefusingListener()
            let brokers = noBrokers ? [] : cluster.brokers.flatMap { group in group.replicas.map(\.listen) }
            let gossip = cluster.nodes.filter { $0.gossipMode != .off }.map(\.gossip)
            for address in cluster.nodes.map(\.listen) + gossip + cluster.nodes.compactMap(\.http) + brokers {
                try loop.listen(at: address, options: StreamOptions(), handler: refusing).close()
            }
            loop.stop()
            loop.run()
        } catch {
            throw failUsage(error)
        }
    }
}

/// Accepts nobody.
private final class RefusingListener: ListenerHandler {
    func accept(_ stream: any ByteStream) -> (any StreamHandler)? { nil }
}
