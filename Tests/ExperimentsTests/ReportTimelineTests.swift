import Basics
import Testing

@testable import Experiments

@Suite struct ReportTimelineTests {
    private let span = TimeSpan(start: 0, end: 600)

    // MARK: The axis

    @Test(arguments: [0.1, 1, 7, 29.9, 30, 60, 299, 300, 600, 601, 3600, 86_400, 1_000_000])
    func columnsAreFewAndCoverEverything(end: Double) {
        let span = TimeSpan(start: 0, end: end)
        #expect((1...TimeSpan.maximumColumns).contains(span.columnCount))
        #expect(span.column(of: span.end) == span.columnCount - 1)
        #expect(span.column(of: 0) == 0)
        #expect(span.column(of: -0.001) == nil && span.column(of: span.end + 0.001) == nil)
        #expect(span.times(ofColumn: span.columnCount - 1).to == span.end)
        let ticks = span.ticks()
        #expect((2...13).contains(ticks.count) && ticks.allSatisfy { $0 <= span.end + 1e-6 })
    }

    @Test func theAxisReachesTheLastEventOfAnyArm() {
        var result = ReportSample.standard
        #expect(TimeSpan(of: result).end == 600)
        result.arms[1].history.append(HistoryEvent(time: 642.5, .note("late")))
        #expect(TimeSpan(of: result).end == 642.5)
    }

    // MARK: Spans of states

    @Test func spansBeginWithTheLastChangeBeforeTheStart() {
        let spans = StateSpan.between(
            [(-5, .absent), (-1, .registered), (10, .registered), (20, .absent), (20, .learned), (700, .up)], in: span)
        #expect(
            spans == [StateSpan(from: 0, to: 20, state: .registered), StateSpan(from: 20, to: 600, state: .learned)])
        #expect(StateSpan.between([], in: span).isEmpty)
        #expect(StateSpan.between([(590, .down)], in: span) == [StateSpan(from: 590, to: 600, state: .down)])
    }

    @Test(arguments: [0, 1, 7, 900, 5000, 100_000])
    func spansAreFewInOrderAndRight(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let states: [LaneState] = [.registered, .absent, .learned]
        let times = (0..<count).map { _ in Double.random(in: -10...610, using: &random) }.sorted()
        let changes = times.map { (time: $0, state: states.randomElement(using: &random)!) }
        let spans = StateSpan.between(changes, in: span)
        #expect(spans.count <= StateSpan.maximumCount)
        for (one, next) in zip(spans, spans.dropFirst()) {
            #expect(one.to <= next.from && one.from < one.to && (one.to < next.from || one.state != next.state))
        }
        for one in spans where one.state != .changing {
            // The last change at or before a time within decides.
            let middle = (one.from + one.to) / 2
            #expect(changes.last { $0.time <= middle }?.state == one.state)
        }
        #expect(count < 5000 || spans.contains { $0.state == .changing })
    }

    // MARK: Lanes

    private func lanes(_ arm: Arm) throws -> [Lane] {
        let result = ReportSample.standard
        let found = try #require(result.arms.first { $0.arm == arm })
        return ArmLanes.lanes(of: found, scenario: result.scenario, span: TimeSpan(of: result))
    }

    private func lane(_ arm: Arm, _ title: String) throws -> Lane {
        try #require(try lanes(arm).first { $0.subject.title == title })
    }

    @Test func aLaneShowsWhatTheNodeSaw() throws {
        guard case .states(let spans, let shadow) = try lane(.off, "ns-2 lists broker-a:0").content else {
            Issue.record("no states")
            return
        }
        #expect(
            spans == [
                StateSpan(from: 0, to: 182.5, state: .registered), StateSpan(from: 182.5, to: 364.75, state: .absent),
                StateSpan(from: 364.75, to: 600, state: .registered),
            ])
        #expect(shadow.isEmpty)
        #expect(try lane(.off, "ns-2 lists broker-a:0").summary == "absent 182.25 s")
        #expect(try lane(.protect, "ns-2 lists broker-a:0").summary == "protected 182.25 s")
        #expect(try lane(.protect, "ns-1 lists broker-a:0").summary == "registered throughout")
    }

    @Test func aNodeThatDoesNotRunSeesNothingAndADeadBrokerIsMarked() throws {
        guard case .states(let spans, let shadow) = try lane(.replicate, "ns-3 lists broker-b:0").content else {
            Issue.record("no states")
            return
        }
        #expect(
            spans.prefix(4) == [
                StateSpan(from: 0, to: 400.25, state: .registered), StateSpan(from: 400.25, to: 420.5, state: .silent),
                StateSpan(from: 420.5, to: 421.75, state: .registered),
                StateSpan(from: 421.75, to: 426.5, state: .learned),
            ])
        #expect(shadow == [StateSpan(from: 430, to: 575, state: .down)])
    }

    @Test func everyMessageIsCountedOnce() throws {
        let result = ReportSample.standard
        let history = result.arms[0].history
        for client in 0..<2 {
            guard case .columns(let categories) = try lane(.off, "producer-\(client + 1): messages").content else {
                Issue.record("no columns")
                continue
            }
            func count(_ isWanted: (HistoryEvent.SendOutcome) -> Bool) -> Int {
                history.count {
                    if case .send(client, let outcome) = $0.kind { isWanted(outcome) } else { false }
                }
            }
            #expect(categories.map(\.title) == ["at once", "retried", "given up"])
            #expect(
                categories.map { $0.counts.reduce(0, +) } == [
                    count { $0.broker != nil && $0.attempts == 1 }, count { $0.broker != nil && $0.attempts > 1 },
                    count { $0.broker == nil },
                ])
        }
    }

    @Test func latenciesAreThoseOfTheColumn() throws {
        guard case .latencies(let columns) = try lane(.off, "producer-2: latency").content else {
            Issue.record("no latencies")
            return
        }
        let values = ReportSample.standard.arms[0].history.compactMap { event -> Double? in
            guard case .send(1, let outcome) = event.kind, outcome.broker != nil, (450..<452).contains(event.time)
            else {
                return nil
            }
            return outcome.latencyMillis
        }.sorted()
        #expect(
            columns[225]
                == Lane.Latency(median: values[(values.count + 1) / 2 - 1], high: values.last!, count: values.count))
    }

    @Test func ratesHoldAllThatGrew() throws {
        guard case .rates(let rates, _) = try lane(.off, "consumer-1: read").content else {
            Issue.record("no rates")
            return
        }
        let last = ReportSample.standard.arms[0].history.last {
            if case .received = $0.kind { true } else { false }
        }
        guard case .received(_, let total)? = last?.kind else { return }
        #expect(abs(rates.reduce(0, +) * 2 - Double(total)) < 1e-6)
        #expect(try lane(.off, "consumer-1: read").summary == "\(total) read")
        // Seen every five seconds, and yet no comb: nothing is far from ten a second.
        #expect(rates[10..<210].allSatisfy { $0 > 9 && $0 < 11 })
    }

    @Test func aTotalThatBeginsAgainLosesNothing() throws {
        var result = ReportSample.standard
        result.arms[1].history = [(0, 100), (100, 1100), (200, 40), (300, 80)].map {
            HistoryEvent(time: $0.0, .gossipBytes(node: 0, total: $0.1))
        }
        let lanes = ArmLanes.lanes(of: result.arms[1], scenario: result.scenario, span: span)
        guard let lane = lanes.first(where: { $0.subject.title == "bytes sent" }),
            case .rates(let rates, _) = lane.content
        else {
            Issue.record("no rates")
            return
        }
        #expect(lane.summary == "1.08 kB")
        #expect(abs(rates[10] - 10) < 1e-9 && abs(rates[60] - 0.4) < 1e-9 && rates[200] == 0)
    }

    @Test func differencesAreThoseOfRunningNodes() throws {
        var result = ReportSample.standard
        result.arms[1].history = [
            HistoryEvent(time: 10, .divergences(node: 0, count: 2)),
            HistoryEvent(time: 20, .divergences(node: 2, count: 3)),
            HistoryEvent(time: 30, .process(.node(2), .down)), HistoryEvent(time: 40, .divergences(node: 0, count: 0)),
            HistoryEvent(time: 50, .process(.node(2), .up)),
        ]
        let lanes = ArmLanes.lanes(of: result.arms[1], scenario: result.scenario, span: span)
        guard let lane = lanes.first(where: { $0.subject.title == "differences reported" }),
            case .steps(let steps, _) = lane.content
        else {
            Issue.record("no steps")
            return
        }
        #expect(steps.map(\.from) == [10, 20, 30, 40, 50])
        #expect(steps.map(\.values) == [[2, 0, 0], [2, 0, 3], [2, 0, 0], [0, 0, 0], [0, 0, 3]])
    }

    @Test func topicsOfANodeThatDoesNotRunAreNotKnown() throws {
        let found = try lanes(.off).last { $0.subject.group == .topics }
        guard case .steps(let steps, _)? = found?.content else {
            Issue.record("no steps")
            return
        }
        #expect(steps.prefix(4).map(\.values) == [[4], [], [4], [0]])
        #expect(steps.prefix(4).map(\.from) == [0, 400.25, 420.5, 420.75])
    }

    /// Differences that come and go all the time until the middle of a column, and then stay away.
    @Test func veryManyStepsShowTheLargestOfAColumnAndThenTheLast() throws {
        var result = ReportSample.standard
        let often = (0..<1005).map { HistoryEvent(time: Double($0) / 5, .divergences(node: 0, count: $0 % 2 * 3)) }
        result.arms[1].history = often + [HistoryEvent(time: 202.9, .divergences(node: 0, count: 0))]
        result.arms[1].history += (0..<1005).map {
            HistoryEvent(time: Double($0) / 5, .topics(node: 0, count: $0 % 2 * 3))
        }
        let lanes = ArmLanes.lanes(of: result.arms[1], scenario: result.scenario, span: span)
        func steps(_ title: String) throws -> [Lane.Step] {
            let found = lanes.last { $0.subject.title == title && $0.subject.group != .processes }
            guard case .steps(let steps, _)? = found?.content else { throw TimelineTestError() }
            return steps
        }
        let differences = try steps("differences reported")
        #expect(differences.map(\.from) == [0, 202] && differences.map(\.total) == [3, 0])
        #expect(try steps("ns-1").map(\.total) == [0])
    }

    private struct TimelineTestError: Error {}

    // MARK: Faults

    @Test func faultsLastAsLongAsTheyDid() {
        var scenario = Scenario.sample
        let links = [Link(from: .broker(0), to: .node(1))]
        let faults: [Fault] = [.cut(links), .reset(links), .cut(links), .stop([.node(0)])]
        scenario.faults = faults.enumerated().map { index, fault in
            PlannedFault(number: index + 1, start: .seconds(60), end: nil, fault: fault, text: "\(index)")
        }
        scenario.faults[0].end = .seconds(100)
        let history = [
            HistoryEvent(time: 61, .faultBegan(0)), HistoryEvent(time: 70, .faultBegan(1)),
            HistoryEvent(time: 90, .faultBegan(3)), HistoryEvent(time: 102, .faultEnded(0)),
            HistoryEvent(time: 500, .faultEnded(3)), HistoryEvent(time: 550, .faultBegan(2)),
        ]
        let windows = FaultWindows(history, of: scenario, in: span)
        #expect(
            windows.windows == [
                .init(fault: 0, from: 61, to: 102), .init(fault: 1, from: 70, to: 70),
                .init(fault: 3, from: 90, to: 500), .init(fault: 2, from: 550, to: 600),
            ])
        #expect(windows.shades(in: span).map(\.from) == [61, 550])
        #expect(windows.shades(in: span).map(\.to) == [500, 600])
        #expect(windows.moments(in: span) == [70])
        let planned = FaultWindows(planned: scenario, in: span)
        #expect(planned.windows.map(\.to) == [100, 60, 600, 600])
    }

    @Test func veryManyFaultsAreFewShades() {
        let flaps = (0..<3000).map { FaultWindows.Window(fault: $0, from: Double($0) / 5, to: Double($0) / 5 + 0.1) }
        let moments = (0..<3000).map { FaultWindows.Window(fault: $0, from: Double($0) / 5, to: Double($0) / 5) }
        let shades = FaultWindows(flaps).shades(in: span)
        #expect((1...FaultWindows.maximumShades + 1).contains(shades.count))
        #expect(shades.first?.from == 0 && shades.last?.to == 599.8 + 0.1)
        #expect((1...TimeSpan.maximumColumns).contains(FaultWindows(moments).moments(in: span).count))
    }
}
