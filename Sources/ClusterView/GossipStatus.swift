/// What a node tells of its peers: the answer to GET_GOSSIP_STATUS (29002).
///
/// Every member may be missing, since nodes of other versions answer too; it then has the value of an idle node.
public struct GossipStatus: Decodable, Hashable, Sendable {
    /// One peer, as the node sees it.
    public struct Peer: Decodable, Hashable, Sendable {
        /// Its name in the configuration, or its address.
        public var name = ""
        /// Where it is dialled.
        public var address = ""
        /// Whether a session is up.
        public var isConnected = false
        /// `off`, `observe`, `protect` or `replicate`; nil before its first message.
        public var mode: String?
        /// `warming`, `ready`, …; nil before its first message.
        public var state: String?
        /// Brokers it heard itself.
        public var brokers: Int?
        /// Whether both heard the same; nil before the first exchange.
        public var agrees: Bool?
        /// Since the last whole exchange.
        public var lastExchangeMillis: Int64?
        /// Of the last exchange.
        public var roundTripMicros: Int64?
        /// How exactly its clock is known.
        public var offsetUncertaintyMicros: Int64?
        /// Time its clock is known to have stood still.
        public var stallMillis: Int64 = 0
        /// Whole exchanges since the start.
        public var exchanges: Int64 = 0
        /// What is wrong with it, with what to do; nil when nothing is.
        public var problem: String?
    }

    /// One difference between the node and one of its peers.
    public struct Divergence: Decodable, Hashable, Sendable {
        /// `missingHere`, `lateThere`, `content`, …
        public var kind = ""
        /// The peer it was found with.
        public var peer = ""
        /// The broker it is about; nil with `id` and `address` when it is about none.
        public var broker: String?
        /// The broker's cluster.
        public var cluster: String?
        /// The broker's id.
        public var id: Int64?
        /// Where clients reach the broker.
        public var address: String?
        /// Since it was first seen.
        public var sinceMillis: Int64?
        /// Whether it has lasted long enough to be more than a change under way.
        public var isReported = true
        /// What differs.
        public var text = ""
        /// What to do.
        public var advice = ""
    }

    /// What a peer said of a broker.
    public struct Evidence: Decodable, Hashable, Sendable {
        /// The peer.
        public var peer = ""
        /// How long ago the peer heard the broker, at the most.
        public var ageMillis: Int64?
        /// Whether the broker is connected to the peer.
        public var isConnected: Bool?
    }

    /// A broker of which there is more to say than an age.
    public struct Broker: Decodable, Hashable, Sendable {
        /// Cluster it registered under.
        public var cluster = ""
        /// Its group.
        public var name = ""
        /// 0 = master.
        public var id: Int64 = 0
        /// Where clients reach it.
        public var address = ""
        /// `protected`, `learned` or `late`.
        public var source = ""
        /// First-hand age; nil for a learned one.
        public var ageMillis: Int64?
        /// Silence after which it is dropped.
        public var timeoutMillis: Int64?
        /// How much longer it is held; nil when it is not.
        public var heldMillis: Int64?
        /// Whom it was learned from.
        public var origin: String?
        /// Whether it was learned at the start and is not confirmed yet.
        public var isProvisional = false
        /// What peers said.
        public var evidence: [Evidence] = []
    }

    /// Counts.
    public struct Totals: Decodable, Hashable, Sendable {
        /// Brokers held because of a peer.
        public var protected = 0
        /// Brokers served that the node did not hear itself.
        public var learned = 0
        /// Brokers known to have said goodbye.
        public var tombstones = 0
    }

    /// The node's name.
    public var node = ""
    /// `off`, `observe`, `protect` or `replicate`.
    public var mode = "off"
    /// `warming`, `ready`, `isolated` or `draining`; nil when off.
    public var state: String?
    /// The gossip cluster's label.
    public var label: String?
    /// 0 = healthy, 8 = cannot keep up.
    public var localHealth = 0
    /// In configured order.
    public var peers: [Peer] = []
    /// Found now.
    public var divergences: [Divergence] = []
    /// Protected, learned and late brokers.
    public var brokers: [Broker] = []
    /// Counts.
    public var totals = Totals()
    /// What it did since its start, by name: `bytesSent`, `alarms`, ….
    public var counters: [String: Int] = [:]

    /// Whether there is a gossip layer at work.
    public var isOn: Bool { mode != "off" }

    /// What the node says of one broker; nil when nothing.
    func broker(_ key: ReplicaKey) -> Broker? { brokers.first { $0.name == key.name && $0.id == key.id } }
}

// MARK: Decoding

/// Any member, by its name.
private struct Member: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

extension KeyedDecodingContainer<Member> {
    /// Replaces `value` by the member; leaves it alone when that is missing or of another type.
    fileprivate func read<Value: Decodable>(_ name: String, into value: inout Value) {
        if let read = try? decodeIfPresent(Value.self, forKey: Member(name)) { value = read }
    }
}

extension GossipStatus {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("node", into: &node)
        members.read("mode", into: &mode)
        members.read("state", into: &state)
        members.read("label", into: &label)
        members.read("localHealth", into: &localHealth)
        members.read("peers", into: &peers)
        members.read("divergences", into: &divergences)
        members.read("brokers", into: &brokers)
        members.read("totals", into: &totals)
        members.read("counters", into: &counters)
    }
}

extension GossipStatus.Peer {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("name", into: &name)
        members.read("address", into: &address)
        members.read("connected", into: &isConnected)
        members.read("mode", into: &mode)
        members.read("state", into: &state)
        members.read("brokers", into: &brokers)
        members.read("agrees", into: &agrees)
        members.read("lastExchangeMillis", into: &lastExchangeMillis)
        members.read("roundTripMicros", into: &roundTripMicros)
        members.read("offsetUncertaintyMicros", into: &offsetUncertaintyMicros)
        members.read("stallMillis", into: &stallMillis)
        members.read("exchanges", into: &exchanges)
        members.read("problem", into: &problem)
    }
}

extension GossipStatus.Divergence {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("kind", into: &kind)
        members.read("peer", into: &peer)
        members.read("broker", into: &broker)
        members.read("cluster", into: &cluster)
        members.read("id", into: &id)
        members.read("address", into: &address)
        members.read("sinceMillis", into: &sinceMillis)
        members.read("reported", into: &isReported)
        members.read("text", into: &text)
        members.read("advice", into: &advice)
    }
}

extension GossipStatus.Evidence {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("peer", into: &peer)
        members.read("ageMillis", into: &ageMillis)
        members.read("connected", into: &isConnected)
    }
}

extension GossipStatus.Broker {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("cluster", into: &cluster)
        members.read("name", into: &name)
        members.read("id", into: &id)
        members.read("address", into: &address)
        members.read("source", into: &source)
        members.read("ageMillis", into: &ageMillis)
        members.read("timeoutMillis", into: &timeoutMillis)
        members.read("heldMillis", into: &heldMillis)
        members.read("origin", into: &origin)
        members.read("provisional", into: &isProvisional)
        members.read("evidence", into: &evidence)
    }
}

extension GossipStatus.Totals {
    /// Reads an object; nothing in it is required.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Member.self)
        members.read("protected", into: &protected)
        members.read("learned", into: &learned)
        members.read("tombstones", into: &tombstones)
    }
}
