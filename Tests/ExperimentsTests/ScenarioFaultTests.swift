import Basics
import ClusterConfiguration
import Testing

@testable import Experiments

/// The section `faults`: what entries mean. Parties of the minimal file: broker 0 and 1 are broker-a:0 and :1, 2 is
/// broker-b:0; clients 0 and 1 are producers, 2 is the consumer.
@Suite struct ScenarioFaultTests {
    private static let n1 = Party.node(0)
    private static let n2 = Party.node(1)
    private static let n3 = Party.node(2)

    private static func read(_ entries: String) throws -> [PlannedFault] {
        try ScenarioText.read(ScenarioText.minimal + "\nfaults:\n" + entries + "\n").faults
    }

    private static func links(_ froms: [Party], _ tos: [Party]) -> [Link] {
        froms.flatMap { from in tos.map { Link(from: from, to: $0) } }
    }

    @Test(arguments: [
        // A replica's link, one way.
        ("broker-a:0 -> ns-2", links([.broker(0)], [n2]), "cut broker-a:0 → ns-2"),
        // A group is all its replicas.
        ("broker-a -> ns-2", links([.broker(0), .broker(1)], [n2]), "cut broker-a → ns-2"),
        // Several on a side, and the other arrow.
        ("ns-2, ns-3 <- broker-b", links([.broker(2)], [n2, n3]), "cut ns-2, ns-3 ← broker-b"),
        ("ns-2 and ns-3 ← broker-b", links([.broker(2)], [n2, n3]), "cut ns-2, ns-3 ← broker-b"),
        // Both ways.
        ("ns-1 <-> ns-3", [Link(from: n1, to: n3), Link(from: n3, to: n1)], "cut ns-1 ↔ ns-3"),
        // A list of links; what is named twice is cut once.
        (
            "[ns-1 -> ns-2, ns-1 -> nodes]", [Link(from: n1, to: n2), Link(from: n1, to: n3)],
            "cut ns-1 → ns-2, ns-1 → nodes"
        ),
        // Words for several.
        ("masters -> minority", links([.broker(0), .broker(2)], [n3]), "cut masters → minority"),
        ("majority -> slaves", links([n1, n2], [.broker(1)]), "cut majority → slaves"),
        ("consumers -> ns-1", [Link(from: .client(2), to: n1)], "cut consumers → ns-1"),
        // Others are all that are not on the other side; clients do not talk with each other.
        (
            "producer-1 -> others", links([.client(0)], [n1, n2, n3, .broker(0), .broker(1), .broker(2)]),
            "cut producer-1 → others"
        ),
        // Brokers of other groups do not talk with each other, only a master with its slave.
        ("broker-a:0 -> brokers", [Link(from: .broker(0), to: .broker(1))], "cut broker-a:0 → brokers"),
    ])
    func linkExpressions(text: String, links: [Link], shown: String) throws {
        let faults = try ScenarioFaultTests.read("  - at: 1m\n    cut: \(text)")
        #expect(faults.map(\.fault) == [.cut(links)])
        #expect(faults.map(\.text) == [shown])
    }

    @Test(arguments: [
        ("delay: ns-1 -> ns-2, by: 200ms, jitter: 50ms", "delay ns-1 → ns-2 by 200ms ± 50ms"),
        ("delay: ns-1 -> ns-2, by: 2s", "delay ns-1 → ns-2 by 2s"),
        ("loss: ns-1 -> ns-2, percent: 2.5%", "loss of 2.5 % on ns-1 → ns-2"),
        ("duplicate: ns-1 -> ns-2, percent: 10", "duplicate of 10 % on ns-1 → ns-2"),
        ("bandwidth: ns-1 -> ns-2, bytesPerSecond: 20KiB", "20KiB/s on ns-1 → ns-2"),
        ("reset: ns-1 -> ns-2", "reset ns-1 → ns-2"),
        ("halfOpen: ns-1 -> ns-2", "half-open ns-1 → ns-2"),
        ("kill: broker-a", "kill broker-a"),
        ("kill: ns-2, keepsState: false", "kill ns-2, state lost"),
        ("stop: [ns-1, broker-b]", "stop ns-1, broker-b"),
        ("powerLoss: broker-a:0", "power loss of broker-a:0"),
        ("pause: ns-3", "pause ns-3"),
        ("clockJump: ns-1, by: -1h", "clock jumps by -1h at ns-1"),
        ("clockDrift: ns-1, perMillion: -500", "clock drifts by -500 ppm at ns-1"),
        ("move: broker-b", "broker-b:0 moves"),
        ("unregister: broker-b, reaches: ns-1", "broker-b:0 ends, unregistering at ns-1 only"),
        ("unregister: broker-b, reaches: nobody", "broker-b:0 ends, unregistering nowhere"),
        ("strayUnregister: broker-a:0, reaches: nodes", "stray unregistration of broker-a:0"),
        ("createTopic: broker-b, topic: Payments", "broker-b:0 creates topic Payments"),
        ("putKeyValue: {namespace: N, key: K, value: V}, reaches: majority", "put N/K at majority only"),
        ("deleteKeyValue: {key: K}", "delete ORDER_TOPIC_CONFIG/K"),
        (
            "wipeWritePermission: broker-a, reaches: [ns-1, ns-2]",
            "wipe write permission of broker-a at ns-1, ns-2 only"
        ),
        ("diskFull: minority", "disk full at minority"),
    ])
    func textsForPeople(entry: String, text: String) throws {
        #expect(try ScenarioFaultTests.read("  - {at: 1m, \(entry)}").map(\.text) == [text])
    }

    @Test func valuesOfFaults() throws {
        let faults = try ScenarioFaultTests.read(
            """
              - {at: 1s, for: 2s, delay: ns-1 -> ns-2, by: 200ms, jitter: 50ms}
              - {at: 2s, for: 2s, loss: ns-1 -> ns-2, percent: 2.5}
              - {at: 3s, for: 2s, bandwidth: ns-1 -> ns-2, bytesPerSecond: 20KiB}
              - {at: 4s, kill: [ns-2, broker-b], keepsState: false}
              - {at: 5s, clockJump: ns-1, by: -1h}
              - {at: 6s, clockDrift: ns-1, perMillion: -500}
              - {at: 7s, unregister: broker-b, reaches: [ns-3, ns-1]}
              - {at: 8s, putKeyValue: {key: K, value: "broker-a:4"}, reaches: majority}
              - {at: 9s, wipeWritePermission: broker-a}
              - {at: 10s, for: 1s, diskFull: nodes}
            """)
        let link = [Link(from: ScenarioFaultTests.n1, to: ScenarioFaultTests.n2)]
        #expect(
            faults.map(\.fault) == [
                .delay(link, by: .milliseconds(200), jitter: .milliseconds(50)), .loss(link, perMille: 25),
                .bandwidth(link, bytesPerSecond: 20_480), .kill([.node(1), .broker(2)], keepsState: false),
                .clockJump([.node(0)], by: .seconds(-3_600)), .clockDrift([.node(0)], perMillion: -500),
                .unregister(broker: 2, at: [0, 2]),
                .putKeyValue(namespace: "ORDER_TOPIC_CONFIG", key: "K", value: "broker-a:4", at: [0, 1]),
                .wipeWritePermission(group: "broker-a", at: [0, 1, 2]), .diskFull([0, 1, 2]),
            ])
        #expect(faults.map(\.start) == (1...10).map { .seconds($0) })
        #expect(faults.map(\.end) == [3, 4, 5, nil, nil, nil, nil, nil, nil, 11].map { $0.map { .seconds($0) } })
    }

    // MARK: - Times

    @Test(
        arguments: [
            // Begins and ends, in seconds; nil = to the end of the run, which is at 600.
            ("{at: 60s, pause: ns-1}", [(60, nil)]),
            ("{at: 60s, for: 5s, pause: ns-1}", [(60, 65)]),
            // Repeated; the last one that would not end in time is left out.
            ("{at: 8m, for: 10s, every: 50s, pause: ns-1}", [(480, 490), (530, 540), (580, 590)]),
            ("{at: 8m, for: 30s, every: 50s, pause: ns-1}", [(480, 510), (530, 560)]),
            ("{at: 1m, for: 10s, every: 20s, until: 2m, pause: ns-1}", [(60, 70), (80, 90), (100, 110)]),
            ("{at: 9m, every: 30s, reset: ns-1 -> ns-2}", [(540, nil), (570, nil)]),
            // One after the other.
            ("{at: 1m, for: 5s, apart: 1m, stop: nodes}", [(60, 65), (120, 125), (180, 185)]),
        ] as [(String, [(Int, Int?)])])
    func times(entry: String, expected: [(Int, Int?)]) throws {
        let faults = try ScenarioFaultTests.read("  - \(entry)")
        #expect(faults.map(\.start) == expected.map { .seconds($0.0) })
        #expect(faults.map(\.end) == expected.map { $0.1.map { .seconds($0) } })
        #expect(Set(faults.map(\.number)) == [1])
    }

    @Test func apartHitsOneAtATime() throws {
        let faults = try ScenarioFaultTests.read("  - {at: 1m, for: 5s, apart: 1m, stop: [ns-2, broker-b]}")
        #expect(faults.map(\.fault) == [.stop([.node(1)]), .stop([.broker(2)])])
        #expect(faults.map(\.text) == ["stop ns-2", "stop broker-b:0"])
    }

    @Test func healingEndsWhatGoesOnAndStopsWhatRepeats() throws {
        let faults = try ScenarioFaultTests.read(
            """
              - {at: 5m, heal: all}
              - {at: 1m, cut: ns-1 -> ns-2}
              - {at: 1m, for: 1m, cut: ns-1 -> ns-3}
              - {at: 4m, for: 2m, pause: ns-2}
              - {at: 4m, for: 10s, every: 40s, cut: ns-2 -> ns-3}
              - {at: 1m, move: broker-b}
              - {at: 6m, cut: ns-3 -> ns-1}
            """)
        let times = faults.map { [Int($0.start.inSeconds), $0.end.map { Int($0.inSeconds) } ?? -1, $0.number] }
        #expect(
            times == [
                [60, 300, 2], [60, 120, 3], [60, -1, 6], [240, 300, 4], [240, 250, 5], [280, 290, 5], [360, -1, 7],
            ])
    }

    // MARK: - Partitions

    /// Who cannot hear whom, among nodes and brokers: `from>to`.
    private static func cuts(_ entry: String, nodes: Int = 3) throws -> Set<String> {
        let text = ScenarioText.minimal + "\nnodes: \(nodes)\nfaults:\n  - {at: 1m, \(entry)}\n"
        let scenario = try ScenarioText.read(text)
        guard case .cut(let links)? = scenario.faults.first?.fault else { return [] }
        #expect(Set(links).count == links.count, "no link twice")
        return Set(links.map { "\(scenario.name(of: $0.from))>\(scenario.name(of: $0.to))" })
    }

    private static func amongNodes(_ cuts: Set<String>) -> [String] {
        cuts.filter { !$0.contains("broker") && !$0.contains("er-") }
            .map { $0.replacing("ns-", with: "") }.sorted()
    }

    @Test(arguments: [
        ("one", 3, ["1>3", "2>3", "3>1", "3>2"]),
        ("halves", 3, ["1>2", "1>3", "2>1", "3>1"]),
        ("halves", 4, ["1>3", "1>4", "2>3", "2>4", "3>1", "3>2", "4>1", "4>2"]),
        // Three nodes: each hears itself and the one before.
        ("ring", 3, ["1>3", "2>1", "3>2"]),
        // Five: each hears its two neighbours, and is heard by them.
        ("ring", 5, ["1>3", "1>4", "2>4", "2>5", "3>1", "3>5", "4>1", "4>2", "5>2", "5>3"]),
        ("bridge", 3, ["1>3", "3>1"]),
        ("bridge", 5, ["1>4", "1>5", "2>4", "2>5", "4>1", "4>2", "5>1", "5>2"]),
        ("{isolate: ns-2}", 3, ["1>2", "2>1", "2>3", "3>2"]),
        ("{isolate: ns-2}, oneWay: true", 3, ["2>1", "2>3"]),
        ("halves, oneWay: true", 3, ["1>2", "1>3"]),
        ("one, oneWay: true", 3, ["3>1", "3>2"]),
        ("[[ns-1, broker-a], [ns-3]]", 3, ["1>3", "3>1"]),
        ("[[ns-1], [ns-2], [ns-3]], oneWay: true", 3, ["1>2", "1>3", "2>3"]),
    ])
    func shapes(shape: String, nodes: Int, expected: [String]) throws {
        #expect(
            ScenarioFaultTests.amongNodes(try ScenarioFaultTests.cuts("partition: \(shape)", nodes: nodes)) == expected)
    }

    /// Everybody sits beside a node: broker-a and producer-1 beside ns-1, broker-b and producer-2 beside ns-2,
    /// consumer-1 beside ns-3.
    @Test func everybodyTakesASide() throws {
        let cuts = try ScenarioFaultTests.cuts("partition: halves")
        #expect(
            cuts.isSuperset(of: ["broker-a:0>ns-2", "ns-3>broker-a:1", "producer-1>ns-2", "producer-1>broker-b:0"]))
        #expect(cuts.isSuperset(of: ["broker-b:0>ns-1", "broker-a:0>consumer-1", "consumer-1>broker-a:0"]))
        #expect(!cuts.contains("broker-a:0>ns-1") && !cuts.contains("broker-a:0>broker-a:1"))
        #expect(!cuts.contains("broker-b:0>ns-3") && !cuts.contains("producer-2>broker-b:0"))
    }

    @Test func ofNodesLeavesTheOthersAlone() throws {
        for shape in ["one", "halves", "ring", "bridge"] {
            let cuts = try ScenarioFaultTests.cuts("partition: \(shape), of: nodes")
            #expect(cuts.count == ScenarioFaultTests.amongNodes(cuts).count && !cuts.isEmpty)
        }
    }

    @Test func isolationCutsFromAllOthers() throws {
        let cuts = try ScenarioFaultTests.cuts("partition: {isolate: 'ns-2, broker-a'}, oneWay: true")
        #expect(
            cuts.contains("broker-a:0>ns-1") && cuts.contains("ns-2>producer-1") && cuts.contains("ns-2>broker-b:0"))
        #expect(!cuts.contains("ns-2>broker-a:0") && !cuts.contains("ns-1>ns-2"))
    }

    @Test func partitionsSayWhoIsWhere() throws {
        let texts = try ["halves", "ring, of: nodes", "[[ns-1, broker-a], [ns-3]]", "{isolate: ns-2}, oneWay: true"].map
        {
            try ScenarioFaultTests.read("  - {at: 1m, partition: \($0)}")[0].text
        }
        #expect(
            texts == [
                "partition halves", "partition ring of nodes", "partition ns-1, broker-a:0, broker-a:1 | ns-3",
                "isolate ns-2, one way",
            ])
    }

    // MARK: - Wrong entries

    @Test(arguments: [
        ("{cut: ns-1 -> ns-2}", "faults.at is missing: when it begins, counted from the moment when everybody is up"),
        ("{at: 11m, pause: ns-1}", "faults.at: 11m is out of range; 0ms to 10m"),
        ("{at: 9m, for: 2m, pause: ns-1}", "ends at 11m, after the run (10m)"),
        ("{at: 9m, for: 1s, apart: 40s, stop: nodes}", "ends at 621s, after the run (10m)"),
        (
            "{at: 1m, for: 20s, every: 20s, pause: ns-1}",
            "faults.every: 20s must be longer than for (20s), or it never ends"
        ),
        ("{at: 1m, until: 2m, pause: ns-1}", "faults.until: goes with every only"),
        ("{at: 0s, every: 100ms, reset: ns-1 -> ns-2}", "more than 1000 faults, repeated ones counted"),
        ("{at: 1m}", "what goes wrong is missing; one of cut, partition, delay"),
        ("{at: 1m, kil: ns-1}", "unknown key 'kil' in faults; did you mean 'kill'?"),
        ("{at: 1m, kill: ns-1, pause: ns-2}", "kill and pause in one entry; begin another entry (- at: …)"),
        ("{at: 1m, for: 2s, move: broker-b}", "faults.for: has no meaning for move; it happens once, and is over"),
        ("{at: 1m, jitter: 2s, cut: ns-1 -> ns-2}", "faults.jitter: has no meaning for cut; goes with delay"),
        ("{at: 1m, cut: ns-1 ns-2}", "faults.cut: 'ns-1 ns-2' is no link; write who -> whom"),
        ("{at: 1m, cut: ns-1 -> ns-2 -> ns-3}", "is no link; write who -> whom"),
        ("{at: 1m, cut: ns-1 ->}", "is no link; write who -> whom"),
        ("{at: 1m, cut: ns-1 -> ns-4}", "'ns-4' is not there; did you mean 'ns-1'?"),
        ("{at: 1m, cut: ns-1 -> xyzzyx}", "'xyzzyx' is not there; there are ns-1, ns-2, ns-3, broker-a, broker-b"),
        ("{at: 1m, cut: clients -> clients}", "names no link on which anything is sent"),
        ("{at: 1m, cut: ns-1 -> ns-1}", "names no link on which anything is sent"),
        ("{at: 1m, cut: {ns-1: ns-2}}", "faults.cut: must be a word or a list of words, not a mapping"),
        ("{at: 1m, cut: [ns-1 -> ns-2, [x]]}", "faults.cut: must be a word or a list of words, not a list"),
        ("{at: 1m, cut: }", "faults.cut: is empty"),
        ("{at: 1m, delay: ns-1 -> ns-2}", "faults.by: is missing: by how much, as in 200ms"),
        ("{at: 1m, loss: ns-1 -> ns-2}", "faults.percent: is missing: how many of a hundred"),
        ("{at: 1m, loss: ns-1 -> ns-2, percent: 101}", "faults.percent: '101' is no percentage; write 0.1 to 100"),
        ("{at: 1m, bandwidth: ns-1 -> ns-2}", "faults.bytesPerSecond: is missing: how many, as in 20KiB"),
        ("{at: 1m, kill: producer-1}", "'producer-1' is no node or broker; producer-1 is a client"),
        ("{at: 1m, diskFull: broker-a}", "'broker-a' is no node; broker-a:0 is a broker"),
        ("{at: 1m, move: broker-a}", "faults.move: names 2 brokers; name one, as in broker-a:0"),
        ("{at: 1m, pause: nobody}", "faults.pause: names nobody"),
        (
            "{at: 1m, clockJump: ns-1, by: soon}",
            "faults.by: 'soon' is no jump; write a whole number and ms, s, m, h or d"
        ),
        ("{at: 1m, clockJump: ns-1}", "faults.by: is missing"),
        ("{at: 1m, clockDrift: ns-1}", "faults.perMillion: is missing"),
        ("{at: 1m, unregister: broker-b}", "faults.reaches: is missing: which nodes hear it, or nobody"),
        ("{at: 1m, createTopic: broker-b}", "faults.topic is missing"),
        ("{at: 1m, putKeyValue: {key: K}}", "the key-value pair.value: is missing, or longer than 1024 bytes"),
        ("{at: 1m, putKeyValue: {value: V}}", "the key-value pair.key is missing"),
        ("{at: 1m, deleteKeyValue: {key: K, value: V}}", "value: has no meaning for deleteKeyValue"),
        ("{at: 1m, wipeWritePermission: broker-c}", "'broker-c' is no broker group; did you mean 'broker-a'?"),
        (
            "{at: 1m, partition: halfs}",
            "'halfs' is none of one, halves, ring, bridge, {isolate: …} and [[…], […]]; did you mean 'halves'?"
        ),
        ("{at: 1m, partition: ring, oneWay: true}", "faults.oneWay: has no meaning for ring"),
        ("{at: 1m, partition: {isolate: ns-9}}", "'ns-9' is not there"),
        ("{at: 1m, partition: {isolat: ns-1}}", "unknown key 'isolat' in partition; did you mean 'isolate'?"),
        ("{at: 1m, partition: [[ns-1]]}", "needs two sets or more, as in [[ns-1, broker-a], [ns-2, ns-3]]"),
        ("{at: 1m, partition: [[ns-1], [nodes]]}", "'nodes' is in two sets, or twice in one"),
        ("{at: 1m, partition: {isolate: everybody}}", "faults.partition: separates nobody"),
        ("{at: 1m, heal: some}", "faults.heal: 'some' is not 'all'"),
    ])
    func wrongEntries(entry: String, message: String) {
        let faults = ScenarioText.faults(ScenarioText.minimal + "\nfaults:\n  - \(entry)\n")
        #expect(faults.contains { $0.hasPrefix("s.yaml:11: ") && $0.contains(message) }, "\(faults)")
    }

    @Test func ringsAndBridgesNeedThreeNodes() {
        for (shape, least) in [("ring", 3), ("bridge", 3)] {
            let text = ScenarioText.minimal + "\nnodes: 2\nfaults:\n  - {at: 1m, partition: \(shape)}\n"
            #expect(ScenarioText.faults(text) == ["s.yaml:12: faults.partition: \(shape) needs \(least) nodes or more"])
        }
    }
}
