import Basics
import NameServerCore
import Remoting
import Testing

/// What goes beyond a limit is refused with a remark, changes nothing, and touches nobody else.
@Suite struct LimitTests {
    struct Excess: Sendable {
        var what: String
        var limits: @Sendable (inout NameServerLimits) -> Void
        var registration: Registration
        var remark: String
    }

    private static let long = String(repeating: "x", count: 1_025)

    static let excesses: [Excess] = [
        .init(
            what: "topics", limits: { $0.topics = 3 },
            registration: other { $0.topics = [Registration.topic("C"), Registration.topic("D")] },
            remark: "limit of 3"),
        .init(what: "brokers", limits: { $0.brokers = 1 }, registration: other { _ in }, remark: "limit of 1 brokers"),
        .init(
            what: "clusters", limits: { $0.clusters = 1 }, registration: other { $0.cluster = "D" },
            remark: "limit of 1 clusters"),
        .init(
            what: "topic name", limits: { _ in }, registration: other { $0.topics[0].topicName = long },
            remark: "1025 bytes"),
        .init(what: "broker name", limits: { _ in }, registration: other { $0.name = long }, remark: "1025 bytes"),
        .init(what: "cluster name", limits: { _ in }, registration: other { $0.cluster = long }, remark: "1025 bytes"),
        .init(what: "address", limits: { _ in }, registration: other { $0.address = long }, remark: "1025 bytes"),
        .init(what: "ha address", limits: { _ in }, registration: other { $0.haAddress = long }, remark: "1025 bytes"),
        .init(what: "zone", limits: { _ in }, registration: other { $0.zone = long }, remark: "1025 bytes"),
        .init(
            what: "filter servers", limits: { $0.filterServers = 1 },
            registration: other { $0.filterServers = ["a", "b"] }, remark: "filter servers"),
    ]

    private static func other(_ change: (inout Registration) -> Void) -> Registration {
        var registration = Registration()
        registration.name = "broker-b"
        registration.address = "10.0.1.1:1"
        change(&registration)
        return registration
    }

    @Test("Refused", arguments: excesses) func refuses(_ excess: Excess) {
        var limits = NameServerLimits()
        excess.limits(&limits)
        let node = CoreNode(limits: limits)
        #expect(node.register().code == 0)
        let (cluster, route) = (node.clusterInfo(), node.route("A").text)
        let answer = node.register(excess.registration, from: 2)
        #expect(answer.code == 1, "\(excess.what)")
        #expect(answer.remark?.contains(excess.remark) == true, "\(answer.remark ?? "")")
        #expect(node.eventKinds == [.registered, .refused])
        #expect(node.clusterInfo() == cluster)
        #expect(node.route("A").text == route)
        #expect(node.topicList() == #"{"topicList":["A","B"]}"#)
        #expect(node.register().code == 0)
    }

    @Test("A refused registration leaves the replica's older one as it is") func keepsOlderRegistration() {
        var limits = NameServerLimits()
        limits.topics = 3
        let node = CoreNode(limits: limits)
        node.register()
        let answer = node.register(
            Registration().with {
                $0.topics += (0..<5).map { Registration.topic("N\($0)") }
                $0.topics[0].perm = 4
                $0.version.counter = 2
            })
        #expect(answer.code == 1)
        #expect(node.routeData("A")?.queueDatas[0].perm == 6)
        #expect(node.core.counters.registrations == 1)
    }

    @Test("Topics that were dropped make room") func reusesRoom() {
        var limits = NameServerLimits()
        limits.topics = 2
        let node = CoreNode(limits: limits)
        for round in 0..<10 {
            let registration = Registration().with {
                $0.topics = [Registration.topic("a\(round)"), Registration.topic("b\(round)")]
            }
            #expect(node.register(registration).code == 0)
            node.unregister()
        }
        #expect(node.topicList() == #"{"topicList":[]}"#)
    }

    @Test("217 keeps the same limits") func boundsTopicRequests() {
        var limits = NameServerLimits()
        limits.topics = 2
        let node = CoreNode(limits: limits)
        node.register()
        let body = #"{"queueDatas":[{"brokerName":"broker-a","perm":6}]}"#
        #expect(node.call(RequestCode.registerTopicInNameServer, ["topic": "C"], body: body).code == 1)
        #expect(node.call(RequestCode.registerTopicInNameServer, ["topic": "A"], body: body).code == 0)
        let long = String(repeating: "x", count: 1_025)
        #expect(node.call(RequestCode.registerTopicInNameServer, ["topic": long], body: body).code == 1)
    }

    @Test("An answer above the frame limit becomes an error") func boundsAnswers() {
        var limits = NameServerLimits()
        limits.answerBytes = 600
        let node = CoreNode(limits: limits)
        node.register(Registration().with { $0.topics = (0..<100).map { Registration.topic("topic-\($0)") } })
        let answer = node.call(RequestCode.getAllTopicListFromNameServer)
        #expect(answer.code == 1)
        #expect(answer.body.isEmpty)
        #expect(node.routeData("topic-5") != nil)
    }
}
