import Remoting

/// What a request means to whoever answers for the cluster. Each request code of the NameServer is in exactly one class.
public enum RequestClass: String, CaseIterable, Hashable, Sendable {
    /// Reads, and changes nothing: routes, lists, key-values, settings, status. Producers, consumers and tools.
    case lookup
    /// Tells what a broker has, and that it lives.
    case register
    /// Changes what only an operator should change.
    case administer

    /// The class of a request; a code that nobody serves is a lookup, for its answer is always the same.
    public init(of code: Int32) {
        self = RequestClass.served.first { $0.code == code }?.class ?? .lookup
    }

    /// Every code that a node serves (protocol.md 2.1), in ascending order.
    ///
    /// Two that may surprise: 217 is what a broker with `enableSingleTopicRegister` sends for a topic that is created on it
    /// (protocol.md 6), so it is a registration; 319 reads, as `mqadmin getNamesrvConfig` and dashboards do.
    public static let served: [(code: Int32, `class`: RequestClass)] = [
        (RequestCode.putKVConfig, .administer),  // 2.2
        (RequestCode.getKVConfig, .lookup),  // 2.2
        (RequestCode.deleteKVConfig, .administer),  // 2.2
        (RequestCode.registerBroker, .register),  // 2.4
        (RequestCode.unregisterBroker, .register),  // 2.9
        (RequestCode.getRouteInfoByTopic, .lookup),  // 2.6
        (RequestCode.getBrokerClusterInfo, .lookup),  // 2.8
        (RequestCode.wipeWritePermOfBroker, .administer),  // 2.13
        (RequestCode.getAllTopicListFromNameServer, .lookup),  // 2.14
        (RequestCode.deleteTopicInNameServer, .administer),  // 2.15
        (RequestCode.registerTopicInNameServer, .register),  // 2.16
        (RequestCode.getKVListByNamespace, .lookup),  // 2.3
        (RequestCode.getTopicsByCluster, .lookup),  // 2.17
        (RequestCode.getSystemTopicListFromNameServer, .lookup),  // 2.18
        (RequestCode.getUnitTopicList, .lookup),  // 2.19
        (RequestCode.getHasUnitSubTopicList, .lookup),  // 2.19
        (RequestCode.getHasUnitSubUnunitTopicList, .lookup),  // 2.19
        (RequestCode.updateNameServerConfig, .administer),  // 2.20
        (RequestCode.getNameServerConfig, .lookup),  // 2.21
        (RequestCode.queryDataVersion, .register),  // 2.11; counts as a sign of life
        (RequestCode.addWritePermOfBroker, .administer),  // 2.13
        (RequestCode.getBrokerMemberGroup, .lookup),  // 2.10
        (RequestCode.brokerHeartbeat, .register),  // 2.12
        (RequestCode.getNodeStatus, .lookup),
        (RequestCode.getGossipStatus, .lookup),
    ]
}

/// Several classes.
public struct RequestClasses: OptionSet, Hashable, Sendable {
    /// One bit each, in the order of `RequestClass.allCases`.
    public var rawValue: UInt8

    /// Takes bits.
    @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// One class.
    public init(_ requestClass: RequestClass) {
        switch requestClass {
        case .lookup: rawValue = 1
        case .register: rawValue = 2
        case .administer: rawValue = 4
        }
    }

    /// All three.
    public static let all: RequestClasses = [
        RequestClasses(.lookup), RequestClasses(.register), RequestClasses(.administer),
    ]
}

/// The class of each code as a bit, found with one load: every request pays for it.
public struct RequestClassTable: ~Copyable {
    /// Codes up to this one are in the table; the few of ours above it are lookups, as is everything unknown.
    @usableFromInline static let size = 1_024
    @usableFromInline let bits: UnsafeMutablePointer<UInt8>

    /// A table of 1 KiB.
    public init() {
        bits = .allocate(capacity: Self.size)
        bits.initialize(repeating: RequestClasses(.lookup).rawValue, count: Self.size)
        for (code, requestClass) in RequestClass.served {
            precondition(code < Self.size || requestClass == .lookup, "\(code) is no lookup and not in the table")
            if code < Self.size { bits[Int(code)] = RequestClasses(requestClass).rawValue }
        }
    }

    deinit { bits.deallocate() }

    /// The set with nothing but the code's class.
    @inlinable @inline(__always)
    public subscript(code: Int32) -> RequestClasses {
        RequestClasses(rawValue: UInt32(bitPattern: code) < Self.size ? bits[Int(code)] : 1)
    }
}
