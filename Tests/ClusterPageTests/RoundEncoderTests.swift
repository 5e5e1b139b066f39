import Basics
import TestSupport
import Testing

@testable import ClusterPage
@testable import ClusterView

/// What a page is told of each round: the whole, and then no more than what has changed.
@Suite struct RoundEncoderTests {
    private static let start = Instant(nanoseconds: 1_000_000_000_000)
    private static let nodes = ["ns-1", "ns-2"].map { ($0, Address(host: "10.0.0.1", port: 9876)) }

    /// A cluster in which each broker was heard `age` milliseconds ago by the first node, and `ages[1]` by the second.
    private func model(_ brokers: [(name: String, ages: [Int64?])], at time: Instant) -> ClusterModel {
        var model = ClusterModel(cluster: "C", nodes: Self.nodes)
        for index in model.nodes.indices {
            let listed = brokers.compactMap { broker -> NodeStatus.Broker? in
                guard let age = broker.ages[index] else { return nil }
                return NodeStatus.Broker(
                    cluster: "C", name: broker.name, id: 0, address: "10.0.1.1:10911", ageMillis: age,
                    registrationAgeMillis: age, timeoutMillis: 120_000, topics: 3)
            }
            model.nodes[index].status = NodeStatus(
                node: model.nodes[index].name, software: "test", uptimeMillis: 1_000, wallMillis: 0,
                totals: .init(brokers: listed.count, groups: 1, topics: 3, clusters: 1),
                counters: .init(requests: 0, registrations: 0, heartbeats: 0, lookups: 0, lookupMisses: 0),
                brokers: listed, events: [], lastEventSequence: 0)
            model.nodes[index].error = nil
            model.nodes[index].answeredAt = time
        }
        return model
    }

    private struct Told {
        var change: JSONMeaning
        var whole: JSONMeaning?
    }

    private func tell(
        _ encoder: inout RoundEncoder, _ model: ClusterModel, at time: Instant, wantsWhole: Bool = false
    ) throws -> Told {
        let told = encoder.encode(
            model, [], now: time, wallTime: WallTime(milliseconds: 5), wantsWhole: wantsWhole)
        return Told(change: try JSONMeaning(told.change), whole: try told.whole.map { try JSONMeaning($0) })
    }

    @Test func tellsTheWholeAndThenOnlyChanges() throws {
        var encoder = RoundEncoder(origin: Self.start)
        var now = Self.start + .seconds(10)
        let first = try tell(&encoder, model([("a", [2_000, nil])], at: now), at: now, wantsWhole: true)
        #expect(first.whole?["t"]?.integer == 10_000 && first.whole?["whole"] == .boolean(true))
        let row = first.whole?["rows"]?.elements.first?.elements ?? []
        #expect(row.prefix(3).map { $0.text ?? "" } == ["0", "C", "a"])
        #expect(
            row.last?.elements.map { $0.elements.map { $0.text ?? "" } } == [["heard", "8000", "120000"], ["missing"]])
        #expect(first.change["rows"]?.elements.count == 1)

        // A second later the age has grown by a second, and somewhat more or less: nothing to tell.
        now = now + .seconds(1)
        let second = try tell(&encoder, model([("a", [3_390, nil])], at: now), at: now, wantsWhole: true)
        #expect(second.change["rows"] == nil && second.change["cells"] == nil && second.change["gone"] == nil)
        #expect(second.change["nodes"]?.elements.count == 2)
        // Who comes now gets what the others have.
        #expect(second.whole?["rows"] == first.whole?["rows"])

        // A heartbeat at one node, the first at the other; and another broker.
        now = now + .seconds(1)
        let third = try tell(&encoder, model([("a", [10, 1_000]), ("b", [0, 0])], at: now), at: now)
        let cells = third.change["cells"]?.elements.map { $0.elements.prefix(2).map { $0.text ?? "" } }
        #expect(cells == [["0", "0"], ["0", "1"]])
        #expect(third.change["rows"]?.elements.first?.elements[2].text == "b")
        // The difference of before is gone, and that is said once.
        let fourth = try tell(&encoder, model([("b", [1_000, 1_000])], at: now + .seconds(1)), at: now + .seconds(1))
        #expect(fourth.change["gone"]?.elements.map(\.integer) == [0])
        #expect(fourth.change["rows"] == nil)
    }

    /// A node that does not answer says nothing of anybody, and its reason is told.
    @Test func saysWhichNodeIsDown() throws {
        var encoder = RoundEncoder(origin: Self.start)
        var model = model([("a", [0, 0])], at: Self.start)
        model.nodes[1].status = nil
        model.nodes[1].error = "no answer in time"
        let told = try tell(&encoder, model, at: Self.start, wantsWhole: true)
        let nodes = told.whole?["nodes"]?.elements ?? []
        #expect(nodes.map { $0["up"] } == [.boolean(true), .boolean(false)])
        #expect(nodes.last?["error"]?.text == "no answer in time")
        #expect(told.whole?["rows"]?.elements.first?.elements.last?.elements.last?.elements.first?.text == "unknown")
    }

    /// Names are others' affair; what is written stays one line of JSON that means the same.
    @Test(arguments: ["</script><img src=x onerror=alert(1)>", "a\"b\\c\n\r\u{0}d", "\u{202E}evil\u{2028}", "🦆 \u{7F}"])
    func keepsHostileNames(name: String) throws {
        var encoder = RoundEncoder(origin: Self.start)
        let told = encoder.encode(
            model([(name, [0, nil])], at: Self.start), [], now: Self.start, wallTime: WallTime(milliseconds: 0),
            wantsWhole: true)
        let whole = try #require(told.whole)
        #expect(!whole.contains(UInt8(ascii: "\n")) && !whole.contains(UInt8(ascii: "\r")))
        let row = try JSONMeaning(whole)["rows"]?.elements.first?.elements
        #expect(row?[2].text == name)
    }

    /// Above the limit brokers are counted, and differences too: a node that is cut off differs in each.
    @Test func isBounded() throws {
        var encoder = RoundEncoder(origin: Self.start)
        var model = model((0..<150).map { ("b\($0)", [0, nil]) }, at: Self.start)
        model.differences = (0..<150).map {
            ClusterDifference(kind: .missing, subject: "b\($0):0", text: "t", advice: "a")
        }
        let told = try tell(&encoder, model, at: Self.start, wantsWhole: true)
        #expect(told.whole?["differences"]?.elements.count == RoundEncoder.differenceLimit)
        #expect(told.whole?["differenceCount"]?.integer == 150)
        #expect(told.whole?["brokers"]?.integer == 150)
    }

    /// What a thousand brokers at two nodes cost a reader: the whole once, and little a second.
    @Test func isSmall() throws {
        var encoder = RoundEncoder(origin: Self.start)
        func ages(_ second: Int64) -> [(name: String, ages: [Int64?])] {
            (0..<1_000).map { index in
                // Each beats every 30 s, at its own second.
                let age = (second + Int64(index)) % 30 * 1_000
                return ("broker-\(index)", [age, age])
            }
        }
        var now = Self.start
        let whole = encoder.encode(
            model(ages(0), at: now), [], now: now, wallTime: WallTime(milliseconds: 0), wantsWhole: true
        ).whole
        #expect((whole?.count ?? .max) < 150 * 1_000)
        for second in 1...10 {
            now = now + .seconds(1)
            let change = encoder.encode(
                model(ages(Int64(second)), at: now), [], now: now, wallTime: WallTime(milliseconds: 0),
                wantsWhole: false)
            #expect(change.change.count < 4 << 10, "\(change.change.count) bytes")
        }
    }
}
