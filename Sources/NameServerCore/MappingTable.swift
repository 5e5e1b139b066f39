import Remoting

/// What one broker holds of a static topic, and which group registered it.
struct TopicMapping {
    var owner: GroupID
    /// `info.bname`, the key under which routes show it.
    var brokerName: String
    var info: TopicQueueMappingInfo
}

extension RouteTables {
    /// Stores the mapping under (topic, broker name).
    mutating func putMapping(_ mapping: TopicMapping, underName name: UnsafeRawBufferPointer, at tick: UInt64) {
        let id = topicNames.retain(name)
        defer { topicNames.release(id) }
        while topics.count <= id.index { topics.append(Topic()) }
        var list = mappings[id] ?? []
        if list.isEmpty { topicNames.retain(id) }
        if let place = list.firstIndex(where: { $0.brokerName == mapping.brokerName }) {
            list[place] = mapping
        } else {
            let place = list.firstIndex { mapping.brokerName.precedes($0.brokerName) } ?? list.count
            list.insert(mapping, at: place)
        }
        mappings[id] = list
        topics[id.index].changedAt = tick
        if groups[mapping.owner.index].mappedTopics.last != id { groups[mapping.owner.index].mappedTopics.append(id) }
    }

    /// Drops the mappings that a group registered; it is going.
    mutating func removeMappings(registeredBy group: GroupID, at tick: UInt64) {
        for id in groups[group.index].mappedTopics {
            guard var list = mappings[id] else { continue }
            list.removeAll { $0.owner == group }
            topics[id.index].changedAt = tick
            if list.isEmpty {
                mappings[id] = nil
                topicNames.release(id)
            } else {
                mappings[id] = list
            }
        }
        groups[group.index].mappedTopics = []
    }
}
