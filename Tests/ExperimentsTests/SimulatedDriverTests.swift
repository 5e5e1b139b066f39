import Basics
import Testing

@testable import Experiments

/// Small scenarios whose history is known from RocketMQ's rules and gossip.md.
@Suite struct SimulatedDriverTests {
    @Test func aQuietRunStartsAgreedAndStaysSo() throws {
        let run = try Simulated(.quick(), .observe)
        #expect(zip(run.history, run.history.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(run.history.last == HistoryEvent(time: 40, .ended))
        for node in 0..<3 {
            for broker in 0..<3 {
                #expect(run.sights(node, broker).isEmpty)
                let before = run.history.last { if case .sight(node, broker, _) = $0.kind { true } else { false } }
                #expect(before?.kind == .sight(node: node, broker: broker, .registered))
            }
            // 13 topics of each broker, of which all but two are common, and Orders.
            #expect(run.topics(node) == 16)
            #expect(run.divergences(node).isEmpty)
        }
        // 5 messages a second, each taken at once by a master.
        let sends = run.sends()
        #expect((198...202).contains(sends.count))
        #expect(sends.allSatisfy { $0.attempts == 1 && $0.failure == nil && $0.latencyMillis < 2 })
        #expect(Set(sends.map(\.broker)) == [0, 2])
        let received = run.history.compactMap { if case .received(1, let total) = $0.kind { total } else { nil } }
        #expect(received.last! >= sends.count)
        // Two clients ask every 5 s.
        let routes = run.history.filter { $0.time >= 0 && $0.kind == .route(client: 0, .brokers([0, 1, 2])) }
        #expect((7...9).contains(routes.count))
        #expect(run.notes.isEmpty)
    }

    /// RocketMQ drops a broker as soon as its connection closes.
    @Test func aBrokerKilledLeavesAtOnceAndSendsGoElsewhere() throws {
        let run = try Simulated(.quick((10, nil, .kill([.broker(2)], keepsState: true))))
        for node in 0..<3 {
            let sights = run.sights(node, 2)
            #expect(sights.map(\.sight) == [.absent])
            #expect((10..<10 + Simulated.look).contains(sights[0].time))
        }
        #expect(run.process(.broker(2)) == [.down])
        // Nobody is sent to it again, and no message is lost: those that met the closed port went to the other master.
        let after = run.sends(from: 10.001)
        #expect(after.allSatisfy { $0.broker == 0 && $0.failure == nil })
        #expect(after.contains { $0.attempts == 2 } && after.last?.attempts == 1)
    }

    /// Without FIN only silence tells: last heard up to a heartbeat before, dropped after the timeout by the next scan.
    @Test func aBrokerWithoutPowerLeavesAfterItsTimeoutAndAScan() throws {
        let run = try Simulated(.quick((10, 35, .powerLoss([.broker(2)]))))
        for node in 0..<3 {
            let sights = run.sights(node, 2)
            #expect(sights.map(\.sight) == [.absent, .registered])
            #expect((10 - 5 + 20..<10 + 20 + 2 + Simulated.look).contains(sights[0].time))
            #expect((35..<35 + 1 + Simulated.look).contains(sights[1].time))
        }
        #expect(run.process(.broker(2)) == [.down, .up])
        // A try at the silent broker takes its whole second; the producer bars the broker and goes on with the other.
        let sends = run.sends(from: 10.001, to: 35)
        #expect(sends.allSatisfy { $0.broker == 0 && $0.failure == nil })
        #expect(sends.contains { $0.attempts == 2 && (1_000..<1_100).contains($0.latencyMillis) })
    }

    /// Rows: the arm, what ns-2 makes of the broker that it alone no longer hears, from the 10th to the 45th second.
    @Test(
        arguments: [
            (.off, [.absent, .registered]), (.observe, [.absent, .registered]), (.protect, [.protected, .registered]),
            (.replicate, [.protected, .registered]),
        ] as [(Arm, [HistoryEvent.Sight])])
    func aCutLink(_ arm: Arm, expected: [HistoryEvent.Sight]) throws {
        let cut = Experiments.Fault.cut([Link(from: .broker(2), to: .node(1))])
        let run = try Simulated(.quick((10, 45, cut), lasting: 60), arm)
        let sights = run.sights(1, 2)
        #expect(sights.map(\.sight) == expected)
        #expect((10 - 5 + 20..<10 + 20 + 2 + Simulated.look).contains(sights[0].time))
        #expect(sights[1].time >= 45)
        #expect(run.sights(0, 2).isEmpty && run.sights(2, 2).isEmpty)
        #expect(run.divergences(1).contains("lateHere") == (arm != .off))
        #expect(run.history.contains { if case .alarm(1, _) = $0.kind { true } else { false } } == (arm != .off))
        #expect(run.history.contains { if case .gossipBytes = $0.kind { true } else { false } } == (arm != .off))
    }

    /// Everything that a run leaves behind, in its arms and files, is the same byte for byte.
    @Test func oneSeedIsOneResult() throws {
        let links = [Link(from: .node(0), to: .node(1)), Link(from: .broker(0), to: .node(1))]
        let slow = [Link(from: .client(0), to: .broker(2))]
        let scenario = Scenario.quick(
            (2, 30, .loss(links, perMille: 200)),
            (4, 20, .duplicate([Link(from: .node(1), to: .node(2))], perMille: 300)),
            (5, 12, .kill([.node(0), .client(0)], keepsState: true)),
            (8, 25, .delay(slow, by: .milliseconds(200), jitter: .milliseconds(50))), (14, 22, .pause([.broker(0)])),
            lasting: 32
        ) { $0.arms = [.off, .replicate] }
        func files(seed: UInt64) throws -> [String] {
            let result = try Experiment(
                scenario: scenario, driver: SimulatedDriver(seed: seed), kind: .simulated, seed: seed
            ).run { _ in }
            let line = HistoryLine(PartyNames(scenario))
            return result.arms.flatMap { $0.history.map { line.node(of: $0).compact } } + [
                ResultCoding.node(of: result).readable, HTMLReport.page(result),
            ]
        }
        let first = try files(seed: 7)
        #expect(try files(seed: 7) == first)
        #expect(try files(seed: 8) != first)
    }

    @Test func aGroupMayBeCalledAsNodesAre() throws {
        let run = try Simulated(
            .quick(lasting: 1) {
                for index in $0.replicas.indices where $0.replicas[index].group == "broker-a" {
                    $0.replicas[index].group = "ns"
                }
                $0.topics[0].groups = ["broker-b", "ns"]
            })
        #expect(run.history.contains { $0.kind == .route(client: 0, .brokers([0, 1, 2])) })
    }

    @Test func whatCannotBeSimulatedIsSaid() throws {
        let driver = SimulatedDriver(seed: 1)
        #expect(driver.obstacles(to: .quick { $0.arms = [.off, .apache] }).count == 1)
        let wrong = Scenario.quick { $0.gossipSettings = [.init(key: "witnesses", value: "many")] }
        #expect(driver.obstacles(to: wrong).count == 1)
        #expect(throws: ExperimentError.self) { try driver.run(.off, of: wrong) { _ in } }
    }

    @Test func clientsThatNeverFindTheirTopicEndTheRun() throws {
        let scenario = Scenario.quick { $0.clients[1].topic = "Nowhere" }
        let error = #expect(throws: ExperimentError.self) {
            try SimulatedDriver(seed: 1).run(.off, of: scenario) { _ in }
        }
        #expect(error?.description.hasPrefix("after 160 s consumer-1 has no route: ") == true)
    }
}
