/// One queue of a topic on one broker group: what a producer writes to and a consumer reads from.
public struct MessageQueue: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// The broker group's name.
    public var brokerName: String
    /// From 0; for a static topic the logical number.
    public var queueID: Int32

    /// Names one queue.
    public init(topic: String, brokerName: String, queueID: Int32) {
        self.topic = topic
        self.brokerName = brokerName
        self.queueID = queueID
    }

    /// Topic, then broker, then queue, names by UTF-16 unit: all consumers of a group, Java's too, must agree on it.
    public static func < (left: MessageQueue, right: MessageQueue) -> Bool {
        if left.topic != right.topic { return left.topic.precedesAsInJava(right.topic) }
        if left.brokerName != right.brokerName { return left.brokerName.precedesAsInJava(right.brokerName) }
        return left.queueID < right.queueID
    }

    /// `topic@broker:queue`.
    public var description: String { "\(topic)@\(brokerName):\(queueID)" }
}

extension String {
    /// Java's `String.compareTo`: by UTF-16 unit, where Swift's `<` compares characters.
    func precedesAsInJava(_ other: String) -> Bool { utf16.lexicographicallyPrecedes(other.utf16) }
}
