// `/api/…`: one node's account of itself as JSON, encoded by what also answers GET_NODE_STATUS and GET_GOSSIP_STATUS.

import Basics
import GossipCore
import HTTPServer
import NameServerCore
import Platform
import Remoting

extension HTTPShell {
    /// Names of one page of topics: by default, and at most.
    private static let topicPage = (usual: 1_000, most: 10_000)

    /// The answer to anything below `/api`, the event stream left out.
    func answer(api request: HTTPRequest) -> HTTPResponse {
        let (now, wallTime) = (node.platform.now, node.platform.wallTime)
        var output = ByteWriter(capacity: 4 << 10)
        output.append(UInt8(ascii: "{"))
        switch (request.path[1], request.path.count) {
        case ("status", 2): appendStatus(&output)
        case ("brokers", 2):
            let name = request.parameter("name")
            node.inspectTables { $0.encodeBrokers(named: name, now: now, wallTime: wallTime, into: &output) }
        case ("events", 2):
            guard let since = number(request, "since", in: 0...Int.max, default: 0) else { return badNumber("since") }
            node.inspectTables { $0.encodeEvents(since: UInt64(since), into: &output) }
        case ("topics", 2):
            guard let limit = number(request, "limit", in: 1...Self.topicPage.most, default: Self.topicPage.usual)
            else { return badNumber("limit") }
            node.hot.pointee.core.encodeTopics(
                prefix: request.parameter("prefix") ?? "", after: request.parameter("after"), limit: limit,
                into: &output)
        case ("topics", 3): return route(of: request.path[2])
        case ("gossip", 2):
            guard let gossip = node.gossip else { return failure(.notFound, "this node does not gossip (gossip.mode)") }
            output.removeAll()
            gossip.encodeStatus(into: &output)
            return .json(.ok, output)
        case ("explain", 3): return explanation(of: request.path[2])
        default: return failure(.notFound, "/api lists what there is")
        }
        output.append(UInt8(ascii: "}"))
        return .json(.ok, output)
    }

    private func appendStatus(_ output: inout ByteWriter) {
        appendSummary(&output)
        output.append(",\"lastEventSequence\":")
        let now = node.platform.now
        output.append(decimal: Int64(clamping: node.inspectTables { $0.figures(now: now).lastEvent }))
    }

    /// Appends what the status page and the event stream's summary share, without braces around it.
    func appendSummary(_ output: inout ByteWriter) {
        let (now, wallTime) = (node.platform.now, node.platform.wallTime)
        node.inspectTables { $0.encodeSummary(now: now, wallTime: wallTime, into: &output) }
        output.append(",\"address\":")
        output.appendJSON(string: node.address.description, dialect: .standard)
        output.append(UInt8(ascii: ","))
        ReadinessReport(node).encode(into: &output)
        output.append(",\"connections\":")
        output.append(decimal: node.connectionCount)
        guard let figures = node.inspectGossip({ $0.figures(now: now) }) else { return }
        output.append(",\"gossip\":{\"state\":")
        output.appendJSON(string: figures.state.name, dialect: .standard)
        for (name, value) in [
            ("protected", figures.protected), ("late", figures.late), ("learned", figures.learned),
            ("peers", figures.peers.count), ("connected", figures.peers.count(where: \.isConnected)),
            ("divergences", figures.peers.reduce(0) { $0 + $1.divergences.values.reduce(0, +) }),
        ] {
            output.append(",\"")
            output.append(utf8: name)
            output.append("\":")
            output.append(decimal: value)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func route(of topic: String) -> HTTPResponse {
        let now = node.platform.now
        var output = ByteWriter()
        switch node.inspectTables({ $0.encodeRoute(of: topic, now: now, into: &output) }) {
        case .route: return .json(.ok, output)
        case .missing:
            return failure(.notFound, "no route for the topic \(topic): clients are told that it does not exist")
        case .notReady: return failure(.serviceUnavailable, "not ready: clients are told to keep the route they have")
        }
    }

    /// Everything that this node knows about one broker group, from the tables, from gossip and from the last events.
    private func explanation(of group: String) -> HTTPResponse {
        let (now, wallTime) = (node.platform.now, node.platform.wallTime)
        var output = ByteWriter(capacity: 4 << 10)
        output.append("{\"broker\":")
        output.appendJSON(string: group, dialect: .standard)
        output.append(",\"node\":")
        output.appendJSON(string: node.options.name, dialect: .standard)
        output.append(UInt8(ascii: ","))
        node.inspectTables { $0.encodeBrokers(named: group, now: now, wallTime: wallTime, into: &output) }
        if let gossip = node.gossip {
            output.append(",\"gossip\":")
            gossip.encodeAccount(of: group, into: &output)
        }
        output.append(UInt8(ascii: ","))
        node.inspectTables { $0.encodeEvents(since: 0, named: group, into: &output) }
        output.append(UInt8(ascii: "}"))
        return .json(.ok, output)
    }

    // MARK: Parameters

    /// A number of the query; nil when it is none, or out of range.
    private func number(_ request: HTTPRequest, _ name: String, in range: ClosedRange<Int>, default usual: Int) -> Int?
    {
        guard let text = request.parameter(name) else { return usual }
        return Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private func badNumber(_ name: String) -> HTTPResponse { failure(.badRequest, "\(name) is no number in its range") }

    private func failure(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        var output = ByteWriter()
        output.append("{\"error\":")
        output.appendJSON(string: text, dialect: .standard)
        output.append(UInt8(ascii: "}"))
        return .json(status, output)
    }
}
