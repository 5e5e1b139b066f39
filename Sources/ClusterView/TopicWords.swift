import Basics
import Remoting

/// What to say about topics of one broker group that differ in one way.
struct TopicWords {
    /// Nodes that say the same; without a shape they lack the topics.
    struct Side {
        var shape: QueueShape?
        var nodes: [NodeReading]

        var names: String { enumeration(nodes.map(\.name)) }
        var addresses: String { nodes.map(\.address.description).joined(separator: ";") }
    }

    var broker: String
    /// Sorted, at least one.
    var topics: [String]
    /// The largest side first, at least two.
    var sides: [Side]

    private var having: [Side] { sides.filter { $0.shape != nil } }
    private var lacking: Side? { sides.first { $0.shape == nil } }

    var difference: ClusterDifference {
        var difference: ClusterDifference
        if let lacking {
            difference = absent(lacking)
        } else if let first = sides[0].shape, sides.allSatisfy({ $0.shape?.isSameSize(as: first) ?? false }) {
            difference = sides.contains { $0.shape?.writability(besides: first) == nil } ? permission : wiped
        } else {
            difference = content
        }
        difference.topics = topics
        return difference
    }

    /// `Orders on broker-a`, `Orders and 11 more on broker-a`.
    private var subject: String {
        let more = topics.count > 1 ? " and \(topics.count - 1) more" : ""
        return "\(topics[0])\(more) on \(broker)"
    }

    /// A difference between all sides, the first of them here.
    private func difference(
        _ kind: ClusterDifference.Kind, _ subject: String, _ text: String, _ advice: String, since: Int64? = nil
    ) -> ClusterDifference {
        ClusterDifference(
            kind: kind, subject: subject, broker: broker, here: sides[0].nodes.map(\.name),
            there: sides.dropFirst().flatMap(\.nodes).map(\.name), sinceMillis: since, text: text, advice: advice)
    }

    // MARK: Topics that a side lacks

    private func absent(_ lacking: Side) -> ClusterDifference {
        let it = topics.count == 1 ? "it" : "them"
        let holders = having.flatMap(\.nodes).map(\.name)
        let deleted = lacking.nodes.compactMap { node in
            node.lastChange("topicDeleted") { $0.hasPrefix("topic \(topics[0]) deleted ") }
        }
        let advice: String
        if deleted.isEmpty {
            advice = adviceForLacked(lacking, it, holders)
        } else {
            advice =
                "delete \(it) at \(enumeration(holders)) too (mqadmin deleteTopic names every node); if \(broker) still has "
                + "\(it), \(lacking.names) \(verb("have", lacking.nodes)) \(it) again after the next registration (30 s)"
        }
        return ClusterDifference(
            kind: .topic, subject: subject, broker: broker, here: holders, there: lacking.nodes.map(\.name),
            sinceMillis: deleted.max(),
            text: "\(enumeration(holders)) \(verb("have", holders)) \(it), \(lacking.names) "
                + (deleted.isEmpty
                    ? "\(verb("lack", lacking.nodes)) \(it)"
                    : "\(lacking.nodes.count == 1 ? "was" : "were") told to delete \(it)"),
            advice: advice)
    }

    private func adviceForLacked(_ lacking: Side, _ it: String, _ holders: [String]) -> String {
        if let node = lacking.nodes.first(where: hasHeardWholeRegistration) {
            return
                "look at the broker: it has registered at \(node.name) without \(it), so \(enumeration(holders)) "
                + "\(verb("keep", holders)) what \(broker) has dropped; a restart clears that (brokers are back within 30 s), "
                + "and deleteTopicWithBrokerRegistration=true prevents it"
        }
        return
            "look at the broker (its topics.json, or mqadmin topicList): if \(broker) has \(it), its next registration "
            + "(30 s) should mend \(lacking.names); if it has dropped \(it), a restart of \(enumeration(holders)) clears "
            + "what is left over"
    }

    /// The verb for one or for many.
    private func verb(_ verb: String, _ subjects: [some Any]) -> String {
        if subjects.count > 1 { return verb }
        return verb == "have" ? "has" : verb + "s"
    }

    /// Whether the node has heard everything the broker has to say: registrations are whole (protocol.md 2.4).
    private func hasHeardWholeRegistration(_ node: NodeReading) -> Bool {
        node.status?.brokers.contains {
            $0.name == broker && $0.registrationAgeMillis < Lateness.limit(timeout: $0.timeoutMillis)
        } ?? false
    }

    // MARK: Topics that all sides have

    private var wiped: ClusterDifference {
        let wiped = sides.filter { $0.shape?.isWritable == false }.flatMap(\.nodes)
        let open = sides.filter { $0.shape?.isWritable == true }.flatMap(\.nodes)
        // They differ since the last of them was told.
        let told =
            wiped.compactMap { $0.lastChange("writePermissionWiped", isAboutGroup) }
            + open.compactMap { $0.lastChange("writePermissionAdded", isAboutGroup) }
        func addresses(_ nodes: [NodeReading]) -> String {
            shellWord(nodes.map(\.address.description).joined(separator: ";"))
        }
        return difference(
            .permission, broker,
            "writing is wiped at \(enumeration(wiped.map(\.name))) and not at \(enumeration(open.map(\.name))), "
                + "for \(counted(topics.count, "topic"))",
            "to wipe it everywhere, mqadmin wipeWritePerm -n \(addresses(open)) -b \(shellWord(broker)); "
                + "to undo it, mqadmin addWritePerm -n \(addresses(wiped)) -b \(shellWord(broker))",
            since: told.min())
    }

    private func isAboutGroup(_ text: String) -> Bool { text.hasSuffix(" of \(broker) by request") }

    private var permission: ClusterDifference {
        let text = sides.map { "\($0.names) \(verb("say", $0.nodes)) \($0.shape?.permText ?? "-")" }
        return difference(
            .permission, subject, text.joined(separator: "; "),
            "set it again at the broker (mqadmin updateTopic -t \(shellWord(topics[0])) -p PERM), "
                + "which then registers it with every node")
    }

    private var content: ClusterDifference {
        let text = sides.map { side in
            "\(side.names) \(verb("say", side.nodes)) "
                + "\(side.shape.map { "\($0.sizeText), \($0.permText)" } ?? "nothing")"
        }
        return difference(
            .content, subject, text.joined(separator: "; "),
            "wait for the next registration of \(broker) (30 s), which should settle it; if it lasts, look for refused "
                + "registrations of \(broker) in the nodes' logs, or set it again at the broker "
                + "(mqadmin updateTopic -t \(shellWord(topics[0])) -r READ -w WRITE)")
    }
}
