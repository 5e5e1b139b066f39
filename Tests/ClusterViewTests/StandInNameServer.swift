import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import ClusterView

/// A NameServer that answers what it is told to. As long as nothing is set it behaves like Apache's 5.3.3 with one
/// master and one slave: the bodies are those of a captured conversation.
final class StandInNameServer: RemotingServerHandler {
    /// By request code: called for each request of it, in place of the default answer; nil stays silent.
    var replies: [Int32: (RemotingCommand) -> RemotingCommand?] = [:]
    /// How often each code was asked for.
    private(set) var asked: [Int32: Int] = [:]
    /// The largest number of routes that waited at the same time, while `holdsRoutes`.
    private(set) var mostHeld = 0
    /// Whether routes are answered only when `release` is called.
    var holdsRoutes = false
    /// Requests of this code close the connection.
    var closingCode: Int32?
    private(set) var server: RemotingServer?
    private var held: [(RemotingCommand, RemotingPeer)] = []

    static let clusterInfo =
        #"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"127.0.0.2:34911",1:"127.0.0.2:34921"},"#
        + #""brokerName":"broker-a","cluster":"DefaultCluster","enableActingMaster":false}},"#
        + #""clusterAddrTable":{"DefaultCluster":["broker-a"]}}"#
    static let topicList =
        #"{"topicList":["Orders","RMQ_SYS_TRANS_HALF_TOPIC","BenchmarkTest","OFFSET_MOVED_EVENT","Smoke","TBW102","#
        + #""rmq_sys_REVIVE_LOG_DefaultCluster","SELF_TEST_TOPIC","DefaultCluster","SCHEDULE_TOPIC_XXXX","#
        + #""DefaultCluster_REPLY_TOPIC","rmq_sys_wheel_timer","rmq_sys_SYNC_BROKER_MEMBER_broker-a","#
        + #""RMQ_SYS_TRANS_OP_HALF_TOPIC","broker-a"]}"#

    static func route(perm: Int = 6, queues: Int = 4) -> String {
        #"{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.2:34911","1":"127.0.0.2:34921"},"brokerName":"broker-a","#
            + #""cluster":"DefaultCluster","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"#
            + #""brokerName":"broker-a","perm":\#(perm),"readQueueNums":\#(queues),"topicSysFlag":0,"#
            + #""writeQueueNums":\#(queues)}]}"#
    }

    init(platform: any Platform) throws {
        server = try RemotingServer(platform: platform, address: Address(host: "127.0.0.1", port: 0), handler: self)
    }

    var address: Address { server?.address ?? Address(host: "127.0.0.1", port: 1) }

    /// Ends it: nobody listens any more, and its connections close.
    func stop() {
        server?.close()
        server = nil
    }

    /// Answers `code` with a body, or with another code.
    func answer(_ code: Int32, with body: String = "", code status: Int32 = 0) {
        replies[code] = {
            .response(to: $0, code: status, remark: status == 0 ? nil : "refused", body: Array(body.utf8))
        }
    }

    func count(_ code: Int32) -> Int { asked[code] ?? 0 }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        asked[command.code, default: 0] += 1
        if command.code == closingCode { return peer.close() }
        if holdsRoutes, command.code == RequestCode.getRouteInfoByTopic {
            held.append((command, peer))
            mostHeld = max(mostHeld, held.count)
            return
        }
        if let reply = replies[command.code] {
            if let answer = reply(command) { peer.send(answer) }
        } else {
            peer.send(usual(command))
        }
    }

    /// Answers one route that waits.
    func release() {
        guard !held.isEmpty else { return }
        let (command, peer) = held.removeFirst()
        peer.send(usual(command))
    }

    func closed(_ peer: RemotingPeer) {}

    private func usual(_ command: RemotingCommand) -> RemotingCommand {
        func body(_ text: String) -> RemotingCommand { .response(to: command, code: 0, body: Array(text.utf8)) }
        switch command.code {
        case RequestCode.getBrokerClusterInfo: return body(Self.clusterInfo)
        case RequestCode.getAllTopicListFromNameServer: return body(Self.topicList)
        case RequestCode.getRouteInfoByTopic: return body(Self.route())
        case RequestCode.getKVListByNamespace:
            return .response(to: command, code: ResponseCode.queryNotFound, remark: "No config item")
        default:
            return .response(
                to: command, code: ResponseCode.requestCodeNotSupported,
                remark: " request type \(command.code) not supported")
        }
    }
}

/// A loop with stand-ins on it. A test that does not end by itself within a minute fails.
final class Stage {
    let loop: EventLoop
    let servers: [StandInNameServer]
    private var isOverdue = false

    init(_ count: Int) throws {
        let loop = try EventLoop()
        self.loop = loop
        servers = try (0..<count).map { _ in try StandInNameServer(platform: loop) }
    }

    var nodes: [(name: String, address: Address)] {
        servers.enumerated().map { ("ns-\($0.offset + 1)", $0.element.address) }
    }

    /// Runs the loop until `body` has called back.
    func result<Value>(_ body: (@escaping (Value) -> Void) -> Void) throws -> Value {
        var value: Value?
        let guardTimer = loop.makeTimer { [self] in
            isOverdue = true
            loop.stop()
        }
        guardTimer.start(at: loop.now + .seconds(60))
        body { [loop] in
            value = $0
            loop.stop()
        }
        loop.run()
        guardTimer.cancel()
        #expect(!isOverdue, "the test did not end")
        return try #require(value)
    }

    /// What `hearsay diff` finds.
    func search(
        topics: TopicSelection = .all(limit: 1_000), settle: Duration = .milliseconds(5),
        options: SurveyOptions = .init(),
        nodes: [(name: String, address: Address)]? = nil
    ) throws -> DifferenceReport {
        let survey = ClusterSurvey(platform: loop, nodes: nodes ?? self.nodes, options: options)
        var search: DifferenceSearch?
        let report: DifferenceReport = try result { finish in
            search = DifferenceSearch(
                platform: loop, survey: survey, topics: topics, settle: settle, completion: finish)
            search?.start()
        }
        survey.close()
        withExtendedLifetime((search, servers)) {}
        return report
    }
}
