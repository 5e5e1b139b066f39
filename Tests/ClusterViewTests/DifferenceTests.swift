import Basics
import Testing

@testable import ClusterView

@Suite struct DifferenceTests {
    private func difference(
        _ kind: ClusterDifference.Kind, _ subject: String, since: Int64? = nil, there: [String] = ["ns-2"],
        reported: Bool = false
    ) -> ClusterDifference {
        ClusterDifference(
            kind: kind, subject: subject, here: ["ns-1"], there: there, sinceMillis: since, text: "ns-2 lacks it",
            advice: "check the network from here to there", isReportedByNodes: reported)
    }

    private func report(_ differences: [ClusterDifference], up: Int = 2, of nodes: Int = 2) -> DifferenceReport {
        DifferenceReport(
            nodes: (1...nodes).map { .init(name: "ns-\($0)", address: "h:\($0)", error: $0 > up ? "silent" : nil) },
            comparedBrokers: 4, comparedTopics: 1, differences: differences, notes: [])
    }

    // MARK: The table

    @Test func oneLinePerDifferenceForPrograms() {
        let rows = [difference(.missing, "broker-a:0", since: 38_000), difference(.topic, "T on broker-a")]
        #expect(
            DifferenceTable(width: nil, colour: false).lines(report(rows)) == [
                "2 differences between 2 nodes: 4 brokers, 1 topic",
                "",
                "KIND     BROKER/TOPIC   HERE  THERE  SINCE  WHAT TO DO",
                "missing  broker-a:0     ns-1  ns-2    38 s  ns-2 lacks it. Check the network from here to there",
                "topic    T on broker-a  ns-1  ns-2       -  ns-2 lacks it. Check the network from here to there",
            ])
    }

    @Test func whatToDoIsWrappedOnATerminal() {
        let row = difference(.missing, "broker-a:0", since: 38_000)
        let lines = DifferenceTable(width: 91, colour: false).lines(report([row]))
        #expect(
            lines.dropFirst(2) == [
                "KIND     BROKER/TOPIC  HERE  THERE  SINCE  WHAT TO DO",
                "missing  broker-a:0    ns-1  ns-2    38 s  ns-2 lacks it. Check the network from here to",
                "                                           there",
            ])
        // On a narrow one it goes below, with the whole width for itself.
        #expect(
            DifferenceTable(width: 60, colour: false).lines(report([row])).dropFirst(2) == [
                "KIND     BROKER/TOPIC  HERE  THERE  SINCE",
                "missing  broker-a:0    ns-1  ns-2    38 s",
                "  ns-2 lacks it. Check the network from here to there",
            ])
    }

    @Test func manyNodesAreCounted() {
        let row = difference(.missing, "a:0", there: (2...9).map { "ns-\($0)" })
        let line = DifferenceTable(width: nil, colour: false).lines(report([row]))[3]
        #expect(line.contains(" ns-2,ns-3,ns-4 +5 "))
    }

    @Test(arguments: [
        (2, 2, false, "2 nodes agree: 4 brokers, 1 topic", Int32(0)),
        (1, 2, true, "1 difference between 1 of 2 nodes: 4", 1),
        (0, 2, true, "no node answers", 2),
    ])
    func summaryAndStatus(_ up: Int, _ nodes: Int, _ differs: Bool, _ summary: String, _ status: Int32) {
        let report = report(differs ? [difference(.unreachable, "ns-2")] : [], up: up, of: nodes)
        #expect(DifferenceTable(width: nil, colour: false).lines(report)[0].hasPrefix(summary))
        #expect(report.exitStatus == status)
    }

    // MARK: From one look to the next

    @Test func aDifferenceMustLastAndItsEndIsTold() {
        var tracker = DifferenceTracker()
        let up = ["ns-1", "ns-2"]
        func look(at seconds: Double, _ found: [ClusterDifference], up: [String] = ["ns-1", "ns-2"]) -> [String] {
            tracker.update(found, up: up, now: .zero + .seconds(seconds))
        }
        let missing = difference(.missing, "a:0")
        #expect(look(at: 0, [missing]) == [])
        #expect(look(at: 1.5, [missing]) == [])
        // A gap: it starts over.
        #expect(look(at: 1.9, []) == [] && tracker.standing == [])
        #expect(look(at: 2.5, [missing]) == [] && tracker.standing == [])
        #expect(
            look(at: 4.5, [missing])
                == ["DIVERGENCE missing a:0: ns-2 lacks it: check the network from here to there"])
        #expect(tracker.standing.map(\.sinceMillis) == [2_000])
        #expect(look(at: 5, [missing]) == [] && tracker.standing.map(\.sinceMillis) == [2_500])
        #expect(look(at: 16.5, []) == ["HEALED missing a:0, seen for 14 s"] && tracker.standing == [])
        #expect(look(at: 17, [], up: up) == [])
    }

    @Test func manyAtOnceAreCounted() {
        var tracker = DifferenceTracker()
        let all = (10..<40).map { difference(.missing, "b-\($0):0", reported: true) }
        let lines = tracker.update(all, up: ["ns-1", "ns-2"], now: .zero)
        #expect(lines.count == 10 && lines.last == "DIVERGENCE and 21 more; hearsay diff lists all")
        #expect(tracker.standing.count == 30)
        #expect(
            tracker.update([], up: ["ns-1", "ns-2"], now: .zero).last == "HEALED and 21 more; hearsay diff lists all")
    }

    @Test func aLateBrokerThatIsDroppedHasNotHealed() {
        var tracker = DifferenceTracker()
        let up = ["ns-1", "ns-2"]
        #expect(tracker.update([difference(.late, "a:0", reported: true)], up: up, now: .zero).count == 1)
        // At once, though nobody has reported it yet.
        let lines = tracker.update([difference(.missing, "a:0")], up: up, now: .zero + .seconds(1))
        #expect(lines.map { $0.prefix(22) } == ["DIVERGENCE missing a:0"])
        #expect(tracker.standing.map(\.kind) == [.missing])
        #expect(tracker.update([], up: up, now: .zero + .seconds(2)) == ["HEALED missing a:0, seen for 1.0 s"])
    }

    @Test func whatTheNodesReportHasLastedAlready() {
        var tracker = DifferenceTracker()
        let lines = tracker.update(
            [difference(.content, "a:0", since: 7_000, reported: true)], up: ["ns-1", "ns-2"], now: .zero)
        #expect(lines.count == 1 && tracker.standing.map(\.sinceMillis) == [7_000])
    }

    @Test func aNodeThatFellSilentHasNotHealed() {
        var tracker = DifferenceTracker()
        let missing = difference(.missing, "a:0", reported: true)
        #expect(tracker.update([missing], up: ["ns-1", "ns-2"], now: .zero).count == 1)
        #expect(tracker.update([], up: ["ns-1"], now: .zero + .seconds(1)) == [])
        #expect(tracker.standing == [])
    }

    // MARK: Words

    @Test(arguments: [
        (Int64(-5), "0.0 s"), (949, "0.9 s"), (119_999, "119 s"), (120_000, "2 m 0 s"), (7_200_000, "2 h 0 m"),
        (172_799_000, "47 h 59 m"), (172_800_000, "2 d 0 h"),
    ])
    func durations(_ milliseconds: Int64, _ text: String) { #expect(DurationText.short(milliseconds) == text) }

    @Test(arguments: [
        (Int32(479), UInt8(0), "RocketMQ 5.3.3"), (409, 0, "RocketMQ 4.9.8"), (413, 12, "RocketMQ 5.0.0 (RUST)"),
        (63, 1, "RocketMQ (CPP)"),
    ])
    func software(_ version: Int32, _ language: UInt8, _ name: String) {
        #expect(softwareName(version: version, language: language) == name)
    }
}
