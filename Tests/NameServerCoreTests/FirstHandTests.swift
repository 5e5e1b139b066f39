import Basics
import Remoting
import Testing

@testable import NameServerCore

/// What the gossip layer is told of first-hand entries, and what it may ask.
@Suite struct FirstHandTests {
    private static let hash = KeyedHash(low: 5, high: 6)

    private func node(_ limits: NameServerLimits = NameServerLimits()) -> CoreNode {
        let node = CoreNode(limits: limits, tracking: Self.hash)
        node.register()
        _ = node.takeDirectives()
        return node
    }

    // MARK: Directives

    struct Act: Sendable {
        var what: String
        var changes: [FirstHandChange]
        var act: @Sendable (CoreNode) -> Void

        init(_ what: String, _ changes: [FirstHandChange], _ act: @escaping @Sendable (CoreNode) -> Void) {
            self.what = what
            self.changes = changes
            self.act = act
        }
    }

    private static let token = ReplicaToken(number: 0)
    private static let identity = Registration().identity
    private static let registered = [FirstHandChange.registered(token)]

    private static func removed(_ departed: Departed) -> [FirstHandChange] { [.removed(token, identity, departed)] }

    static let acts: [Act] = [
        .init("a heartbeat", []) { $0.register() },
        .init("a heartbeat over another connection", []) { $0.register(from: 2) },
        .init("another state", registered) { $0.register(Registration().with { $0.version.counter = 2 }) },
        .init("another topic", registered) { $0.register(Registration().with { $0.topics[0].perm = 4 }) },
        .init("another order", registered) { $0.register(Registration().with { $0.topics[0].order = true }) },
        .init("another timeout", registered) { $0.register(Registration().with { $0.timeoutMillis = 7 }) },
        .init("another zone", registered) { $0.register(Registration().with { $0.zone = "z" }) },
        .init("another replication address", registered) { $0.register(Registration().with { $0.haAddress = "h" }) },
        .init("another id", registered) { $0.register(Registration().with { $0.id = "1" }) },
        .init("another name", registered) { $0.register(Registration().with { $0.name = "broker-b" }) },
        .init("another replica", [.registered(ReplicaToken(number: 1))]) { $0.register(.slave()) },
        .init("the same topics in another form", []) { $0.register(Registration().with { $0.compressed = true }) },
        .init("a refused registration", []) { $0.register(Registration().with { $0.crc = "1" }) },
        .init("322", []) { $0.queryDataVersion(Registration()) },
        .init("104", removed(.unregistered)) { $0.unregister() },
        .init(
            "104 of another",
            [.saidGoodbye(ReplicaIdentity(cluster: "C", name: "broker-a", id: 0, address: "10.0.0.9:10911"))]
        ) { $0.unregister("10.0.0.9:10911") },
        .init("a closed connection", removed(.connectionClosed)) { $0.close(1) },
        .init("another closed connection", []) { $0.close(2) },
        .init("silence", removed(.expired)) { node in
            node.pass(.seconds(121))
            node.scan()
        },
        .init("a scan", []) { $0.scan() },
        .init("205", [.administered]) { _ = $0.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"]) },
        .init("205 of another", []) { _ = $0.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "none"]) },
        .init("327", [.administered]) { _ = $0.call(RequestCode.addWritePermOfBroker, ["brokerName": "broker-a"]) },
        .init("216", [.administered]) { _ = $0.call(RequestCode.deleteTopicInNameServer, ["topic": "A"]) },
        .init("216 of another", []) { _ = $0.call(RequestCode.deleteTopicInNameServer, ["topic": "none"]) },
        .init("217", [.administered]) { $0.putTopic("N", on: "broker-a") },
        .init("100", [.administered]) { node in
            let fields: KeyValuePairs = ["namespace": "N", "key": "K", "value": "V"]
            _ = node.call(RequestCode.putKVConfig, fields)
            _ = node.call(RequestCode.putKVConfig, fields)
        },
        .init("a topic list that goes through another thread", registered) { node in
            let topics = (0..<2_000).map { Registration.topic("topic-of-a-large-registration-\($0)") }
            node.register(Registration().with { $0.topics = topics })
        },
    ]

    @Test("Each change is told once, in order", arguments: acts) func tells(_ act: Act) {
        let node = node()
        act.act(node)
        // What was written, beside that something was, is ReplicationTests' matter.
        let changes = node.changes.filter { if case .wrote = $0 { false } else { true } }
        #expect(changes == act.changes, "\(act.what)")
        let silent = CoreNode()
        silent.register()
        act.act(silent)
        #expect(silent.changes.isEmpty, "nothing is told without tracking: \(act.what)")
    }

    @Test("A registration that lost its id is removed as a conflict") func tellsConflict() {
        let node = node()
        node.register(
            Registration().with {
                $0.address = "10.0.0.2:1"
                $0.version.stateVersion = 9
            })
        _ = node.takeDirectives()
        node.register(Registration().with { $0.version.counter = 9 })
        #expect(node.changes == Self.removed(.conflict))
        #expect(node.core.firstHandTokens == [ReplicaToken(number: 1)])
    }

    // MARK: Questions

    @Test func answersNothingForNobody() {
        let node = node()
        for token in [ReplicaToken(number: 1), ReplicaToken(number: .max)] {
            #expect(node.core.hearing(of: token) == nil)
            #expect(node.core.summary(of: token) == nil)
            #expect(node.core.imageSize(of: token) == 0)
        }
        #expect(node.token() == Self.token)
        for other in [
            Registration().with { $0.id = "1" }, Registration().with { $0.name = "b" },
            Registration().with { $0.cluster = "D" }, Registration().with { $0.address = "x" },
        ] { #expect(node.token(of: other) == nil) }
    }

    @Test("Without tracking there is hearing but no summary") func withoutTracking() {
        let node = CoreNode()
        node.register()
        #expect(node.core.hearing(of: Self.token)?.isConnected == true)
        #expect(node.core.summary(of: Self.token) == nil)
        #expect(node.core.administrationDigest(hash: Self.hash) == 0)
    }

    @Test("Images of several replicas in one run, an unknown one empty") func encodesImages() throws {
        let node = node()
        node.register(
            Registration().with {
                $0.name = "broker-b"
                $0.address = "b"
                $0.topics.append(.init(topicName: "C"))
            })
        let tokens = node.core.firstHandTokens + [ReplicaToken(number: 7)]
        var output = ByteWriter()
        node.core.encodeImages(of: tokens, into: &output)
        let images = try RegistrationImages.decode(output.array(), replicas: 3)
        #expect((0..<3).map { images.topicCount(of: $0) } == [2, 3, 0])
        #expect(output.count <= tokens.reduce(0) { $0 + node.core.imageSize(of: $1) })
        for (index, token) in node.core.firstHandTokens.enumerated() {
            let summary = try #require(node.summary(token))
            #expect(
                images.registrationHash(of: index, RegistrationFields(summary), under: Self.hash)
                    == summary.registrationHash)
        }
    }

    @Test("The announced size holds for any values, and is near") func announcesSize() {
        let node = node()
        for (counter, queues) in [8, Int32.max, 1].enumerated() {
            node.register(
                Registration().with {
                    $0.topics[0] = Registration.topic("A", queues, queues, perm: queues, flag: queues)
                    $0.topics.append(Registration.topic(String(repeating: "n", count: 200)))
                    $0.version.counter = Int64(counter + 2)
                })
            var output = ByteWriter()
            node.core.encodeImages(of: [Self.token], into: &output)
            let size = node.core.imageSize(of: Self.token)
            #expect((output.count...output.count + 12).contains(size), "\(queues)")
        }
    }

    @Test("Names outside the limits of images are left out") func leavesOutOddNames() {
        let limits = NameServerLimits()
        let node = CoreNode(limits: limits, tracking: Self.hash)
        node.register(Registration().with { $0.topics += [Registration.topic("")] })
        #expect(node.core.summary(of: Self.token)?.topicCount == 2)
    }

    // MARK: Images over time

    @Test("Two histories of one broker give one hash") func agreesAcrossHistories() throws {
        let topics = (0..<30).map { Registration.topic("T\($0)") }
        let whole = Registration().with {
            $0.topics = topics
            $0.version.counter = 13
        }
        // One node hears the registration whole; one hears an older state, then the pieces of a split registration twice.
        let (first, second) = (CoreNode(tracking: Self.hash), CoreNode(tracking: Self.hash))
        first.register(whole)
        second.register(Registration().with { $0.topics = [.init(topicName: "gone"), Registration.topic("T3", 9)] })
        for round in 0..<3 {
            second.pass(.seconds(30))
            for piece in 0..<3 {
                second.register(
                    whole.with {
                        $0.topics = Array(topics[piece * 10..<piece * 10 + 10])
                        $0.version.counter = Int64(5 + 3 * round + piece)
                    })
            }
        }
        let expected = try #require(first.summary(Self.token))
        var got = try #require(second.summary(Self.token))
        #expect(got.residueCount == 1)
        got.residueCount = 0
        #expect(got == expected)
    }

    @Test("A topic that is not named again leaves 65 s after its last confirmation") func dropsUnconfirmed() throws {
        let node = node()
        node.pass(.seconds(10))
        node.register()
        node.register(
            Registration().with {
                $0.topics[1] = .init(topicName: "C")
                $0.version.counter = 2
            })
        #expect(node.core.summary(of: Self.token)?.topicCount == 3)
        node.pass(.seconds(20))
        node.queryDataVersion(Registration().with { $0.version.counter = 1 })
        node.pass(.seconds(45))
        let due = try #require(node.nextRemoval)
        #expect(due == node.now + .nanoseconds(1))
        node.scan()
        #expect(node.core.summary(of: Self.token)?.topicCount == 3, "not yet")
        _ = node.takeDirectives()
        node.pass(.nanoseconds(1))
        node.scan()
        #expect(node.changes == Self.registered)
        let summary = try #require(node.summary(Self.token))
        #expect((summary.topicCount, summary.residueCount) == (2, 1))
        #expect(node.core.nextRemoval == nil)
    }

    @Test("A registration 65 s later still finds the topic, one a nanosecond later does not", arguments: [0, 1])
    func dropsUnconfirmedAtRegistration(_ nanoseconds: Int64) {
        let node = node()
        let other = Registration().with { $0.topics = [.init(topicName: "C"), .init(topicName: "D")] }
        node.register(other)
        node.pass(.seconds(65) + .nanoseconds(nanoseconds))
        node.register(other.with { $0.version.counter = 2 })
        #expect(node.core.summary(of: Self.token)?.topicCount == (nanoseconds == 0 ? 4 : 2))
    }

    @Test("Residue that others changed is told with the next registration") func tellsResidue() {
        let node = node()
        node.putTopic("N", on: "broker-a")
        _ = node.takeDirectives()
        node.register()
        #expect(node.changes == [.administered, .registered(Self.token)])
        #expect(node.core.summary(of: Self.token)?.residueCount == 1)
        _ = node.takeDirectives()
        node.register()
        #expect(node.changes.isEmpty)
    }

    @Test("322 with the registered version confirms all, but brings nothing back", arguments: [64, 66])
    func confirms(_ seconds: Int) throws {
        let node = node()
        let second = Registration().with {
            $0.topics = [.init(topicName: "C"), .init(topicName: "D")]
            $0.version.counter = 2
        }
        node.register(second)
        node.pass(.seconds(seconds))
        node.queryDataVersion(second)
        #expect(node.core.summary(of: Self.token)?.topicCount == (seconds < 65 ? 4 : 2))
        node.pass(.seconds(40))
        node.scan()
        #expect(node.core.summary(of: Self.token)?.topicCount == (seconds < 65 ? 4 : 2))
    }

    /// A node that restarts hears a slave before its master, or after it; its peers heard them as they came.
    @Test("A slave's image does not depend on when its master registered", arguments: ["true", "false", nil])
    func imagesOfSlaves(acting: String?) throws {
        let master = Registration().with { $0.actingMaster = acting }
        let slave = Registration.slave(acting: acting)
        let (masterFirst, slaveFirst) = (CoreNode(tracking: Self.hash), CoreNode(tracking: Self.hash))
        for registration in [master, slave] { masterFirst.register(registration) }
        for registration in [slave, master] { slaveFirst.register(registration) }
        let summaries = [masterFirst, slaveFirst].compactMap { node in
            node.token(of: slave).flatMap { node.core.summary(of: $0) }
        }
        try #require(summaries.count == 2)
        #expect(summaries[0].registrationHash == summaries[1].registrationHash)
        #expect(summaries.map(\.topicCount) == (acting == nil ? [0, 0] : [2, 2]))
        // No name outlives what holds it.
        for node in [masterFirst, slaveFirst] {
            node.unregister()
            node.unregister(slave.identity.address, id: 1)
            #expect(node.core.tables.topicNames.count == 0)
        }
    }

    @Test func aSlaveActsWhileItsMasterIsGone() throws {
        let node = node()
        let slave = Registration.slave(acting: "true")
        node.register(Registration().with { $0.actingMaster = "true" })
        node.register(slave)
        let token = try #require(node.token(of: slave))
        node.unregister()
        node.register(slave)
        #expect(node.core.summary(of: token)?.topicCount == 2)
        _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
        #expect(node.core.administrationDigest(hash: Self.hash) == 0, "the lost write bit is nobody's change")
        node.register(Registration().with { $0.actingMaster = "true" })
        node.register(slave)
        #expect(node.core.summary(of: token)?.topicCount == 2)
    }

    // MARK: Interval

    struct Rhythm: Sendable {
        var gaps: [Int]
        var interval: Int
    }

    static let rhythms: [Rhythm] = [
        .init(gaps: [], interval: 30_000),
        .init(gaps: [30_000, 30_000], interval: 30_000),
        .init(gaps: [10_000], interval: 25_000),
        .init(gaps: [2_999, 2_999], interval: 30_000),  // below a fortieth
        .init(gaps: [3_000], interval: 23_250),
        .init(gaps: Array(repeating: 3_000, count: 50), interval: 10_000),  // not below a twelfth
        .init(gaps: Array(repeating: 119_000, count: 50), interval: 60_000),  // not above a half
    ]

    @Test("The interval follows the signs of life", arguments: rhythms, [0, 1, 2]) func observes(
        _ rhythm: Rhythm, _ kind: Int
    ) {
        let node = node()
        for gap in rhythm.gaps {
            node.pass(.milliseconds(gap))
            switch kind {
            case 0: node.register()
            case 1: node.queryDataVersion(Registration())
            default:
                _ = node.call(RequestCode.brokerHeartbeat, ["clusterName": "C", "brokerAddr": "10.0.0.1:10911"])
            }
        }
        let interval = node.core.hearing(of: Self.token)?.interval.wholeMilliseconds ?? 0
        #expect(abs(Int(interval) - rhythm.interval) <= 1)
    }
}

extension CoreNode {
    // The macros cannot look through a core that is not copyable.
    func summary(_ token: ReplicaToken) -> RegistrationSummary? { core.summary(of: token) }
    var nextRemoval: Instant? { core.nextRemoval }

    /// 322 with the version of the registration.
    func queryDataVersion(_ registration: Registration) {
        var body = ByteWriter()
        registration.version.encode(into: &body)
        var command = RemotingCommand(
            request: RequestCode.queryDataVersion,
            fields: ["clusterName": registration.cluster!, "brokerAddr": registration.address!])
        command.body = body.array()
        send(command)
    }

    /// 217.
    func putTopic(_ topic: String, on group: String, perm: Int32 = 6) {
        var route = TopicRouteData()
        route.queueDatas = [QueueData(brokerName: group, readQueueNums: 3, writeQueueNums: 3, perm: perm)]
        send(
            RemotingCommand(
                request: RequestCode.registerTopicInNameServer, fields: ["topic": topic], body: route.encoded()))
    }
}
