import Remoting

/// From a topic's route to its queues (protocol.md 7.3).
public enum QueueDerivation {
    /// The queues a producer may write to, in the order of its round robin.
    ///
    /// First an `orderTopicConf`, as it stands; then a static topic's mapping; then the writable queues of brokers that
    /// have a master. An item of `orderTopicConf` without a number is passed over.
    public static func publishQueues(of topic: String, in route: TopicRouteData) -> [MessageQueue] {
        if let order = route.orderTopicConf, !order.isEmpty { return orderedQueues(of: topic, order) }
        if route.orderTopicConf == nil, let queues = staticQueues(of: topic, in: route) { return queues }
        let hasMaster = { (name: String) in
            route.brokerDatas.contains { $0.brokerName == name && $0.address(of: 0) != nil }
        }
        return queues(of: topic, in: route) {
            $0.perm & PermissionBits.write != 0 && hasMaster($0.brokerName) ? $0.writeQueueNums : 0
        }
    }

    /// The queues a consumer may read from; no master needed.
    public static func subscribeQueues(of topic: String, in route: TopicRouteData) -> [MessageQueue] {
        if route.orderTopicConf == nil, let queues = staticQueues(of: topic, in: route) { return queues }
        return queues(of: topic, in: route) { $0.perm & PermissionBits.read != 0 ? $0.readQueueNums : 0 }
    }

    /// The route of a topic that does not exist yet, made from that of TBW102 (7.4): no broker has more than
    /// `queueLimit` queues.
    public static func borrowedRoute(from defaultTopic: TopicRouteData, queueLimit: Int32 = 4) -> TopicRouteData {
        var route = defaultTopic
        for index in route.queueDatas.indices {
            let count = min(queueLimit, route.queueDatas[index].readQueueNums)
            route.queueDatas[index].readQueueNums = count
            route.queueDatas[index].writeQueueNums = count
        }
        return route
    }

    /// Most queues taken from one route: a route that promises more is broken, and must not eat the client's memory.
    static let queueLimit = 65_536

    private static func queues(
        of topic: String, in route: TopicRouteData, count: (QueueData) -> Int32
    ) -> [MessageQueue] {
        let sorted = route.queueDatas.sorted { $0.brokerName.precedesAsInJava($1.brokerName) }
        return limited(sorted.map { ($0.brokerName, count($0)) }, topic)
    }

    private static func orderedQueues(of topic: String, _ text: String) -> [MessageQueue] {
        limited(
            text.split(separator: ";").compactMap { item in
                guard let colon = item.firstIndex(of: ":"), let count = Int32(item[item.index(after: colon)...])
                else { return nil }
                return (String(item[..<colon]), count)
            }, topic)
    }

    private static func limited(_ counts: [(brokerName: String, count: Int32)], _ topic: String) -> [MessageQueue] {
        var queues: [MessageQueue] = []
        for (brokerName, count) in counts {
            for queueID in 0..<max(0, min(Int(count), queueLimit - queues.count)) {
                queues.append(MessageQueue(topic: topic, brokerName: brokerName, queueID: Int32(queueID)))
            }
        }
        return queues
    }

    /// Logical queues 0 up to the largest `totalQueues`, each on the broker whose `currIdMap` names it in the highest
    /// epoch; nil when the topic is not static. Queues that nobody names are left out.
    private static func staticQueues(of topic: String, in route: TopicRouteData) -> [MessageQueue]? {
        guard let mappings = route.topicQueueMappingByBroker, !mappings.isEmpty else { return nil }
        let newestFirst = mappings.sorted { ($1.value.epoch, $0.key) < ($0.value.epoch, $1.key) }
        let total = min(newestFirst.map { $0.value.totalQueues }.max() ?? 0, Int32(queueLimit))
        return (0..<max(0, total)).compactMap { queueID in
            let owner = newestFirst.first { $0.value.currIdMap[Int64(queueID)] != nil }
            return owner.map { MessageQueue(topic: topic, brokerName: $0.value.bname ?? $0.key, queueID: queueID) }
        }
    }
}
