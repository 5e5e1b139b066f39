import Remoting

/// What one NameServer lists at one moment. Pure value.
public struct ServerListing: Hashable, Sendable {
    /// Broker groups and clusters (106).
    public var cluster = ClusterInfo()
    /// All topics (206); nil when it refuses.
    public var topics: Set<String>?
    /// The KV tables that were asked for (219), by namespace; nil inside when it refuses. A namespace that is not there is
    /// an empty one.
    public var keyValues: [String: [String: String]?] = [:]
    /// The body of 106 as it came.
    public var clusterBytes: [UInt8] = []
    /// What its answers call themselves.
    public var software = ""
    /// What it refuses, one clause each.
    public var refusals: [String] = []

    /// Nothing known.
    public init() {}

    /// Groups with an address: one without is a leftover that no client is sent to.
    var groups: [String: BrokerData] { cluster.brokerAddrTable.filter { !$0.value.brokerAddrs.isEmpty } }
}

/// What one NameServer answers when asked for a topic's route.
public enum RouteAnswer: Hashable, Sendable {
    /// It has none (code 17).
    case none
    /// The route, and the body it came in.
    case route(TopicRouteData, bytes: [UInt8])
    /// Another code.
    case refused(Int32)
    /// A body that is no route.
    case unreadable

    /// What an answer says.
    init(_ answer: RemotingCommand) {
        switch answer.code {
        case ResponseCode.success:
            if let route = try? TopicRouteData.decode(answer.body) {
                self = .route(route, bytes: answer.body)
            } else {
                self = .unreadable
            }
        case ResponseCode.topicNotExist: self = .none
        default: self = .refused(answer.code)
        }
    }

    var words: String {
        switch self {
        case .none: "no route"
        case .route: "a route"
        case .refused(let code): "code \(code)"
        case .unreadable: "a route that cannot be read"
        }
    }
}
