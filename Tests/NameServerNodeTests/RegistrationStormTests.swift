import Basics
import Logging
import NameServerNode
import Platform
import Remoting
import Simulator
import Testing

@testable import NameServerCore

/// Many large registrations at the same moment, in virtual time: how much happens in one turn, and who waits.
@Suite struct RegistrationStormTests {
    private static let brokers = 12
    private static let topics = 3_000

    private func options() -> NodeOptions {
        var options = NodeOptions(properties: NamesrvProperties())
        options.properties.kvConfigPath = ""
        options.listen = Address(host: "10.0.0.1", port: 9_876)
        options.limits.inlineBodyBytes = 10_000
        options.limits.pendingBytes = 3 * Self.bodyBytes
        return options
    }

    private static var bodyBytes: Int { registration(0).body.count + 1_000 }

    private static func registration(_ broker: Int, version: Int64 = 1) -> RemotingCommand {
        let topics = (0..<topics).map { TopicConfig(topicName: "broker-\(broker)-topic-\($0)") }
        let body = RegistrationBody.encode(
            topics: topics, dataVersion: DataVersion(counter: version, timestamp: version), filterServers: [],
            compressed: false, version: 479)
        var command = RemotingCommand(
            request: RequestCode.registerBroker,
            fields: [
                "brokerName": "broker-\(broker)", "brokerAddr": "10.1.0.\(broker):10911", "clusterName": "C",
                "brokerId": "0", "bodyCrc32": "\(body.withUnsafeBytes { Checksum.bodyCRC32($0) })",
            ], body: body)
        command.opaque = Int32(broker)
        return command
    }

    private static let lookup = RemotingCommand(
        request: RequestCode.getRouteInfoByTopic, fields: ["topic": "broker-0-topic-0"])

    /// A node, its brokers and a client that asks again as soon as it is answered.
    private struct Scene {
        let world = World(seed: 5)
        let node: NameServerNode
        let platform: SimulatedPlatform
        let clients: SimulatedPlatform

        init(_ options: NodeOptions) throws {
            platform = SimulatedPlatform(on: world.makeHost("ns-1", ip: "10.0.0.1"), seed: 1)
            clients = SimulatedPlatform(on: world.makeHost("clients", ip: "10.9.0.1"), seed: 2)
            let logger = Logger(label: "ns-1") { _ in SwiftLogNoOpLogHandler() }
            node = try NameServerNode(platform: platform, options: options, logger: logger)
            try node.start()
        }

        func connect(_ handler: Talker, to address: Address) {
            handler.stream = clients.connect(
                to: address, timeout: .seconds(3), options: StreamOptions(), handler: handler)
        }

        var topics: Int { node.inspectTables { $0.tables.topicCount } }
        var pendingBytes: Int { node.inspectTables { $0.pendingBytes } }
    }

    @Test func sharesTurns() throws {
        let options = options()
        let scene = try Scene(options)
        defer { scene.world.tearDown() }
        let brokers = (0..<Self.brokers).map { Talker([Self.registration($0)]) }
        let client = Talker([Self.lookup], repeats: true)
        scene.connect(client, to: options.listen)
        for broker in brokers { scene.connect(broker, to: options.listen) }
        var (before, most, between) = (0, 0, Set<Int>())
        while brokers.contains(where: { $0.answers.isEmpty }), scene.world.step(until: 20_000_000_000) {
            let topics = scene.topics
            most = max(most, topics - before)
            before = topics
            if topics % Self.topics != 0 { between.insert(topics) }
            #expect(scene.pendingBytes <= options.limits.pendingBytes)
        }
        #expect(brokers.allSatisfy { $0.answers.first?.code == ResponseCode.success && $0.answers.count == 1 })
        #expect(scene.topics == Self.brokers * Self.topics)
        #expect(most <= 1_024, "\(most) topics in one turn")
        #expect(between.count >= 2 * Self.brokers, "other events come between the turns of one registration")
        #expect(client.answers.contains { $0.code == ResponseCode.success })
        #expect(scene.pendingBytes == 0)
    }

    /// Connections close while their registrations wait, are decoded or enter the tables; the others are none the worse.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64]) func survivesClosings(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let options = options()
        let scene = try Scene(options)
        defer { scene.world.tearDown() }
        let brokers = (0..<Self.brokers).map { Talker([Self.registration($0), Self.registration($0, version: 2)]) }
        for broker in brokers { scene.connect(broker, to: options.listen) }
        let leaving = brokers.indices.filter { _ in Bool.random(using: &random) }
        var left = leaving.shuffled(using: &random)
        var steps = 0
        func isWaiting(_ broker: Int) -> Bool { !leaving.contains(broker) && brokers[broker].answers.count < 2 }
        while brokers.indices.contains(where: isWaiting) {
            try #require(scene.world.step(until: 60_000_000_000))
            steps += 1
            if steps % 20 == 0, let next = left.popLast() { brokers[next].stream?.close() }
        }
        for broker in left { brokers[broker].stream?.close() }
        scene.world.run(for: .seconds(5))
        #expect(scene.topics == (Self.brokers - leaving.count) * Self.topics, "seed \(seed)")
        #expect(scene.pendingBytes == 0)
        #expect(scene.node.inspectTables { $0.hasStepsLeft } == false)
    }
}

/// Sends requests, each when the one before was answered, and keeps the answers.
private final class Talker: StreamHandler {
    private let requests: [RemotingCommand]
    private let repeats: Bool
    private(set) var answers: [RemotingCommand] = []
    var stream: (any ByteStream)?

    init(_ requests: [RemotingCommand], repeats: Bool = false) {
        self.requests = requests
        self.repeats = repeats
    }

    private func next(_ stream: any ByteStream) {
        guard repeats || answers.count < requests.count else { return }
        requests[answers.count % requests.count].encoded().withUnsafeBytes { stream.write($0) }
    }

    func streamOpened(_ stream: any ByteStream) { next(stream) }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        guard case .frame(let frame)? = try? Frame.first(in: bytes), let answer = try? RemotingCommand(decoding: frame)
        else { return Consumption(consumed: 0) }
        answers.append(answer)
        next(stream)
        return Consumption(consumed: frame.length)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) {}
}
