import Remoting

/// What became of the requests of one kind. Pure value.
public struct ReplayTally: Hashable, Sendable, Encodable {
    /// Two answers to one request.
    public struct Example: Hashable, Sendable, Encodable {
        /// Which request: its connection, its time in the recording, what it asked about.
        public var request: String
        /// What was recorded.
        public var recorded: String
        /// What came now.
        public var replayed: String
    }

    /// Differing answers that are kept of each kind.
    public static let exampleLimit = 3

    /// The request code.
    public var code: Int32
    /// Requests sent.
    public var sent = 0
    /// Answers that say the same.
    public var same = 0
    /// Answers that say something else.
    public var different = 0
    /// No answer came, and one was recorded.
    public var unanswered = 0
    /// Answers that were not compared: about the NameServer itself, or skipped.
    public var uncompared = 0
    /// Answers to requests whose recording has none.
    public var unexpected = 0
    /// The first few that differ.
    public var examples: [Example] = []
    /// Times from a request to its answer, in microseconds.
    var latencies: [UInt32] = []

    /// Nothing sent yet.
    init(code: Int32) { self.code = code }

    private enum CodingKeys: String, CodingKey {
        case code, sent, same, different, unanswered, uncompared, unexpected, examples
    }

    /// How many do not say what was recorded.
    public var mismatches: Int { different + unanswered }

    mutating func add(_ example: Example) {
        if examples.count < Self.exampleLimit { examples.append(example) }
    }

    /// The latency below which a fraction of all answers came, in microseconds; nil without answers.
    public func latency(_ fraction: Double) -> Int? {
        guard !latencies.isEmpty else { return nil }
        let sorted = latencies.sorted()
        return Int(sorted[min(sorted.count - 1, Int(fraction * Double(sorted.count)))])
    }

    /// RocketMQ's name of a request to a NameServer, or its number.
    public static func name(_ code: Int32) -> String {
        switch code {
        case RequestCode.putKVConfig: "PUT_KV_CONFIG"
        case RequestCode.getKVConfig: "GET_KV_CONFIG"
        case RequestCode.deleteKVConfig: "DELETE_KV_CONFIG"
        case RequestCode.registerBroker: "REGISTER_BROKER"
        case RequestCode.unregisterBroker: "UNREGISTER_BROKER"
        case RequestCode.getRouteInfoByTopic: "GET_ROUTEINFO_BY_TOPIC"
        case RequestCode.getBrokerClusterInfo: "GET_BROKER_CLUSTER_INFO"
        case RequestCode.wipeWritePermOfBroker: "WIPE_WRITE_PERM_OF_BROKER"
        case RequestCode.getAllTopicListFromNameServer: "GET_ALL_TOPIC_LIST"
        case RequestCode.deleteTopicInNameServer: "DELETE_TOPIC"
        case RequestCode.registerTopicInNameServer: "REGISTER_TOPIC"
        case RequestCode.getKVListByNamespace: "GET_KVLIST_BY_NAMESPACE"
        case RequestCode.getTopicsByCluster: "GET_TOPICS_BY_CLUSTER"
        case RequestCode.getSystemTopicListFromNameServer: "GET_SYSTEM_TOPIC_LIST"
        case RequestCode.updateNameServerConfig: "UPDATE_NAMESRV_CONFIG"
        case RequestCode.getNameServerConfig: "GET_NAMESRV_CONFIG"
        case RequestCode.queryDataVersion: "QUERY_DATA_VERSION"
        case RequestCode.addWritePermOfBroker: "ADD_WRITE_PERM_OF_BROKER"
        case RequestCode.getBrokerMemberGroup: "GET_BROKER_MEMBER_GROUP"
        case RequestCode.brokerHeartbeat: "BROKER_HEARTBEAT"
        default: "code \(code)"
        }
    }
}
