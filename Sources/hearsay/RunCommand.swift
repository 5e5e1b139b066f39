import ArgumentParser
import Basics
import ClusterConfiguration
import ClusterView
import EventLoop
import Glibc
import Platform
import RemotingTransport
import Supervisor

/// `hearsay run`: a whole cluster on this machine, with its demonstration brokers and a live screen.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run all nodes and brokers of a cluster.yaml here and watch them.",
        discussion: """
            Starts one process per node and per broker replica, then shows what each node knows. On a terminal the \
            screen is redrawn; otherwise events are printed as plain lines. Ctrl-C stops everything within 2 s. \
            Output of the processes goes to files in --logs. A page for browsers, which only this machine reaches, shows \
            the cluster and has switches that cut links and pause, kill and start processes.
            """)

    /// Where the page is when nobody says where, and ports that are tried when that one is taken.
    static let pageAddress = Address(host: "127.0.0.1", port: 9870)
    static let pagePorts = 10

    @Option(help: "The cluster to run.") var config = "cluster.yaml"
    @Option(help: "Directory for the output of the processes.") var logs = "data/logs"
    @Option(help: "Stop everything after this time. Default: at Ctrl-C.") var duration: TimeArgument?
    @Flag(help: "Plain lines even on a terminal.") var plain = false
    @Flag(help: "Only the nodes, no demonstration brokers.") var noBrokers = false
    @Option(
        help: "Where the page with switches is: host:port on loopback. Default: 127.0.0.1:9870, or the next free port.")
    var page: String?
    @Flag(help: "No page, and no proxies on the links.") var noPage = false
    @OptionGroup var signing: SigningOptions

    func validate() throws {
        if noPage, page != nil { throw ValidationError("--page and --no-page exclude each other") }
    }

    /// Where the page is wanted: all addresses to try. Whoever reaches it can pull switches, so it is on loopback only.
    func pageAddresses(_ cluster: ClusterConfiguration) throws -> [Address] {
        if noPage { return [] }
        guard let page else {
            let first = Self.pageAddress
            let own = Set(addresses(of: cluster).map(\.port))
            return (0..<UInt16(Self.pagePorts)).map { Address(host: first.host, port: first.port + $0) }
                .filter { !own.contains($0.port) }
        }
        guard let address = Address(page) else { throw failUsage("--page '\(page)' is no host:port") }
        guard address.isLoopback else {
            throw failUsage(
                "--page '\(page)' is not on loopback: whoever reached it could cut links and kill processes")
        }
        return [address]
    }

    func run() throws {
        let cluster = try ClusterConfiguration.loadOrExit(path: config)
        let pages = try pageAddresses(cluster)
        try checkPortsAreFree(cluster)
        do {
            let loop = try EventLoop()
            let session = try RunSession(
                loop: loop, cluster: cluster, command: self, pages: pages, sign: try signing.signer())
            try session.start()
            loop.run()
            if session.failed { throw ExitCode(1) }
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    /// Where the processes will listen.
    private func addresses(of cluster: ClusterConfiguration) -> [Address] {
        let brokers = noBrokers ? [] : cluster.brokers.flatMap { group in group.replicas.map(\.listen) }
        let gossip = cluster.nodes.filter { $0.gossipMode != .off }.map(\.gossip)
        return cluster.nodes.map(\.listen) + gossip + cluster.nodes.compactMap(\.http) + brokers
    }

    /// A port in use is one clear line before anything is started, not a child that dies later.
    private func checkPortsAreFree(_ cluster: ClusterConfiguration) throws {
        do {
            let loop = try EventLoop()
            let refusing = RefusingListener()
            for address in addresses(of: cluster) {
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
