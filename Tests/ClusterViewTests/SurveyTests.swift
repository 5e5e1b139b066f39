import Basics
import EventLoop
import Platform
import Remoting
import RemotingTransport
import Testing

@testable import ClusterView

@Suite struct SurveyTests {
    private func read(_ stage: Stage, topics: Bool = true, route: String? = nil) throws -> [NodeReading] {
        let survey = ClusterSurvey(platform: stage.loop, nodes: stage.nodes)
        let readings: [NodeReading] = try stage.result {
            survey.read(includesTopics: topics, routeOf: route, completion: $0)
        }
        survey.close()
        withExtendedLifetime(stage.servers) {}
        return readings
    }

    // MARK: One reading

    @Test func apachesNameServerIsRead() throws {
        let readings = try read(try Stage(1), route: "broker-a")
        let node = readings[0]
        #expect(node.isUp && node.status == nil && node.gossip == nil && node.software == "RocketMQ 5.3.3")
        #expect(node.topics?.count == 15 && node.topics?.contains("Orders") == true && node.orderTopics == [:])
        #expect(node.replicas.keys.sorted().map(\.description) == ["broker-a:0", "broker-a:1"])
        #expect(node.replicas.values.allSatisfy { $0.sight == .listed && $0.cluster == "DefaultCluster" })
        #expect(node.route?.queueDatas.map(\.brokerName) == ["broker-a"])
        #expect(node.notes == [])
    }

    @Test func ourNodesSayMore() throws {
        let stage = try Stage(1)
        stage.servers[0].answer(
            RequestCode.getNodeStatus,
            with: """
                {"node":"ns-1","software":"hearsay 9","uptimeMillis":5,"wallMillis":9000,\
                "totals":{"brokers":1,"groups":1,"topics":1,"clusters":1},\
                "counters":{"requests":1,"registrations":2,"heartbeats":3,"lookups":4,"lookupMisses":5},\
                "brokers":[{"cluster":"DefaultCluster","name":"broker-a","id":0,"address":"127.0.0.2:34911","ageMillis":7,\
                "registrationAgeMillis":8,"timeoutMillis":120000,"topics":9,"dataVersion":{},"connected":true}],\
                "events":[{"sequence":1,"wallMillis":4000,"kind":"expired","broker":"b","id":2,"text":"b:2 expired"}],\
                "lastEventSequence":1}
                """)
        stage.servers[0].answer(RequestCode.getGossipStatus, with: #"{"mode":"observe","state":"ready"}"#)
        let node = try read(stage)[0]
        #expect(node.software == "hearsay 9" && node.gossip?.mode == "observe")
        let replica = node.replicas[ReplicaKey(name: "broker-a", id: 0)]
        #expect(replica?.sight == .heard(milliseconds: 7, timeout: 120_000) && replica?.topics == 9)
        #expect(node.status?.brokers[0].connected == true)
        let gone = node.lastEvent(of: ReplicaKey(name: "b", id: 2), ["expired"])
        #expect(gone?.ago == 5_000 && gone?.event.text == "b:2 expired")
    }

    /// By address alone nodes are called as they call themselves, which is how their peers speak of them.
    @Test func namesAreAdoptedUnlessTwoShareOne() throws {
        for (names, adopted) in [(["ns-1", "ns-2"], ["ns-1", "ns-2"]), (["namesrv", "namesrv"], [nil, nil])] {
            let stage = try Stage(2)
            for (server, name) in zip(stage.servers, names) {
                server.answer(
                    RequestCode.getNodeStatus,
                    with: """
                        {"node":"\(name)","software":"hearsay 9","uptimeMillis":5,"wallMillis":9000,\
                        "totals":{"brokers":0,"groups":0,"topics":0,"clusters":0},"counters":{"requests":1,"registrations":2,\
                        "heartbeats":3,"lookups":4,"lookupMisses":5},"brokers":[],"events":[],"lastEventSequence":0}
                        """)
            }
            let nodes = stage.servers.map { ($0.address.description, $0.address) }
            let survey = ClusterSurvey(platform: stage.loop, nodes: nodes)
            let readings: [NodeReading] = try stage.result { survey.read(includesTopics: false, completion: $0) }
            survey.close()
            #expect(readings.map(\.name) == zip(adopted, nodes).map { $0 ?? $1.0 })
        }
    }

    /// Apache's reads its tables without a lock: while brokers register it fails now and then (protocol.md 2.8).
    @Test(arguments: [
        // Refusals before the answer, how the node counts, how often it was asked.
        (2, String?.none, 3),
        (99, "it does not tell its brokers: code 1, java.util.ConcurrentModificationException", 3),
    ])
    func aNodeThatSaysAskAgainIsAskedAgain(_ refusals: Int, _ error: String?, _ asked: Int) throws {
        let stage = try Stage(1)
        var left = refusals
        stage.servers[0].replies[RequestCode.getBrokerClusterInfo] = { request in
            left -= 1
            return left >= 0
                ? .response(to: request, code: 1, remark: "java.util.ConcurrentModificationException")
                : .response(to: request, code: 0, body: Array(StandInNameServer.clusterInfo.utf8))
        }
        #expect(try read(stage)[0].error == error)
        #expect(stage.servers[0].count(RequestCode.getBrokerClusterInfo) == asked)
    }

    @Test func whatANodeRefusesIsNoted() throws {
        let stage = try Stage(1)
        stage.servers[0].answer(RequestCode.getAllTopicListFromNameServer, code: 1)
        stage.servers[0].answer(RequestCode.getKVListByNamespace, with: "[}")
        let node = try read(stage)[0]
        #expect(node.isUp && node.topics == nil && node.orderTopics == nil)
        #expect(
            node.notes.sorted() == [
                "it does not list its topics: code 1, refused",
                "it does not tell ORDER_TOPIC_CONFIG: its answer cannot be read",
            ])
    }

    // MARK: Searching for differences

    @Test func apachesThatAgree() throws {
        let stage = try Stage(2)
        let report = try stage.search()
        #expect(report.differences == [] && report.exitStatus == 0)
        #expect(report.comparedBrokers == 2 && report.comparedTopics == 15)
        #expect(report.nodes.map(\.software) == ["RocketMQ 5.3.3", "RocketMQ 5.3.3"])
        // Nothing differs: nothing is read again.
        #expect(stage.servers.map { $0.count(RequestCode.getBrokerClusterInfo) } == [1, 1])
    }

    @Test func apachesThatDiffer() throws {
        let stage = try Stage(3)
        // ns-2 has lost the slave, a topic and the write permission; ns-3 has an order configuration.
        stage.servers[1].answer(
            RequestCode.getBrokerClusterInfo,
            with: StandInNameServer.clusterInfo.replacing(#",1:"127.0.0.2:34921""#, with: ""))
        stage.servers[1].replies[RequestCode.getRouteInfoByTopic] = { request in
            request["topic"] == "Smoke"
                ? .response(to: request, code: ResponseCode.topicNotExist, remark: "No topic route info")
                : .response(to: request, code: 0, body: Array(StandInNameServer.route(perm: 4).utf8))
        }
        stage.servers[2].answer(RequestCode.getKVListByNamespace, with: #"{"table":{"Orders":"broker-a:2"}}"#)
        let report = try stage.search()
        #expect(
            report.differences.map(\.row) == [
                "missing broker-a:1 ns-1,ns-3|ns-2 -", "topic Smoke on broker-a ns-1,ns-3|ns-2 -",
                "permission broker-a ns-1,ns-3|ns-2 -", "keyValue ORDER_TOPIC_CONFIG/Orders ns-3|ns-1,ns-2 -",
            ])
        #expect(report.exitStatus == 1)
        #expect(report.differences[2].topics.count == 14)
        // Read three times, but only what differs: 15 topics each time, none of them equal.
        #expect(stage.servers[0].count(RequestCode.getBrokerClusterInfo) == 3)
        #expect(stage.servers[0].count(RequestCode.getRouteInfoByTopic) == 45)
    }

    @Test func onlyWhatDiffersIsReadAgain() throws {
        let stage = try Stage(2)
        stage.servers[1].replies[RequestCode.getRouteInfoByTopic] = { request in
            let queues = request["topic"] == "Smoke" ? 8 : 4
            return .response(to: request, code: 0, body: Array(StandInNameServer.route(queues: queues).utf8))
        }
        #expect(try stage.search().differences.map(\.row) == ["content Smoke on broker-a ns-1|ns-2 -"])
        #expect(stage.servers[0].count(RequestCode.getRouteInfoByTopic) == 15 + 2)
    }

    /// A broker that registers between two reads differs once, or twice; never three times.
    @Test(arguments: [1, 2]) func aDifferenceThatDoesNotLastIsNotReported(_ readings: Int) throws {
        let stage = try Stage(2)
        var left = readings
        stage.servers[1].replies[RequestCode.getBrokerClusterInfo] = { request in
            left -= 1
            let body = left >= 0 ? #"{"brokerAddrTable":{},"clusterAddrTable":{}}"# : StandInNameServer.clusterInfo
            return .response(to: request, code: 0, body: Array(body.utf8))
        }
        let report = try stage.search(topics: .none)
        #expect(report.differences == [] && report.exitStatus == 0)
        #expect(stage.servers[1].count(RequestCode.getBrokerClusterInfo) == readings + 1)
    }

    @Test func topicsAreChosen() throws {
        for (selection, count) in [
            (TopicSelection.none, 0), (.named(["Smoke", "Nope", "Smoke"]), 2), (.all(limit: 4), 4),
        ] {
            let stage = try Stage(2)
            let report = try stage.search(topics: selection)
            #expect(stage.servers.map { $0.count(RequestCode.getRouteInfoByTopic) } == [count, count])
            #expect(report.comparedTopics == count)
            #expect(
                report.notes
                    == (count == 4 ? ["compared 4 of 15 topics; --topic-limit compares more, --topics chooses"] : []))
        }
    }

    /// However many topics there are, few wait for an answer at a time.
    @Test func routesInFlightAreBounded() throws {
        let stage = try Stage(2)
        for server in stage.servers { server.holdsRoutes = true }
        var options = SurveyOptions()
        options.topicsInFlight = 3
        var timer: (any PlatformTimer)?
        timer = stage.loop.makeTimer { [loop = stage.loop, servers = stage.servers] in
            for server in servers { server.release() }
            timer?.start(at: loop.now + .milliseconds(1))
        }
        timer?.start(at: stage.loop.now)
        let report = try stage.search(options: options)
        timer?.cancel()
        timer = nil
        #expect(report.comparedTopics == 15 && report.differences == [])
        #expect(stage.servers.map(\.mostHeld) == [3, 3])
    }

    // MARK: Nodes that do not answer

    @Test func aNodeThatIsDownIsADifference() throws {
        let stage = try Stage(3)
        let nodes = stage.nodes
        stage.servers[1].stop()
        let report = try stage.search(nodes: nodes)
        #expect(report.differences.map(\.row) == ["unreachable ns-2 ns-1,ns-3|ns-2 -"])
        #expect(report.differences[0].text.contains("ECONNREFUSED"))
        #expect(report.exitStatus == 1 && report.comparedTopics == 15)
    }

    @Test func noNodeAtAll() throws {
        let stage = try Stage(2)
        let nodes = stage.nodes
        for server in stage.servers { server.stop() }
        let report = try stage.search(nodes: nodes)
        #expect(report.exitStatus == 2 && report.differences.count == 2)
    }

    @Test func oneNodeIsNotCompared() throws {
        let report = try Stage(1).search()
        #expect(report.exitStatus == 0 && report.notes == ["there is only one node: nothing to compare it with"])
    }

    /// A node lost while routes are compared is not asked for each of the other topics, and is said to be silent.
    @Test func aNodeLostHalfwayIsNotWaitedForAgainAndAgain() throws {
        let stage = try Stage(2)
        let nodes = stage.nodes
        // Something differs, so that there is a second look.
        stage.servers[0].answer(RequestCode.getKVListByNamespace, with: #"{"table":{"Orders":"broker-a:2"}}"#)
        let lost = stage.servers[1]
        lost.replies[RequestCode.getRouteInfoByTopic] = { _ in
            lost.stop()
            return nil
        }
        var options = SurveyOptions()
        options.topicsInFlight = 1
        let report = try stage.search(options: options, nodes: nodes)
        #expect(lost.count(RequestCode.getRouteInfoByTopic) == 1)
        #expect(report.differences.map(\.row) == ["unreachable ns-2 ns-1|ns-2 -"])
        #expect(report.notes.contains { $0.hasPrefix("ns-2: it was lost while routes were compared") })
    }

    /// It could be connected to again, and again, once for each topic.
    @Test func aNodeThatHangsUpIsAskedForNoMoreTopics() throws {
        let stage = try Stage(2)
        stage.servers[1].closingCode = RequestCode.getRouteInfoByTopic
        var options = SurveyOptions()
        options.topicsInFlight = 1
        let report = try stage.search(options: options)
        #expect(stage.servers[1].count(RequestCode.getRouteInfoByTopic) == 1)
        #expect(report.comparedTopics == 15 && report.differences == [])
        #expect(report.notes.map { $0.prefix(42) } == ["ns-2: it was lost while routes were compar"])
    }

    /// A node that was down at first is compared in full once it is up.
    @Test func aNodeThatComesUpIsComparedInFull() throws {
        let stage = try Stage(2)
        let late = stage.servers[1]
        var silent = true
        late.replies[RequestCode.getBrokerClusterInfo] = { request in
            defer { silent = false }
            return silent
                ? .response(to: request, code: 2, remark: "busy")
                : .response(to: request, code: 0, body: Array(StandInNameServer.clusterInfo.utf8))
        }
        late.replies[RequestCode.getRouteInfoByTopic] = { request in
            .response(to: request, code: 0, body: Array(StandInNameServer.route(queues: 5).utf8))
        }
        let report = try stage.search()
        #expect(report.differences.map(\.kind) == [.content])
        #expect(report.differences.first?.topics.count == 15)
    }

    @Test func aSilentNodeDelaysNobodyForLong() throws {
        let stage = try Stage(2)
        for code in [RequestCode.getNodeStatus, RequestCode.getBrokerClusterInfo] {
            stage.servers[1].replies[code] = { _ in nil }
        }
        var options = SurveyOptions()
        options.timeout = .milliseconds(100)
        let survey = ClusterSurvey(platform: stage.loop, nodes: stage.nodes, options: options)
        let readings: [NodeReading] = try stage.result { survey.read(includesTopics: false, completion: $0) }
        survey.close()
        #expect(readings.map(\.error) == [nil, "no answer in time"])
    }

    /// Apache's 4.x answers nothing at all to requests that it does not know: it is not asked for what only ours tell.
    @Test func aNameServerOf4IsNotAskedForWhatItDoesNotKnow() throws {
        let stage = try Stage(1)
        for code in [RequestCode.getNodeStatus, RequestCode.getGossipStatus] {
            stage.servers[0].replies[code] = { _ in nil }
        }
        stage.servers[0].replies[RequestCode.getBrokerClusterInfo] = { request in
            var answer = RemotingCommand.response(
                to: request, code: 0, body: Array(StandInNameServer.clusterInfo.utf8))
            answer.version = RemotingVersion.v4_9_8
            return answer
        }
        let survey = ClusterSurvey(platform: stage.loop, nodes: stage.nodes)
        let readings: [NodeReading] = try stage.result { survey.read(includesTopics: true, completion: $0) }
        survey.close()
        #expect(readings[0].isUp && readings[0].software == "RocketMQ 4.9.8" && readings[0].groups?.count == 1)
        #expect(stage.servers[0].count(RequestCode.getNodeStatus) == 0)
    }
}
