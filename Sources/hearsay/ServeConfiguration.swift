import Basics
import ClusterConfiguration
import HTTPServer
import Logging
import NameServerNode

/// What a node is told: by files, and over them by the command line.
struct ServeConfiguration {
    /// Ready to start, or to take over from.
    var options: NodeOptions
    var level = Logger.Level.info
    var format = LineLogHandler.Format.text
    /// The file, if it was a cluster.yaml, and the node's name there.
    var cluster: (file: ClusterConfiguration, node: String)?

    private init(options: NodeOptions) { self.options = options }

    /// Reads everything that the command names.
    ///
    /// - Throws: `ConfigurationErrors` of a cluster.yaml, else `ConfigurationFailure`.
    static func read(_ command: ServeCommand) throws -> ServeConfiguration {
        var configuration: ServeConfiguration
        if let config = command.config {
            guard command.configFile == nil else { throw ConfigurationFailure("--config and -c exclude each other") }
            configuration = try read(clusterFile: config, command)
        } else {
            guard command.node == nil else { throw ConfigurationFailure("--node needs --config") }
            configuration = ServeConfiguration(options: try NodeOptions(propertiesFile: command.configFile))
        }
        if let listen = command.listen {
            configuration.options.listen(at: try address(listen, "--listen"))
        }
        if let bind = command.bind {
            guard command.listen == nil else { throw ConfigurationFailure("--bind and --listen exclude each other") }
            configuration.options.bind(to: try host(bind, "--bind"))
        }
        if let http = command.http { configuration.options.answerHTTP(at: try address(http, "--http")) }
        let hosts = command.httpHosts + (configuration.options.http.map { [$0.listen.host] } ?? [])
        configuration.options.http?.server.hosts.add(hosts)
        try configuration.options.access.allowAdministration(from: command.allowAdmin)
        configuration.options.software = softwareVersion
        configuration.options.http?.pageDialling = try configuration.options.tls?.pageDialling()
        configuration.level = command.logLevel ?? configuration.level
        configuration.format = command.logFormat ?? configuration.format
        return configuration
    }

    private static func address(_ text: String, _ option: String) throws -> Address {
        guard let address = Address(text) else { throw ConfigurationFailure("\(option) '\(text)' is no host:port") }
        return address
    }

    /// A host without port; an IPv6 address may stand in brackets.
    private static func host(_ text: String, _ option: String) throws -> String {
        let isBareIPv6 = !text.hasPrefix("[") && text.count { $0 == ":" } > 1
        guard let host = Address(isBareIPv6 ? "[\(text)]:0" : "\(text):0")?.host else {
            throw ConfigurationFailure("\(option) '\(text)' is no host")
        }
        return host
    }

    private static func read(clusterFile path: String, _ command: ServeCommand) throws -> ServeConfiguration {
        let file = try ClusterConfiguration.load(path: path)
        let names = file.nodes.map(\.name).joined(separator: ", ")
        guard let name = command.node else { throw ConfigurationFailure("--config needs --node: one of \(names)") }
        guard let node = file.node(named: name), let options = NodeOptions(file, node: name) else {
            throw ConfigurationFailure("\(path) has no node '\(name)'; it has \(names)")
        }
        var configuration = ServeConfiguration(options: options)
        configuration.cluster = (file, name)
        configuration.level = Logger.Level(rawValue: file.log.level.rawValue) ?? configuration.level
        configuration.format = LineLogHandler.Format(rawValue: file.log.format.rawValue) ?? configuration.format
        configuration.options.gossip = try GossipOptions(file, node: node)
        configuration.options.tls = try RemotingTLSOptions(file.tls)
        configuration.options.access = AccessOptions(file.access, format: command.logFormat ?? configuration.format)
        return configuration
    }
}
