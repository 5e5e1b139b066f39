import Basics
import Remoting

/// A stream of request frames.
struct Workload {
    let name: String
    /// Bytes of one request's body.
    let bodyBytes: Int
    /// The frames a connection sends in turn, for ever.
    let frames: (_ connection: Int) -> [[UInt8]]
    /// Registrations that must have happened before.
    let preparation: [[UInt8]]

    static var all: [Workload] {
        [
            heartbeat(topics: 100), heartbeat(topics: 1_000),
            changed(topics: 100), changed(topics: 1_000),
            lookup(brokers: 2), lookupMiss,
        ]
    }

    /// An unchanged full registration: what a broker sends every 30 s.
    static func heartbeat(topics: Int) -> Workload {
        let sample = body(topics: topics, counter: 1, queues: 8)
        return Workload(name: "heartbeat, \(topics) topics", bodyBytes: sample.count) { connection in
            [registration(broker: connection, body: sample)]
        } preparation: {
            []
        }
    }

    /// One topic changes each time.
    static func changed(topics: Int) -> Workload {
        let sample = body(topics: topics, counter: 1, queues: 8)
        return Workload(name: "changed registration, \(topics) topics", bodyBytes: sample.count) { connection in
            [
                registration(broker: connection, body: body(topics: topics, counter: 2, queues: 8)),
                registration(broker: connection, body: body(topics: topics, counter: 3, queues: 9)),
            ]
        } preparation: {
            []
        }
    }

    /// A topic on so many brokers, legacy dialect as most clients ask.
    static func lookup(brokers: Int) -> Workload {
        Workload(name: "route lookup, \(brokers) brokers", bodyBytes: 0) { _ in
            [encoded(RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": "lookup-topic"]))]
        } preparation: {
            (0..<brokers).map { index in
                let topics = ["lookup-topic", "other"].map { TopicConfig(topicName: $0) }
                return registration(
                    broker: 10_000 + index,
                    body: RegistrationBody.encode(topics: topics, dataVersion: version(1)))
            }
        }
    }

    /// A topic that nobody has.
    static var lookupMiss: Workload {
        Workload(name: "route lookup, no such topic", bodyBytes: 0) { _ in
            [encoded(RemotingCommand(request: RequestCode.getRouteInfoByTopic, fields: ["topic": "nobody-has-it"]))]
        } preparation: {
            []
        }
    }

    private init(
        name: String, bodyBytes: Int, frames: @escaping (Int) -> [[UInt8]], preparation: () -> [[UInt8]]
    ) {
        self.name = name
        self.bodyBytes = bodyBytes
        self.frames = frames
        self.preparation = preparation()
    }

    private static func version(_ counter: Int64) -> DataVersion {
        DataVersion(counter: counter, timestamp: 1_700_000_000_000, stateVersion: 0)
    }

    private static func body(topics: Int, counter: Int64, queues: Int32) -> [UInt8] {
        let configs = (0..<topics).map { index in
            var config = TopicConfig(topicName: "benchmark-topic-number-\(index)")
            config.readQueueNums = index == 0 ? queues : 8
            config.writeQueueNums = config.readQueueNums
            return config
        }
        return RegistrationBody.encode(topics: configs, dataVersion: version(counter))
    }

    static func registration(broker: Int, body: [UInt8]) -> [UInt8] {
        let crc = body.withUnsafeBytes { Checksum.crc32($0) } & 0x7FFF_FFFF
        let address = "10.\(broker >> 16 & 255).\(broker >> 8 & 255).\(broker & 255):10911"
        return encoded(
            RemotingCommand(
                request: RequestCode.registerBroker,
                fields: [
                    "brokerId": "0", "bodyCrc32": "\(crc)", "clusterName": "BenchCluster", "brokerAddr": address,
                    "enableActingMaster": "false", "haServerAddr": address, "compressed": "false",
                    "brokerName": "bench-broker-\(broker)",
                ], body: body))
    }

    static func encoded(_ command: RemotingCommand) -> [UInt8] {
        var writer = ByteWriter()
        command.encode(into: &writer)
        return writer.array()
    }
}
