import Basics
import Testing

@testable import Experiments

/// Every fault of the vocabulary does what its name says, seen from outside.
@Suite struct SimulatedFaultTests {
    // MARK: Processes

    @Test func aBrokerStoppedInOrderSaysGoodbyeAndComesBack() throws {
        let run = try Simulated(.quick((10, 20, .stop([.broker(2)]))))
        for node in 0..<3 {
            let sights = run.sights(node, 2)
            #expect(sights.map(\.sight) == [.absent, .registered])
            #expect(sights[0].time < 10 + Simulated.look && (20..<20 + 1).contains(sights[1].time))
        }
        #expect(run.process(.broker(2)) == [.down, .up])
    }

    /// Brokers find a node that is back within seconds; while it is away nothing is known of it.
    @Test(arguments: [Experiments.Fault.stop([.node(0)]), .kill([.node(0)], keepsState: false), .powerLoss([.node(0)])])
    func aNodeThatWasAwayIsFilledAgain(_ fault: Experiments.Fault) throws {
        let run = try Simulated(.quick((10, 20, fault), lasting: 60))
        #expect(run.process(.node(0)) == [.down, .up])
        for broker in 0..<3 {
            let sights = run.sights(0, broker)
            #expect(sights.last?.sight ?? .registered == .registered)
            #expect(sights.allSatisfy { $0.time >= 20 })
        }
        #expect(run.topics(0) == 16)
        // Clients that asked it ask another one.
        #expect(run.sends().allSatisfy { $0.failure == nil })
    }

    @Test func aPausedBrokerIsDroppedAfterItsTimeoutAndComesBackByItself() throws {
        let run = try Simulated(.quick((10, 36, .pause([.broker(2)])), lasting: 50))
        #expect(run.process(.broker(2)) == [.paused, .up])
        for node in 0..<3 {
            let sights = run.sights(node, 2)
            #expect(sights.map(\.sight) == [.absent, .registered])
            #expect((25..<33).contains(sights[0].time) && (36..<42).contains(sights[1].time))
        }
    }

    @Test func aPausedClientIsSilentAndThenSendsWhatWasDue() throws {
        let run = try Simulated(.quick((10, 20, .pause([.client(0)]))))
        #expect(run.sends(from: 10.001, to: 20).isEmpty)
        // The messages that were due meanwhile all count from when they were due.
        let late = run.sends(from: 20, to: 20.1)
        #expect((48...52).contains(late.count) && late.contains { $0.latencyMillis > 9_500 })
    }

    @Test func aKilledClientStartsAnewAndCountsNothingTwice() throws {
        let run = try Simulated(.quick((10, 20, .kill([.client(1)], keepsState: true))))
        let totals = run.history.compactMap { if case .received(1, let total) = $0.kind { total } else { nil } }
        #expect(totals == totals.sorted())
        #expect(totals.last == run.history.count { if case .send = $0.kind { true } else { false } })
        #expect(run.process(.client(1)) == [.down, .up])
    }

    @Test func whoIsHeldDownByTwoFaultsComesBackAfterTheLast() throws {
        let run = try Simulated(
            .quick(
                (5, 15, .kill([.broker(2)], keepsState: true)), (10, 25, .powerLoss([.broker(2)])),
                (28, 32, .pause([.broker(2)])), (30, 36, .pause([.broker(2)]))))
        let changes: [String] = run.history.compactMap {
            guard $0.time >= 0, case .process(.broker(2), let state) = $0.kind else { return nil }
            return "\(Int($0.time)) \(state)"
        }
        #expect(changes == ["5 down", "25 up", "28 paused", "36 up"])
    }

    // MARK: Brokers

    @Test func aBrokerThatMovesIsUsedAtItsNewAddress() throws {
        let run = try Simulated(.quick((10, nil, .move(broker: 2))))
        #expect(run.process(.broker(2)) == [.down, .up])
        for node in 0..<3 { #expect(run.sights(node, 2).last?.sight ?? .registered == .registered) }
        let later = run.sends(from: 20)
        #expect(later.contains { $0.broker == 2 } && later.allSatisfy { $0.attempts == 1 })
    }

    @Test func aGoodbyeThatReachesOneNodeOnly() throws {
        let run = try Simulated(.quick((10, nil, .unregister(broker: 2, at: [0]))))
        #expect(run.process(.broker(2)) == [.down])
        #expect(run.sights(0, 2).map(\.sight) == [.absent] && run.sights(0, 2)[0].time < 10 + Simulated.look)
        for node in [1, 2] {
            #expect(run.words(node, 2) == [.absent])
            #expect((25..<32 + Simulated.look).contains(run.sights(node, 2)[0].time))
        }
    }

    @Test func aStrayGoodbyeLastsUntilTheNextHeartbeat() throws {
        let run = try Simulated(.quick((10, nil, .strayUnregister(broker: 2, at: [0, 1]))))
        for node in [0, 1] {
            let sights = run.sights(node, 2)
            #expect(sights.map(\.sight) == [.absent, .registered])
            #expect((10..<10 + Simulated.look).contains(sights[0].time) && (10..<15.2).contains(sights[1].time))
        }
        #expect(run.sights(2, 2).isEmpty && run.process(.broker(2)).isEmpty)
    }

    @Test func aTopicThatABrokerCreatesReachesAllNodes() throws {
        let run = try Simulated(.quick((10, nil, .createTopic(broker: 0, name: "Fresh"))))
        #expect((0..<3).map { run.topics($0) } == [17, 17, 17])
        #expect(run.notes.isEmpty)
    }

    // MARK: Operators

    @Test func aKeyThatReachesTwoOfThreeNodesIsADifference() throws {
        let put = Experiments.Fault.putKeyValue(namespace: "ORDER_TOPIC_CONFIG", key: "k", value: "v", at: [0, 1])
        let delete = Experiments.Fault.deleteKeyValue(namespace: "ORDER_TOPIC_CONFIG", key: "k", at: [0, 1])
        let run = try Simulated(.quick((5, nil, put), (20, nil, delete)), .observe)
        for node in 0..<3 {
            #expect(run.divergences(node) == ["keyValue"])
            let counts = run.history.filter { if case .divergences(node, _) = $0.kind { true } else { false } }
            #expect(counts.last?.kind == .divergences(node: node, count: 0))
        }
        #expect(run.notes.isEmpty)
    }

    /// A node that was killed keeps what reached its disk. Rows: disk full meanwhile, disk kept, whether the key is still there.
    @Test(arguments: [(false, true, true), (true, true, false), (false, false, false)])
    func whatIsOnTheDiskSurvives(_ isFull: Bool, _ keepsState: Bool, _ survives: Bool) throws {
        let put = Experiments.Fault.putKeyValue(namespace: "N", key: "k", value: "v", at: [0, 1, 2])
        let full = Experiments.Fault.diskFull(isFull ? [0] : [])
        let run = try Simulated(
            .quick((4, 8, full), (5, nil, put), (10, 12, .kill([.node(0)], keepsState: keepsState)), lasting: 60),
            .observe
        )
        #expect(run.divergences(0).contains("keyValue") == !survives)
    }

    @Test func aPermissionTakenAtOneNodeIsADifference() throws {
        let run = try Simulated(.quick((5, nil, .wipeWritePermission(group: "broker-b", at: [1]))), .observe)
        #expect(run.divergences(0).union(run.divergences(2)).contains("permission"))
    }

    @Test func aCommandWithoutAnswerIsNoted() throws {
        let put = Experiments.Fault.putKeyValue(namespace: "N", key: "k", value: "v", at: [1])
        let run = try Simulated(.quick((5, nil, .kill([.node(1)], keepsState: true)), (6, nil, put)))
        #expect(run.notes.count == 1 && run.notes[0].hasPrefix("PUT_KV_CONFIG at ns-2: "))
    }

    // MARK: Links

    private static let toMasters = [Link(from: .client(0), to: .broker(0)), Link(from: .client(0), to: .broker(2))]

    /// Rows: the fault on the producer's way to both masters, and between which latencies in milliseconds half of its messages lie.
    @Test(
        arguments: [
            (.delay(toMasters, by: .milliseconds(300), jitter: .zero), 300...302),
            (.delay(toMasters, by: .milliseconds(300), jitter: .milliseconds(100)), 200...402),
            // A request is some 450 bytes, a packet's head among them.
            (.bandwidth(toMasters, bytesPerSecond: 4_000), 80...300),
            (.loss(toMasters, perMille: 600), 200...1_100),
        ] as [(Experiments.Fault, ClosedRange<Double>)])
    func slowLinks(_ fault: Experiments.Fault, _ range: ClosedRange<Double>) throws {
        let run = try Simulated(
            .quick((10, 30, fault)) { $0.clients[0].role = .producer(rate: 5, avoidsFaults: false) })
        let sorted = run.sends(from: 11, to: 30).map(\.latencyMillis).sorted()
        #expect(range.contains(sorted[sorted.count / 2]), "\(sorted)")
        #expect(run.sends(from: 34).allSatisfy { $0.latencyMillis < 2 })
    }

    @Test func faultsOfOneLinkAddUpAndEndByThemselves() throws {
        let delay = Experiments.Fault.delay(Self.toMasters, by: .milliseconds(100), jitter: .zero)
        let run = try Simulated(.quick((10, 30, delay), (15, 20, delay)))
        for (start, end, expected) in [(10.2, 15.0, 100.0), (15.3, 20, 200), (20.3, 30, 100), (30.2, 40, 0)] {
            let sends = run.sends(from: start, to: end)
            #expect(!sends.isEmpty && sends.allSatisfy { (expected..<expected + 2).contains($0.latencyMillis) })
        }
    }

    @Test func doubledGossipFramesDoNoHarm() throws {
        let links = [Link(from: .node(0), to: .node(1)), Link(from: .node(1), to: .node(0))]
        let run = try Simulated(.quick((5, nil, .duplicate(links, perMille: 1_000))), .protect)
        #expect((0..<3).allSatisfy { run.divergences($0).isEmpty })
    }

    /// A connection that is reset takes the broker off the node at once, and the broker comes again within a second or so.
    @Test func aResetIsACloseForTheNode() throws {
        let run = try Simulated(.quick((10, nil, .reset([Link(from: .broker(2), to: .node(0))]))))
        let sights = run.sights(0, 2)
        #expect(sights.map(\.sight) == [.absent, .registered])
        #expect(sights[0].time < 10 + Simulated.look && sights[1].time < 12)
        #expect(run.sights(1, 2).isEmpty)
    }

    /// Nobody is told; the broker notices with its next registration, and dials again before its time at the node is over.
    @Test func aHalfOpenConnectionIsReplaced() throws {
        let run = try Simulated(.quick((10, nil, .halfOpen([Link(from: .broker(2), to: .node(0))])), lasting: 60))
        #expect(run.sights(0, 2).isEmpty)
    }

    @Test func aCutThatEndsDeliversWhatWasSent() throws {
        let cut = Self.toMasters.flatMap { [$0, $0.reversed] }
        let run = try Simulated(.quick((10, 25, .cut(cut))))
        let cutOff = run.sends(from: 14, to: 25)
        // Three tries of a second each.
        #expect(!cutOff.isEmpty && cutOff.allSatisfy { $0.broker == nil && $0.attempts == 3 && $0.failure != nil })
        #expect(run.sends(from: 35).allSatisfy { $0.failure == nil })
    }

    // MARK: Clocks

    @Test func aWallClockThatJumpsChangesNothing() throws {
        let run = try Simulated(.quick((10, nil, .clockJump([.node(0), .broker(2)], by: .seconds(3_600)))))
        for node in 0..<3 { for broker in 0..<3 { #expect(run.sights(node, broker).isEmpty) } }
    }

    /// At a fifth of the speed, heartbeats of 5 s come every 25 s: too late for a timeout of 20 s.
    @Test func aBrokerWhoseClockIsSlowIsLate() throws {
        let run = try Simulated(.quick((10, 60, .clockDrift([.broker(2)], perMillion: -800_000)), lasting: 80))
        for node in 0..<3 {
            #expect(run.words(node, 2).starts(with: [.absent, .registered]))
            #expect(run.words(node, 2).last == .registered)
        }
    }
}
