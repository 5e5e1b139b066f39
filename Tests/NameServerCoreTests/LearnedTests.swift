import Basics
import Remoting
import Testing

@testable import NameServerCore

/// What may be learned, when it goes again, and who must never see it.
@Suite struct LearnedTests {
    private let slot = Hearsay().with { $0.address = "10.0.0.7:10911" }

    // MARK: What may be learned

    @Test("First-hand replicas are not learned, nor is what stands in their place") func refusesFirstHand() {
        let node = CoreNode.tracking()
        node.register()
        #expect(node.learn() == .isFirstHand)
        #expect(node.learn(Hearsay().with { $0.name = "broker-z" }) == .isFirstHand, "the same process")
        #expect(node.learn(slot) == .slotTaken, "another address for broker-a:0")
        #expect(
            node.learn(Hearsay().with { ($0.cluster, $0.id) = ("D", 1) }) == .slotTaken,
            "the same address under two ids")
        #expect(node.learn(slot.with { $0.id = 1 }) == .learned)
        #expect(node.learn(slot.with { ($0.id, $0.usableFor) = (2, .nanoseconds(-1)) }) == .outdated)
        #expect(node.core.learnedCount == 1)
        #expect(node.core.counters.errors == 0)
    }

    @Test("One learned replica for each place; the newer one has it") func ranks() {
        let node = CoreNode.tracking()
        #expect(node.learn(Hearsay().with { $0.stateVersion = 3 }) == .learned)
        #expect(node.learn(slot) == .slotTaken, "an older state")
        #expect(node.learn(slot.with { $0.stateVersion = 3 }) == .slotTaken, "neither older nor newer: the first stays")
        #expect(node.takeDirectives().count == 1)
        #expect(node.learn(slot.with { ($0.stateVersion, $0.usableFor) = (4, .seconds(1)) }) == .learned)
        #expect(node.drops.map(\.0) == [Hearsay().identity])
        #expect(node.drops.map(\.1) == [.outranked])
        #expect(node.eventKinds == [.learnedDropped, .learned])
        #expect(node.core.learned.map(\.summary.identity.address) == ["10.0.0.7:10911"])
        #expect(node.group() == [0: "10.0.0.7:10911"])
    }

    @Test("Learning the same replica again replaces what it brought, and says so only when that differs")
    func learnsAgain() {
        let node = CoreNode.tracking()
        node.learn(Hearsay().with { $0.isProvisional = true })
        #expect(node.eventTexts == ["broker-a:0 at 10.0.0.1:10911 learned from ns-2, 2 topics"])
        _ = node.takeDirectives()
        #expect(node.learn(Hearsay().with { ($0.origin, $0.usableFor) = ("ns-3", .seconds(5)) }) == .learned)
        #expect(node.directives.isEmpty)
        #expect(node.core.learned.map(\.origin) == ["ns-3"])
        #expect(node.core.learned(Hearsay().identity)?.isProvisional == false)
        #expect(node.learn(Hearsay().with { $0.topics = [Hearsay.topic("X"), Hearsay.topic("B")] }) == .learned)
        #expect(node.eventKinds == [.learned])
        #expect(node.topicList() == #"{"topicList":["B","X"]}"#)
    }

    // MARK: Hostile or damaged

    struct Fault: Sendable, CustomTestStringConvertible {
        var what: String
        var outcome: LearnOutcome
        var damage: @Sendable (inout LearnedRegistration) -> Void
        var testDescription: String { what }
    }

    static let faults: [Fault] = [
        Fault(what: "another hash", outcome: .imageMismatch) { $0.summary.registrationHash ^= 1 },
        Fault(what: "another zone than was hashed", outcome: .imageMismatch) { $0.summary.zone = "z" },
        Fault(what: "another timeout than was hashed", outcome: .imageMismatch) { $0.summary.timeoutMillis += 1 },
        Fault(what: "another count", outcome: .imageMismatch) { $0.summary.topicCount = 3 },
        Fault(what: "a negative count", outcome: .imageMismatch) { $0.summary.topicCount = -1 },
        Fault(what: "no image", outcome: .malformed) { $0.image = [] },
        Fault(what: "an empty image", outcome: .imageMismatch) { $0.image = [0, 0] },
        Fault(what: "a byte too many", outcome: .malformed) { $0.image.append(0) },
        Fault(what: "a byte too few", outcome: .malformed) { $0.image.removeLast() },
        Fault(what: "images of two replicas", outcome: .malformed) {
            let topics = [Hearsay.topic("A")]
            var output = ByteWriter()
            RegistrationImages([topics, topics]).encode(into: &output)
            $0.image = output.array()
        },
        Fault(what: "a flipped bit in a name", outcome: .imageMismatch) { $0.image[2] ^= 1 },
        Fault(what: "a cluster name of 1,025 bytes", outcome: .limit) {
            $0.summary.identity.cluster = String(repeating: "c", count: 1_025)
        },
        Fault(what: "a broker name of 1,025 bytes", outcome: .limit) {
            $0.summary.identity.name = String(repeating: "n", count: 1_025)
        },
        Fault(what: "an address of 1,025 bytes", outcome: .limit) {
            $0.summary.identity.address = String(repeating: "a", count: 1_025)
        },
        Fault(what: "a zone of 1,025 bytes", outcome: .limit) {
            $0.summary.zone = String(repeating: "z", count: 1_025)
        },
    ]

    @Test("Refused, and nothing has changed", arguments: faults) func refuses(_ fault: Fault) {
        let node = CoreNode.tracking()
        node.learn(slot.with { $0.name = "broker-b" })
        _ = node.takeDirectives()
        let before = node.everything(topics: ["A", "B"], groups: ["broker-a", "broker-b"], clusters: ["C"])
        var registration = Hearsay().registration(at: node.now)
        fault.damage(&registration)
        #expect(node.learn(registration) == fault.outcome)
        #expect(node.directives.isEmpty && node.core.learnedCount == 1)
        #expect(before == node.everything(topics: ["A", "B"], groups: ["broker-a", "broker-b"], clusters: ["C"]))
        #expect(node.learn(Hearsay().registration(at: node.now)) == .learned, "undamaged it is fine")
    }

    @Test("A refused registration drops nobody it would have outranked") func keepsRivals() {
        let node = CoreNode.tracking()
        node.learn()
        var newer = slot.with { $0.stateVersion = 9 }.registration(at: node.now)
        newer.summary.registrationHash ^= 1
        #expect(node.learn(newer) == .imageMismatch)
        #expect(node.core.learned.map(\.summary.identity) == [Hearsay().identity])
    }

    @Test("Limits count first-hand and learned together; what is heard first-hand is never refused for hearsay")
    func limits() {
        var limits = NameServerLimits()
        (limits.brokers, limits.topics, limits.clusters) = (3, 6, 2)
        let node = CoreNode.tracking(limits: limits)
        node.register(Registration().with { $0.topics = ["A", "B"].map { Registration.topic($0) } })
        func told(_ number: Int, _ topics: String, cluster: String = "C") -> Hearsay {
            Hearsay().with {
                ($0.name, $0.address, $0.cluster) = ("broker-\(number)", "10.0.1.\(number):1", cluster)
                $0.topics = topics.map { Hearsay.topic("\($0)") }
            }
        }
        #expect(node.learn(told(1, "VWXYZ")) == .limit)
        #expect(node.learn(told(1, "WXYZ")) == .learned)
        #expect(node.learn(told(2, "V")) == .limit, "the seventh topic")
        #expect(node.learn(told(2, "", cluster: "E")) == .learned, "the second cluster")
        #expect(node.learn(told(3, "")) == .limit, "the fourth broker")
        #expect(node.learn(told(2, "W", cluster: "F")) == .slotTaken)
        node.forget(told(2, "", cluster: "E").identity)
        #expect(node.learn(told(2, "W", cluster: "E")) == .learned)
        #expect(node.learn(told(1, "WXY")) == .learned, "a replica in its own place is none more")
        #expect(node.learn(told(1, "WXYZ")) == .learned)
        for number in 4...5 {
            let registration = Registration().with {
                ($0.name, $0.address, $0.cluster) = ("broker-\(number)", "10.0.1.\(number):1", "G")
                $0.topics = ["P\(number)", "Q\(number)"].map { Registration.topic($0) }
            }
            #expect(node.register(registration).code == 0)
        }
        #expect(node.core.learnedCount == 2)
    }

    @Test("The third cluster is one too many") func limitsClusters() {
        var limits = NameServerLimits()
        limits.clusters = 2
        let node = CoreNode.tracking(limits: limits)
        node.register()
        #expect(node.learn(slot.with { ($0.cluster, $0.name) = ("D", "broker-d") }) == .learned)
        let third = Hearsay().with { ($0.cluster, $0.name, $0.address) = ("E", "broker-e", "10.0.0.8:10911") }
        #expect(node.learn(third) == .limit)
        #expect(node.learn(third.with { $0.cluster = "D" }) == .learned)
        node.forgetAll()
        #expect(node.learn(third) == .learned)
    }

    // MARK: When it goes

    @Test("A registration of the replica, or in its place, ends hearsay; a refused one does not") func givesWay() {
        for (name, id, address) in [
            ("broker-a", "0", "10.0.0.1:10911"), ("broker-a", "0", "10.0.0.7:10911"),
            ("broker-a", "1", "10.0.0.1:10911"), ("broker-z", "0", "10.0.0.1:10911"),
        ] {
            let node = CoreNode.tracking()
            node.learn()
            _ = node.takeDirectives()
            let registration = Registration().with { ($0.name, $0.id, $0.address) = (name, id, address) }
            node.register(registration.with { $0.topics = [Registration.topic("A")] })
            #expect(node.drops.isEmpty && node.core.learnedCount == 1, "an increment brings nobody into being")
            _ = node.takeDirectives()
            node.register(registration)
            #expect(node.drops.map(\.1) == [.heardFirstHand], "\(name) \(id) \(address)")
            #expect(node.eventKinds == [.learnedDropped, .registered])
            #expect(
                node.eventTexts.first
                    == "broker-a:0 at 10.0.0.1:10911 no longer served as learned from ns-2: heard first-hand now")
            #expect(node.core.learnedCount == 0)
        }
        let node = CoreNode.tracking()
        node.learn()
        node.register(Registration().with { ($0.name, $0.address) = ("broker-b", "10.0.0.2:10911") })
        node.register(Registration.slave(1, "10.0.0.3:10911"))
        #expect(node.drops.isEmpty && node.core.learnedCount == 1, "others do not matter")
    }

    @Test("The scan drops what has run out of evidence, and not a nanosecond earlier") func runsOut() {
        let node = CoreNode.tracking()
        node.learn()
        node.learn(slot.with { ($0.id, $0.usableFor) = (1, .seconds(50)) })
        node.core.extendLearned(Hearsay().identity, usableUntil: node.now + .seconds(10), isProvisional: true)
        #expect(node.core.learned(Hearsay().identity)?.isProvisional == true)
        _ = node.takeDirectives()
        #expect(node.core.nextDeadline == node.now + .seconds(10))
        node.pass(.seconds(10))
        node.scan()
        #expect(node.directives.isEmpty)
        node.pass(.nanoseconds(1))
        node.scan()
        #expect(node.drops.map(\.0) == [Hearsay().identity])
        #expect(node.drops.map(\.1) == [.evidenceRanOut])
        #expect(
            node.eventTexts
                == ["broker-a:0 at 10.0.0.1:10911 no longer served as learned from ns-2: its evidence ran out"])
        node.core.extendLearned(Hearsay().identity, usableUntil: node.now + .seconds(99), isProvisional: false)
        #expect(node.core.learned.map(\.summary.identity.id) == [1], "what is gone is not brought back")
        node.pass(.seconds(41))
        node.scan()
        #expect(node.core.learnedCount == 0 && node.core.nextDeadline == nil)
        #expect(node.closed.isEmpty && node.core.counters.expirations == 0)
    }

    @Test("A farewell ends hearsay though nobody was heard, whatever id and cluster it names") func unregisters() {
        let node = CoreNode.tracking()
        node.learn()
        _ = node.takeDirectives()
        #expect(node.unregister("10.0.0.7:10911").code == 0)
        #expect(node.unregister(name: "broker-b").code == 0)
        #expect(node.drops.isEmpty && node.eventKinds.isEmpty)
        #expect(node.unregister(cluster: "D", id: 5).code == 0)
        #expect(node.drops.map(\.1) == [.unregistered])
        #expect(node.eventKinds == [.learnedDropped])
        #expect(node.clusterInfo() == #"{"brokerAddrTable":{},"clusterAddrTable":{}}"#)
    }

    @Test("Forgetting one, forgetting all") func forgets() {
        let node = CoreNode.tracking()
        for number in 0..<5 {
            node.learn(Hearsay().with { ($0.name, $0.address) = ("broker-\(number)", "10.0.0.\(number):1") })
        }
        _ = node.takeDirectives()
        node.forget(Hearsay().identity)
        #expect(node.directives.isEmpty, "nobody knows it")
        node.forget(node.core.learned[2].summary.identity, cause: "the peer is gone")
        #expect(node.eventTexts == ["broker-2:0 at 10.0.0.2:1 no longer served as learned from ns-2: the peer is gone"])
        _ = node.takeDirectives()
        node.forgetAll(cause: "the warm-up is over")
        #expect(node.eventTexts == ["4 learned brokers no longer served: the warm-up is over"])
        #expect(node.drops.isEmpty && node.core.learned.isEmpty && node.core.hearsay.topicNames.count == 0)
        _ = node.takeDirectives()
        node.forgetAll()
        #expect(node.directives.isEmpty)
    }

    // MARK: Who must not see it

    @Test("No heartbeat, question, admin request or slave is told of hearsay") func staysHidden() {
        var properties = NamesrvProperties()
        properties.notifyMinBrokerIdChanged = true
        let node = CoreNode.tracking(properties: properties)
        node.learn(Hearsay().with { ($0.haAddress, $0.actingMaster) = ("10.0.0.1:10912", true) })
        let fields: KeyValuePairs = ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"]
        let answer = node.call(RequestCode.queryDataVersion, fields)
        #expect(answer["changed"] == "true" && answer.body.isEmpty, "else the broker would not register")
        #expect(node.call(RequestCode.brokerHeartbeat, fields).code == 0)
        #expect(node.core.nextDeadline == node.now + .seconds(60), "a heartbeat is no evidence")
        #expect(node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])["wipeTopicCount"] == "0")
        #expect(node.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"])["addTopicCount"] == "0")
        _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "A"])
        #expect(node.routeData("A")?.queueDatas[0].perm == 6)
        #expect(
            node.register(Registration().with { $0.topics = [Registration.topic("A")] }).remark
                == "register broker failed", "still the first one")
        let slave = node.register(.slave(acting: "true"), from: 2)
        #expect(slave["masterAddr"] == nil && slave["haServerAddr"] == nil)
        _ = node.register(.slave(3, "10.0.0.4:10911", acting: "true"), from: 4)
        _ = node.takeDirectives()
        _ = node.unregister("10.0.0.2:10911", id: 1, from: 2)
        #expect(node.notifications.map(\.addresses) == [["10.0.0.4:10911"]], "the learned master is told nothing")
        #expect(node.notifications.first?.command["minBrokerAddr"] == "10.0.0.4:10911")
        #expect(node.core.learnedCount == 1)
    }

    @Test("217 knows no learned broker") func refusesTopicOfLearned() {
        let node = CoreNode.tracking()
        node.learn()
        var body = TopicRouteData()
        body.queueDatas = [
            QueueData(brokerName: "broker-a", readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0)
        ]
        let command = node.call(
            RequestCode.registerTopicInNameServer, ["topic": "N"],
            body: String(decoding: body.encoded(.standard), as: UTF8.self))
        #expect(command.code == 0)
        #expect(node.route("N").code == 17)
    }

    // MARK: Readiness, status

    @Test("A node that is not ready answers for what it knows and turns other topics away") func gates() {
        let node = CoreNode.tracking()
        node.core.setServing(isReady: false, gatesUnknownTopics: true)
        #expect(node.route("A").code == 1)
        #expect(node.route("A").remark == "name server not ready")
        #expect(node.core.counters.lookupMisses == 0)
        node.learn()
        #expect(node.route("A").code == 0)
        #expect(node.route("X").code == 1)
        node.register()
        #expect(node.route("B").code == 0)
        node.core.setServing(isReady: true, gatesUnknownTopics: true)
        #expect(node.route("X").code == 17)
    }

    @Test("The status lists hearsay apart") func showsInStatus() {
        let node = CoreNode.tracking()
        let empty = node.call(RequestCode.getNodeStatus).text
        #expect(!empty.contains(#""learned":["#) && empty.contains(#""learned":0}"#))
        for (name, id, address) in [("broker-b", 0, "x"), ("broker-a", 1, "y"), ("broker-a", 0, "z")]
            as [(String, Int64, String)]
        {
            node.learn(Hearsay().with { ($0.name, $0.id, $0.address) = (name, id, address) })
        }
        node.core.extendLearned(node.core.learned[0].summary.identity, usableUntil: node.now, isProvisional: true)
        node.pass(.milliseconds(1_500))
        let status = node.call(RequestCode.getNodeStatus).text
        func member(_ name: String, _ id: Int, _ address: String, _ rest: String) -> String {
            #"{"cluster":"C","name":"\#(name)","id":\#(id),"address":"\#(address)","origin":"ns-2",\#(rest),"topics":2}"#
        }
        let list = [
            member("broker-a", 0, "z", #""provisional":false,"remainingMillis":58500"#),
            member("broker-a", 1, "y", #""provisional":false,"remainingMillis":58500"#),
            member("broker-b", 0, "x", #""provisional":true,"remainingMillis":0"#),
        ].joined(separator: ",")
        #expect(status.contains(#""brokers":[],"learned":[\#(list)],"events":["#))
        #expect(status.contains(#""topics":0,"clusters":0,"learned":3}"#), "the other totals are first-hand")
    }

    @Test("500 replicas of 20 topics each come and go one by one") func scales() {
        let node = CoreNode.tracking()
        for number in 0..<500 {
            let told = Hearsay().with {
                ($0.name, $0.address) = ("broker-\(number)", "10.0.\(number / 256).\(number % 256):10911")
                $0.topics = (0..<20).map { Hearsay.topic("T\((number * 7 + $0) % 300)") }
            }
            #expect(node.learn(told) == .learned)
        }
        #expect(node.topicList().split(separator: ",").count == 300)
        let all = node.core.learned.map(\.summary.identity)
        for (round, identity) in all.enumerated() where round % 2 == 0 { node.forget(identity) }
        #expect(node.core.learnedCount == 250)
        let kept = node.core.hearsay.topics.reduce(0) { $0 + $1.count }
        #expect(kept == 250 * 20)
        for identity in all { node.forget(identity) }
        #expect(node.core.learnedCount + node.core.hearsay.topicNames.count + node.core.hearsay.groupNames.count == 0)
        #expect(node.core.hearsay.topics.allSatisfy { $0.isEmpty })
    }
}
