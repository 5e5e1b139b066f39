import Basics
import BrokerAgent
import Platform
import Remoting
import RemotingTransport
import RouteClient
import Simulator
import Testing

@testable import Experiments

/// Observer and clients in virtual time, against a NameServer that answers what it is told to; the simulated driver's tests have
/// them with real nodes.
@Suite struct WatchingTests {
    /// A NameServer that answers what it is told to, and what was seen.
    private final class Bench: RemotingServerHandler {
        let world = World(seed: 1)
        let platform: SimulatedPlatform
        private(set) var server: RemotingServer!
        private(set) var events: [HistoryEvent.Kind] = []
        /// By request code; codes that are missing are refused as Apache's do.
        var bodies: [Int32: String] = [:]
        var isSilent = false
        var asked: [Int32: Int] = [:]

        init() throws {
            platform = SimulatedPlatform(on: world.makeHost("here", ip: "127.0.0.1"), seed: 1)
            server = try RemotingServer(platform: platform, address: Address(host: "127.0.0.1", port: 0), handler: self)
        }

        deinit { world.tearDown() }

        /// Runs until the condition holds, for a minute at most.
        func run(until condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) {
            let end = world.time + 60_000_000_000
            while !condition(), world.step(until: end) {}
            #expect(condition(), "not within a minute", sourceLocation: sourceLocation)
        }

        var time: () -> Double { { [unowned self] in Double(world.time) / 1e9 } }

        func take(_ event: HistoryEvent) {
            #expect(event.time == time())
            events.append(event.kind)
        }

        func received(_ command: RemotingCommand, from peer: RemotingPeer) {
            asked[command.code, default: 0] += 1
            if isSilent { return }
            guard let body = bodies[command.code] else {
                return peer.send(.response(to: command, code: ResponseCode.requestCodeNotSupported))
            }
            // A body that is a number stands for an answer of that code.
            let code = Int32(body) ?? 0
            peer.send(.response(to: command, code: code, body: code == 0 ? Array(body.utf8) : []))
        }

        func closed(_ peer: RemotingPeer) {}
    }

    private static func clusterInfo(_ replicas: String) -> String {
        #"{"brokerAddrTable":{"broker-a":{"brokerAddrs":{\#(replicas)},"brokerName":"broker-a","cluster":"C"}},"#
            + #""clusterAddrTable":{"C":["broker-a"]}}"#
    }

    private var single: Experiments.Scenario {
        var scenario = Experiments.Scenario.sample
        scenario.nodes = [scenario.nodes[0]]
        return scenario
    }

    @Test func anApacheNameServerIsAskedForItsGroupsAndTopics() throws {
        let bench = try Bench()
        bench.bodies[RequestCode.getBrokerClusterInfo] = Self.clusterInfo(#"0:"10.0.0.1:1""#)
        bench.bodies[RequestCode.getAllTopicListFromNameServer] = #"{"topicList":["Orders","A"]}"#
        let observer = Observer(
            platform: bench.platform, scenario: single, nodes: [bench.server.address], interval: .milliseconds(10),
            time: bench.time, onEvent: { bench.take($0) })
        observer.start()
        bench.run { bench.events.count == 4 }
        #expect(
            bench.events == [
                .sight(node: 0, broker: 0, .registered), .sight(node: 0, broker: 1, .absent),
                .sight(node: 0, broker: 2, .absent), .topics(node: 0, count: 2),
            ])
        #expect(observer.agrees(on: [0]) && !observer.agrees(on: [0, 1]))
        // A slave appears, the master goes.
        bench.bodies[RequestCode.getBrokerClusterInfo] = Self.clusterInfo(#"1:"10.0.0.1:2""#)
        bench.run { bench.events.count == 6 }
        #expect(
            bench.events.suffix(2) == [.sight(node: 0, broker: 0, .absent), .sight(node: 0, broker: 1, .registered)])
        // What it does not know is asked for once.
        #expect(bench.asked[RequestCode.getNodeStatus] == 1 && bench.asked[RequestCode.getGossipStatus] == 1)
        // It fails to list its groups, as Apache's does now and then, and says nothing by that.
        bench.bodies[RequestCode.getBrokerClusterInfo] = "1"
        bench.run { !observer.agrees(on: []) }
        #expect(bench.events.count == 6)
        observer.stop()
    }

    @Test func aNodeThatFallsSilentKeepsItsLastSight() throws {
        let bench = try Bench()
        bench.bodies[RequestCode.getBrokerClusterInfo] = Self.clusterInfo(#"0:"10.0.0.1:1""#)
        let observer = Observer(
            platform: bench.platform, scenario: single, nodes: [bench.server.address], interval: .milliseconds(10),
            time: bench.time, onEvent: { bench.take($0) })
        observer.start()
        bench.run { observer.agrees(on: [0]) }
        let seen = bench.events
        bench.isSilent = true
        // Once the first question's time is over, whoever is there is asked everything again.
        bench.run { bench.asked[RequestCode.getNodeStatus] == 3 }
        #expect(bench.events == seen)
        #expect(observer.sights[0][0] == .registered && !observer.agrees(on: [0]))
        bench.isSilent = false
        bench.run { observer.agrees(on: [0]) }
        #expect(bench.events == seen)
        observer.stop()
    }

    /// A broker that keeps what a producer sends, found through the stand-in NameServer.
    private func broker(_ bench: Bench) throws -> StandInBroker {
        let identity = BrokerIdentity(
            name: "broker-b", brokerID: 0, address: Address(host: "127.0.0.1", port: 0), heartbeatTimeout: nil)
        var options = StandInBroker.Options(identity: identity, nameServers: [], seed: 1)
        options.topics = [TopicConfig("Orders", readQueues: 4, writeQueues: 4)]
        let broker = try StandInBroker(platform: bench.platform, options: options)
        bench.bodies[RequestCode.getRouteInfoByTopic] =
            #"{"brokerDatas":[{"brokerAddrs":{"0":"\#(broker.identity.address)"},"brokerName":"broker-b","cluster":"C"}],"#
            + #""filterServerTable":{},"queueDatas":[{"brokerName":"broker-b","perm":6,"readQueueNums":4,"#
            + #""topicSysFlag":0,"writeQueueNums":4}]}"#
        broker.start()
        return broker
    }

    @Test func aProducerAndAConsumerTellWhatTheyGoThrough() throws {
        let bench = try Bench()
        let broker = try broker(bench)
        let runs = [0, 1].map {
            ClientRun(
                platform: bench.platform, scenario: .sample, client: $0, nameServers: [bench.server.address],
                timeScale: 100, seed: UInt64($0), time: bench.time, onEvent: { bench.take($0) })
        }
        for run in runs { run.start() }
        // 5 a second of scenario time: 500 a second.
        bench.run { runs[1].received >= 50 }
        for run in runs { #expect(run.hasRoute) }
        var sent = 0
        for event in bench.events {
            switch event {
            case .route(_, let outcome): #expect(outcome == .brokers([2]))
            case .send(let client, let outcome):
                #expect(client == 0 && outcome.broker == 2 && outcome.attempts == 1 && outcome.failure == nil)
                #expect(outcome.latencyMillis >= 0)
                sent += 1
            case .received(let client, _): #expect(client == 1)
            default: Issue.record("\(event)")
            }
        }
        // The last answers are on their way.
        #expect(sent <= Int(broker.counters.stored) && sent >= 45)
        // A consumer that starts again reads everything again, and counts none of it twice.
        runs[0].stop()
        let stored = Int(broker.counters.stored)
        bench.run { runs[1].received == stored }
        let told = bench.events.count
        runs[1].start()
        let delivered = broker.counters.delivered
        bench.run { broker.counters.delivered >= delivered + Int64(stored) && runs[1].hasRoute }
        #expect(runs[1].received == stored)
        runs[1].stop()
        #expect(!bench.events[told...].contains { if case .send = $0 { true } else { false } })
    }

    /// Rows: the code of every route answer, what the client tells.
    @Test(
        arguments: [
            ("17", .noRoute), ("1", .notReady),
        ] as [(String, HistoryEvent.RouteOutcome)])
    func routesThatAreRefused(_ code: String, expected: HistoryEvent.RouteOutcome) throws {
        let bench = try Bench()
        bench.bodies[RequestCode.getRouteInfoByTopic] = code
        let run = ClientRun(
            platform: bench.platform, scenario: .sample, client: 0, nameServers: [bench.server.address], timeScale: 100,
            seed: 1, time: bench.time, onEvent: { bench.take($0) })
        run.start()
        bench.run { bench.events.contains { if case .send = $0 { true } else { false } } }
        run.stop()
        #expect(bench.events.contains(.route(client: 0, expected)))
        guard case .send(0, let outcome)? = bench.events.last else {
            Issue.record("\(bench.events)")
            return
        }
        #expect(outcome.broker == nil && outcome.attempts == 0 && outcome.failure != nil)
        #expect(!run.hasRoute)
    }

    @Test func nobodyAnswers() throws {
        let bench = try Bench()
        let address = bench.server.address
        bench.server.close()
        let run = ClientRun(
            platform: bench.platform, scenario: .sample, client: 1, nameServers: [address], timeScale: 100, seed: 1,
            time: bench.time, onEvent: { bench.take($0) })
        run.start()
        bench.run { !bench.events.isEmpty }
        run.stop()
        #expect(bench.events == [.route(client: 1, .unanswered)])
    }
}
