import TestSupport

/// What a node says of its gossip (GET_GOSSIP_STATUS, 29002).
struct GossipView {
    struct Peer {
        var isConnected: Bool
        var state: String?
        var mode: String?
        var agrees: Bool?
        var brokers: Int64?
        var problem: String?
    }

    struct Divergence: Hashable {
        var kind: String
        var peer: String
        /// `broker-a:0`, or nil for one of no broker.
        var broker: String?
        var isReported: Bool
        var text: String
        var advice: String
    }

    struct Broker {
        var source: String
        var held: Int64?
        var origin: String?
        /// Ages by peer.
        var evidence: [String: Int64]
    }

    var mode: String
    var state: String
    var uptime: Int64
    var peers: [String: Peer]
    var divergences: [Divergence]
    /// Only those about which there is something to say, by `broker-a:0`.
    var brokers: [String: Broker]
    var counters: [String: Int64]

    init(_ answer: RawFrame) throws {
        let json = try answer.json()
        func name(_ object: JSONMeaning, _ key: String) -> String? {
            guard let group = object[key]?.text, let id = object["id"]?.text else { return nil }
            return "\(group):\(id)"
        }
        func flag(_ object: JSONMeaning, _ key: String) -> Bool? { object[key].map { $0 == .boolean(true) } }
        guard let mode = json["mode"]?.text, let state = json["state"]?.text,
            let uptime = json["uptimeMillis"]?.integer
        else { throw TestSupportError("no account of gossip: \(json)") }
        (self.mode, self.state, self.uptime) = (mode, state, uptime)
        peers = [:]
        for peer in json["peers"]?.elements ?? [] {
            peers[peer["name"]?.text ?? ""] = Peer(
                isConnected: flag(peer, "connected") ?? false, state: peer["state"]?.text, mode: peer["mode"]?.text,
                agrees: flag(peer, "agrees"), brokers: peer["brokers"]?.integer, problem: peer["problem"]?.text)
        }
        divergences = (json["divergences"]?.elements ?? []).map { one in
            Divergence(
                kind: one["kind"]?.text ?? "", peer: one["peer"]?.text ?? "", broker: name(one, "broker"),
                isReported: flag(one, "reported") ?? false, text: one["text"]?.text ?? "",
                advice: one["advice"]?.text ?? "")
        }
        brokers = [:]
        for broker in json["brokers"]?.elements ?? [] {
            var evidence: [String: Int64] = [:]
            for one in broker["evidence"]?.elements ?? [] {
                evidence[one["peer"]?.text ?? ""] = one["ageMillis"]?.integer
            }
            brokers[name(broker, "name") ?? ""] = Broker(
                source: broker["source"]?.text ?? "", held: broker["heldMillis"]?.integer,
                origin: broker["origin"]?.text, evidence: evidence)
        }
        counters = json["counters"]?.members.compactMapValues(\.integer) ?? [:]
    }

    /// The reported differences of one kind about one broker.
    func reported(_ kind: String, _ broker: String? = nil) -> [Divergence] {
        divergences.filter { $0.isReported && $0.kind == kind && $0.broker == broker }
    }
}

extension ClusterMember {
    /// The node's account of its gossip, asked over a connection of its own.
    func gossip() throws -> GossipView {
        let answer = try connect().call(29_002)
        guard answer.code == 0 else { throw TestSupportError("\(name): no gossip status: \(answer.headerText)") }
        return try GossipView(answer)
    }
}
