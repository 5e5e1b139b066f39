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
public struct QueueShape: Hashable, Sendable {
    var read: Int32
    var write: Int32
    var perm: Int32
    var sysFlag: Int32

    /// Without the broker's name.
    public init(_ data: QueueData) {
        (read, write, perm, sysFlag) = (data.readQueueNums, data.writeQueueNums, data.perm, data.topicSysFlag)
    }

    /// `rw-`.
    public var permText: String {
        let letters = [(PermissionBits.read, "r"), (PermissionBits.write, "w"), (PermissionBits.inherit, "x")]
        return letters.map { perm & $0.0 != 0 ? $0.1 : "-" }.joined()
    }

    /// `4 read and 4 write queues`, and the topic's flag when it has one.
    public var sizeText: String {
        "\(read) read and \(write) write queues" + (sysFlag == 0 ? "" : ", flag \(sysFlag)")
    }

    /// Whether producers may send.
    public var isWritable: Bool { perm & PermissionBits.write != 0 }

    /// Whether only the permissions may differ.
    public func isSameSize(as other: QueueShape) -> Bool {
        (read, write, sysFlag) == (other.read, other.write, other.sysFlag)
    }

    /// Only whether it may be written, when that is all that sets it apart from `other`; nil when more does.
    func writability(besides other: QueueShape) -> QueueShape? {
        guard isSameSize(as: other), (perm ^ other.perm) & ~PermissionBits.write == 0 else { return nil }
        return QueueShape(QueueData(perm: perm & PermissionBits.write))
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
            found[Pattern(broker: broker, voices: wiped(voices) ?? voices), default: []].append(topic)
            differs = true
        }
        if differs { differing.append(topic) }
    }

    /// The voices without what differs from topic to topic, when the nodes disagree about nothing but writing: wiping
    /// concerns all topics of a broker at once.
    private func wiped(_ voices: [Voice]) -> [Voice]? {
        guard let first = voices.lazy.compactMap(\.shape).first else { return nil }
        var plain: [Voice] = []
        for voice in voices {
            switch voice {
            case .noSay: plain.append(voice)
            case .absent: return nil
            case .queues(let shape):
                guard let writability = shape.writability(besides: first) else { return nil }
                plain.append(.queues(writability))
            }
        }
        return plain
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
