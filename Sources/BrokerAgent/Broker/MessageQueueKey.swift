/// One queue of one topic on this broker.
public struct MessageQueueKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// From 0 to the topic's number of queues - 1.
    public var queueID: Int32

    /// Names a queue.
    public init(topic: String, queueID: Int32) {
        self.topic = topic
        self.queueID = queueID
    }

    /// By topic, then by queue.
    public static func < (left: MessageQueueKey, right: MessageQueueKey) -> Bool {
        (left.topic, left.queueID) < (right.topic, right.queueID)
    }

    /// `topic:queue`.
    public var description: String { "\(topic):\(queueID)" }
}
