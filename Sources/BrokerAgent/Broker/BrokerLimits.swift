/// What one stand-in broker keeps in memory at most. It stores nothing on disk, so these are its whole capacity.
public struct BrokerLimits: Hashable, Sendable {
    /// Messages over all topics; the oldest are dropped. Default 200,000: minutes of a demonstration.
    public var messages = 200_000
    /// Their size in the wire format, over all topics; the oldest are dropped. Default 64 MiB.
    public var messageBytes = 64 << 20
    /// One message's body. Default 4 MiB, RocketMQ's maxMessageSize; a larger one is refused with code 13.
    public var bodyBytes = 4 << 20
    /// A topic's name. 127, RocketMQ's limit; the wire format has one byte for the length.
    public var topicNameBytes = 127
    /// One message's properties. 32,767, what the wire format's signed 16-bit length allows.
    public var propertyBytes = 32_767
    /// Topics, created on demand or not. Default 10,000: the next send to a new one is refused.
    public var topics = 10_000
    /// Queues of one topic. Default 1,024, what RocketMQ's own BenchmarkTest has.
    public var queuesPerTopic = 1_024
    /// Producer and consumer groups with at least one live member. Default 10,000.
    public var groups = 10_000
    /// Members of one group. Default 10,000.
    public var membersPerGroup = 10_000
    /// Committed offsets (group, topic and queue). Default 200,000.
    public var committedOffsets = 200_000
    /// Pulls that wait for a message. Default 50,000; one more is answered at once with "nothing new".
    public var heldPulls = 50_000
    /// Messages that wait for their delivery time. Default 50,000; one more is delivered at once.
    public var delayedMessages = 50_000
    /// Sends whose answer waits for the slaves. Default 50,000; one more is answered at once.
    public var pendingSends = 50_000
    /// Messages in one batch (320). Default 10,000.
    public var batchMessages = 10_000

    /// The defaults above.
    public init() {}
}
