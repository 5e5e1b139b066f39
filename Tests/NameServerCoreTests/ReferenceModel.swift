import Basics
import Remoting

/// The tables of protocol.md 4.1 written down plainly after 2.5 and 2.9: dictionaries, no fast path, no cache, no
/// interning. Where the core does better than the reference on purpose (2.24), the model says so.
struct ReferenceModel {
    struct LiveKey: Hashable {
        var cluster: String
        var address: String
    }

    struct Live {
        var lastHeard: Instant
        var timeout: Duration
        var version: DataVersion
        var connection: UInt64
        var formerConnection: UInt64
        var name: String
        var haAddress: String?
    }

    struct Slot: Equatable {
        var address: String
        var cluster: String
    }

    struct Group {
        var cluster: String
        var slots: [Int64: Slot] = [:]
        var actsAsMaster = false
        var zone: String?
        var smallest: Int64? { slots.keys.min() }
    }

    var topics: [String: [String: QueueData]] = [:]
    var groups: [String: Group] = [:]
    var clusters: [String: Set<String>] = [:]
    var live: [LiveKey: Live] = [:]
    var supportsActingMaster = false
    var deletesUnnamedTopics = false

    struct Answer: Equatable {
        var code: Int32 = 0
        var masterAddress: String?
        var haServerAddress: String?
    }

    // MARK: 2.5

    mutating func register(_ request: Registration, from connection: UInt64, now: Instant) -> Answer {
        let (cluster, name, address) = (request.cluster!, request.name!, request.address!)
        let id = Int64(request.id!)!
        let key = LiveKey(cluster: cluster, address: address)
        // 7, first here: a refused registration changes nothing (2.24).
        let remaining = (groups[name]?.slots ?? [:]).filter { $0.value.address != address || $0.key == id }
        if remaining[id] == nil, request.topics.count == 1 { return Answer(code: 1) }
        // 1 to 3
        clusters[cluster, default: []].insert(name)
        var group = groups[name] ?? Group(cluster: cluster)
        group.actsAsMaster = request.actingMaster == "true"
        group.zone = request.zone
        // 5
        group.slots = remaining
        groups[name] = group
        // 6
        let holder = remaining[id]?.address
        if let holder, holder != address, let rival = live[LiveKey(cluster: cluster, address: holder)],
            rival.version.stateVersion > request.version.stateVersion
        {
            // Its slots under other names, if any, would never expire without the entry.
            removeReplica(key)
            return Answer()
        }
        // 8 to 10
        let isFirst = holder == nil
        groups[name]!.slots[id] = Slot(address: address, cluster: cluster)
        let isPrimeSlave = request.actingMaster != nil && id != 0 && groups[name]!.smallest == id
        if id == 0 || isPrimeSlave { registerTopics(request, name, isPrimeSlave, isFirst, live[key]) }
        // 11
        let old = live[key]
        live[key] = Live(
            lastHeard: now, timeout: .milliseconds(request.timeoutMillis ?? 120_000), version: request.version,
            connection: connection, formerConnection: formerConnection(old, connection), name: name,
            haAddress: request.haAddress)
        // 13
        guard id != 0, let master = groups[name]!.slots[0],
            let entry = live[LiveKey(cluster: cluster, address: master.address)]
        else { return Answer() }
        return Answer(masterAddress: master.address, haServerAddress: entry.haAddress)
    }

    private func formerConnection(_ old: Live?, _ connection: UInt64) -> UInt64 {
        guard let old else { return 0 }
        return old.connection == connection ? old.formerConnection : old.connection
    }

    private mutating func registerTopics(
        _ request: Registration, _ name: String, _ isPrimeSlave: Bool, _ isFirst: Bool, _ entry: Live?
    ) {
        if deletesUnnamedTopics {
            let named = Set(request.topics.map(\.topicName))
            for topic in topics.keys where !named.contains(topic) { removeQueue(of: name, from: topic) }
        }
        for topic in request.topics {
            let isMissing = topics[topic.topicName]?[name] == nil
            guard isFirst || entry == nil || entry!.version != request.version || isMissing else { continue }
            let losesWriteBit = isPrimeSlave && request.actingMaster == "true"
            topics[topic.topicName, default: [:]][name] = QueueData(
                brokerName: name, readQueueNums: topic.readQueueNums, writeQueueNums: topic.writeQueueNums,
                perm: losesWriteBit ? topic.perm & ~2 : topic.perm, topicSysFlag: topic.topicSysFlag)
        }
    }

    private mutating func removeQueue(of name: String, from topic: String) {
        topics[topic]?[name] = nil
        if topics[topic]?.isEmpty == true { topics[topic] = nil }
    }

    // MARK: 2.9, 4.2, 4.6

    mutating func unregister(_ cluster: String, _ name: String, _ address: String, from connection: UInt64) {
        let key = LiveKey(cluster: cluster, address: address)
        // A farewell that belongs to an older registration has no effect.
        if let entry = live[key], entry.connection != connection, entry.formerConnection == connection { return }
        leave(name, listedIn: cluster) { $0.address == address }
        // The entry stays while the address still has a slot under another name.
        let isHeld = groups.values.contains { $0.slots.values.contains(Slot(address: address, cluster: cluster)) }
        if !isHeld { live[key] = nil }
    }

    private mutating func leave(_ name: String, listedIn cluster: String, where isGone: (Slot) -> Bool) {
        guard var group = groups[name], group.slots.values.contains(where: isGone) else { return }
        group.slots = group.slots.filter { !isGone($0.value) }
        groups[name] = group
        if group.slots.isEmpty {
            groups[name] = nil
            for topic in topics.keys { removeQueue(of: name, from: topic) }
            unlist(name, cluster)
        } else if group.actsAsMaster, group.slots[0] == nil {
            changePermissions(name) { $0 & ~2 }
        }
    }

    /// A group that goes leaves every list, if the named cluster is one that lists it.
    private mutating func unlist(_ name: String, _ cluster: String) {
        guard clusters[cluster]?.contains(name) == true else { return }
        for other in clusters.keys {
            clusters[other]?.remove(name)
            if clusters[other]?.isEmpty == true { clusters[other] = nil }
        }
    }

    mutating func removeReplica(_ key: LiveKey) {
        guard let entry = live.removeValue(forKey: key) else { return }
        for name in groups.keys.sorted() {
            leave(name, listedIn: key.cluster) { $0 == Slot(address: key.address, cluster: key.cluster) }
        }
        if groups[entry.name] == nil { unlist(entry.name, key.cluster) }
    }

    /// Gives the connections to close.
    mutating func scan(now: Instant) -> Set<UInt64> {
        var connections: Set<UInt64> = []
        for (key, entry) in live where entry.lastHeard + entry.timeout < now {
            connections.insert(entry.connection)
            removeReplica(key)
        }
        return connections.filter { connection in !live.values.contains { $0.connection == connection } }
    }

    mutating func close(_ connection: UInt64) {
        for (key, entry) in live where entry.connection == connection { removeReplica(key) }
    }

    mutating func heartbeat(_ cluster: String, _ address: String, now: Instant) {
        live[LiveKey(cluster: cluster, address: address)]?.lastHeard = now
    }

    // MARK: 2.13, 2.15, 2.16

    mutating func changePermissions(_ name: String, _ change: (Int32) -> Int32) {
        for topic in topics.keys {
            if let perm = topics[topic]?[name]?.perm { topics[topic]?[name]?.perm = change(perm) }
        }
    }

    mutating func deleteTopic(_ topic: String, cluster: String?) {
        let names = cluster.map { clusters[$0] ?? [] } ?? Set((topics[topic] ?? [:]).keys)
        for name in names { removeQueue(of: name, from: topic) }
    }

    mutating func registerTopic(_ topic: String, _ queues: [QueueData]) {
        let known = queues.prefix { groups[$0.brokerName] != nil }
        if topics[topic] == nil, known.count < queues.count { return }
        for queue in known { topics[topic, default: [:]][queue.brokerName] = queue }
    }

    // MARK: Answers

    /// 2.6; nil for code 17.
    func route(_ topic: String) -> TopicRouteData? {
        guard let queues = topics[topic] else { return nil }
        var route = TopicRouteData()
        for name in queues.keys.sorted() {
            guard let group = groups[name], let queue = queues[name] else { continue }
            var data = brokerData(name, group)
            if supportsActingMaster, group.actsAsMaster, group.slots[0] == nil, queue.perm & 2 == 0,
                let smallest = group.smallest
            {
                data.brokerAddrs[0] = data.brokerAddrs.removeValue(forKey: smallest)
            }
            route.brokerDatas.append(data)
            route.queueDatas.append(queue)
        }
        return route
    }

    var clusterInfo: ClusterInfo {
        var info = ClusterInfo()
        for (name, group) in groups { info.brokerAddrTable[name] = brokerData(name, group) }
        for (cluster, names) in clusters { info.clusterAddrTable[cluster] = names.sorted() }
        return info
    }

    private func brokerData(_ name: String, _ group: Group) -> BrokerData {
        var data = BrokerData(
            cluster: group.cluster, brokerName: name, brokerAddrs: group.slots.mapValues(\.address))
        data.enableActingMaster = group.actsAsMaster
        data.zoneName = group.zone
        return data
    }
}
