import Basics
import NameServerCore
import Remoting
import Testing

/// A node that restarts beside one that heard everybody: from the snapshot on it answers like that one, byte for byte, and
/// goes on to do so while the brokers come back to it one by one, in any order.
@Suite struct LearnedCopyTests {
    private static let topics = (0..<10).map { "T\($0)" }
    private static let names = (0..<6).map { "broker-\($0)" }
    private static let clusters = ["C1", "C2"]

    @Test("A warm-up, seed by seed", arguments: [21, 22, 23, 24, 25, 26] as [UInt64]) func warmsUp(_ seed: UInt64)
        throws
    {
        var generator = SeededGenerator(seed: seed)
        let brokers = Self.brokers(&generator)
        let (source, fresh) = (Self.node(), Self.node())
        for (place, broker) in brokers.enumerated() { source.register(broker, from: UInt64(place + 1)) }
        let expected = everything(source)
        #expect(everything(fresh) != expected)

        try copy(source, to: fresh)
        #expect(everything(fresh) == expected, "seed \(seed): after the snapshot")
        for broker in brokers.shuffled(using: &generator) {
            #expect(fresh.register(broker, from: 1).code == 0)
            guard everything(fresh) == expected else {
                Issue.record("seed \(seed): after \(broker.name ?? "") \(broker.id ?? "") came back")
                return
            }
        }
        #expect(fresh.core.learnedCount == 0)
        #expect(fresh.core.firstHandTokens.count == brokers.count)
    }

    private static func node() -> CoreNode {
        var properties = NamesrvProperties()
        properties.supportActingMaster = true
        return CoreNode.tracking(properties: properties)
    }

    /// Masters before their slaves, and some groups without a master. A group's replicas agree on all but their place.
    private static func brokers(_ generator: inout SeededGenerator) -> [Registration] {
        var brokers: [Registration] = []
        for (group, name) in names.enumerated() {
            var registration = Registration()
            registration.cluster = clusters.randomElement(using: &generator)
            registration.name = name
            registration.actingMaster = [nil, "false", "true"].randomElement(using: &generator) ?? nil
            registration.zone = ["z0", "z1", nil].randomElement(using: &generator) ?? nil
            registration.topics = topics.filter { _ in Bool.random(using: &generator) }.map {
                Registration.topic($0, Int32(1 + group), 4, perm: group % 2 == 0 ? 6 : 7, flag: Int32(group % 4))
            }
            registration.topics += [Registration.topic("own-\(name)"), Registration.topic("T0")]
            registration.topics = registration.topics.filter { $0.topicName != "T0" || group > 0 }
            let hasMaster = registration.actingMaster == nil || Int.random(in: 0..<3, using: &generator) > 0
            for id in (hasMaster ? 0 : 1)...2 {
                registration.id = "\(id)"
                registration.address = "10.0.\(group).\(id):10911"
                brokers.append(registration)
            }
        }
        return brokers
    }

    private func copy(_ source: CoreNode, to fresh: CoreNode) throws {
        let tokens = source.core.firstHandTokens
        var output = ByteWriter()
        source.core.encodeImages(of: tokens, into: &output)
        let images = try RegistrationImages.decode(output.array(), replicas: tokens.count)
        for (place, token) in tokens.enumerated() {
            let summary = source.core.summary(of: token)
            let replica = LearnedReplica(
                summary: try #require(summary), origin: "ns-1", isProvisional: true,
                usableUntil: fresh.now + .seconds(60))
            let outcome = fresh.core.learn(
                replica, image: place, of: images, now: fresh.now, wallTime: fresh.wallTime,
                directives: &fresh.directives)
            #expect(outcome == .learned)
        }
    }

    private func everything(_ node: CoreNode) -> [String] {
        node.everything(
            topics: Self.topics + Self.names.map { "own-\($0)" }, groups: Self.names, clusters: Self.clusters,
            zones: ["z0", "z1"])
    }
}
