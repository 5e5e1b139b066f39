import Basics
import NameServerCore
import Remoting

extension FuzzTarget {
    /// Whole conversations with a NameServer's core.
    static let conversation = FuzzTarget("conversation") {
        [Conversation.requests()]
    } run: {
        Conversation.hold($0)
    }
}

/// A whole life of a NameServer core: frames in, whatever they say, then the connections end and time passes.
enum Conversation {
    /// Feeds frames back to back to a fresh core; the first malformed one ends it. Answers must be well-formed frames.
    static func hold(_ bytes: UnsafeRawBufferPointer) {
        var server = NameServer(properties: NamesrvProperties(), startedAt: .zero)
        var header = CommandHeader()
        var output = ByteWriter()
        var directives: [Directive] = []
        var (position, seconds) = (0, Int64(0))
        while case .frame(let frame)? = try? Frame.first(in: UnsafeRawBufferPointer(rebasing: bytes[position...])) {
            guard (try? header.decode(frame)) != nil else { break }
            let (now, wallTime) = time(seconds)
            let handled = server.handle(
                header, body: frame.body, from: UInt64(seconds % 3), now: now, wallTime: wallTime, output: &output,
                directives: &directives)
            if case .decode(let pending) = handled {
                server.finish(
                    pending, pending.decode(), now: now, wallTime: wallTime, output: &output, directives: &directives)
            }
            position += frame.length
            seconds += 1
        }
        for connection in 0..<UInt64(2) {
            let (now, wallTime) = time(seconds)
            server.connectionClosed(connection, now: now, wallTime: wallTime, directives: &directives)
        }
        let (now, wallTime) = time(seconds + 1_000)
        server.scan(now: now, wallTime: wallTime, directives: &directives)
        check(output.bytes)
    }

    private static func time(_ seconds: Int64) -> (Instant, WallTime) {
        (.zero + .seconds(seconds), WallTime(milliseconds: 1_700_000_000_000 + seconds * 1_000))
    }

    private static func check(_ answers: UnsafeRawBufferPointer) {
        var position = 0
        while position < answers.count {
            let rest = UnsafeRawBufferPointer(rebasing: answers[position...])
            guard case .frame(let frame)? = try? Frame.first(in: rest),
                let answer = try? RemotingCommand(decoding: frame)
            else { preconditionFailure("malformed answer at byte \(position) of \(answers.count)") }
            precondition(answer.isResponse, "\(answer)")
            position += frame.length
        }
    }

    static func requests() -> [UInt8] {
        let broker: KeyValuePairs = [
            "brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911", "clusterName": "c", "brokerId": "0",
            "haServerAddr": "10.0.0.1:10912", "enableActingMaster": "true", "namespace": "ORDER_TOPIC_CONFIG",
            "key": "A",
            "value": "broker-a:2", "topic": "A", "cluster": "c",
        ]
        let version = DataVersion(counter: 1, timestamp: 1_700_000_000_000)
        let registration = RegistrationBody.encode(
            topics: [TopicConfig(topicName: "A"), TopicConfig(topicName: "B")], dataVersion: version)
        var route = TopicRouteData()
        route.queueDatas = [QueueData(brokerName: "broker-a", readQueueNums: 1, writeQueueNums: 1, perm: 6)]
        let requests: [(Int32, [UInt8])] = [
            (RequestCode.putKVConfig, []), (RequestCode.registerBroker, registration),
            (RequestCode.registerBroker, registration), (RequestCode.getRouteInfoByTopic, []),
            (RequestCode.getBrokerClusterInfo, []), (RequestCode.getAllTopicListFromNameServer, []),
            (RequestCode.queryDataVersion, version.encoded()), (RequestCode.wipeWritePermOfBroker, []),
            (RequestCode.registerTopicInNameServer, route.encoded()), (RequestCode.getTopicsByCluster, []),
            (RequestCode.updateNameServerConfig, Array("orderMessageEnable=true\n".utf8)),
            (RequestCode.getNameServerConfig, []), (RequestCode.getKVListByNamespace, []),
            (RequestCode.getBrokerMemberGroup, []), (RequestCode.deleteTopicInNameServer, []),
            (RequestCode.getNodeStatus, []), (RequestCode.unregisterBroker, []), (RequestCode.deleteKVConfig, []),
        ]
        return requests.flatMap { RemotingCommand(request: $0, fields: broker, body: $1).encoded() }
    }
}
