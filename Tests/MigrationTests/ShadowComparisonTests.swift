import Basics
import Remoting
import Testing

@testable import Migration

/// A listing with groups given as `name: addresses by id`, all in cluster C.
private func listing(
    _ groups: [String: [Int64: String]], topics: Set<String> = ["T"], change: (inout ServerListing) -> Void = { _ in }
) -> ServerListing {
    var listing = ServerListing()
    for (name, addresses) in groups {
        listing.cluster.brokerAddrTable[name] = BrokerData(cluster: "C", brokerName: name, brokerAddrs: addresses)
        listing.cluster.clusterAddrTable["C", default: []].append(name)
    }
    listing.topics = topics
    change(&listing)
    return listing
}

/// A route whose groups have the addresses given, with 4/4 queues that may be read and written.
private func route(
    _ groups: [String: [Int64: String]], change: (inout TopicRouteData) -> Void = { _ in }
) -> RouteAnswer {
    var route = TopicRouteData()
    for (name, addresses) in groups {
        route.brokerDatas.append(BrokerData(cluster: "C", brokerName: name, brokerAddrs: addresses))
        route.queueDatas.append(QueueData(brokerName: name, readQueueNums: 4, writeQueueNums: 4, perm: 6))
    }
    change(&route)
    return .route(route, bytes: route.encoded())
}

/// `aspect broker item: reference | candidate`.
private func lines(_ findings: [ShadowFinding]) -> [String] {
    findings.sorted { $0.key < $1.key }.map {
        "\($0.key.aspect.rawValue) \($0.key.broker) \($0.key.item): \($0.reference) | \($0.candidate)"
    }
}

private let two: [String: [Int64: String]] = ["a": [0: "h:1", 1: "h:2"], "b": [0: "h:3"]]

@Suite struct ShadowListingTests {
    private struct Row: Sendable {
        var name: String
        var reference: ServerListing
        var candidate: ServerListing
        var expected: [String]
    }

    private static let rows: [Row] = [
        Row(name: "the same", reference: listing(two), candidate: listing(two), expected: []),
        Row(
            name: "order counts nowhere", reference: listing(two) { $0.cluster.clusterAddrTable = ["C": ["a", "b"]] },
            candidate: listing(two) { $0.cluster.clusterAddrTable = ["C": ["b", "a"]] }, expected: []),
        // One difference, not one more for the cluster that names it.
        Row(
            name: "a group only here", reference: listing(two), candidate: listing(["b": [0: "h:3"]]),
            expected: ["group a a: 0 at h:1, 1 at h:2 | not listed"]),
        Row(
            name: "a replica only there", reference: listing(["a": [0: "h:1"]]),
            candidate: listing(["a": [0: "h:1", 1: "h:2"]]), expected: ["replica a a:1: not listed | h:2"]),
        Row(
            name: "another address", reference: listing(["a": [0: "h:1"]]), candidate: listing(["a": [0: "h:9"]]),
            expected: ["replica a a:0: h:1 | h:9"]),
        Row(
            name: "another cluster and zone", reference: listing(["a": [0: "h:1"]]),
            candidate: listing(["a": [0: "h:1"]]) { $0.cluster.brokerAddrTable["a"]?.zoneName = "z" },
            expected: ["group a a: cluster C | cluster C, zone z"]),
        // 4.9.8 has no such member: nothing said is "no".
        Row(
            name: "no word of acting masters",
            reference: listing(["a": [0: "h:1"]]) {
                $0.cluster.brokerAddrTable["a"]?.enableActingMaster = nil
            }, candidate: listing(["a": [0: "h:1"]]), expected: []),
        // Apache's lists groups that have lost all replicas; nobody is sent there.
        Row(
            name: "an empty group", reference: listing(["a": [:]]) { $0.cluster.clusterAddrTable = [:] },
            candidate: listing([:]), expected: []),
        Row(
            name: "a name left in a cluster",
            reference: listing(["a": [0: "h:1"]]) {
                $0.cluster.clusterAddrTable["Z"] = ["a"]
            }, candidate: listing(["a": [0: "h:1"]]), expected: ["cluster a Z: named in Z | not named in Z"]),
        Row(
            name: "key values",
            reference: listing([:]) { $0.keyValues["N"] = .some(["k": "1", "only": "x", "s": "s"]) },
            candidate: listing([:]) { $0.keyValues["N"] = .some(["k": "2", "s": "s"]) },
            expected: ["keyValue  N/k: '1' | '2'", "keyValue  N/only: 'x' | none"]),
        Row(
            name: "a refused table is no difference", reference: listing([:]) { $0.keyValues["N"] = .some(["k": "1"]) },
            candidate: listing([:]) { $0.keyValues["N"] = .some(nil) }, expected: []),
    ]

    @Test(arguments: rows.indices)
    func listings(index: Int) {
        let row = Self.rows[index]
        let found = ListingComparison.findings(reference: row.reference, candidate: row.candidate)
        #expect(lines(found) == row.expected, "\(row.name)")
    }

    @Test func bytesCountOnRequestOnly() {
        let (here, there) = (listing(two) { $0.clusterBytes = [1, 65] }, listing(two) { $0.clusterBytes = [1, 66] })
        #expect(ListingComparison.findings(reference: here, candidate: there).isEmpty)
        let found = ListingComparison.findings(reference: here, candidate: there, comparesBytes: true)
        #expect(lines(found) == ["bytes  cluster info: 2 bytes, from byte 1: A | 2 bytes, from byte 1: B"])
    }
}

@Suite struct ShadowRouteTests {
    private struct Row: Sendable {
        var name: String
        var lists = (listing(two), listing(two))
        var reference: RouteAnswer
        var candidate: RouteAnswer
        var expected: [String]
    }

    private static let onlyB: [String: [Int64: String]] = ["b": [0: "h:3"]]

    private static let rows: [Row] = [
        Row(name: "the same", reference: route(two), candidate: route(two), expected: []),
        Row(
            name: "order counts nowhere", reference: route(two) { $0.queueDatas.reverse() },
            candidate: route(two) { $0.brokerDatas.reverse() }, expected: []),
        Row(name: "neither has one", reference: .none, candidate: .none, expected: []),
        Row(
            name: "only here", reference: route(onlyB), candidate: .none,
            expected: ["topic b T: 4 read and 4 write queues, rw- | no route"]),
        Row(
            name: "only there", reference: .none, candidate: route(onlyB),
            expected: ["topic b T: no route | 4 read and 4 write queues, rw-"]),
        // The group is told as missing, once, however many topics it has.
        Row(
            name: "only on a group that the candidate lacks", lists: (listing(two), listing(onlyB)),
            reference: route(["a": two["a"]!]), candidate: .none, expected: []),
        Row(
            name: "also on such a group", lists: (listing(two), listing(onlyB)), reference: route(two),
            candidate: route(onlyB), expected: []),
        Row(
            name: "on one group fewer", reference: route(two), candidate: route(onlyB),
            expected: ["topic a T: 4 read and 4 write queues, rw- | no queues"]),
        Row(
            name: "wiped", reference: route(onlyB), candidate: route(onlyB) { $0.queueDatas[0].perm = 4 },
            expected: ["permission b T: rw- | r--"]),
        Row(
            name: "other numbers", reference: route(onlyB),
            candidate: route(onlyB) { $0.queueDatas[0].readQueueNums = 8 },
            expected: ["queues b T: 4 read and 4 write queues, rw- | 8 read and 4 write queues, rw-"]),
        // The lists differ in the same way, and that is told there.
        Row(
            name: "a replica that the candidate lacks", lists: (listing(["b": [0: "h:3", 1: "h:4"]]), listing(onlyB)),
            reference: route(["b": [0: "h:3", 1: "h:4"]]), candidate: route(onlyB), expected: []),
        // The lists are equal: supportActingMaster makes the route another one.
        Row(
            name: "an acting master", lists: (listing(["a": [1: "h:2"]]), listing(["a": [1: "h:2"]])),
            reference: route(["a": [0: "h:2"]]), candidate: route(["a": [1: "h:2"]]),
            expected: ["addresses a T: 0 at h:2; cluster C | 1 at h:2; cluster C"]),
        Row(
            name: "order configuration", reference: route(onlyB) { $0.orderTopicConf = "b:4" }, candidate: route(onlyB),
            expected: ["order  T: 'b:4' | none"]),
        Row(
            name: "filter servers", reference: route(onlyB) { $0.filterServerTable = ["h:3": ["f:2", "f:1"]] },
            candidate: route(onlyB) { $0.filterServerTable = ["h:3": []] },
            expected: ["filterServers  T: h:3: f:1, f:2 | none"]),
        Row(
            name: "a mapping",
            reference: route(onlyB) {
                var info = TopicQueueMappingInfo()
                (info.totalQueues, info.epoch, info.currIdMap) = (2, 7, [0: 0, 1: 1])
                $0.topicQueueMappingByBroker = ["b": info]
            }, candidate: route(onlyB), expected: ["mapping b T: 2 queues, epoch 7, 0→0,1→1 | none"]),
        Row(
            name: "listed by one only", lists: (listing(two), listing(two, topics: [])), reference: route(onlyB),
            candidate: route(onlyB), expected: ["listing  T: listed | not listed"]),
        Row(
            name: "refused", reference: .refused(1), candidate: route(onlyB), expected: ["answer  T: code 1 | a route"]),
        Row(name: "refused alike", reference: .refused(1), candidate: .refused(1), expected: []),
    ]

    @Test(arguments: rows.indices)
    func routes(index: Int) {
        let row = Self.rows[index]
        let comparison = RouteComparison(reference: row.lists.0, candidate: row.lists.1)
        #expect(lines(comparison.findings("T", row.reference, row.candidate)) == row.expected, "\(row.name)")
    }

    @Test func bytesCountOnRequestOnly() {
        let (here, there) = (route(two), route(two) { $0.queueDatas.reverse() })
        let comparison = RouteComparison(reference: listing(two), candidate: listing(two), comparesBytes: true)
        #expect(comparison.findings("T", here, there).map(\.key.aspect) == [.bytes])
        #expect(comparison.findings("T", here, here).isEmpty)
    }

    /// What both kinds of clients see is one finding; what only one kind sees says so.
    @Test func audiences() {
        func finding(_ item: String, _ candidate: String) -> ShadowFinding {
            ShadowFinding(.order, item: item, topic: item, "x", candidate)
        }
        let merged = ShadowFinding.merged(
            standard: [finding("A", "1"), finding("B", "1")], legacy: [finding("A", "1"), finding("B", "2")])
        #expect(merged.map(\.key.audience) == [.all, .standard, .legacy])
        #expect(Set(merged.map(\.key)).count == 3)
    }
}

@Suite struct ShadowTrackerTests {
    private func finding(_ item: String, _ candidate: String = "y") -> ShadowFinding {
        ShadowFinding(.listing, item: item, topic: item, "x", candidate)
    }

    private func at(_ seconds: Int64) -> Instant { .zero + .seconds(seconds) }

    /// Only what every reading shows counts, from the end of the first to the beginning of the last.
    @Test func whatEveryReadingShowsForLongEnoughCounts() {
        var tracker = ShadowTracker(settle: .seconds(35))
        func take(_ items: [String], _ began: Int64, _ now: Int64) -> ShadowTracker.Change {
            tracker.take(items.map { finding($0) }, began: at(began), now: at(now))
        }
        #expect(take(["A", "B"], 0, 2).appeared.isEmpty)
        #expect(tracker.nextSettled == at(37) && tracker.topics == ["A", "B"] && tracker.unsettledCount == 2)
        // B heals, and comes back: it starts from the beginning.
        #expect(take(["A"], 20, 21).healed.isEmpty)
        #expect(take(["A", "B"], 36, 38).appeared.isEmpty)
        #expect(take(["A", "B"], 37, 39).appeared.map(\.finding.key.item) == ["A"])
        #expect(tracker.lasting.map(\.since) == [at(2)] && tracker.nextSettled == at(73))
        // It is told once, and its end is told.
        #expect(take(["A", "B"], 50, 51).appeared.isEmpty)
        let change = take([], 60, 61)
        #expect(change.healed.map(\.finding.key.item) == ["A"] && change.appeared.isEmpty)
        #expect(tracker.lasting.isEmpty && tracker.unsettledCount == 0 && tracker.nextSettled == nil)
    }

    /// A difference whose words change is the same one.
    @Test func otherWordsAreTheSameDifference() {
        var tracker = ShadowTracker(settle: .seconds(1))
        _ = tracker.take([finding("A", "1")], began: at(0), now: at(0))
        #expect(tracker.take([finding("A", "2")], began: at(1), now: at(1)).appeared.map(\.finding.candidate) == ["2"])
    }

    /// Topics that say the same of one broker are one row.
    @Test func rowsPutTopicsTogether() {
        func entry(_ topic: String, _ since: Int64) -> ShadowTracker.Entry {
            ShadowTracker.Entry(
                finding: ShadowFinding(.permission, broker: "b", item: topic, topic: topic, "rw-", "r--"),
                since: at(since))
        }
        let rows = ShadowRow.rows([entry("C", 5), entry("A", 9), entry("B", 7)], now: at(10))
        #expect(rows.map(\.subject) == ["A and 2 more on b"] && rows[0].items == ["A", "B", "C"])
        #expect(rows[0].seenMillis == 5_000)
    }
}
