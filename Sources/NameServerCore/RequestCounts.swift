import Basics
import Remoting

/// How requests ended, by their code: one addition for each request.
///
/// Codes that nobody serves share one place, so that whoever makes them up cannot make the table grow.
struct RequestCounts: ~Copyable {
    /// The codes that are counted by themselves, in ascending order.
    static let codes: [Int32] = [
        RequestCode.putKVConfig, RequestCode.getKVConfig, RequestCode.deleteKVConfig, RequestCode.registerBroker,
        RequestCode.unregisterBroker, RequestCode.getRouteInfoByTopic, RequestCode.getBrokerClusterInfo,
        RequestCode.wipeWritePermOfBroker, RequestCode.getAllTopicListFromNameServer,
        RequestCode.deleteTopicInNameServer, RequestCode.registerTopicInNameServer,
        RequestCode.getKVListByNamespace, RequestCode.getTopicsByCluster,
        RequestCode.getSystemTopicListFromNameServer, RequestCode.getUnitTopicList,
        RequestCode.getHasUnitSubTopicList, RequestCode.getHasUnitSubUnunitTopicList,
        RequestCode.updateNameServerConfig, RequestCode.getNameServerConfig, RequestCode.queryDataVersion,
        RequestCode.addWritePermOfBroker, RequestCode.getBrokerMemberGroup, RequestCode.brokerHeartbeat,
        RequestCode.getNodeStatus,
    ]

    /// Codes up to this one are looked up, the few above it compared.
    private static let directCodes = 1_024

    /// By code, its place in `codes`; 255 for none.
    private let places: UnsafeMutablePointer<UInt8>
    /// Succeeded and failed ones by place, in turn; the last place is everybody else's.
    private let counts: UnsafeMutablePointer<Int>

    init() {
        places = .allocate(capacity: Self.directCodes)
        places.initialize(repeating: .max, count: Self.directCodes)
        counts = .allocate(capacity: 2 * (Self.codes.count + 1))
        counts.initialize(repeating: 0, count: 2 * (Self.codes.count + 1))
        for (place, code) in Self.codes.enumerated() where code < Self.directCodes {
            places[Int(code)] = UInt8(place)
        }
    }

    deinit {
        places.deallocate()
        counts.deallocate()
    }

    @inline(__always)
    mutating func add(_ code: Int32, hasFailed: Bool) {
        counts[2 * place(of: code) + (hasFailed ? 1 : 0)] += 1
    }

    @inline(__always)
    private func place(of code: Int32) -> Int {
        if code >= 0, Int(code) < Self.directCodes {
            let place = Int(places[Int(code)])
            return place == 255 ? Self.codes.count : place
        }
        return code == RequestCode.getNodeStatus ? Self.codes.count - 1 : Self.codes.count
    }

    /// All that is not zero: the code, nil for those that nobody serves, and how many succeeded and failed.
    var all: [RequestCount] {
        (0...Self.codes.count).compactMap { place in
            let (done, failed) = (counts[2 * place], counts[2 * place + 1])
            guard done + failed > 0 else { return nil }
            return RequestCount(
                code: place < Self.codes.count ? Self.codes[place] : nil, succeeded: done, failed: failed)
        }
    }
}

/// How the requests of one code ended.
public struct RequestCount: Hashable, Sendable {
    /// The code; nil for all those that nobody serves.
    public var code: Int32?
    /// Answered as asked; a route that does not exist is such an answer.
    public var succeeded: Int
    /// Answered with an error.
    public var failed: Int
}
