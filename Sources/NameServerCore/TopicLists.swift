import Basics
import Remoting

// The list requests: 206, 224, 304, 311, 312, 313 (protocol.md 2.14, 2.17 to 2.19). Every list is sorted by bytes.

extension NameServer {
    mutating func allTopics(_ arrival: Arrival, _ output: inout ByteWriter) {
        guard properties.enableAllTopicList else { return fail("disable", arrival, &output) }
        answerTopics(tables.sortedTopics(), arrival, &output)
    }

    mutating func topicsByCluster(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        guard properties.enableTopicList else { return fail("disable", arrival, &output) }
        var found: ContiguousArray<TopicID> = []
        if let name = header.field("cluster"), let cluster = tables.cluster(named: name) {
            var seen: Set<TopicID> = []
            for group in tables.clusters[cluster.index].groups {
                for topic in tables.topics(of: group) where seen.insert(topic).inserted { found.append(topic) }
            }
            found.sort { tables.topicNames.precedes($0, $1) }
        }
        answerTopics(found, arrival, &output)
    }

    /// The topics whose `topicSysFlag`, as the broker first by name gives it, passes the test.
    mutating func unitTopics(_ arrival: Arrival, _ output: inout ByteWriter, where passes: (Int32) -> Bool) {
        guard properties.enableTopicList else { return fail("disable", arrival, &output) }
        let found = tables.sortedTopics().filter { topic in
            let entries = tables.topics[topic.index].entries
            let first = entries.min { tables.groupNames.precedes($0.group, $1.group) }
            return first.map { passes($0.systemFlag) } ?? false
        }
        answerTopics(found, arrival, &output)
    }

    /// 304: not topics, but the cluster and broker names as listed, and one broker's address.
    mutating func systemTopics(_ arrival: Arrival, _ output: inout ByteWriter) {
        var names: Set<String> = []
        for (index, cluster) in tables.clusters.enumerated() where !cluster.groups.isEmpty {
            names.insert(tables.clusterNames.text(of: ClusterID(number: UInt32(index))))
            for group in cluster.groups { names.insert(tables.groupNames.text(of: group)) }
        }
        let mark = output.beginAnswer(arrival)
        output.append(ascii: "{")
        if let first = sortedGroups().first, let slot = tables.groups[first.index].slots.first {
            output.append("\"brokerAddr\":")
            output.appendJSON(string: tables.addressNames.bytes(of: slot.address), dialect: .legacy)
            output.append(ascii: ",")
        }
        output.append("\"topicList\":[")
        output.appendList(names.sorted { $0.precedes($1) }) { $1.appendJSON(string: $0, dialect: .legacy) }
        output.append("]}")
        ResponseFrame.end(&output, mark)
    }

    private func answerTopics(_ topics: some Sequence<TopicID>, _ arrival: Arrival, _ output: inout ByteWriter) {
        let mark = output.beginAnswer(arrival)
        output.append("{\"topicList\":[")
        output.appendList(topics) { $1.appendJSON(string: tables.topicNames.bytes(of: $0), dialect: .legacy) }
        output.append("]}")
        ResponseFrame.end(&output, mark)
    }
}
