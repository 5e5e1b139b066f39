import Basics
import Remoting

/// A message to send.
public struct OutgoingMessage: Hashable, Sendable {
    /// Where to.
    public var topic: String
    /// At most `bodyLimit` bytes.
    public var body: [UInt8]
    /// In addition to `UNIQ_KEY` and `WAIT`, which the client adds.
    public var properties: MessageProperties
    /// The user's own flag.
    public var flag: Int32 = 0

    /// Largest body: RocketMQ's `maxMessageSize`, 4 MiB.
    public static let bodyLimit = 4 << 20

    /// A message for `topic`.
    public init(topic: String, body: [UInt8], properties: MessageProperties = .init()) {
        self.topic = topic
        self.body = body
        self.properties = properties
    }
}

/// Where a message went.
public struct SendReceipt: Hashable, Sendable {
    /// How the broker has it.
    public var status: SendStatus
    /// The broker's own message id.
    public var messageID: String
    /// The queue it is in.
    public var queue: MessageQueue
    /// Its place in the queue.
    public var queueOffset: Int64
    /// 1 when the first attempt succeeded.
    public var attempts: Int
    /// From the call to the answer, all attempts included.
    public var latency: Duration
}

/// A message that no broker accepted, as far as we know.
public struct SendFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The last attempt's reason.
    public var reason: RouteClientError
    /// Attempts made; 0 when there was nowhere to send to.
    public var attempts: Int

    /// A failure, for whoever gives messages up above the client.
    public init(reason: RouteClientError, attempts: Int) {
        self.reason = reason
        self.attempts = attempts
    }

    /// One clause for a line of output.
    public var description: String { "\(reason) (after \(attempts) attempts)" }
}

/// Unique keys of messages: a prefix of 16 random hex digits per client, then 16 of a counter.
struct MessageKeys {
    private let prefix: UInt64
    private var counter: UInt64 = 0

    init(using generator: inout some RandomNumberGenerator) { prefix = generator.next() }

    mutating func next() -> String {
        counter += 1
        return MessageKeys.hex(prefix) + MessageKeys.hex(counter)
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
