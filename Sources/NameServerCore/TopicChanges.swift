import Basics
import Remoting

// DELETE_TOPIC_IN_NAMESRV (216) and REGISTER_TOPIC_IN_NAMESRV (217): protocol.md 2.15, 2.16.

extension NameServer {
    mutating func deleteTopic(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter,
        _ directives: inout [Directive]
    ) {
        completeSteps(of: nil, &directives)
        defer { output.answer(arrival) }
        guard let name = header.field("topic"), let topic = tables.topic(named: name) else { return }
        let cluster = header.field("clusterName").flatMap { $0.isEmpty ? nil : $0 }
        var groups = tables.topics[topic.index].entries.map(\.group)
        if let cluster {
            guard let id = tables.cluster(named: cluster) else { return }
            groups.removeAll { !tables.isListed($0, in: id) }
        }
        guard !groups.isEmpty else { return }
        let text = tables.topicNames.text(of: topic)
        let tick = tables.tick()
        for group in groups {
            tables.removeEntry(of: group, from: topic, at: tick)
            tables.groups[group.index].revisedAt = tick
            administered(group, deleted: topic)
        }
        if firstHand != nil { directives.append(.firstHand(.administered)) }
        note(
            .topicDeleted, nil, "topic \(text) deleted from \(groups.count) broker groups by request", arrival,
            &directives)
    }

    mutating func registerTopic(
        _ header: borrowing CommandHeader, _ body: UnsafeRawBufferPointer, _ arrival: Arrival,
        _ output: inout ByteWriter, _ directives: inout [Directive]
    ) {
        completeSteps(of: nil, &directives)
        let queues: [QueueData]
        do throws(RemotingError) {
            queues = body.isEmpty ? [] : try TopicRouteData.decode(body)?.queueDatas ?? []
        } catch {
            return fail("\(error)", arrival, &output)
        }
        guard let name = header.field("topic"), !queues.isEmpty else { return output.answer(arrival) }
        let isNew = tables.topic(named: name) == nil
        if name.count > limits.topicNameBytes {
            return fail(
                "a topic name of \(name.count) bytes is above the limit of \(limits.topicNameBytes)", arrival, &output)
        }
        if isNew, tables.topicNames.count >= limits.topics {
            return fail("the limit of \(limits.topics) topics is reached", arrival, &output)
        }
        let entries = knownEntries(of: queues)
        // An unknown broker ends the list; a new topic is then not made at all.
        if !isNew || entries.count == queues.count { putTopic(name, entries, arrival, &directives) }
        output.answer(arrival)
    }

    /// The entries up to the first whose broker is unknown.
    private func knownEntries(of queues: [QueueData]) -> [QueueEntry] {
        var entries: [QueueEntry] = []
        for queue in queues {
            guard let group = queue.brokerName.withBytes({ tables.group(named: $0) }) else { break }
            entries.append(
                QueueEntry(
                    group: group, readQueues: queue.readQueueNums, writeQueues: queue.writeQueueNums,
                    permission: queue.perm, systemFlag: queue.topicSysFlag))
        }
        return entries
    }

    private mutating func putTopic(
        _ name: UnsafeRawBufferPointer, _ entries: [QueueEntry], _ arrival: Arrival, _ directives: inout [Directive]
    ) {
        let tick = tables.tick()
        var changed = 0
        for entry in entries {
            let (topic, change) = tables.put(entry, underName: name, at: tick)
            if change != .same { changed += 1 }
            tables.groups[entry.group.index].revisedAt = tick
            administered(entry.group, put: topic)
        }
        if firstHand != nil { directives.append(.firstHand(.administered)) }
        guard changed > 0 else { return }
        note(
            .topicRegistered, nil,
            "topic \(String(decoding: name, as: UTF8.self)) put on \(changed) broker groups by request", arrival,
            &directives)
    }
}
