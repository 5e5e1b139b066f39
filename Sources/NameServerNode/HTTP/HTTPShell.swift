// The node's HTTP port: health, metrics, the tables and gossip as JSON, a stream of what happens, and the address list for
// RocketMQ's clients. It only looks; nothing that comes here changes a table.

import Basics
import GossipCore
import HTTPServer
import NameServerCore
import Platform
import Remoting

/// Answers HTTP for one node.
final class HTTPShell: HTTPHandler {
    unowned let node: NameServerNode
    let options: HTTPOptions
    let lag: LoopLag
    /// The wall clock at the start.
    let startedAt: WallTime
    private(set) lazy var server = HTTPServer(platform: node.platform, options: options.server, handler: self)
    private lazy var feed = EventFeed(self)
    /// Pages that take several turns.
    private var renderings: [ObjectIdentifier: BrokerMetrics] = [:]

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
        renderings = [:]
        server.stop()
    }

    /// The tables changed.
    func happened(_ event: TableEvent) { feed.publish(event) }

    /// Gossip found something.
    func happened(_ event: GossipEvent) { feed.publish(event) }

    // MARK: Requests

    func respond(to request: HTTPRequest, _ reply: HTTPReply) {
        switch (request.path.first, request.path.count) {
        case (nil, _): reply.send(IndexPage.response)
        case ("livez", 1), ("healthz", 1): reply.send(HTTPResponse(.ok, text: "ok"))
        case ("readyz", 1): reply.send(readiness())
        case ("metrics", 1): sendMetrics(reply)
        case ("favicon.ico", 1): reply.send(HTTPResponse(.noContent, contentType: "", body: []))
        case ("rocketmq", 2) where request.path[1] == "nsaddr" || request.path[1].hasPrefix("nsaddr-"):
            reply.send(addressList())
        case ("api", 2) where request.path[1] == "stream": feed.open(request, reply)
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
        let rendering = BrokerMetrics(node, text, reply)
        renderings[ObjectIdentifier(rendering)] = rendering
        rendering.onDone = { [unowned self] in renderings[ObjectIdentifier($0)] = nil }
        rendering.go()
    }
}

extension HTTPResponse {
    static let notFound = HTTPResponse(.notFound, text: "404 Not Found: / lists what there is")
}

/// `/metrics` with a series for each broker: as many in one turn as take well below a millisecond.
private final class BrokerMetrics {
    private static let brokersPerTurn = 256

    var onDone: ((BrokerMetrics) -> Void)?

    private unowned let node: NameServerNode
    private var text: MetricsText
    private let reply: HTTPReply
    private var place = 0
    private lazy var timer = node.platform.makeTimer { [unowned self] in go() }

    init(_ node: NameServerNode, _ text: consuming MetricsText, _ reply: HTTPReply) {
        self.node = node
        self.text = text
        self.reply = reply
        self.text.family("hearsay_broker_age_seconds", .gauge, "Since the broker was last heard first-hand.")
    }

    func go() {
        let now = node.platform.now
        let next = node.inspectTables { tables in
            tables.forEachBroker(from: place, limit: Self.brokersPerTurn, now: now) { broker, age in
                text.sample(
                    age,
                    [
                        "cluster": broker.cluster, "group": broker.name, "id": "\(broker.id)",
                        "address": broker.address,
                    ])
            }
        }
        if let next, !reply.isVoid {
            place = next
            return timer.start(at: now)
        }
        reply.send(HTTPResponse(contentType: MetricsText.contentType, body: text.output.array()))
        onDone?(self)
    }
}
