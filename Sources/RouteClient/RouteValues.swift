import Remoting

extension BrokerData {
    /// The address of one member; nil when it has none.
    func address(of brokerID: Int64) -> String? { brokerAddrs[brokerID] }

    /// All members, by id.
    public var replicas: [Replica] {
        brokerAddrs.sorted { $0.key < $1.key }.map {
            Replica(brokerName: brokerName, brokerID: $0.key, address: $0.value)
        }
    }
}

extension TopicRouteData {
    /// Whether a client has nothing to rebuild: compared as protocol.md 7.2 says, in any order of brokers.
    func isSameRoute(as other: TopicRouteData) -> Bool {
        orderTopicConf == other.orderTopicConf && filterServerTable == other.filterServerTable
            && topicQueueMappingByBroker == other.topicQueueMappingByBroker
            && queueDatas.sorted { $0.brokerName < $1.brokerName }
                == other.queueDatas.sorted { $0.brokerName < $1.brokerName }
            && brokerDatas.flatMap(\.replicas).sorted() == other.brokerDatas.flatMap(\.replicas).sorted()
    }

    /// One line per fact that matters to clients, in order; two NameServers agree when their lines do.
    public var summaryLines: [String] {
        let brokers = brokerDatas.flatMap { broker in
            broker.replicas.map { "\(broker.brokerName):\($0.brokerID) at \($0.address)" }
        }
        let queues = queueDatas.map {
            "\($0.brokerName) with \($0.readQueueNums) read and \($0.writeQueueNums) write queues, perm \($0.perm)"
        }
        return brokers.sorted() + queues.sorted() + (orderTopicConf.map { ["order \($0)"] } ?? [])
    }
}
