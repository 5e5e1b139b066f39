import ArgumentParser
import Basics
import ClusterConfiguration
import RouteClient

/// Which NameServers a client command asks.
struct NameServerOptions: ParsableArguments {
    @Option(
        help: """
            NameServers: host or host:port (default port 9876), separated by semicolons or commas. Default: the \
            environment variable NAMESRV_ADDR, as RocketMQ's clients.
            """)
    var namesrv: String?
    @Option(help: "Take the NameServers from this cluster.yaml.")
    var config: String?
    @OptionGroup var tls: TLSClientOptions
    @OptionGroup var signing: SigningOptions

    /// At least one address, or exit status 2.
    func addresses() throws -> [Address] {
        if let config {
            guard namesrv == nil else { throw failUsage("--namesrv and --config exclude each other") }
            return try ClusterConfiguration.loadOrExit(path: config).nodes.map(\.listen)
        }
        let source = namesrv == nil ? "NAMESRV_ADDR" : "--namesrv"
        guard let text = namesrv ?? environment("NAMESRV_ADDR") else {
            throw failUsage("no NameServer: give --namesrv host:port, --config cluster.yaml or set NAMESRV_ADDR")
        }
        let addresses = try text.split { $0 == ";" || $0 == "," }.map { part in
            let trimmed = part.drop { $0 == " " }.prefix { $0 != " " }
            guard let address = Address(trimmed, defaultPort: 9876), address.port != 0 else {
                throw failUsage("\(source) '\(part)' is no host:port")
            }
            return address
        }
        guard !addresses.isEmpty else { throw failUsage("\(source) names no NameServer") }
        return addresses
    }
}

/// Refuses what no topic can be called, with exit status 2.
func checkTopic(_ topic: String) throws {
    guard !topic.isEmpty, topic.utf8.count <= 255 else { throw failUsage("a topic has 1 to 255 bytes") }
}
