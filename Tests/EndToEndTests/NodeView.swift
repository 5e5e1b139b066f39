import TestSupport

/// What a node says of itself (GET_NODE_STATUS): all times are readings of its own clocks, in milliseconds.
struct NodeView {
    struct Broker {
        var address: String
        var age: Int64
        var timeout: Int64
        var topics: Int64
        var isConnected: Bool
    }

    struct Event {
        var wall: Int64
        var kind: String
        /// `broker-a:0`, or nil for an event of no broker.
        var broker: String?
        var text: String
    }

    var uptime: Int64
    var wall: Int64
    /// By `broker-a:0`.
    var brokers: [String: Broker]
    /// All that the node remembers, oldest first.
    var events: [Event]
    var counters: [String: Int64]

    /// The wall clock when this life of the node began.
    var startedAt: Int64 { wall - uptime }

    /// The wall clock at the last heartbeat of `broker`, nil when it is not listed.
    func lastHeartbeat(of broker: String) -> Int64? {
        brokers[broker].map { wall - $0.age }
    }

    func events(_ kind: String, of broker: String) -> [Event] {
        events.filter { $0.kind == kind && $0.broker == broker }
    }

    init(_ answer: RawFrame) throws {
        let json = try answer.json()
        func number(_ name: String, in json: JSONMeaning) throws -> Int64 {
            guard let value = json[name]?.integer else { throw TestSupportError("no \(name) in \(json)") }
            return value
        }
        func name(_ broker: JSONMeaning, _ key: String) -> String? {
            guard let group = broker[key]?.text, let id = broker["id"]?.text else { return nil }
            return "\(group):\(id)"
        }
        uptime = try number("uptimeMillis", in: json)
        wall = try number("wallMillis", in: json)
        counters = json["counters"]?.members.compactMapValues(\.integer) ?? [:]
        brokers = [:]
        for broker in json["brokers"]?.elements ?? [] {
            guard let name = name(broker, "name") else { throw TestSupportError("a broker without name: \(broker)") }
            brokers[name] = Broker(
                address: broker["address"]?.text ?? "", age: try number("ageMillis", in: broker),
                timeout: try number("timeoutMillis", in: broker), topics: try number("topics", in: broker),
                isConnected: broker["connected"] == .boolean(true))
        }
        events = try (json["events"]?.elements ?? []).map { event in
            Event(
                wall: try number("wallMillis", in: event), kind: event["kind"]?.text ?? "",
                broker: name(event, "broker"), text: event["text"]?.text ?? "")
        }
    }
}

/// What a node answers when asked for a topic's route: the addresses by broker name and id.
typealias RouteAddresses = [String: [String: String]]

extension ClusterMember {
    /// The node's account of itself, asked over a connection of its own.
    func view() throws -> NodeView {
        let answer = try connect().call(29_001)
        guard answer.code == 0 else { throw TestSupportError("\(name): status refused: \(answer.headerText)") }
        return try NodeView(answer)
    }

    /// The addresses in the route of `topic`; nil when there is no route.
    func route(_ topic: String) throws -> RouteAddresses? { try connect().routeAddresses(topic) }
}

extension RawConnection {
    func routeAddresses(_ topic: String) throws -> RouteAddresses? {
        let answer = try route(topic)
        switch answer.code {
        case 0: return RouteQueue.addresses(try answer.json())
        case 17: return nil
        default: throw TestSupportError("route of \(topic): \(answer.headerText)")
        }
    }
}
