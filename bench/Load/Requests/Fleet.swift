import Basics
import Remoting

/// Stand-in brokers as data: their names, topics and registrations.
///
/// Brokers stand in sets of `spread`; the brokers of a set have the same topics, so that each topic stands on `spread` brokers.
public struct Fleet: Hashable, Codable, Sendable {
    /// Brokers, 1 to 10,000.
    public var brokers = 8
    /// Topics of each broker, 1 to 60,000.
    public var topics = 1_000
    /// Brokers of one topic.
    public var spread = 1
    /// Whether registration bodies are deflated.
    public var isCompressed = false
    /// Of all requests.
    public var header = HeaderForm.json
    /// Of all registrations.
    public var style = BrokerStyle.v5
    /// Tells fleets of one server apart; part of every name.
    public var label = "bench"

    /// Limits of what a run may ask for: the largest that users report (10,000 brokers; 60,000 topics fill one 16 MiB frame).
    public static let brokerLimit = 10_000
    /// See `brokerLimit`.
    public static let topicLimit = 60_000

    /// The defaults above, with these numbers.
    public init(brokers: Int = 8, topics: Int = 1_000, spread: Int = 1, label: String = "bench") {
        self.brokers = brokers
        self.topics = topics
        self.spread = spread
        self.label = label
    }

    /// Says what is beyond its limit.
    public func check() throws(LoadError) {
        guard (1...Self.brokerLimit).contains(brokers) else {
            throw LoadError(.usage, "\(brokers) brokers: 1 to \(Self.brokerLimit)")
        }
        guard (1...Self.topicLimit).contains(topics) else {
            throw LoadError(.usage, "\(topics) topics: 1 to \(Self.topicLimit)")
        }
        guard (1...Self.brokerLimit).contains(spread) else {
            throw LoadError(.usage, "\(spread) brokers of one topic: 1 to \(Self.brokerLimit)")
        }
    }

    /// Queue entries that all registrations together make: one for each topic of each broker.
    public var queueEntries: Int { brokers * topics }
    /// Sets of brokers with topics of their own.
    public var sets: Int { (brokers + spread - 1) / spread }

    /// The brokers of a set.
    public func members(of set: Int) -> Range<Int> { set * spread..<min(brokers, (set + 1) * spread) }

    /// A topic's name.
    public func topic(_ index: Int, of set: Int) -> String { "\(label)-topic-\(set)-\(index)" }

    /// A broker's name.
    public func name(of broker: Int) -> String { "\(label)-broker-\(broker)" }

    /// A broker's address; it never has to be reached.
    public func address(of broker: Int) -> String {
        "10.\(broker >> 16 & 255).\(broker >> 8 & 255).\(broker & 255):10911"
    }

    /// The DataVersion of the state with this counter.
    func dataVersion(_ counter: Int) -> DataVersion {
        DataVersion(counter: Int64(counter), timestamp: 1_700_000_000_000, stateVersion: 0)
    }

    /// A registration body of a set's brokers: the first `changed` topics have other queues than the rest.
    ///
    /// - Parameter state: the DataVersion's counter; bodies of different states differ.
    func body(ofSet set: Int, state: Int = 1, changed: Int = 0) -> [UInt8] {
        let configs = (0..<topics).map { index in
            var config = TopicConfig(topicName: topic(index, of: set))
            config.readQueueNums = index < changed ? 9 : 8
            config.writeQueueNums = config.readQueueNums
            return config
        }
        return RegistrationBody.encode(
            topics: configs, dataVersion: dataVersion(state), compressed: isCompressed, version: style.version)
    }

    /// A request of this fleet's version.
    func command(
        _ code: Int32, _ fields: [(String, String)] = [], bodySize: Int = 0
    ) -> RemotingCommand {
        var command = RemotingCommand(request: code)
        command.version = style.version
        if !fields.isEmpty {
            command.fields = fields.map { RemotingCommand.Field(name: $0.0, value: $0.1) }
        }
        return command
    }

    /// REGISTER_BROKER with the fields that a broker of this style sends (protocol.md 6.3); the body is added by `RequestBook`.
    func registration(of broker: Int, bodyCRC32: Int32) -> RemotingCommand {
        var fields = [
            ("brokerId", "0"), ("bodyCrc32", "\(bodyCRC32)"), ("clusterName", "\(label)-cluster"),
            ("brokerAddr", address(of: broker)), ("haServerAddr", address(of: broker)),
            ("compressed", isCompressed ? "true" : "false"), ("brokerName", name(of: broker)),
        ]
        if style == .v5 { fields.append(("enableActingMaster", "false")) }
        return command(RequestCode.registerBroker, fields)
    }

    /// REGISTER_BROKER with a body, as one frame.
    public func registrationFrame(of broker: Int, body: [UInt8]) -> [UInt8] {
        var command = registration(of: broker, bodyCRC32: body.withUnsafeBytes(Checksum.bodyCRC32))
        command.body = body
        return command.encoded(as: header.serializeType)
    }

    /// The four fields that name a replica in UNREGISTER_BROKER and QUERY_DATA_VERSION.
    func identity(of broker: Int) -> [(String, String)] {
        [
            ("brokerName", name(of: broker)), ("brokerAddr", address(of: broker)),
            ("clusterName", "\(label)-cluster"), ("brokerId", "0"),
        ]
    }

    /// BROKER_HEARTBEAT (904).
    func lightHeartbeat(of broker: Int) -> RemotingCommand {
        command(RequestCode.brokerHeartbeat, identity(of: broker))
    }

    /// GET_ROUTEINFO_BY_TOPIC as clients ask.
    func lookup(_ topic: String) -> RemotingCommand {
        command(RequestCode.getRouteInfoByTopic, [("topic", topic)])
    }
}
