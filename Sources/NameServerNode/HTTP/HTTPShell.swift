// The node's HTTP port: health, metrics, the tables and gossip as JSON, a stream of what happens, and the address list for
// RocketMQ's clients. It only looks; nothing that comes here changes a table.

import Basics
import ClusterPage
import GossipCore
import HTTPServer
import NameServerCore
import Platform
import Remoting

/// Answers HTTP for one node.
final class HTTPShell: HTTPHandler {
    unowned let node: NameServerNode
    var options: HTTPOptions
    let lag: LoopLag
    /// The wall clock at the start.
    let startedAt: WallTime
    private(set) lazy var server = HTTPServer(platform: node.platform, options: options.server, handler: self)
    private lazy var feed = EventFeed(self)
    private lazy var page = ClusterPage(platform: node.platform, site: site)
    /// Pages that take several turns.
    private var walks: [ObjectIdentifier: BrokerWalk] = [:]

    /// Opens the port.
    init(node: NameServerNode, options: HTTPOptions) throws(PlatformError) {
        self.node = node
        self.options = options
        lag = LoopLag(platform: node.platform)
        startedAt = node.platform.wallTime
        try server.start(at: options.listen)
        lag.start()
    }

    /// Where it listens, with the port the system chose.
    var address: Address { server.address ?? options.listen }

    /// Ends streams and connections once their answers have left.
    func stop() {
        lag.stop()
        feed.stop()
        page.stop()
        walks = [:]
        server.stop()
    }

    /// The tables changed.
    func happened(_ event: TableEvent) { feed.publish(event) }

    /// Gossip found something.
    func happened(_ event: GossipEvent) { feed.publish(event) }

    /// The nodes of the page are all that the configuration knows; without one, this node is alone on it.
    private var site: PageSite {
        var site = PageSite(cluster: options.cluster, server: node.options.name) { [unowned node, options] in
            let name = node.options.name
            // Nobody can dial every address; this machine's own loopback is one of them.
            let isEvery = ["0.0.0.0", "::"].contains(node.address.host)
            let own = Address(host: isEvery ? "127.0.0.1" : node.address.host, port: node.address.port)
            if options.nodes.isEmpty { return [(name, own)] }
            // The system may have chosen this node's port.
            return options.nodes.map { $0.name == name && $0.address.port == 0 ? (name, own) : $0 }
        }
        site.dialling = options.pageDialling?(node.platform)
        site.sign = options.pageSigner
        return site
    }

    // MARK: Requests

    /// Load balancers ask for health, and RocketMQ's clients for the address list, under names of their own: by default
    /// `jmenv.tbsite.net`. What they get says no more than the port's being open.
    func answersAnyHost(_ request: HTTPRequest) -> Bool {
        switch request.path.first {
        case "livez", "healthz", "readyz", "rocketmq": true
        default: false
        }
    }

    func respond(to request: HTTPRequest, _ reply: HTTPReply) {
        switch (request.path.first, request.path.count) {
        case (nil, _), ("page", _): page.respond(to: request, reply)
        case ("api", 1): reply.send(IndexPage.response)
        case ("livez", 1), ("healthz", 1): reply.send(HTTPResponse(.ok, text: "ok"))
        case ("readyz", 1): reply.send(readiness())
        case ("metrics", 1): sendMetrics(reply)
        case ("favicon.ico", 1): reply.send(HTTPResponse(.noContent, contentType: "", body: []))
        case ("rocketmq", 2) where request.path[1] == "nsaddr" || request.path[1].hasPrefix("nsaddr-"):
            reply.send(addressList())
        case ("api", 2) where request.path[1] == "stream": feed.open(request, reply)
        case ("api", 2) where request.path[1] == "brokers" && request.parameter("name") == nil: sendBrokers(reply)
        case ("api", 2...): reply.send(answer(api: request))
        default: reply.send(.notFound)
        }
    }

    private func readiness() -> HTTPResponse {
        let report = ReadinessReport(node)
        var output = ByteWriter()
        output.append(UInt8(ascii: "{"))
        report.encode(into: &output)
        output.append(UInt8(ascii: "}"))
        return .json(report.isReady ? .ok : .serviceUnavailable, output)
    }

    private func addressList() -> HTTPResponse {
        let ready = node.readyNodes(options.nodes)
        if ready.isEmpty { return HTTPResponse(.serviceUnavailable, text: "no NameServer is known to be ready") }
        let list = ready.map(\.description).joined(separator: ";")
        // Without a line end: not every client cuts it off.
        return HTTPResponse(contentType: "text/plain; charset=utf-8", body: Array(list.utf8))
    }

    private func sendMetrics(_ reply: HTTPReply) {
        var text = MetricsText()
        appendMetrics(to: &text)
        guard options.hasBrokerMetrics else {
            return reply.send(HTTPResponse(contentType: MetricsText.contentType, body: text.output.array()))
        }
        let age: StaticString = "hearsay_broker_age_seconds"
        text.family(age, .gauge, "Since the broker was last heard first-hand.")
        walk(text.output.array(), MetricsText.contentType, reply) { tables, place, now, output in
            tables.forEachBroker(from: place, limit: BrokerWalk.brokersPerTurn, now: now) { broker, time in
                MetricsText.append(
                    age, time,
                    ["cluster": broker.cluster, "group": broker.name, "id": "\(broker.id)", "address": broker.address],
                    to: &output)
            }
        }
    }

    /// All brokers in the order of the table, which is no other than that in which they came or took a place that became
    /// free.
    private func sendBrokers(_ reply: HTTPReply) {
        let platform = node.platform
        walk(Array("{\"brokers\":[".utf8), "application/json", reply) { tables, place, now, output in
            let next = tables.encodeBrokers(
                from: place, limit: BrokerWalk.brokersPerTurn, now: now, wallTime: platform.wallTime, into: &output)
            if next == nil {
                output.append(UInt8(ascii: "]"))
                tables.encodeLearned(now: now, into: &output)
                output.append(UInt8(ascii: "}"))
            }
            return next
        }
    }

    private func walk(
        _ start: [UInt8], _ contentType: String, _ reply: HTTPReply, _ step: @escaping BrokerWalk.Step
    ) {
        let walk = BrokerWalk(node, start, contentType, reply, step)
        walks[ObjectIdentifier(walk)] = walk
        walk.onDone = { [unowned self] in walks[ObjectIdentifier($0)] = nil }
        walk.go()
    }
}

extension HTTPResponse {
    static let notFound = HTTPResponse(.notFound, text: "404 Not Found: /api lists what there is")
}
