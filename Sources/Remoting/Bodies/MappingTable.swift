/// The mapping infos of one registration: in order of arrival, the last of each topic.
struct MappingTable {
    private(set) var all: [TopicQueueMapping] = []
    private var positions: [String: Int] = [:]
    private var queueCount = 0

    mutating func put(_ mapping: TopicQueueMapping) throws(RemotingError) {
        queueCount += mapping.info.currIdMap.count
        guard queueCount <= BodyLimits.mappingQueueCount else {
            throw RemotingError(.limit, "more than \(BodyLimits.mappingQueueCount) queues in the mappings")
        }
        if let position = positions[mapping.topic] {
            all[position] = mapping
            return
        }
        guard all.count < BodyLimits.mappingCount else {
            throw RemotingError(.limit, "more than \(BodyLimits.mappingCount) mappings in one registration")
        }
        positions[mapping.topic] = all.count
        all.append(mapping)
    }
}
