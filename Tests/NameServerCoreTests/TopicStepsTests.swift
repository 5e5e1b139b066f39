import Basics
import Remoting
import Testing

@testable import NameServerCore

/// Large registrations whose topics enter the tables in steps: what may happen between two of them.
@Suite struct TopicStepsTests {
    private static let count = 50
    private static let stepTopics = 7

    private func node(
        properties: NamesrvProperties = NamesrvProperties(), tracking: KeyedHash? = nil, steps: Int = stepTopics
    ) -> CoreNode {
        var limits = NameServerLimits()
        limits.inlineBodyBytes = 1_000
        let node = CoreNode(properties: properties, limits: limits, tracking: tracking)
        node.stepTopics = steps
        return node
    }

    private static func large(_ queues: Int32 = 4, counter: Int64 = 1, _ count: Int = count) -> Registration {
        Registration().with {
            $0.topics = (0..<count).map { Registration.topic("topic-\($0)", queues, queues) }
            $0.version = DataVersion(counter: counter, timestamp: 1_700_000_000_000 + counter)
        }
    }

    /// Everything that can be seen from outside.
    private func picture(_ node: CoreNode, _ count: Int = count) -> [String] {
        [node.clusterInfo(), node.topicList()] + (0..<count).map { node.route("topic-\($0)").text }
    }

    private func visible(_ node: CoreNode) -> Int {
        (0..<Self.count).filter { node.routeData("topic-\($0)") != nil }.count
    }

    @Test("No step puts more topics than it may, and lookups are answered between") func boundsSteps() {
        let node = node()
        var seen: [Int] = []
        node.betweenSteps = { seen.append(visible(node)) }
        #expect(node.register(Self.large()).code == 0)
        #expect(seen == Array(stride(from: 7, through: 49, by: 7)))
        #expect(visible(node) == 50)
    }

    @Test("In steps or at once, the end is the same", arguments: [false, true]) func endsAlike(deletes: Bool) {
        var properties = NamesrvProperties()
        properties.deleteTopicWithBrokerRegistration = deletes
        let nodes = [node(properties: properties), node(properties: properties, steps: .max)]
        let life = [
            Self.large(), Self.large(8, counter: 2), Self.large(8, counter: 2), Self.large(5, counter: 3, 45),
            Self.large(6, counter: 4).with { $0.topics.shuffle() },
            Self.large(7, counter: 5).with { $0.compressed = true },
        ]
        for registration in life {
            var answers: [RemotingCommand] = []
            for node in nodes { answers.append(node.register(registration)) }
            #expect(answers[0].code == 0 && answers[0].fields == answers[1].fields)
            #expect(picture(nodes[0]) == picture(nodes[1]))
            #expect(nodes[0].eventKinds == nodes[1].eventKinds)
        }
        #expect(nodes[0].core.counters.heartbeats == 1, "a large heartbeat is no less a heartbeat")
        #expect(nodes[0].core.counters == nodes[1].core.counters)
    }

    @Test("A route that was cached between two steps is not served afterwards") func keepsCacheFresh() {
        let node = node()
        node.register(Self.large().with { ($0.name, $0.address) = ("broker-b", "10.0.1.1:1") })
        node.betweenSteps = { _ = picture(node) }
        node.register(Self.large())
        for topic in 0..<Self.count { #expect(node.routeData("topic-\(topic)")?.queueDatas.count == 2) }
    }

    struct Interruption: Sendable {
        var what: String
        var act: @Sendable (CoreNode) -> Void
        /// What is left of the 50 topics.
        var left: ClosedRange<Int>
    }

    static let interruptions: [Interruption] = [
        .init(what: "unregistration", act: { $0.unregister(from: 2) }, left: 0...0),
        .init(what: "close", act: { $0.close(1) }, left: 0...0),
        .init(
            what: "expiry",
            act: {
                $0.pass(.seconds(130))
                $0.scan()
            }, left: 0...0),
        .init(what: "newer registration", act: { $0.register(from: 2) }, left: 21...21),
        .init(
            what: "another with its id",
            act: {
                $0.register(
                    Registration().with {
                        $0.address = "10.0.9.9:1"
                        $0.version = DataVersion(counter: 9, timestamp: 1_800_000_000_000)
                    }, from: 3)
            }, left: 50...50),
    ]

    @Test("What ends a replica, or is newer, ends what is under way", arguments: interruptions)
    func isInterrupted(_ interruption: Interruption) {
        let node = node()
        var steps = 0
        node.betweenSteps = {
            steps += 1
            if steps == 3 {
                node.betweenSteps = nil
                interruption.act(node)
            }
        }
        #expect(node.register(Self.large()).code == 0)
        #expect(node.core.hasStepsLeft == false)
        #expect(interruption.left.contains(visible(node)), "\(interruption.what): \(visible(node))")
        // Whatever was left out comes with the next registration of the same version.
        node.register(Self.large(), from: 4)
        #expect(visible(node) == 50, "\(interruption.what)")
        #expect(node.core.counters.heartbeats == 0, "what was never whole is not repeated")
        node.pass(.seconds(500))
        node.scan()
        #expect(node.topicList() == #"{"topicList":[]}"#)
        #expect(node.core.tables.topicNames.count == 0 && node.core.tables.addressNames.count == 0)
    }

    @Test("A newer version that was interrupted has the next one of its version change what it left out")
    func changesWhatWasLeftOut() {
        let node = node()
        node.register(Self.large(4, counter: 1))
        node.betweenSteps = { node.close(1) }
        node.register(Self.large(9, counter: 2), from: 1)
        node.betweenSteps = nil
        node.register(Self.large(9, counter: 2), from: 2)
        for topic in 0..<Self.count {
            #expect(node.routeData("topic-\(topic)")?.queueDatas.first?.readQueueNums == 9, "topic-\(topic)")
        }
    }

    @Test("Administration finds the registration whole") func completesForAdministration() {
        let node = node()
        node.betweenSteps = {
            node.betweenSteps = nil
            #expect(visible(node) == 7)
            _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": "broker-a"])
            #expect(visible(node) == 50)
            _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "topic-49"])
        }
        #expect(node.register(Self.large()).code == 0)
        #expect(visible(node) == 49)
        for topic in 0..<49 { #expect(node.routeData("topic-\(topic)")?.queueDatas.first?.perm == 4) }
    }

    @Test("Another replica of the group finds it whole; others do not wait") func completesForItsGroup() {
        let node = node()
        node.betweenSteps = {
            node.betweenSteps = nil
            node.register(Registration().with { ($0.name, $0.address) = ("broker-b", "10.0.1.1:1") }, from: 7)
            #expect(visible(node) == 7)
            node.register(.slave(), from: 8)
            #expect(visible(node) == 50)
        }
        #expect(node.register(Self.large()).code == 0)
        #expect(node.group() == [0: "10.0.0.1:10911", 1: "10.0.0.2:10911"])
    }

    @Test("Until it is whole, 322 says that the broker has something newer") func answersQueries() {
        let node = node()
        let fields: KeyValuePairs = [
            "brokerName": "broker-a", "brokerAddr": "10.0.0.1:10911", "clusterName": "C", "brokerId": "0",
        ]
        func changed() -> String? {
            node.call(
                RequestCode.queryDataVersion, fields,
                body: #"{"counter":1,"stateVersion":0,"timestamp":1700000000001}"#
            )["changed"]
        }
        var answers: Set<String?> = []
        node.betweenSteps = { answers.insert(changed()) }
        node.register(Self.large())
        #expect(answers == ["true"])
        #expect(changed() == "false")
    }

    @Test("Gossip hears of a new replica before its topics, and again when it is whole") func tellsGossip() throws {
        let hash = KeyedHash(low: 5, high: 6)
        let nodes = [node(tracking: hash), node(tracking: hash, steps: .max)]
        var counts: [Int] = []
        nodes[0].betweenSteps = {
            counts.append(nodes[0].summary(of: Self.large())?.topicCount ?? -1)
        }
        var hashes: [UInt64?] = []
        for node in nodes {
            node.register(Self.large())
            let summary = node.summary(of: Self.large())
            hashes.append(summary?.registrationHash)
            #expect(summary?.residueCount == 0 && summary?.topicCount == 50)
        }
        #expect(Set(counts) == [0])
        #expect(hashes[0] == hashes[1])
        let token = try #require(nodes[0].token(of: Self.large()))
        #expect(nodes[0].changes == [.registered(token), .registered(token)])
        #expect(nodes[1].changes == [.registered(token)])
    }

    @Test("A replica whose connection closes between two steps was told of before it is told of as closed")
    func tellsGossipOfTheEnd() throws {
        let node = node(tracking: KeyedHash(low: 5, high: 6))
        node.core.closeGrace = .seconds(1)
        node.betweenSteps = {
            node.betweenSteps = nil
            node.close(1)
        }
        node.register(Self.large())
        let token = try #require(node.token(of: Self.large()))
        #expect(node.changes == [.registered(token), .closed(token)])
        #expect(visible(node) == 7)
    }

    /// Registrations of four replicas of two groups in small steps, with anything between any two steps.
    @Test("Random interruptions leave nothing behind", arguments: [1, 2, 3, 4, 5, 6] as [UInt64], [false, true])
    func survivesAnything(seed: UInt64, isTracking: Bool) {
        var random = SeededGenerator(seed: seed)
        let node = node(tracking: isTracking ? KeyedHash(low: 5, high: 6) : nil, steps: 3)
        func registration() -> Registration {
            let replica = Int.random(in: 0..<4, using: &random)
            let counter = Int64.random(in: 1...3, using: &random)
            return Self.large(Int32(counter), counter: counter, Int.random(in: 25...40, using: &random)).with {
                $0.name = "broker-\(replica / 2)"
                $0.id = "\(replica % 2)"
                $0.actingMaster = "true"
                $0.address = "10.0.0.\(replica):1"
            }
        }
        func act() {
            let other = registration()
            let connection = UInt64.random(in: 1...5, using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0: node.close(connection)
            case 1: node.unregister(other.address!, name: other.name!, id: Int64(other.id!)!, from: connection)
            case 2: node.register(other.with { $0.topics.removeLast($0.topics.count - 3) }, from: connection)
            case 3: _ = node.call(RequestCode.wipeWritePermOfBroker, ["brokerName": other.name!])
            case 4: _ = node.call(RequestCode.deleteTopicInNameServer, ["topic": "topic-7"])
            case 5:
                node.pass(.seconds(70))
                node.scan()
            default: _ = node.route("topic-3")
            }
        }
        node.betweenSteps = act
        for _ in 0..<200 {
            node.register(registration(), from: UInt64.random(in: 1...5, using: &random))
            act()
        }
        node.betweenSteps = nil
        #expect(node.core.hasStepsLeft == false)
        for replica in 0..<4 {
            node.unregister("10.0.0.\(replica):1", name: "broker-\(replica / 2)", id: Int64(replica % 2), from: 99)
        }
        node.pass(.seconds(500))
        node.scan()
        #expect(node.topicList() == #"{"topicList":[]}"#)
        let tables = (
            node.core.tables.topicNames.count, node.core.tables.groupNames.count,
            node.core.tables.clusterNames.count, node.core.tables.addressNames.count,
            node.core.tables.queueSettings.count
        )
        #expect(tables == (0, 0, 0, 0, 0), "seed \(seed)")
    }
}
