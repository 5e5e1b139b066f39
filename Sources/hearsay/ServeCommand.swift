import ArgumentParser
import Basics
import ClusterConfiguration
import EventLoop
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
    @Option(help: "Answer HTTP at this host:port (health, metrics, tables); port 0 lets the system choose.")
    var http: String?
    @Option(help: "The least important lines to log.") var logLevel: Logger.Level?
    @Option(help: "How log lines look.") var logFormat: LineLogHandler.Format?
    @Flag(help: ArgumentHelp("End when the parent process has ended.", visibility: .hidden))
    var exitWithParent = false

    func run() throws {
        var log = LogSettings()
        var options = try options(log: &log)
        if let listen {
            guard let address = Address(listen) else { throw failUsage("--listen '\(listen)' is no host:port") }
            options.listen(at: address)
        }
        if let http {
            guard let address = Address(http) else { throw failUsage("--http '\(http)' is no host:port") }
            options.answerHTTP(at: address)
        }
        options.software = softwareVersion
        log.level = logLevel ?? log.level
        log.format = logFormat ?? log.format
        if printConfigItem {
            writeAll(1, options.properties.text)
            return
        }
        try serve(options, log)
    }

    private struct LogSettings {
        var level = Logger.Level.info
        var format = LineLogHandler.Format.text
    }

    private func options(log: inout LogSettings) throws -> NodeOptions {
        guard let config else {
            guard node == nil else { throw failUsage("--node needs --config") }
            let options = try NodeOptions(propertiesFile: configFile)
            if let configFile { printLine("load config properties file OK, \(configFile)") }
            return options
        }
        guard configFile == nil else { throw failUsage("--config and -c exclude each other") }
        let cluster = try ClusterConfiguration.loadOrExit(path: config)
        let names = cluster.nodes.map(\.name).joined(separator: ", ")
        guard let node else { throw failUsage("--config needs --node: one of \(names)") }
        guard var options = NodeOptions(cluster, node: node), let configured = cluster.node(named: node) else {
            throw failUsage("\(config) has no node '\(node)'; it has \(names)")
        }
        options.gossip = try GossipOptions(cluster, node: configured)
        options.tls = try RemotingTLSOptions(cluster.tls)
        log.level = Logger.Level(rawValue: cluster.log.level.rawValue) ?? log.level
        log.format = LineLogHandler.Format(rawValue: cluster.log.format.rawValue) ?? log.format
        return options
    }

    private func serve(_ options: NodeOptions, _ settings: LogSettings) throws {
        allowOpenFiles(options.stream.connectionLimit + 64)
        do {
            let loop = try EventLoop()
            if let bytes = MemoryLimit.streamBytes { loop.ownedBytesLimit = min(loop.ownedBytesLimit, bytes) }
            let logger = Logger(label: options.name) { label in
                LineLogHandler(
                    node: label, format: settings.format, level: settings.level, timestamp: { utcTimestamp() },
                    sink: { writeAll(2, $0) })
            }
            loop.onWarning = { logger.warning("\($0)") }
            let server = try NameServerNode(platform: loop, options: options, logger: logger)
            let stop = { server.shutdown { loop.stop() } }
            loop.onSignal(SIGTERM, stop)
            loop.onSignal(SIGINT, stop)
            try server.start()
            let watch = exitWithParent ? ParentWatch(platform: loop, onGone: stop) : nil
            watch?.start()
            printLine(
                "The Name Server boot success. serializeType=JSON, address \(server.address)")
            if let http = server.httpAddress { printLine("http://\(http)/ answers health, metrics and tables") }
            loop.run()
        } catch {
            throw failUsage(error)
        }
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension LineLogHandler.Format: ExpressibleByArgument {}
