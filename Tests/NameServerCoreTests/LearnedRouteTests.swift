import Basics
import NameServerCore
import Remoting
import Testing

/// Route bytes for each way in which first-hand and learned replicas can meet.
@Suite struct LearnedRouteTests {
    struct Situation: Sendable, CustomTestStringConvertible {
        var what: String
        /// Registered in this order.
        var firstHand: [@Sendable () -> Registration] = []
        var learned: [@Sendable () -> Hearsay] = []
        /// `brokerDatas` and `queueDatas` of topic A, without what is the same everywhere; nil for code 17.
        var route: String?
        var testDescription: String { what }
    }

    private static let master: @Sendable () -> Registration = { Registration() }
    private static let slave: @Sendable () -> Registration = { Registration.slave() }
    private static let actingSlave: @Sendable () -> Registration = { Registration.slave(acting: "true") }

    /// Addresses are 10.0.0.N:10911, shown as N; queues as perm/read/write.
    static let situations: [Situation] = [
        Situation(what: "Nothing at all", route: nil),
        Situation(what: "First-hand only", firstHand: [master], route: "broker-a{0:1} 6/8/8"),
        Situation(what: "Learned only", learned: [{ Hearsay() }], route: "broker-a{0:1} 6/8/8"),
        Situation(
            what: "Two groups, by name",
            firstHand: [{ Registration().with { $0.name = "broker-b" } }],
            learned: [{ Hearsay().with { ($0.address, $0.topics) = ("10.0.0.9:10911", [Hearsay.topic("A", 2, 1)]) } }],
            route: "broker-a{0:9} broker-b{0:1} 6/2/1 6/8/8"),
        Situation(
            what: "A learned slave beside a first-hand master: an address more, the same queues",
            firstHand: [master],
            learned: [{ slaveTold(1, topics: [Hearsay.topic("A", 1, 1)]) }],
            route: "broker-a{0:1,1:2} 6/8/8"),
        Situation(
            what: "A learned master beside a first-hand 4.x slave brings the queues",
            firstHand: [slave],
            learned: [{ Hearsay() }],
            route: "broker-a{0:1,1:2} 6/8/8"),
        Situation(
            what: "A 4.x slave alone brings no queues",
            learned: [{ slaveTold(1, topics: [Hearsay.topic("A")]).with { $0.actingMaster = nil } }],
            route: nil),
        Situation(
            what: "A learned 5.x slave that is the smallest brings its queues",
            learned: [{ slaveTold(1, topics: [Hearsay.topic("A", 3, 3)]).with { $0.actingMaster = false } }],
            route: "broker-a{1:2} 6/3/3"),
        Situation(
            what: "One that acts as master brings them without the write bit, and is shown as master",
            learned: [{ slaveTold(1, topics: [Hearsay.topic("A", 3, 3)]) }],
            route: "broker-a{0:2} acting 4/3/3"),
        Situation(
            what: "Two learned slaves: the smaller id brings them",
            learned: [
                { slaveTold(2, topics: [Hearsay.topic("A", 5, 5)]) },
                { slaveTold(1, topics: [Hearsay.topic("A", 3, 3)]) },
            ],
            route: "broker-a{0:2,2:3} acting 4/3/3"),
        Situation(
            what: "A learned smaller slave beside a first-hand one: the first-hand queues stay, the smallest acts",
            firstHand: [{ Registration.slave(2, "10.0.0.3:10911", acting: "true") }],
            learned: [{ slaveTold(1, topics: [Hearsay.topic("A", 3, 3), Hearsay.topic("L")]) }],
            route: "broker-a{0:2,2:3} acting 4/8/8"),
        Situation(
            what: "A learned master takes back what its acting first-hand slave has made read-only",
            firstHand: [actingSlave],
            learned: [{ Hearsay().with { $0.actingMaster = true } }],
            route: "broker-a{0:1,1:2} acting 6/8/8"),
        Situation(
            what: "A first-hand master that was learned before",
            firstHand: [], learned: [{ Hearsay().with { $0.topics = [Hearsay.topic("A", 1, 1)] } }, { Hearsay() }],
            route: "broker-a{0:1} 6/8/8"),
        Situation(
            what: "Learned masters of one id: the newer state shows",
            learned: [
                { Hearsay().with { ($0.stateVersion, $0.address) = (2, "10.0.0.8:10911") } },
                { Hearsay().with { ($0.stateVersion, $0.usableFor) = (1, .seconds(100)) } },
            ],
            route: "broker-a{0:8} 6/8/8"),
        Situation(
            what: "Of equal states the one that may be served longer",
            learned: [
                { Hearsay().with { $0.address = "10.0.0.8:10911" } },
                { Hearsay().with { $0.usableFor = .seconds(61) } },
            ],
            route: "broker-a{0:1} 6/8/8"),
        Situation(
            what: "A topic without any of its brokers' queues",
            learned: [{ Hearsay().with { $0.topics = [Hearsay.topic("B")] } }], route: nil),
    ]

    private static func slaveTold(_ id: Int64, topics: [(name: String, topic: ImageTopic)]) -> Hearsay {
        Hearsay().with {
            ($0.id, $0.address, $0.actingMaster, $0.topics) = (id, "10.0.0.\(id + 1):10911", true, topics)
        }
    }

    @Test("What shows of topic A", arguments: situations) func shows(_ situation: Situation) {
        var properties = NamesrvProperties()
        properties.supportActingMaster = true
        let node = CoreNode.tracking(properties: properties)
        for registration in situation.firstHand { node.register(registration()) }
        for hearsay in situation.learned { _ = node.learn(hearsay()) }
        #expect(node.routeData("A").map(summarized) == situation.route)
        #expect(node.topicList().contains(#""A""#) == (situation.route != nil))
    }

    private func summarized(_ route: TopicRouteData) -> String {
        let groups = route.brokerDatas.map { group in
            let slots = group.brokerAddrs.sorted { $0.key < $1.key }.map { id, address in
                "\(id):\(address.dropFirst("10.0.0.".count).prefix { $0 != ":" })"
            }
            let acting = group.enableActingMaster == true ? " acting" : ""
            return "\(group.brokerName){\(slots.joined(separator: ","))}\(acting)"
        }
        let queues = route.queueDatas.map { "\($0.perm)/\($0.readQueueNums)/\($0.writeQueueNums)" }
        return (groups + queues).joined(separator: " ")
    }

    @Test("The bytes of a learned route, in both dialects") func matchesSpecifiedBytes() {
        let node = CoreNode.tracking()
        node.learn(
            Hearsay().with { ($0.cluster, $0.zone) = ("c集", "z1") })
        #expect(
            node.route("A").text == """
                {"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c\\u96C6",\
                "enableActingMaster":false,"zoneName":"z1"}],"filterServerTable":{},"queueDatas":[{\
                "brokerName":"broker-a","perm":6,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}
                """)
        #expect(
            node.route("A", version: 0).text.contains(#"{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c集""#))
    }

    @Test("Zones: a learned broker is kept or left out like any other") func filtersZones() {
        let node = CoreNode.tracking()
        node.register(Registration().with { $0.zone = "z1" })
        node.learn(Hearsay().with { ($0.name, $0.address, $0.zone) = ("broker-b", "10.0.0.2:10911", "z2") })
        node.learn(
            Hearsay().with { ($0.name, $0.id, $0.address, $0.actingMaster) = ("broker-c", 1, "10.0.0.3:10911", false) })
        func brokers(_ zone: String) -> [String] {
            ["broker-a", "broker-b", "broker-c"].filter { node.zonedRoute("A", zone: zone).contains($0) }
        }
        #expect(brokers("z1") == ["broker-a", "broker-c"], "without a master any zone may read")
        #expect(brokers("Z2") == ["broker-b", "broker-c"])
        #expect(brokers("z3") == ["broker-c"])
    }

    @Test("Order configuration, mappings and filter servers of the topic show all the same")
    func showsFirstHandMembers() {
        var properties = NamesrvProperties()
        properties.orderMessageEnable = true
        let node = CoreNode.tracking(properties: properties)
        _ = node.call(RequestCode.putKVConfig, ["namespace": "ORDER_TOPIC_CONFIG", "key": "A", "value": "broker-a:4"])
        node.register(Registration().with { $0.filterServers = ["10.0.0.1:7000"] })
        node.learn(Hearsay().with { ($0.name, $0.address) = ("broker-b", "10.0.0.2:10911") })
        let route = node.routeData("A")
        #expect(route?.orderTopicConf == "broker-a:4")
        #expect(route?.filterServerTable == ["10.0.0.1:10911": ["10.0.0.1:7000"]])
        #expect(route?.brokerDatas.count == 2)
    }

    @Test("Routes that no hearsay touches come from the cache as ever; one that it touches never does")
    func bypassesCache() {
        let node = CoreNode.tracking()
        node.register(Registration().with { $0.name = "broker-b" })
        node.register(
            Registration().with {
                ($0.name, $0.address) = ("broker-c", "10.0.0.3:10911")
                $0.topics = [Registration.topic("X"), Registration.topic("Y")]
            })
        let (plain, other) = (node.route("A").text, node.route("X").text)
        #expect(node.core.counters.encodedRoutes == 2)
        node.learn(Hearsay().with { $0.address = "10.0.0.2:10911" })
        #expect(node.route("X").text == other)
        #expect(node.core.counters.encodedRoutes == 2)
        #expect(node.route("A").text != plain)
        #expect(node.route("A").text != plain)
        #expect(node.core.counters.encodedRoutes == 4)
        node.forgetAll()
        #expect(node.route("A").text == plain)
        #expect(node.core.counters.encodedRoutes == 4, "what was cached before is still good")
    }

    @Test("A slave that is learned shows in the cached routes of its group's other topics at once")
    func touchesGroup() {
        let node = CoreNode.tracking()
        node.register()
        let plain = node.route("B").text
        node.learn(
            Hearsay().with { ($0.id, $0.address, $0.topics) = (1, "10.0.0.2:10911", []) })
        #expect(node.routeData("B")?.brokerDatas[0].brokerAddrs == [0: "10.0.0.1:10911", 1: "10.0.0.2:10911"])
        node.forget(node.core.learned[0].summary.identity)
        #expect(node.route("B").text == plain)
    }
}
