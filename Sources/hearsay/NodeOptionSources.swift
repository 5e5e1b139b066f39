import Basics
import ClusterConfiguration
import HTTPServer
import NameServerCore
import NameServerNode
import Platform
import Remoting

// Where a node's options come from: a cluster.yaml, or RocketMQ's own properties.

extension NodeOptions {
    /// The options of one node of a cluster.yaml; nil when it has no such node.
    init?(_ cluster: ClusterConfiguration, node name: String) {
        guard let node = cluster.node(named: name) else { return nil }
        var properties = NamesrvProperties()
        properties.kvConfigPath = "\(node.dataDirectory)/kvConfig.json"
        var text = PropertiesText()
        for property in cluster.nameServerProperties { text[property.name] = property.value }
        properties.load(text)
        // What the file says under its own keys is also what 319 reports.
        properties.bindAddress = node.listen.host
        properties.listenPort = Int32(node.listen.port)
        properties.scanNotActiveBrokerInterval = cluster.timings.scan.wholeMilliseconds
        properties.serverChannelMaxIdleTimeSeconds = Int32(cluster.limits.idleConnection.wholeMilliseconds / 1000)
        self.init(properties: properties)
        self.name = name
        listen = node.listen
        scanInterval = cluster.timings.scan
        frameLimit = cluster.limits.frameBytes
        limits.brokerTimeout = cluster.timings.expiry
        limits.topics = cluster.limits.topics
        limits.brokers = cluster.limits.brokers
        limits.routeCacheBytes = cluster.limits.routeCacheBytes
        stream.connectionLimit = cluster.limits.connections
        stream.unsentLimit = cluster.limits.unsentBytes
        stream.idleTimeout = cluster.limits.idleConnection
        if let address = node.http {
            var http = HTTPOptions(listen: address)
            http.server.connections = cluster.http.connections
            http.server.eventStreams = cluster.http.eventStreams
            http.server.requestsPerSecond = cluster.http.requestsPerSecond
            http.server.requestBurst = 4 * cluster.http.requestsPerSecond
            http.server.hosts = HTTPHosts(
                cluster.http.hosts + cluster.nodes.flatMap { [$0.listen.host] + ($0.http.map { [$0.host] } ?? []) })
            http.cluster = cluster.name
            http.hasBrokerMetrics = cluster.http.brokerMetrics
            http.nodes = cluster.nodes.map { ($0.name, $0.listen) }
            http.processFigures = { ProcessFigures.current }
            self.http = http
        }
    }

    /// Listens there instead; the address list for clients says so, too.
    mutating func listen(at address: Address) {
        listen = address
        guard let nodes = http?.nodes else { return }
        http?.nodes = nodes.map { $0.name == name ? ($0.name, address) : $0 }
    }

    /// Listens at that address of this machine, for brokers, clients and nodes; everybody is still told the configured one.
    mutating func bind(to host: String) {
        properties.bindAddress = host
        listen.host = host
        gossip?.listen.host = host
    }

    /// Answers HTTP there, with what the cluster.yaml says about it if there is one.
    mutating func answerHTTP(at address: Address) {
        if http == nil {
            var fresh = HTTPOptions(listen: address)
            // Nobody can dial every address.
            fresh.nodes = ["0.0.0.0", "::"].contains(listen.host) ? [] : [(name, listen)]
            fresh.processFigures = { ProcessFigures.current }
            http = fresh
        }
        http?.listen = address
    }

    /// RocketMQ's defaults, with the keys of a namesrv.properties when there is one.
    ///
    /// As in RocketMQ, the file also becomes the place where 318 stores the settings, unless it names another.
    init(propertiesFile: String?) throws {
        var properties = NamesrvProperties(home: environment("ROCKETMQ_HOME"), userHome: environment("HOME"))
        var text = PropertiesText()
        if let propertiesFile {
            text = try propertiesText(of: propertiesFile)
            properties.load(text)
            if properties.configStorePath.isEmpty { properties.configStorePath = propertiesFile }
        }
        guard let port = UInt16(exactly: properties.listenPort) else {
            throw ConfigurationFailure("listenPort=\(properties.listenPort) is no port")
        }
        self.init(properties: properties)
        tls = try RemotingTLSOptions(properties: text)
        listen = Address(host: properties.bindAddress, port: port)
        scanInterval = .milliseconds(max(1, properties.scanNotActiveBrokerInterval))
        stream.idleTimeout = .seconds(max(1, Int64(properties.serverChannelMaxIdleTimeSeconds)))
        stream.backlog = max(1, properties.serverSocketBacklog)
        if properties.writeBufferHighWaterMark > 0 {
            stream.highWaterMark = Int(properties.writeBufferHighWaterMark)
        }
    }
}

/// A file in the form of namesrv.properties.
func propertiesText(of path: String) throws -> PropertiesText {
    do {
        return try PropertiesText(decoding: try readFile(path, limit: 1 << 20))
    } catch let error as RemotingError {
        throw ConfigurationFailure("\(path): \(error.context)")
    } catch let error as PlatformError {
        throw ConfigurationFailure(error)
    }
}
