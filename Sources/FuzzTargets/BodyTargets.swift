import Basics
import Remoting

extension FuzzTarget {
    /// The body of 322.
    static let dataVersion = FuzzTarget("dataVersion") {
        [DataVersion(counter: 3, timestamp: 1_700_000_000_000).encoded()]
    } run: {
        guard let version = try? DataVersion.decode($0, receivedAt: WallTime(milliseconds: 1)) else { return }
        let again = version.encoded().withUnsafeBytes {
            try? DataVersion.decode($0, receivedAt: WallTime(milliseconds: 2))
        }
        precondition(again?.timestamp == version.timestamp, "\(version) became \(String(describing: again))")
    }

    /// A topic's route: the body of 217, and what clients and tools are answered.
    static let route = FuzzTarget("route") {
        [SampleRoute.route.encoded(.legacy), SampleRoute.route.encoded(.standard)]
    } run: {
        exerciseBody(TopicRouteData.self, $0)
    }

    /// What tools are answered to 106.
    static let clusterInfo = FuzzTarget("clusterInfo") {
        var cluster = ClusterInfo()
        cluster.brokerAddrTable = ["broker-a": SampleRoute.group]
        cluster.clusterAddrTable = ["c": ["broker-a"]]
        return [cluster.encoded()]
    } run: {
        exerciseBody(ClusterInfo.self, $0)
    }

    private static func exerciseBody<Body: RemotingBody>(_ type: Body.Type, _ bytes: UnsafeRawBufferPointer) {
        guard let body = try? Body.decode(bytes) else { return }
        for dialect in JSONDialect.allCases {
            precondition((try? Body.decode(body.encoded(dialect))) == body, "\(body)")
        }
    }
}

/// A route with everything that one may have.
enum SampleRoute {
    static var mapping: TopicQueueMappingInfo {
        var info = TopicQueueMappingInfo()
        info.topic = "S"
        info.currIdMap = [0: 0, 1: 1]
        return info
    }

    static var group: BrokerData {
        BrokerData(cluster: "c集", brokerName: "broker-a", brokerAddrs: [0: "10.0.0.1:10911"], zoneName: "z")
    }

    static var route: TopicRouteData {
        var route = TopicRouteData()
        route.brokerDatas = [group]
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 8, writeQueueNums: 8, perm: 6)]
        route.filterServerTable = ["10.0.0.1:10911": ["f:1"]]
        route.topicQueueMappingByBroker = ["broker-a": mapping]
        return route
    }
}
