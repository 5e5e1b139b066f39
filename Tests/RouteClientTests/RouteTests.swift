import Basics
import Remoting
import RemotingTransport
import Testing

@testable import RouteClient

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// From route to queues: protocol.md 7.3 and 7.4.
@Suite struct QueueDerivationTests {
    private func names(_ queues: [MessageQueue]) -> [String] { queues.map { "\($0.brokerName):\($0.queueID)" } }

    @Test func brokersAreSortedAndNeedTheirBitsAndForWritingAMaster() {
        let route = sampleRoute(
            brokers: ["c": [0: "c0"], "a": [0: "a0", 1: "a1"], "b": [1: "b1"], "r": [0: "r0"], "w": [0: "w0"]],
            queues: [("c", 1, 2, 6), ("a", 2, 1, 6), ("b", 1, 1, 6), ("r", 1, 1, 4), ("w", 1, 1, 2), ("x", 1, 1, 6)])
        // b has no master, r is not writable, x has no BrokerData.
        #expect(names(QueueDerivation.publishQueues(of: "T", in: route)) == ["a:0", "c:0", "c:1", "w:0"])
        // Reading needs no master, and not even a known broker; w is not readable.
        #expect(
            names(QueueDerivation.subscribeQueues(of: "T", in: route)) == ["a:0", "a:1", "b:0", "c:0", "r:0", "x:0"])
    }

    /// Rows: orderTopicConf, queues; regardless of perms and addresses, in the text's order.
    @Test(arguments: [
        ("b:2;a:1", ["b:0", "b:1", "a:0"]), ("gone:1", ["gone:0"]), ("b:x;a:1", ["a:0"]), ("b;a:1;", ["a:0"]),
        ("a:-1", []), ("", ["a:0"]),
    ])
    func orderedTopics(_ text: String, _ expected: [String]) {
        var route = sampleRoute(brokers: ["a": [0: "a0"], "b": [:]], queues: [("a", 1, 1, 6), ("b", 1, 1, 0)])
        route.orderTopicConf = text
        #expect(names(QueueDerivation.publishQueues(of: "T", in: route)) == expected)
        #expect(names(QueueDerivation.subscribeQueues(of: "T", in: route)) == ["a:0"])
    }

    @Test func staticTopicsFollowTheHighestEpoch() {
        var route = sampleRoute(brokers: ["a": [0: "a0"], "b": [0: "b0"]], queues: [("a", 9, 9, 6), ("b", 9, 9, 6)])
        route.topicQueueMappingByBroker = [
            "a": sampleMapping("a", total: 4, epoch: 10, map: [0: 0, 1: 1, 2: 2]),
            "b": sampleMapping("b", total: 5, epoch: 11, map: [2: 0, 3: 1]),
        ]
        // Queue 2 moved to b, nobody has queue 4.
        let expected = ["a:0", "a:1", "b:2", "b:3"]
        #expect(names(QueueDerivation.publishQueues(of: "T", in: route)) == expected)
        #expect(names(QueueDerivation.subscribeQueues(of: "T", in: route)) == expected)
        // An orderTopicConf member, even an empty one, comes first.
        route.orderTopicConf = ""
        #expect(QueueDerivation.publishQueues(of: "T", in: route).count == 18)
    }

    @Test func aBorrowedRouteHasFewQueues() {
        let route = QueueDerivation.borrowedRoute(
            from: sampleRoute(brokers: ["a": [0: "a0"], "b": [0: "b0"]], queues: [("a", 8, 8, 7), ("b", 2, 8, 7)]))
        #expect(names(QueueDerivation.publishQueues(of: "N", in: route)) == ["a:0", "a:1", "a:2", "a:3", "b:0", "b:1"])
    }

    @Test func aBrokenRouteDoesNotEatMemory() {
        let route = sampleRoute(
            brokers: ["a": [0: "a0"]], queues: [("a", .max, .max, 6), ("b", -5, -5, 6), ("c", .max, .max, 6)])
        #expect(QueueDerivation.publishQueues(of: "T", in: route).count == 65_536)
        #expect(QueueDerivation.subscribeQueues(of: "T", in: route).count == 65_536)
    }
}

/// Where to pull from: protocol.md 7.7.
@Suite struct PullAddressTests {
    /// Rows: members, suggested id, candidates in order.
    @Test(
        arguments: [
            ([0, 1, 2], 0, [0, 1, 2]), ([0, 1, 2], 1, [1, 0, 2]), ([0, 2], 1, [2, 0]), ([0, 3], 1, [0, 3]),
            ([1, 2], 0, [1, 2]), ([0], 1, [0]), ([], 0, []), ([2], 0, [2]), ([0, 1], .max, [0, 1]),
        ] as [([Int64], Int64, [Int64])])
    func candidates(_ members: [Int64], _ suggested: Int64, _ expected: [Int64]) {
        let broker = sampleBroker("a", Dictionary(uniqueKeysWithValues: members.map { ($0, "a\($0)") }))
        #expect(PullAddress.candidates(of: broker, suggested: suggested).map(\.brokerID) == expected)
    }

    @Test func aFailedMasterIsAvoidedForTwoSeconds() {
        let broker = sampleBroker("a", [0: "m", 1: "s"])
        var faults = FaultTable(failureLatency: .milliseconds(550))
        faults.record(.networkError, of: "m", now: at(0))
        let choose = { PullAddress.choose(of: broker, suggested: 0, faults: faults, now: $0)?.address }
        #expect(choose(at(1)) == "s")
        #expect(choose(at(2_000)) == "m")
        #expect(
            PullAddress.choose(of: broker, suggested: 1, allowsSlaves: false, faults: faults, now: at(1))?.address
                == "m")
        let slaveOnly = sampleBroker("a", [1: "s"])
        #expect(PullAddress.choose(of: slaveOnly, suggested: 1, allowsSlaves: false, faults: faults, now: at(1)) == nil)
        // When all are barred, the rule decides.
        faults.record(.networkError, of: "s", now: at(0))
        #expect(choose(at(1)) == "m")
    }
}

/// When to ask, and what to keep: protocol.md 7.2.
@Suite struct RouteBookTests {
    static let route = sampleRoute(brokers: ["a": [0: "a0", 1: "a1"]], queues: [("a", 4, 4, 6)])

    @Test func pollsEveryTopicEveryThirtySeconds() {
        var book = RouteBook()
        #expect(book.nextPoll == .distantFuture)
        for topic in ["z", "y", "x"] { #expect(book.follow(topic, now: at(0)) == true) }
        #expect(book.topicsToAsk(now: at(0)) == ["x", "y", "z"])
        #expect(book.topicsToAsk(now: at(0)).isEmpty)
        for topic in ["x", "y"] { _ = book.answered(topic, .route(RouteBookTests.route)) }
        #expect(book.nextPoll == at(30_000))
        #expect(book.topicsToAsk(now: at(29_999)).isEmpty)
        // z has not been answered, so it is not asked a second time.
        #expect(book.topicsToAsk(now: at(30_000)) == ["x", "y"])
        book.unfollow("x")
        #expect(book.topics == ["y", "z"])
    }

    @Test func anErrorKeepsTheOldRoute() {
        var book = RouteBook()
        _ = book.follow("T", now: at(0))
        _ = book.topicsToAsk(now: at(0))
        #expect(book.answered("T", .route(RouteBookTests.route)) == true)
        for answer in [RouteBook.Answer.none, .unreachable(retryAt: at(40))] {
            book.suspect("T", now: at(0))
            #expect(book.answered("T", answer) == false)
            #expect(book.route(of: "T") == RouteBookTests.route)
            #expect(book.publishQueues(of: "T").count == 4)
        }
        #expect(book.nextPoll == at(40))
    }

    @Test func somethingMissingIsAskedForSoonButNotTooOften() {
        var book = RouteBook()
        _ = book.follow("T", now: at(0))
        #expect(book.topicsToAsk(now: at(0)) == ["T"])
        _ = book.answered("T", .none)
        for now in [100, 500, 900] {
            book.suspect("T", now: at(Int64(now)))
            #expect(book.topicsToAsk(now: at(Int64(now))).isEmpty)
        }
        #expect(book.topicsToAsk(now: at(1_000)) == ["T"])
    }

    /// Rows: what changes, whether it counts.
    @Test(arguments: [
        ("order of brokers", false), ("cluster", false), ("address", true), ("queues", true), ("perm", true),
        ("orderTopicConf", true), ("slave gone", true), ("broker added", true),
    ])
    func comparesWhatMatters(_ change: String, _ counts: Bool) {
        var book = RouteBook()
        _ = book.follow("T", now: at(0))
        let old = sampleRoute(
            brokers: ["a": [0: "a0", 1: "a1"], "b": [0: "b0"]], queues: [("a", 4, 4, 6), ("b", 4, 4, 6)])
        #expect(book.answered("T", .route(old)) == true)
        #expect(book.answered("T", .route(old)) == false)
        var new = old
        switch change {
        case "order of brokers":
            new.brokerDatas.reverse()
            new.queueDatas.reverse()
        case "cluster": new.brokerDatas[0].cluster = "other"
        case "address":
            new = sampleRoute(
                brokers: ["a": [0: "a9", 1: "a1"], "b": [0: "b0"]], queues: [("a", 4, 4, 6), ("b", 4, 4, 6)])
        case "queues": new.queueDatas[0].writeQueueNums = 5
        case "perm": new.queueDatas[1].perm = 4
        case "orderTopicConf": new.orderTopicConf = "a:1"
        case "slave gone":
            new = sampleRoute(brokers: ["a": [0: "a0"], "b": [0: "b0"]], queues: [("a", 4, 4, 6), ("b", 4, 4, 6)])
        default: new.brokerDatas.append(sampleBroker("c", [0: "c0"]))
        }
        #expect(book.answered("T", .route(new)) == counts)
    }

    @Test func brokersAreReplacedAndForgotten() {
        var book = RouteBook()
        for topic in ["T", "U"] { _ = book.follow(topic, now: at(0)) }
        _ = book.answered("T", .route(RouteBookTests.route))
        _ = book.answered("U", .route(sampleRoute(brokers: ["b": [0: "b0"]], queues: [("b", 1, 1, 6)])))
        #expect(book.brokerDatas.map(\.brokerName) == ["a", "b"])
        _ = book.answered("T", .route(sampleRoute(brokers: ["a": [1: "a1"]], queues: [("a", 4, 4, 6)])))
        #expect(book.broker(named: "a")?.replicas.map(\.brokerID) == [1])
        #expect(book.publishQueues(of: "T").isEmpty)
        #expect(book.subscribeQueues(of: "T").count == 4)
        book.unfollow("U")
        book.forgetUnusedBrokers()
        #expect(book.brokerDatas.map(\.brokerName) == ["a"])
    }

    @Test func followsABoundedNumberOfTopics() {
        var book = RouteBook()
        for index in 0..<RouteBook.topicLimit { #expect(book.follow("t\(index)", now: at(0)) == true) }
        #expect(book.follow("one too many", now: at(0)) == false)
        #expect(book.follow("t0", now: at(0)) == true)
    }
}

/// Who differs, when every NameServer is asked.
@Suite struct RouteSurveyTests {
    @Test func theMajorityIsTheReference() {
        let full = sampleRoute(brokers: ["a": [0: "a0:1", 1: "a1:1"]], queues: [("a", 4, 4, 6)])
        let lacking = sampleRoute(brokers: ["a": [0: "a0:1"]], queues: [("a", 4, 8, 6)])
        let servers = (1...4).map { Address(host: "ns\($0)", port: 1) }
        let survey = RouteSurvey(
            servers,
            [
                .success(lacking), .success(full), .failure(.noAnswer(.timeout, from: servers[2])), .success(full),
            ])
        #expect(survey.disagrees)
        #expect(survey.rows.map(\.differences.count) == [3, 0, 0, 0])
        #expect(survey.rows[0].differences.first == "lacks a:1 at a1:1")
        let missing = RouteSurvey(
            Array(servers[..<3]), [.success(full), .failure(.noRoute(topic: "T")), .success(full)])
        #expect(missing.rows.map(\.differences) == [[], ["no route"], []])
        #expect(!RouteSurvey(Array(servers[..<2]), [.success(full), .success(full)]).disagrees)
    }
}
