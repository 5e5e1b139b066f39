import Basics
import Remoting

/// What a node answered when asked for a topic's route.
enum TopicAnswer: Hashable, Sendable {
    /// Nothing that can be compared.
    case unknown
    /// The node has no route.
    case none
    /// Queues by broker group.
    case queues([String: QueueShape])
}

/// What clients are told of a topic's queues on one broker group.
struct QueueShape: Hashable, Sendable {
    var read: Int32
    var write: Int32
    var perm: Int32
    var sysFlag: Int32

    init(_ data: QueueData) {
        (read, write, perm, sysFlag) = (data.readQueueNums, data.writeQueueNums, data.perm, data.topicSysFlag)
    }

    /// `rw-`.
    var permText: String {
        let letters = [(PermissionBits.read, "r"), (PermissionBits.write, "w"), (PermissionBits.inherit, "x")]
        return letters.map { perm & $0.0 != 0 ? $0.1 : "-" }.joined()
    }

    var sizeText: String {
        "\(read) read and \(write) write queues" + (sysFlag == 0 ? "" : ", flag \(sysFlag)")
    }

    var isWritable: Bool { perm & PermissionBits.write != 0 }

    func isSameSize(as other: QueueShape) -> Bool {
        (read, write, sysFlag) == (other.read, other.write, other.sysFlag)
    }
}

/// Compares the routes of many topics, given one topic at a time, so that memory holds only what differs.
///
/// A broker group that a node does not list at all is one difference of its own (`missing`), not one per topic: such a
/// node has no say about that group's topics.
public struct TopicComparison: Sendable {
    /// What the nodes say of a topic on one broker group; nil where a node has no say.
    private enum Voice: Hashable, Sendable {
        case noSay
        case absent
        case queues(QueueShape)

        var shape: QueueShape? {
            if case .queues(let shape) = self { return shape }
            return nil
        }
    }

    private struct Pattern: Hashable, Sendable {
        var broker: String
        var voices: [Voice]
    }

    /// Topics compared so far.
    public private(set) var count = 0
    /// Topics that differ, in the order they were found.
    private(set) var differing: [String] = []
    private let groups: [Set<String>?]
    private var found: [Pattern: [String]] = [:]

    /// A comparison of the routes of these nodes, whose groups are known from the same readings.
    init(_ readings: [NodeReading]) {
        groups = readings.map { reading in
            guard reading.isUp, let groups = reading.groups else { return nil }
            return Set(groups.filter { !$0.value.brokerAddrs.isEmpty }.keys)
        }
    }

    /// Takes the answers of all nodes about one topic, in the order of the readings.
    mutating func add(_ topic: String, _ answers: [TopicAnswer]) {
        precondition(answers.count == groups.count, "\(answers.count) answers of \(groups.count) nodes")
        count += 1
        var brokers: Set<String> = []
        for case .queues(let queues) in answers { brokers.formUnion(queues.keys) }
        var differs = false
        for broker in brokers {
            let voices = zip(answers, groups).map { answer, groups -> Voice in
                guard let groups, groups.contains(broker) else { return .noSay }
                switch answer {
                case .unknown: return .noSay
                case .none: return .absent
                case .queues(let queues): return queues[broker].map(Voice.queues) ?? .absent
                }
            }
            guard Set(voices).subtracting([.noSay]).count > 1 else { continue }
            found[Pattern(broker: broker, voices: voices), default: []].append(topic)
            differs = true
        }
        if differs { differing.append(topic) }
    }

    /// One difference per broker group and way of differing, however many topics differ that way.
    func differences(_ readings: [NodeReading]) -> [ClusterDifference] {
        var differences: [ClusterDifference] = []
        for (pattern, topics) in found {
            let topics = topics.sorted()
            let voices = zip(readings, pattern.voices).filter { $0.1 != .noSay }
            let sides = ClusterComparison.sides(voices) { Optional($0.1) }.map { side in
                TopicWords.Side(shape: side.value.shape, nodes: side.members.map(\.0))
            }
            differences.append(TopicWords(broker: pattern.broker, topics: topics, sides: sides).difference)
        }
        // Two ways of differing may have the same first topic: the words decide, so that the order is always the same.
        return differences.sorted { ($0.key, $0.text) < ($1.key, $1.text) }
    }
}

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
            difference = permission
        } else {
            difference = content
        }
        difference.topics = topics
        return difference
    }

    /// `Orders on broker-a`, `Orders and 11 more topics on broker-a`.
    private var subject: String {
        let more = topics.count > 1 ? " and \(topics.count - 1) more" : ""
        return "\(topics[0])\(more) on \(broker)"
    }

    private func absent(_ lacking: Side) -> ClusterDifference {
        let it = topics.count == 1 ? "it" : "them"
        let holders = enumeration(having.flatMap(\.nodes).map(\.name))
        var advice: String
        if let node = lacking.nodes.first(where: hasHeardWholeRegistration) {
            advice =
                "\(broker) has registered at \(node.name) without \(it): \(holders) "
                + "\(having.flatMap(\.nodes).count == 1 ? "keeps" : "keep") what the broker dropped. If nobody uses \(it), "
                + "delete \(it) there (mqadmin deleteTopic -n '\(having.map(\.addresses).joined(separator: ";"))'"
                + " -c CLUSTER -t '\(topics[0])')"
        } else {
            advice =
                "ask the broker (mqadmin topicList of its cluster, or its topics.json): if it has \(it), "
                + "\(lacking.names) \(lacking.nodes.count == 1 ? "misses" : "miss") a registration, and the next one (30 s) "
                + "mends that; if it has dropped \(it), delete \(it) at \(holders)"
        }
        if topics.contains(where: { $0.hasPrefix("%RETRY%") }) {
            advice += "; %RETRY% topics come and go with consumer groups"
        }
        return ClusterDifference(
            kind: .topic, subject: subject, here: having.flatMap(\.nodes).map(\.name), there: lacking.nodes.map(\.name),
            text: "\(holders) \(having.flatMap(\.nodes).count == 1 ? "has" : "have") \(it), \(lacking.names) "
                + "\(lacking.nodes.count == 1 ? "lacks" : "lack") \(it)",
            advice: advice)
    }

    /// Whether the node has heard everything the broker has to say: registrations are whole (protocol.md 2.4).
    private func hasHeardWholeRegistration(_ node: NodeReading) -> Bool {
        node.status?.brokers.contains {
            $0.name == broker && $0.registrationAgeMillis < Lateness.limit(timeout: $0.timeoutMillis)
        } ?? false
    }

    private var permission: ClusterDifference {
        let text = sides.map { "\($0.names) \($0.nodes.count == 1 ? "says" : "say") \($0.shape?.permText ?? "-")" }
        let wiped = sides.filter { $0.shape?.isWritable == false }
        let open = sides.filter { $0.shape?.isWritable == true }
        let advice: String
        if let first = wiped.first, let other = open.first {
            advice =
                "writing to \(broker) is wiped at \(first.names) only: to wipe it everywhere, "
                + "mqadmin wipeWritePerm -n '\(other.addresses)' -b \(broker); "
                + "to undo it, mqadmin addWritePerm -n '\(first.addresses)' -b \(broker)"
        } else {
            advice =
                "set it again at the broker (mqadmin updateTopic -p), "
                + "which then registers it with every node"
        }
        return ClusterDifference(
            kind: .permission, subject: subject, here: sides[0].nodes.map(\.name),
            there: sides.dropFirst().flatMap(\.nodes).map(\.name), text: enumeration(text), advice: advice)
    }

    private var content: ClusterDifference {
        let text = sides.map { side in
            "\(side.names) \(side.nodes.count == 1 ? "says" : "say") "
                + "\(side.shape.map { "\($0.sizeText), \($0.permText)" } ?? "nothing")"
        }
        return ClusterDifference(
            kind: .content, subject: subject, here: sides[0].nodes.map(\.name),
            there: sides.dropFirst().flatMap(\.nodes).map(\.name), text: enumeration(text),
            advice:
                "the next registration of \(broker) (30 s) should settle it; if it lasts, set it again at the broker "
                + "(mqadmin updateTopic -t '\(topics[0])' -r READ -w WRITE), and look for refused registrations of "
                + "\(broker) in the nodes' logs")
    }
}
