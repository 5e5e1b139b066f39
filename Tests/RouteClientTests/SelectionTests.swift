import Basics
import Testing

@testable import RouteClient

private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

/// protocol.md 7.1: one NameServer is kept, failures move on.
@Suite struct NameServerSelectorTests {
    static let addresses = (1...3).map { Address(host: "ns\($0)", port: 9876) }

    @Test func keepsOneUntilItFails() {
        var generator = SeededGenerator(seed: 1)
        var selector = NameServerSelector(NameServerSelectorTests.addresses, using: &generator)
        let first = selector.current
        for _ in 0..<5 { selector.succeeded() }
        #expect(selector.current == first)
        #expect(selector.failed(first, using: &generator) == .tryNow)
        #expect(selector.current == selector.addresses[1])
        // A second call that was under way on the same connection does not skip a NameServer.
        #expect(selector.failed(first, using: &generator) == .tryNow)
        #expect(selector.current == selector.addresses[1])
    }

    @Test func restsAfterEachFullRoundAndForgetsOnSuccess() {
        var generator = SeededGenerator(seed: 2)
        let backoff = Backoff(first: .milliseconds(100), limit: .milliseconds(300))
        var selector = NameServerSelector(NameServerSelectorTests.addresses, backoff: backoff, using: &generator)
        var rests: [Duration] = []
        for _ in 0..<12 {
            if case .rest(let rest) = selector.failed(selector.current, using: &generator) { rests.append(rest) }
        }
        #expect(rests.count == 4)
        for (rest, full) in zip(rests, [100, 200, 300, 300]) {
            #expect(rest >= .milliseconds(full / 2) && rest <= .milliseconds(full), "\(rest) of \(full)")
        }
        selector.succeeded()
        #expect(selector.failed(selector.current, using: &generator) == .tryNow)
    }

    @Test func spreadsClients() {
        let starts = (0..<100 as Range<UInt64>).map { seed in
            var generator = SeededGenerator(seed: seed)
            return NameServerSelector(NameServerSelectorTests.addresses, using: &generator).current.host
        }
        for address in NameServerSelectorTests.addresses { #expect(starts.filter { $0 == address.host }.count > 15) }
    }
}

/// protocol.md 7.6, the v5 figures.
@Suite struct FaultTableTests {
    /// Rows: latency, barred for; both sides of each bound, in milliseconds.
    @Test(arguments: [
        (0, 0), (549, 0), (550, 2_000), (1_799, 2_000), (1_800, 5_000), (2_999, 5_000), (3_000, 6_000), (4_999, 6_000),
        (5_000, 10_000), (10_000, 10_000), (14_999, 10_000), (15_000, 30_000), (60_000, 30_000),
    ])
    func barsByLatency(_ latency: Int64, _ barred: Int64) {
        var table = FaultTable()
        table.record(.answered(after: .milliseconds(latency)), of: "b", now: at(5))
        #expect(table.isAvailable("b", now: at(5 + barred)))
        if barred > 0 { #expect(!table.isAvailable("b", now: at(5 + barred - 1))) }
        #expect(table.isReachable("b"))
    }

    @Test func aFailureBarsForTenSecondsAndASuccessDoesNotShortenThat() {
        var table = FaultTable()
        table.record(.networkError, of: "b", now: at(0))
        table.record(.answered(after: .milliseconds(1)), of: "b", now: at(1_000))
        #expect(!table.isAvailable("b", now: at(9_999)))
        #expect(table.isAvailable("b", now: at(10_000)))
        #expect(table.isAvailable("other", now: at(0)))
    }

    /// Rows: detector, outcome, reachable afterwards.
    @Test(arguments: [
        (false, FaultTable.Outcome.networkError, true), (true, .networkError, false), (false, .refused, false),
        (true, .refused, false), (true, .answered(after: .seconds(20)), true),
    ])
    func reachability(_ hasDetector: Bool, _ outcome: FaultTable.Outcome, _ isReachable: Bool) {
        var table = FaultTable(hasDetector: hasDetector)
        table.record(outcome, of: "b", now: at(0))
        #expect(table.isReachable("b") == isReachable)
        table.detected("b")
        #expect(table.isReachable("b"))
    }

    @Test func detectorAsksEachBrokerEveryTwoSeconds() {
        var table = FaultTable(hasDetector: true)
        for name in ["c", "a", "b"] { table.record(.refused, of: name, now: at(0)) }
        #expect(table.keysToCheck(now: at(0)) == ["a", "b", "c"])
        #expect(table.keysToCheck(now: at(1_999)).isEmpty)
        table.retain { $0 != "b" }
        #expect(table.keysToCheck(now: at(2_000)) == ["a", "c"])
    }
}

/// protocol.md 7.5 and the order of preference of 7.6.
@Suite struct BrokerSelectorTests {
    static let queues = ["a", "b", "c"].flatMap { broker in
        (0..<2).map { MessageQueue(topic: "T", brokerName: broker, queueID: $0) }
    }

    @Test func goesRoundFromARandomStart() {
        var starts: Set<MessageQueue> = []
        for seed in UInt64(0)..<64 {
            var generator = SeededGenerator(seed: seed)
            var selector = BrokerSelector(using: &generator)
            let order = (0..<12).compactMap { _ in
                selector.next(of: BrokerSelectorTests.queues, avoiding: nil, faults: nil, now: at(0))
            }
            starts.insert(order[0])
            #expect(Set(order[..<6]).count == 6)
            #expect(Array(order[..<6]) == Array(order[6...]))
        }
        #expect(starts.count == 6)
    }

    /// Rows: barred, unreachable, avoided, brokers that may be chosen.
    @Test(
        arguments: [
            ([], [], nil, ["a", "b", "c"]), ([], [], "a", ["b", "c"]), (["b"], [], nil, ["a", "c"]),
            (["b"], [], "a", ["c"]), (["b", "c"], [], "a", ["b", "c"]), (["b", "c"], ["c"], "a", ["b"]),
            (["a", "b", "c"], ["b", "c"], "a", ["a", "b", "c"]),
        ] as [([String], [String], String?, [String])])
    func prefers(_ barred: [String], _ unreachable: [String], _ avoided: String?, _ chosen: [String]) {
        var faults = FaultTable(hasDetector: true)
        for name in barred { faults.record(.answered(after: .seconds(20)), of: name, now: at(0)) }
        for name in unreachable { faults.record(.networkError, of: name, now: at(0)) }
        var generator = SeededGenerator(seed: 3)
        var selector = BrokerSelector(using: &generator)
        let names = (0..<60).compactMap { _ in
            selector.next(of: BrokerSelectorTests.queues, avoiding: avoided, faults: faults, now: at(1))?.brokerName
        }
        #expect(names.count == 60)
        #expect(Set(names).sorted() == chosen)
    }

    @Test func theOnlyBrokerIsTakenAgain() {
        var generator = SeededGenerator(seed: 4)
        var selector = BrokerSelector(using: &generator)
        let queue = MessageQueue(topic: "T", brokerName: "a", queueID: 0)
        #expect(selector.next(of: [queue], avoiding: "a", faults: nil, now: at(0)) == queue)
        #expect(selector.next(of: [], avoiding: nil, faults: nil, now: at(0)) == nil)
    }
}

/// RocketMQ's AllocateMessageQueueAveragely.
@Suite struct AverageAllocationTests {
    /// Rows: queues, consumers, how many each gets.
    @Test(arguments: [
        (8, 1, [8]), (8, 2, [4, 4]), (8, 3, [3, 3, 2]), (10, 4, [3, 3, 2, 2]), (3, 5, [1, 1, 1, 0, 0]), (0, 2, [0, 0]),
    ])
    func shares(_ queues: Int, _ consumers: Int, _ counts: [Int]) {
        let all = (0..<queues).map { MessageQueue(topic: "T", brokerName: "b", queueID: Int32($0)) }
        let ids = (0..<consumers).map { "client-\($0)" }
        let shares = ids.map {
            AverageAllocation.queues(of: $0, among: ids.reversed(), from: all.shuffled())
        }
        #expect(shares.map(\.count) == counts)
        #expect(shares.flatMap { $0 } == all)
    }

    @Test func aStrangerGetsNothingAndAnIdCountsOnce() {
        let all = (0..<4).map { MessageQueue(topic: "T", brokerName: "b", queueID: $0) }
        #expect(AverageAllocation.queues(of: "x", among: ["a"], from: all).isEmpty)
        #expect(AverageAllocation.queues(of: "a", among: ["a", "b", "a"], from: all) == Array(all[..<2]))
    }

    @Test func ordersAsJavaDoes() {
        // U+FF5E is below U+1F600 by scalar, above its surrogates by UTF-16 unit.
        #expect("\u{1F600}".precedesAsInJava("\u{FF5E}"))
        let queues = [("b", 0), ("a", 10), ("a", 2)].map { MessageQueue(topic: "T", brokerName: $0.0, queueID: $0.1) }
        #expect(queues.sorted().map(\.description) == ["T@a:2", "T@a:10", "T@b:0"])
    }
}
