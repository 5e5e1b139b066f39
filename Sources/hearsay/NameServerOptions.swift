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

/// A time on the command line: `500ms`, `5s`, `2m`, or a number of seconds.
struct TimeArgument: ExpressibleByArgument {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    var defaultValueDescription: String {
        let milliseconds = duration.wholeMilliseconds
        return milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000)s" : "\(milliseconds)ms"
    }

    init?(argument: String) {
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600), ("", 1)]
        for (suffix, seconds) in units where argument.hasSuffix(suffix) {
            guard let number = Double(argument.dropLast(suffix.count)) else { continue }
            guard number >= 0, number * seconds <= 1e9 else { return nil }
            duration = .seconds(number * seconds)
            return
        }
        return nil
    }
}

/// Refuses what no topic can be called, with exit status 2.
func checkTopic(_ topic: String) throws {
    guard !topic.isEmpty, topic.utf8.count <= 255 else { throw failUsage("a topic has 1 to 255 bytes") }
}
