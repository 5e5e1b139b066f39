import Remoting

/// A route as a NameServer would answer it.
func sampleRoute(
    brokers: [String: [Int64: String]], queues: [(name: String, read: Int32, write: Int32, perm: Int32)]
) -> TopicRouteData {
    var route = TopicRouteData()
    route.brokerDatas = brokers.sorted { $0.key < $1.key }.map { sampleBroker($0.key, $0.value) }
    route.queueDatas = queues.map {
        QueueData(brokerName: $0.name, readQueueNums: $0.read, writeQueueNums: $0.write, perm: $0.perm)
    }
    return route
}

func sampleBroker(_ name: String, _ addresses: [Int64: String]) -> BrokerData {
    BrokerData(cluster: "C", brokerName: name, brokerAddrs: addresses)
}

func sampleMapping(_ broker: String, total: Int32, epoch: Int64, map: [Int64: Int32]) -> TopicQueueMappingInfo {
    var mapping = TopicQueueMappingInfo()
    mapping.bname = broker
    mapping.totalQueues = total
    mapping.epoch = epoch
    mapping.currIdMap = map
    return mapping
}
