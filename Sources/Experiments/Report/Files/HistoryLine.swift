/// One event as one line of JSON: `{"time": 61.25, "event": "sight", "node": "ns-2", "broker": "broker-a:0", "sight": "absent"}`.
struct HistoryLine {
    private let names: PartyNames

    init(_ names: PartyNames) { self.names = names }

    /// The event; `HistoryLine.event(of:)` turns it back.
    func node(of event: HistoryEvent) -> JSONNode {
        let (word, rest) = parts(of: event.kind)
        var members = [
            JSONNode.Member(key: "time", value: .number(event.time)),
            JSONNode.Member(key: "event", value: .string(word)),
        ]
        for (key, value) in rest { members.append(JSONNode.Member(key: key, value: value)) }
        return JSONNode(.object(members))
    }

    private func parts(of kind: HistoryEvent.Kind) -> (String, KeyValuePairs<String, JSONNode>) {
        switch kind {
        case .faultBegan(let fault): ("faultBegan", ["fault": names.fault(fault)])
        case .faultEnded(let fault): ("faultEnded", ["fault": names.fault(fault)])
        case .ended: ("ended", [:])
        case .process(let party, let state):
            ("process", ["party": names.name(party), "state": .string(state.rawValue)])
        case .sight(let node, let broker, let sight):
            (
                "sight",
                ["node": names.node(node), "broker": names.broker(broker), "sight": .string(sight.rawValue)]
            )
        case .topics(let node, let count): ("topics", ["node": names.node(node), "count": .integer(count)])
        case .divergences(let node, let count):
            ("divergences", ["node": names.node(node), "count": .integer(count)])
        case .divergence(let node, let kind, let text):
            ("divergence", ["node": names.node(node), "kind": .string(kind), "text": .string(text)])
        case .alarm(let node, let text): ("alarm", ["node": names.node(node), "text": .string(text)])
        case .gossipBytes(let node, let total):
            ("gossipBytes", ["node": names.node(node), "total": .integer(total)])
        case .route(let client, let outcome): ("route", parts(client, outcome))
        case .send(let client, let outcome):
            (
                "send",
                [
                    "client": names.client(client), "broker": outcome.broker.map(names.broker) ?? .null,
                    "attempts": .integer(outcome.attempts), "latencyMillis": .number(outcome.latencyMillis),
                    "failure": outcome.failure.map { .string($0) } ?? .null,
                ]
            )
        case .received(let client, let total):
            ("received", ["client": names.client(client), "total": .integer(total)])
        case .note(let text): ("note", ["text": .string(text)])
        }
    }

    private func parts(_ client: Int, _ outcome: HistoryEvent.RouteOutcome) -> KeyValuePairs<String, JSONNode> {
        let client = names.client(client)
        return switch outcome {
        case .brokers(let brokers):
            ["client": client, "answer": .string("route"), "brokers": .array(brokers.map(names.broker))]
        case .noRoute: ["client": client, "answer": .string("noRoute")]
        case .notReady: ["client": client, "answer": .string("notReady")]
        case .unanswered: ["client": client, "answer": .string("unanswered")]
        }
    }

    /// The event that `node` tells.
    func event(of node: JSONNode) throws(JSONFault) -> HistoryEvent {
        HistoryEvent(time: try node["time"].double, try self.kind(of: node))
    }

    private func kind(of node: JSONNode) throws(JSONFault) -> HistoryEvent.Kind {
        let word = try node["event"].text
        switch word {
        case "faultBegan": return .faultBegan(try names.faultIndex(try node["fault"]))
        case "faultEnded": return .faultEnded(try names.faultIndex(try node["fault"]))
        case "ended": return .ended
        case "process":
            return .process(try names.party(try node["party"]), try node["state"].word("state of a process"))
        case "sight":
            return .sight(
                node: try names.nodeIndex(try node["node"]), broker: try names.brokerIndex(try node["broker"]),
                try node["sight"].word("way to see a broker"))
        case "topics": return .topics(node: try names.nodeIndex(try node["node"]), count: try count(node, "count"))
        case "divergences":
            return .divergences(node: try names.nodeIndex(try node["node"]), count: try count(node, "count"))
        case "divergence":
            return .divergence(
                node: try names.nodeIndex(try node["node"]), kind: try node["kind"].text, text: try node["text"].text)
        case "alarm": return .alarm(node: try names.nodeIndex(try node["node"]), text: try node["text"].text)
        case "gossipBytes":
            return .gossipBytes(node: try names.nodeIndex(try node["node"]), total: try count(node, "total"))
        case "route": return .route(client: try names.clientIndex(try node["client"]), try outcome(ofRoute: node))
        case "send": return .send(client: try names.clientIndex(try node["client"]), try outcome(ofSend: node))
        case "received":
            return .received(client: try names.clientIndex(try node["client"]), total: try count(node, "total"))
        case "note": return .note(try node["text"].text)
        default: throw try node["event"].fault("no event is called \"\(word)\"")
        }
    }

    private func count(_ node: JSONNode, _ key: String) throws(JSONFault) -> Int {
        try node[key].integer(in: 0...Int.max)
    }

    private func outcome(ofRoute node: JSONNode) throws(JSONFault) -> HistoryEvent.RouteOutcome {
        let word = try node["answer"].text
        switch word {
        case "route": return .brokers(try node["brokers"].list(names.brokerIndex))
        case "noRoute": return .noRoute
        case "notReady": return .notReady
        case "unanswered": return .unanswered
        default: throw try node["answer"].fault("\"\(word)\" is no answer to a route request")
        }
    }

    private func outcome(ofSend node: JSONNode) throws(JSONFault) -> HistoryEvent.SendOutcome {
        let broker: Int? =
            if let name = node.optional("broker") { try names.brokerIndex(name) } else { nil }
        return HistoryEvent.SendOutcome(
            broker: broker, attempts: try count(node, "attempts"), latencyMillis: try node["latencyMillis"].double,
            failure: try node.optional("failure")?.text)
    }
}
