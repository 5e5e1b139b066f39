import ArgumentParser
import Basics
import BrokerAgent
import ClusterConfiguration
import EventLoop
import Glibc
import Platform
import Remoting

/// `hearsay broker`: one stand-in broker.
struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Run one stand-in broker, which keeps messages in memory only.",
        discussion: """
            For demonstrations and experiments: real RocketMQ clients can use it, but it stores nothing on disk. It \
            registers with all NameServers, and a slave copies its master's messages. Either a replica of a \
            cluster.yaml (--config, --group, --id), or everything by options:

              hearsay broker --name broker-a --listen 127.0.0.1:10911 --namesrv 127.0.0.1:9876,127.0.0.1:9886
            """)

    @Option(help: "A cluster.yaml; needs --group.") var config: String?
    @Option(help: "Which broker group of the cluster.yaml this is.") var group: String?
    @Option(help: "Which replica: 0 is the master, above 0 a slave.") var id: Int64 = 0
    @Option(help: "Without --config: the broker's name.") var name: String?
    @Option(help: "Without --config: the RocketMQ cluster it belongs to.") var cluster = "DefaultCluster"
    @Option(help: "Listen at this host:port, and register it; port 0 lets the system choose.") var listen: String?
    @Option(help: "Register this host:port instead of the one it listens at.") var advertise: String?
    @Option(help: "NameServers: host:port, separated by commas or semicolons.") var namesrv: String?
    @Option(help: "Time between registrations. Default: as the cluster.yaml, else 30s.") var heartbeat: TimeArgument?
    @Option(help: "Time between light heartbeats (904) besides. Default: none.") var lightHeartbeat: TimeArgument?
    @Option(help: "Silence after which NameServers shall drop it. Default: theirs, 120s.")
    var expiry: TimeArgument?
    @Flag(help: "Offer itself as acting master, as RocketMQ's enableSlaveActingMaster.") var actingMaster = false
    @Option(name: .customLong("topic"), help: "A topic it has from the start: name, or name:readQueues:writeQueues.")
    var topics: [String] = []
    @Flag(help: "Sending to an unknown topic does not create it.") var noAutoCreate = false
    @Option(help: "Seed of all chance. Default: another one each time.") var seed: UInt64?
    @OptionGroup var tls: TLSClientOptions
    @OptionGroup var signing: SigningOptions
    @Flag(help: "Print JSON, one object a line.") var json = false
    @Flag(help: ArgumentHelp("End when the parent process has ended.", visibility: .hidden))
    var exitWithParent = false

    func run() throws {
        var options = try options()
        options.sign = try signing.signer()
        let printer = BrokerPrinter(isJSON: json)
        do {
            let loop = try EventLoop()
            let broker = try StandInBroker(platform: try tls.platform(over: loop, serves: true), options: options)
            broker.onEvent = { printer.print($0) }
            var isStopping = false
            let stop = {
                if isStopping { return }
                isStopping = true
                printer.stopping()
                broker.stop {
                    printer.stopped(broker.counters)
                    loop.stop()
                }
            }
            loop.onSignal(SIGTERM, stop)
            loop.onSignal(SIGINT, stop)
            let watch = exitWithParent ? ParentWatch(platform: loop, onGone: stop) : nil
            watch?.start()
            printer.started(broker.identity, nameServers: options.nameServers)
            broker.start()
            loop.run()
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    private func options() throws -> StandInBroker.Options {
        var options: StandInBroker.Options
        if let config {
            options = try configured(config)
        } else {
            guard group == nil else { throw failUsage("--group needs --config") }
            guard let name, let listen else { throw failUsage("give --config and --group, or --name and --listen") }
            let identity = BrokerIdentity(
                cluster: cluster, name: name, brokerID: id, address: try address(listen, "--listen"))
            options = StandInBroker.Options(identity: identity, nameServers: [], seed: chosenSeed)
        }
        guard id >= 0, id <= Int64(Int32.max) else { throw failUsage("--id \(id) is not 0 to \(Int32.max)") }
        if let listen {
            options.listenAddress = try address(listen, "--listen")
            options.identity.address = try address(listen, "--listen")
        }
        if let advertise {
            options.listenAddress = options.listenAddress ?? options.identity.address
            options.identity.address = try address(advertise, "--advertise")
        }
        if let namesrv {
            options.nameServers = try namesrv.split { $0 == "," || $0 == ";" }.map { try address($0, "--namesrv") }
        }
        if let period = try period(heartbeat, "--heartbeat") { options.timings = .scaled(to: period) }
        options.timings.heartbeatPeriod = try period(lightHeartbeat, "--light-heartbeat")
        options.identity.heartbeatTimeout = try period(expiry, "--expiry")
        options.identity.enableActingMaster = actingMaster
        options.topics += try topics.map(topic)
        if noAutoCreate { options.autoCreateTopics = false }
        return options
    }

    private func configured(_ path: String) throws -> StandInBroker.Options {
        guard name == nil else { throw failUsage("--config and --name exclude each other") }
        let configuration = try ClusterConfiguration.loadOrExit(path: path)
        let names = configuration.brokers.map(\.name).joined(separator: ", ")
        guard let group else { throw failUsage("--config needs --group: one of \(names)") }
        guard let settings = configuration.brokerGroup(named: group) else {
            throw failUsage("no broker group '\(group)' in \(path); there are: \(names)")
        }
        guard let replica = settings.replica(id: id) else {
            throw failUsage("no replica \(id) in group \(group) of \(path)")
        }
        let identity = BrokerIdentity(
            cluster: settings.cluster, name: settings.name, brokerID: id, address: replica.listen)
        var options = StandInBroker.Options(
            identity: identity, nameServers: configuration.nodes.map(\.listen), seed: chosenSeed)
        options.timings = .scaled(to: configuration.timings.heartbeat)
        options.autoCreateTopics = settings.autoCreateTopics
        options.topics = settings.topics.map {
            TopicConfig($0.name, readQueues: Int32($0.readQueues), writeQueues: Int32($0.writeQueues))
        }
        return options
    }

    private var chosenSeed: UInt64 { seed ?? .random(in: .min ... .max) }

    private func address(_ text: some StringProtocol, _ option: String) throws -> Address {
        guard let address = Address(text) else { throw failUsage("\(option) '\(text)' is no host:port") }
        return address
    }

    private func period(_ time: TimeArgument?, _ option: String) throws -> Duration? {
        guard let time else { return nil }
        guard (.milliseconds(10) ... .seconds(86_400)).contains(time.duration) else {
            throw failUsage("\(option) \(time.defaultValueDescription) is not 10ms to 24h")
        }
        return time.duration
    }

    private func topic(_ text: String) throws -> TopicConfig {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let queues = parts.dropFirst().map { Int32($0) ?? 0 }
        guard parts.count <= 3, !parts[0].isEmpty, queues.allSatisfy({ (1...1_024).contains($0) }) else {
            throw failUsage("--topic '\(text)' is not name or name:readQueues:writeQueues, each 1 to 1024")
        }
        return TopicConfig(String(parts[0]), readQueues: queues.first ?? 8, writeQueues: queues.last ?? 8)
    }
}
