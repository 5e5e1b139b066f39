import Basics
import ClusterView
import FoundationEssentials
import Testing

@testable import Experiments

/// What one node's answers become in the history: differences only.
@Suite struct WatchingAccountTests {
    private static func broker(_ name: String, _ id: Int64, address: String = "10.0.0.1:1") -> String {
        #"{"cluster":"C","name":"\#(name)","id":\#(id),"address":"\#(address)","ageMillis":1,"registrationAgeMillis":1,"#
            + #""timeoutMillis":120000,"topics":3}"#
    }

    private static func reading(_ brokers: [String], gossip: String? = nil, topics: Int = 5) throws -> NodeReading {
        let status = """
            {"node":"ns-1","software":"hearsay","uptimeMillis":1,"wallMillis":1,"totals":{"brokers":1,"groups":1,
            "topics":\(topics),"clusters":1},"counters":{"requests":1,"registrations":1,"heartbeats":1,"lookups":1,
            "lookupMisses":0},"brokers":[\(brokers.joined(separator: ","))],"events":[],"lastEventSequence":0}
            """
        var reading = NodeReading(name: "ns-1", address: Address(host: "10.0.0.1", port: 9_876))
        reading.status = try JSONDecoder().decode(NodeStatus.self, from: Data(status.utf8))
        reading.gossip = try gossip.map { try JSONDecoder().decode(GossipStatus.self, from: Data($0.utf8)) }
        return reading
    }

    private static func gossip(
        _ brokers: String = "", divergences: String = "", bytes: Int = 0, alarms: Int = 0, agrees: Bool = true
    ) -> String {
        #"{"mode":"replicate","state":"ready","peers":[{"name":"ns-2","connected":true,"agrees":\#(agrees),"#
            + #""state":"ready"}],"divergences":[\#(divergences)],"brokers":[\#(brokers)],"#
            + #""counters":{"bytesSent":\#(bytes),"alarms":\#(alarms)}}"#
    }

    private static func late(_ peer: String, reported: Bool = true) -> String {
        #"{"kind":"lateHere","peer":"\#(peer)","broker":"broker-a","id":0,"reported":\#(reported),"text":"late, \#(peer)"}"#
    }

    private var account = NodeAccount(node: 2, replicas: Scenario.sample.replicas)

    @Test func theFirstAnswerTellsEverythingAndTheSameAgainNothing() throws {
        var account = account
        let reading = try Self.reading([Self.broker("broker-a", 0), Self.broker("other", 0)])
        #expect(
            account.update(reading) == [
                .sight(node: 2, broker: 0, .registered), .sight(node: 2, broker: 1, .absent),
                .sight(node: 2, broker: 2, .absent), .topics(node: 2, count: 5),
            ])
        #expect(account.update(reading).isEmpty)
    }

    @Test func aBrokerAtAnotherAddressIsTheSameBroker() throws {
        var account = account
        _ = account.update(try Self.reading([Self.broker("broker-a", 0)]))
        let moved = try Self.reading([Self.broker("broker-a", 0, address: "10.0.0.9:2")])
        #expect(account.update(moved).isEmpty)
    }

    /// Rows: what gossip says of the broker, its age in the tables (nil: not there), the sight.
    @Test(
        arguments: [
            ("", 1, .registered), ("", nil, .absent), ("late", 90_000, .registered),
            // Held, but its own time is not over.
            ("protected", 120_000, .registered), ("protected", 120_001, .protected), ("learned", nil, .learned),
        ] as [(String, Int?, HistoryEvent.Sight)])
    func sights(_ source: String, age: Int?, expected: HistoryEvent.Sight) throws {
        var account = account
        let told =
            source.isEmpty
            ? ""
            : #"{"cluster":"C","name":"broker-b","id":0,"source":"\#(source)","ageMillis":\#(age ?? 0)}"#
        let reading = try Self.reading(age == nil ? [] : [Self.broker("broker-b", 0)], gossip: Self.gossip(told))
        #expect(account.update(reading).contains(.sight(node: 2, broker: 2, expected)))
    }

    @Test func aDifferenceIsToldOnceAsLongAsItLastsAndAgainWhenItReturns() throws {
        var account = account
        let quiet = try Self.reading([], gossip: Self.gossip())
        _ = account.update(quiet)
        #expect(account.isContent)
        let one = try Self.reading([], gossip: Self.gossip(divergences: Self.late("ns-2"), alarms: 1, agrees: false))
        let first = HistoryEvent.Kind.divergence(node: 2, kind: "lateHere", text: "late, ns-2")
        let alarm = HistoryEvent.Kind.alarm(node: 2, text: "late, ns-2")
        #expect(account.update(one) == [.divergences(node: 2, count: 1), first, alarm])
        #expect(!account.isContent)
        #expect(account.update(one).isEmpty)
        let both = Self.gossip(
            divergences: "\(Self.late("ns-2")),\(Self.late("ns-3")),\(Self.late("ns-4", reported: false))", alarms: 1)
        #expect(
            account.update(try Self.reading([], gossip: both)) == [
                .divergences(node: 2, count: 2), .divergence(node: 2, kind: "lateHere", text: "late, ns-3"),
            ])
        #expect(account.update(quiet) == [.divergences(node: 2, count: 0)])
        // The counter went back: the node restarted, and has warned once in its new life.
        #expect(account.update(one) == [.divergences(node: 2, count: 1), first, alarm])
    }

    @Test func bytesAddUpOverTheLivesOfANode() throws {
        var account = account
        var totals: [Int] = []
        for bytes in [0, 100, 100, 350, 40, 60] {
            for case .gossipBytes(_, let total) in account.update(
                try Self.reading([], gossip: Self.gossip(bytes: bytes)))
            {
                totals.append(total)
            }
        }
        #expect(totals == [100, 350, 390, 410])
    }
}
