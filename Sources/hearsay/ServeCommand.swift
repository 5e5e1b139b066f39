import ArgumentParser
import Basics
import ClusterConfiguration
import EventLoop
import Experiments
import Glibc
import Logging
import NameServerCore
import NameServerNode
import Platform

/// `hearsay serve`: one node.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run one NameServer node.",
        discussion: """
            Three ways to configure it: a node of a cluster.yaml (--config and --node), a RocketMQ namesrv.properties \
            (-c), or the defaults: 0.0.0.0:9876, expiry 120 s, scan 10 s, key-value file ~/namesrv/kvConfig.json.

            Where lookups need an account (access.lookup.accounts), --access-key and --secret-key-file let the page of --http \
            ask the other nodes.

            SIGHUP reads the configuration anew: what can change while the node runs is taken over, what needs a restart is \
            named in the log, and if anything is wrong nothing changes. SIGTERM and SIGINT end the node.
            """)

    @Option(help: "A cluster.yaml; needs --node.") var config: String?
    @Option(help: "Which node of the cluster.yaml this is.") var node: String?
    @Option(name: [.customShort("c"), .customLong("configFile")], help: "A RocketMQ namesrv.properties.")
    var configFile: String?
    @Flag(name: [.customShort("p"), .customLong("printConfigItem")], help: "Print all RocketMQ properties and exit.")
    var printConfigItem = false
    @Option(name: [.customShort("n"), .customLong("namesrvAddr")], help: "Accepted as by mqnamesrv; has no effect.")
    var namesrvAddr: String?
    @Option(help: "Listen at this host:port instead; port 0 lets the system choose.") var listen: String?
    @Option(
        help: ArgumentHelp(
            "Listen at this address of the machine instead; what others dial stays what the configuration says.",
            discussion:
                "For brokers, clients and nodes, with the configured ports: where the configured host is not an "
                + "address of this machine, as in containers and behind address translation. 0.0.0.0 is every address.",
            valueName: "host"))
    var bind: String?
    @Option(help: "Answer HTTP at this host:port (page, health, metrics, tables); port 0 lets the system choose.")
    var http: String?
    @Option(
        name: .customLong("http-host"),
        help: "A name under which HTTP may be asked, besides addresses in digits and localhost; * is every name.")
    var httpHosts: [String] = []
    @Option(
        help: ArgumentHelp(
            "Let this network administer, too, besides what is allowed already (by default this machine only).",
            discussion: "A block of addresses, as in 10.0.0.0/8, or a single one. May be repeated.",
            valueName: "network"))
    var allowAdmin: [String] = []
    // For the page alone, which asks the other nodes.
    @OptionGroup var signing: SigningOptions
    @Option(help: "The least important lines to log.") var logLevel: Logger.Level?
    @Option(help: "How log lines look.") var logFormat: LineLogHandler.Format?
    @Option(
        name: .customLong("detour"),
        help: ArgumentHelp(
            "ADDRESS=OTHER: what is to be dialled at the one is dialled at the other.", visibility: .hidden))
    var detours: [String] = []
    @Flag(help: ArgumentHelp("End when the parent process has ended.", visibility: .hidden))
    var exitWithParent = false

    func run() throws {
        let configuration: ServeConfiguration
        do {
            configuration = try ServeConfiguration.read(self)
        } catch let errors as ConfigurationErrors {
            printError("\(errors)")
            throw ExitCode(2)
        } catch let failure as ConfigurationFailure {
            throw failUsage(failure)
        }
        if let configFile { printLine("load config properties file OK, \(configFile)") }
        if printConfigItem {
            writeAll(1, configuration.options.properties.text)
            return
        }
        try serve(configuration)
    }

    private func serve(_ configuration: ServeConfiguration) throws {
        var options = configuration.options
        options.http?.pageSigner = try signing.signer()
        let routes = try routes()
        allowOpenFiles(options.stream.connectionLimit + 64)
        do {
            let loop = try EventLoop()
            if let bytes = MemoryLimit.streamBytes { loop.ownedBytesLimit = min(loop.ownedBytesLimit, bytes) }
            let logger = Logger(label: options.name) { label in
                LineLogHandler(
                    node: label, format: configuration.format, level: configuration.level,
                    timestamp: { utcTimestamp() }, sink: { writeAll(2, $0) })
            }
            loop.onWarning = { logger.warning("\($0)") }
            let server = try NameServerNode(platform: routed(loop, routes), options: options, logger: logger)
            let stop = { server.shutdown { loop.stop() } }
            loop.onSignal(SIGTERM, stop)
            loop.onSignal(SIGINT, stop)
            let reload = ConfigurationReload(self, server, started: configuration, logger: logger)
            loop.onSignal(SIGHUP) { reload.run() }
            try server.start()
            let watch = exitWithParent ? ParentWatch(platform: loop, onGone: stop) : nil
            watch?.start()
            printLine(
                "The Name Server boot success. serializeType=JSON, address \(server.address)")
            if let http = server.httpAddress {
                printLine("http://\(http)/ shows the cluster in a browser; /api lists health, metrics and tables")
            }
            loop.run()
        } catch {
            throw failUsage(error)
        }
    }
}

extension ServeCommand {
    /// The detours that `hearsay run` makes.
    private func routes() throws -> [Address: Address] {
        var routes: [Address: Address] = [:]
        for detour in detours {
            let parts = detour.split(separator: "=", maxSplits: 1).map { Address($0) }
            guard parts.count == 2, let from = parts[0], let to = parts[1] else {
                throw failUsage("--detour '\(detour)' is no host:port=host:port")
            }
            routes[from] = to
        }
        return routes
    }

    private func routed(_ loop: EventLoop, _ routes: [Address: Address]) -> any Platform {
        routes.isEmpty ? loop : RoutedPlatform(loop) { routes[$0] ?? $0 }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension LineLogHandler.Format: ExpressibleByArgument {}
