import ArgumentParser
import Basics
import ClusterView
import EventLoop
import Glibc
import Platform
import Remoting
import RouteClient

/// `hearsay route`: where a topic is.
struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Show the route of a topic: its brokers and queues.",
        discussion: """
            Exits with 0 when there is a route; with 1 when the topic has none, or with --all-nodes when NameServers \
            disagree; with 2 for wrong usage; with 3 when no NameServer answers.

              hearsay route Orders --namesrv 10.0.0.1:9876,10.0.0.2:9876
              hearsay route Orders --config cluster.yaml --all-nodes
            """)

    @Argument(help: "The topic.") var topic: String
    @OptionGroup var nameServers: NameServerOptions
    @Flag(help: "List the queues that producers write to and consumers read from, too.") var queues = false
    @Flag(help: "Ask every NameServer, and say who differs.") var allNodes = false
    @Option(help: "How long to wait for one NameServer.") var timeout = TimeArgument(.seconds(3))
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        try checkTopic(topic)
        let addresses = try nameServers.addresses()
        guard timeout.duration > .zero else { throw failUsage("--timeout must be above 0") }
        var options = RouteClientOptions()
        options.nameServerTimeout = timeout.duration
        options.connectTimeout = timeout.duration
        options.sign = try nameServers.signing.signer()
        do {
            let loop = try EventLoop()
            let printer = RoutePrinter(topic: topic, listsQueues: queues, isJSON: json)
            let platform = try nameServers.tls.platform(over: loop)
            let status =
                allNodes
                ? survey(loop, platform, addresses, options, printer) : ask(loop, platform, addresses, options, printer)
            if status != 0 { throw ExitCode(status) }
        } catch let error as PlatformError {
            throw failUsage(error)
        }
    }

    /// Asks NameServers until one answers.
    private func ask(
        _ loop: EventLoop, _ platform: any Platform, _ addresses: [Address], _ options: RouteClientOptions,
        _ printer: RoutePrinter
    ) -> Int32 {
        let client = RouteClient(
            platform: platform, nameServers: addresses, options: options, seed: .random(in: .min ... .max))
        var status: Int32 = 0
        client.route(topic) { result in
            switch result {
            case .success(let route): printer.print(route, from: client.currentNameServer)
            case .failure(let error): status = printer.print(error)
            }
            client.close()
            loop.stop()
        }
        loop.run()
        return status
    }

    private func survey(
        _ loop: EventLoop, _ platform: any Platform, _ addresses: [Address], _ options: RouteClientOptions,
        _ printer: RoutePrinter
    ) -> Int32 {
        var status: Int32 = 0
        RouteSurvey.ask(platform: platform, nameServers: addresses, topic: topic, options: options) { survey in
            status = printer.print(survey)
            loop.stop()
        }
        loop.run()
        return status
    }
}

/// Prints routes as tables or JSON.
struct RoutePrinter {
    var topic: String
    var listsQueues: Bool
    var isJSON: Bool

    private struct Report: Encodable {
        var topic: String
        var nameServer: String?
        var found = true
        var error: String?
        var brokers: [Broker]?
        var orderTopicConf: String?
        var writeQueues: [Queue]?
        var readQueues: [Queue]?
        var nameServers: [Opinion]?
        var agrees: Bool?
    }

    private struct Broker: Encodable {
        var name: String
        var cluster: String
        var addresses: [String: String]
        var readQueues: Int32?
        var writeQueues: Int32?
        var perm: String?
    }

    private struct Queue: Encodable {
        var broker: String
        var queue: Int32

        init(_ queue: MessageQueue) { (broker, self.queue) = (queue.brokerName, queue.queueID) }
    }

    private struct Opinion: Encodable {
        var address: String
        var state: String
        var error: String?
        var differences: [String]
    }

    func print(_ route: TopicRouteData, from nameServer: Address) {
        if isJSON { return printJSON(report(route, from: nameServer)) }
        printLine("topic \(topic), from NameServer \(nameServer)")
        for line in lines(route) { printLine(line) }
    }

    /// Prints why there is no route; answers the exit status.
    func print(_ error: RouteClientError) -> Int32 {
        if isJSON {
            printJSON(Report(topic: topic, found: false, error: "\(error)"))
        } else {
            printError("hearsay: \(error)")
        }
        if case .noRoute = error { return 1 }
        return 3
    }

    /// Prints what every NameServer says; answers the exit status.
    func print(_ survey: RouteSurvey) -> Int32 {
        let route = survey.rows.lazy.compactMap { row in
            row.differences.isEmpty ? (try? row.route.get()).map { ($0, row.nameServer) } : nil
        }.first
        if isJSON {
            var report = route.map { self.report($0.0, from: $0.1) } ?? Report(topic: topic, found: false)
            report.nameServers = survey.rows.map {
                Opinion(
                    address: "\($0.nameServer)", state: state($0), error: error($0)?.description,
                    differences: $0.differences)
            }
            report.agrees = !survey.disagrees
            printJSON(report)
        } else {
            var table = TextTable([.left("NAMESERVER"), .left("ANSWER")])
            for row in survey.rows {
                table.add(["\(row.nameServer)", state(row) + reason(row)])
                for difference in row.differences { table.add(["", "  \(difference)"]) }
            }
            for line in table.lines { printLine(line) }
            if let route {
                printLine("")
                for line in lines(route.0) { printLine(line) }
            }
        }
        if survey.disagrees { return 1 }
        let answered = survey.rows.contains { error($0)?.isAnswer ?? true }
        return route != nil ? 0 : answered ? 1 : 3
    }

    private func state(_ row: RouteSurvey.Row) -> String {
        switch row.route {
        case .success: row.differences.isEmpty ? "agrees" : "differs"
        case .failure(.noRoute): "no route"
        case .failure: "no answer"
        }
    }

    /// Why a NameServer said nothing about the topic.
    private func error(_ row: RouteSurvey.Row) -> RouteClientError? {
        switch row.route {
        case .success, .failure(.noRoute): nil
        case .failure(let error): error
        }
    }

    private func reason(_ row: RouteSurvey.Row) -> String {
        switch error(row) {
        case nil: ""
        case .noAnswer(let error, _): ": \(error)"
        case let error?: ": \(error)"
        }
    }

    // MARK: One route

    private func lines(_ route: TopicRouteData) -> [String] {
        var table = TextTable([
            .left("BROKER"), .left("CLUSTER"), .right("ID"), .left("ROLE"), .left("ADDRESS"), .right("READ"),
            .right("WRITE"), .left("PERM"),
        ])
        for broker in route.brokerDatas.sorted(by: { $0.brokerName < $1.brokerName }) {
            let queues = route.queueDatas.first { $0.brokerName == broker.brokerName }
            for replica in broker.replicas {
                table.add([
                    broker.brokerName, broker.cluster, "\(replica.brokerID)",
                    replica.brokerID == 0 ? "master" : "slave",
                    replica.address, queues.map { "\($0.readQueueNums)" } ?? "-",
                    queues.map { "\($0.writeQueueNums)" } ?? "-", queues.map { perm($0.perm) } ?? "-",
                ])
            }
        }
        var lines = table.lines
        if let order = route.orderTopicConf { lines.append("ordered: \(order)") }
        if listsQueues {
            for (name, queues) in [
                ("write", QueueDerivation.publishQueues(of: topic, in: route)),
                ("read", QueueDerivation.subscribeQueues(of: topic, in: route)),
            ] {
                lines += ["", "\(queues.count) queues to \(name)"]
                lines += queues.map { "  \($0.brokerName) \($0.queueID)" }
            }
        }
        return lines
    }

    private func report(_ route: TopicRouteData, from nameServer: Address) -> Report {
        var report = Report(topic: topic, nameServer: "\(nameServer)")
        report.orderTopicConf = route.orderTopicConf
        report.brokers = route.brokerDatas.sorted { $0.brokerName < $1.brokerName }.map { broker in
            let queues = route.queueDatas.first { $0.brokerName == broker.brokerName }
            return Broker(
                name: broker.brokerName, cluster: broker.cluster,
                addresses: Dictionary(
                    broker.replicas.map { ("\($0.brokerID)", $0.address) }, uniquingKeysWith: { first, _ in first }),
                readQueues: queues?.readQueueNums, writeQueues: queues?.writeQueueNums,
                perm: queues.map { perm($0.perm) })
        }
        if listsQueues {
            report.writeQueues = QueueDerivation.publishQueues(of: topic, in: route).map(Queue.init)
            report.readQueues = QueueDerivation.subscribeQueues(of: topic, in: route).map(Queue.init)
        }
        return report
    }

    private func perm(_ bits: Int32) -> String {
        let letters = [(PermissionBits.read, "r"), (PermissionBits.write, "w"), (PermissionBits.inherit, "x")]
        return letters.map { bits & $0.0 != 0 ? $0.1 : "-" }.joined()
    }
}
