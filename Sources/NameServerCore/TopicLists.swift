import Basics
import Remoting

// The list requests: 206, 224, 304, 311, 312, 313 (protocol.md 2.14, 2.17 to 2.19). Every list is sorted by bytes.

extension NameServer {
    mutating func allTopics(_ arrival: Arrival, _ output: inout ByteWriter) {
        guard properties.enableAllTopicList else { return fail("disable", arrival, &output) }
        if hearsay.isEmpty {
            answerTopics(tables.sortedTopics().lazy.map { ShownTopic(firstHand: $0) }, arrival, &output)
        } else {
            answerTopics(sortedShownTopics(), arrival, &output)
        }
    }

    mutating func topicsByCluster(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        guard properties.enableTopicList else { return fail("disable", arrival, &output) }
        let groups = header.field("cluster").map { shownGroups(inCluster: $0) } ?? []
        answerTopics(shownTopics(of: groups), arrival, &output)
    }

    /// The topics whose `topicSysFlag`, as the broker first by name gives it, passes the test.
    mutating func unitTopics(_ arrival: Arrival, _ output: inout ByteWriter, where passes: (Int32) -> Bool) {
        guard properties.enableTopicList else { return fail("disable", arrival, &output) }
        answerTopics(sortedShownTopics().filter { passesFirst($0, passes) }, arrival, &output)
    }

    private func passesFirst(_ topic: ShownTopic, _ passes: (Int32) -> Bool) -> Bool {
        if hearsay.isEmpty, let id = topic.firstHand {
            let first = tables.topics[id.index].entries.min { tables.groupNames.precedes($0.group, $1.group) }
            return first.map { passes(tables.queueSettings[$0.settings].systemFlag) } ?? false
        }
        var first: ShownQueue?
        forEachShownQueue(of: topic) { queue in
            if first.map({ precedes(queue.group, $0.group) }) ?? true { first = queue }
        }
        return first.map { passes($0.systemFlag) } ?? false
    }

    /// 304: not topics, but the cluster and broker names as listed, and one broker's address.
    mutating func systemTopics(_ arrival: Arrival, _ output: inout ByteWriter) {
        var names: Set<String> = []
        for (cluster, groups) in sortedShownClusters() {
            names.insert(cluster)
            names.formUnion(groups)
        }
        let mark = output.beginAnswer(arrival)
        output.append(ascii: "{")
        if let first = sortedShownGroups().first, let slot = shownSlots(of: first).first {
            output.append("\"brokerAddr\":")
            output.appendJSON(string: slot.address, dialect: .legacy)
            output.append(ascii: ",")
        }
        output.append("\"topicList\":[")
        output.appendList(names.sorted { $0.precedes($1) }) { $1.appendJSON(string: $0, dialect: .legacy) }
        output.append("]}")
        ResponseFrame.end(&output, mark)
    }

    private func answerTopics(_ topics: some Sequence<ShownTopic>, _ arrival: Arrival, _ output: inout ByteWriter) {
        let mark = output.beginAnswer(arrival)
        output.append("{\"topicList\":[")
        output.appendList(topics) { $1.appendJSON(string: name(of: $0), dialect: .legacy) }
        output.append("]}")
        ResponseFrame.end(&output, mark)
    }
}
