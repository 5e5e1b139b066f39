// How the comparison asks, seen from a stand-in NameServer.

import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import Migration

/// A NameServer with a number of topics, all on one broker, that may keep its routes to itself.
private final class StandIn: RemotingServerHandler {
    var keepsRoutes = false
    /// Answers 106 with code 1 so many times, as Apache's does now and then.
    var failures = 0
    private(set) var held = 0
    private(set) var asked: [RemotingCommand] = []
    private let topics: [String]
    private var server: RemotingServer?

    init(_ platform: any Platform, topics: Int) throws {
        self.topics = (0..<topics).map { "topic-\($0)" }
        server = try RemotingServer(platform: platform, address: Address(host: "127.0.0.1", port: 0), handler: self)
    }

    var address: Address { server?.address ?? Address(host: "127.0.0.1", port: 1) }

    func received(_ command: RemotingCommand, from peer: RemotingPeer) {
        asked.append(command)
        let group = BrokerData(cluster: "C", brokerName: "b", brokerAddrs: [0: "h:1"])
        switch command.code {
        case RequestCode.getBrokerClusterInfo where failures > 0:
            failures -= 1
            peer.send(.response(to: command, code: ResponseCode.systemError, remark: "ConcurrentModificationException"))
        case RequestCode.getBrokerClusterInfo:
            var info = ClusterInfo()
            (info.brokerAddrTable, info.clusterAddrTable) = (["b": group], ["C": ["b"]])
            peer.send(.response(to: command, code: 0, body: info.encoded()))
        case RequestCode.getAllTopicListFromNameServer:
            peer.send(.response(to: command, code: 0, body: TopicList(topicList: topics).encoded()))
        case RequestCode.getRouteInfoByTopic where keepsRoutes: held += 1
        case RequestCode.getRouteInfoByTopic:
            var route = TopicRouteData()
            route.brokerDatas = [group]
            route.queueDatas = [QueueData(brokerName: "b", readQueueNums: 4, writeQueueNums: 4, perm: 6)]
            peer.send(.response(to: command, code: 0, body: route.encoded()))
        default: peer.send(.response(to: command, code: ResponseCode.queryNotFound))
        }
    }

    func closed(_ peer: RemotingPeer) {}
}

@Suite struct ShadowAskingTests {
    private func report(
        topics: Int, options: ShadowOptions, prepare: (StandIn, StandIn) -> Void = { _, _ in }
    ) throws -> (ShadowReport, StandIn) {
        let loop = try EventLoop()
        let (reference, candidate) = (try StandIn(loop, topics: topics), try StandIn(loop, topics: topics))
        prepare(reference, candidate)
        var report: ShadowReport?
        let shadow = Shadow(
            platform: loop, reference: reference.address, candidate: candidate.address, options: options
        ) {
            report = $0
            loop.stop()
        }
        shadow.start()
        loop.run()
        withExtendedLifetime((shadow, candidate)) {}
        return (try #require(report), reference)
    }

    /// Both dialects of each topic, once; codes and versions as clients send them; signed when somebody signs.
    @Test func everythingIsAskedOnce() throws {
        var options = ShadowOptions()
        options.rate = 10_000
        options.sign = { $0["AccessKey"] = "me" }
        let (report, server) = try report(topics: 30, options: options)
        #expect(report.exitStatus == 0 && report.topics == 30 && report.groups == 1)
        let routes = server.asked.filter { $0.code == RequestCode.getRouteInfoByTopic }
        #expect(routes.count == 60 && Set(routes.compactMap { $0["topic"] }).count == 30)
        #expect(routes.count { $0["acceptStandardJsonOnly"] == "true" && $0.version == RemotingVersion.v5_3_3 } == 30)
        #expect(routes.count { $0.version == 317 && $0.language == LanguageCode.go.rawValue } == 30)
        #expect(server.asked.allSatisfy { $0["AccessKey"] == "me" })
        #expect(Set(server.asked.map(\.code)) == [105, 106, 206, 219])
    }

    /// A server that keeps its answers gets no more than a few requests, and is then said not to answer.
    @Test func fewRequestsWait() throws {
        var options = ShadowOptions()
        options.rate = 100_000
        options.timeout = .milliseconds(300)
        let (report, server) = try report(topics: 1_000, options: options) { reference, _ in
            reference.keepsRoutes = true
        }
        #expect(server.held == 2 * ShadowOptions.topicsInFlight)
        #expect(report.exitStatus == 2 && report.reference.error != nil && report.candidate.error == nil)
    }

    /// Apache's fails now and then while brokers register: it is asked again, a few times.
    @Test(arguments: [(2, Int32(0)), (3, 2)]) func refusedLists(failures: Int, status: Int32) throws {
        let (report, _) = try report(topics: 1, options: ShadowOptions()) { reference, _ in
            reference.failures = failures
        }
        #expect(report.exitStatus == status)
    }
}
