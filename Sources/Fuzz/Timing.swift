import Basics
import Remoting

/// How fast the hot decoders are on this machine. Printed for people, asserted by nobody.
enum Timing {
    static func run() {
        let topics = (0..<1_000).map { TopicConfig(topicName: "topic-name-of-usual-length-\($0)") }
        let version = DataVersion(counter: 3, timestamp: 1_700_000_000_000)
        let body = RegistrationBody.encode(topics: topics, dataVersion: version)
        let foreign = RegistrationBody.encode(
            topics: (0..<1_000).map { TopicConfig(topicName: "主题名称-\($0)") }, dataVersion: version)
        let compressed = RegistrationBody.encode(topics: topics, dataVersion: version, compressed: true)
        for (name, bytes, isCompressed) in [
            ("JSON", body, false), ("JSON beyond ASCII", foreign, false), ("compressed", compressed, true),
        ] {
            let time = fastest(of: 200) {
                bytes.withUnsafeBytes {
                    _ = try? RegistrationBody.decode(
                        $0, version: RemotingVersion.v5_3_3, compressed: isCompressed,
                        receivedAt: WallTime(milliseconds: 1))
                }
            }
            report("registration body, \(name), 1,000 topics", bytes: bytes.count, time)
        }
        report(
            "fingerprint of the JSON body", bytes: body.count,
            fastest(of: 200) {
                body.withUnsafeBytes { _ = BodyFingerprint($0).crc32 }
            })
        let command = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: [
                "brokerId": "0", "bodyCrc32": "1884362617", "clusterName": "DefaultCluster",
                "brokerAddr": "127.0.0.2:34911", "enableActingMaster": "false", "haServerAddr": "127.0.0.1:34912",
                "compressed": "false", "brokerName": "broker-a",
            ])
        for type in SerializeType.allCases { timeHeader(command, type) }
        timeResponse()
    }

    private static func timeHeader(_ command: RemotingCommand, _ type: SerializeType) {
        let bytes = command.encoded(as: type)
        var header = CommandHeader()
        let repeats = 1_000
        let time = bytes.withUnsafeBytes { bytes in
            fastest(of: 50) {
                for _ in 0..<repeats {
                    guard case .frame(let frame)? = try? Frame.first(in: bytes) else { return }
                    try? header.decode(frame)
                }
            }
        }
        report("registration header, \(type)", bytes: bytes.count, time / repeats)
    }

    private static func timeResponse() {
        var output = ByteWriter()
        let repeats = 1_000
        let time = fastest(of: 50) {
            output.removeAll()
            for opaque in 0..<repeats {
                let mark = ResponseFrame.begin(&output, code: 0, opaque: Int32(opaque), fields: .empty)
                ResponseFrame.end(&output, mark)
            }
        }
        report("answer header", bytes: output.count / repeats, time / repeats)
    }

    private static func fastest(of rounds: Int, _ work: () -> Void) -> Duration {
        let clock = ContinuousClock()
        return (0..<rounds).map { _ in clock.measure(work) }.min() ?? .zero
    }

    private static func report(_ name: String, bytes: Int, _ time: Duration) {
        let nanoseconds = max(1, time.wholeNanoseconds)
        print("\(name): \(bytes) bytes, \(nanoseconds) ns, \(Int64(bytes) * 1_000 / nanoseconds) MB/s")
    }
}
