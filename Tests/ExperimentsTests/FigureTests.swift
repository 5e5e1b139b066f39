import Basics
import Testing

@testable import Experiments

/// Figures of hand-written histories. The sample has three nodes, brokers 0 (broker-a:0), 1 (its slave) and 2
/// (broker-b:0), and a cut of broker 0 → node 1 from 60 to 360 s; RocketMQ's timings; 600 s.
@Suite struct FigureTests {
    private typealias Event = (Double, HistoryEvent.Kind)
    private static let cut: [Event] = [(60, .faultBegan(0)), (360, .faultEnded(0))]

    private static func compute(
        _ events: [Event], arm: Arm = .off, change: (inout Scenario) -> Void = { _ in }
    ) -> [Figure: Double] {
        var scenario = Scenario.sample
        change(&scenario)
        let history = (events + [(600, .ended)]).map { HistoryEvent(time: $0.0, $0.1) }
            .enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
        return ArmFigures.compute(history, of: scenario, arm: arm)
    }

    private static func absent(_ node: Int, _ broker: Int) -> HistoryEvent.Kind {
        .sight(node: node, broker: broker, .absent)
    }
    private static func seen(_ node: Int, _ broker: Int) -> HistoryEvent.Kind {
        .sight(node: node, broker: broker, .registered)
    }
    /// Without any fault of the schedule.
    private static func unscheduled(_ scenario: inout Scenario) { scenario.faults = [] }

    @Test func aQuietRunHasNothingToTell() {
        let figures = FigureTests.compute([], arm: .protect, change: FigureTests.unscheduled)
        for figure in [
            Figure.falseEvictions, .zombies, .routeGap, .wrongAnswers, .unanswered, .sendsFailed, .sendsRetried,
            .gossipBytes, .divergence, .alarms, .timeToConverge, .unread,
        ] {
            #expect(figures[figure] == 0, "\(figure)")
        }
        // Nobody sent: there is no latency, and the outage is the whole run.
        #expect(figures[.sendLatencyMedian] == nil && figures[.sendFailureRate] == nil)
        #expect(figures[.timeToNotice] == nil)
        #expect(figures[.longestSendOutage] == 600)
    }

    // MARK: - Evictions and gaps

    @Test func aLivingBrokerThatOthersHearIsEvictedFalsely() {
        let figures = FigureTests.compute(
            FigureTests.cut + [(180, FigureTests.absent(1, 0)), (370, FigureTests.seen(1, 0))])
        #expect(figures[.falseEvictions] == 190)
        #expect(figures[.routeGap] == 190)
        // From the heal at 360 to the new registration.
        #expect(figures[.timeToConverge] == 10)
        #expect(figures[.zombies] == 0)
    }

    @Test func protectedAndLearnedEntriesAreListed() {
        let figures = FigureTests.compute([
            (180, .sight(node: 1, broker: 0, .protected)), (190, .sight(node: 1, broker: 0, .learned)),
        ])
        #expect(figures[.falseEvictions] == 0 && figures[.routeGap] == 0)
    }

    @Test func evictionsOfAllNodesAndBrokersAddUpButTheGapIsTheLongest() {
        let figures = FigureTests.compute([
            (100, FigureTests.absent(0, 0)), (120, FigureTests.seen(0, 0)), (110, FigureTests.absent(1, 2)),
            (140, FigureTests.seen(1, 2)), (200, FigureTests.absent(0, 0)), (205, FigureTests.seen(0, 0)),
        ])
        #expect(figures[.falseEvictions] == 55, "20 + 30 + 5")
        #expect(figures[.routeGap] == 30)
    }

    /// Whom no running node can hear is not evicted falsely; it still is a gap in the routes.
    @Test func whomNobodyHearsIsNotEvictedFalsely() {
        let all: (inout Scenario) -> Void = {
            $0.faults[0].fault = .cut((0..<3).map { Link(from: .broker(0), to: .node($0)) })
        }
        let lost = (0..<3).map { (180.0, FigureTests.absent($0, 0)) }
        let back = (0..<3).map { (370.0, FigureTests.seen($0, 0)) }
        let figures = FigureTests.compute(FigureTests.cut + lost + back, change: all)
        #expect(figures[.falseEvictions] == 30, "10 s of three nodes, after the heal")
        #expect(figures[.routeGap] == 190)
        #expect(figures[.timeToConverge] == 10)
    }

    /// A node that does not run hears nobody; a node that is paused lists nobody falsely.
    @Test(arguments: [HistoryEvent.ProcessState.down, .paused])
    func onlyRunningNodesCount(state: HistoryEvent.ProcessState) {
        let figures = FigureTests.compute([
            (100, FigureTests.absent(1, 0)), (150, .process(.node(1), state)), (250, .process(.node(1), .up)),
            (260, FigureTests.seen(1, 0)),
        ])
        #expect(figures[.falseEvictions] == 60)
        #expect(figures[.routeGap] == 50, "a pause ends a gap")
    }

    @Test func aNodeThatStartsEmptyLacksBrokers() {
        let restart: [Event] = [
            (100, .process(.node(1), .down)), (110, .process(.node(1), .up)), (110, FigureTests.absent(1, 0)),
            (110, FigureTests.absent(1, 1)), (110, FigureTests.absent(1, 2)), (130, FigureTests.seen(1, 0)),
            (135, FigureTests.seen(1, 1)), (140, FigureTests.seen(1, 2)),
        ]
        let figures = FigureTests.compute(restart)
        #expect(figures[.falseEvictions] == 75, "20 + 25 + 30")
        #expect(figures[.routeGap] == 30)
    }

    /// A process must be up for a quarter of a scan, 2.5 s, before it counts.
    @Test func aBrokerLivesOnceItCanHaveBeenSeen() {
        let restart: [Event] = [
            (100, .process(.broker(2), .down)), (101, FigureTests.absent(0, 2)), (101, FigureTests.absent(1, 2)),
            (101, FigureTests.absent(2, 2)), (200, .process(.broker(2), .up)), (202, FigureTests.seen(0, 2)),
            (202, FigureTests.seen(1, 2)), (206, FigureTests.seen(2, 2)),
        ]
        #expect(FigureTests.compute(restart)[.falseEvictions] == 3.5)
    }

    // MARK: - Zombies

    /// Expiry 120, scan 10, a quarter of a scan 2.5, and 1 second: 133.5 s.
    @Test func aDeadBrokerMayBeListedForItsTimeoutOnly() {
        let dead: [Event] = [(100, .process(.broker(2), .down))]
        let gone = dead + [(230, FigureTests.absent(0, 2)), (233, FigureTests.absent(1, 2))]
        #expect(FigureTests.compute(gone + [(233.5, FigureTests.absent(2, 2))])[.zombies] == 0)
        #expect(FigureTests.compute(gone + [(240.5, FigureTests.absent(2, 2))])[.zombies] == 7)
        #expect(FigureTests.compute(gone)[.zombies] == 366.5)
        // It comes back before anybody could have noticed.
        #expect(FigureTests.compute(dead + [(220, .process(.broker(2), .up))])[.zombies] == 0)
        // A process that stands still is as dead.
        #expect(
            FigureTests.compute([(100, .process(.broker(2), .paused)), (250, .process(.broker(2), .up))])[.zombies]
                == 49.5)
    }

    // MARK: - Noticing and agreeing

    @Test func noticingCountsFromTheFirstFault() {
        let reports: [Event] = [
            (10, .divergence(node: 2, kind: "lateHere", text: "before anything happened")),
            (97.5, .divergence(node: 1, kind: "lateHere", text: "broker-a is late")), (130, .alarm(node: 1, text: "…")),
        ]
        let figures = FigureTests.compute(FigureTests.cut + reports, arm: .observe)
        #expect(figures[.timeToNotice] == 37.5)
        #expect(figures[.alarms] == 1)
        #expect(
            FigureTests.compute(FigureTests.cut + [(100, .alarm(node: 0, text: ""))], arm: .protect)[.timeToNotice]
                == 40)
        #expect(
            FigureTests.compute(FigureTests.cut + [(80, .divergences(node: 0, count: 2))], arm: .protect)[.timeToNotice]
                == 20)
    }

    @Test(arguments: [Arm.off, .apache])
    func nodesThatDoNotCompareHaveNoSuchFigures(arm: Arm) {
        let figures = FigureTests.compute(FigureTests.cut, arm: arm)
        #expect(figures[.timeToNotice] == nil && figures[.divergence] == nil && figures[.alarms] == nil)
        #expect(figures[.gossipBytes] == 0)
    }

    @Test func differencesAddUpWhileTheyLast() {
        let reports: [Event] = [
            (100, .divergences(node: 0, count: 2)), (110, .divergences(node: 1, count: 1)),
            (130, .divergences(node: 0, count: 0)), (140, .process(.node(1), .down)), (150, .process(.node(1), .up)),
            (160, .divergences(node: 1, count: 0)),
        ]
        let figures = FigureTests.compute(reports, arm: .observe)
        #expect(figures[.divergence] == 100, "2 × 30 of node 1, 30 and 10 of node 2")
    }

    @Test func agreementMustStay() {
        let flaps: [Event] = [
            (365, FigureTests.absent(1, 0)), (370, FigureTests.seen(1, 0)), (390, FigureTests.absent(2, 2)),
            (400, FigureTests.seen(2, 2)),
        ]
        #expect(FigureTests.compute(FigureTests.cut + flaps)[.timeToConverge] == 40)
        #expect(
            FigureTests.compute(FigureTests.cut + flaps + [(590, FigureTests.absent(0, 0))])[.timeToConverge] == nil)
        // With gossip, differences must be gone, too; without, a report of differences is nothing that nodes can make.
        let told: [Event] = [(350, .divergences(node: 0, count: 1)), (385, .divergences(node: 0, count: 0))]
        #expect(FigureTests.compute(FigureTests.cut + told, arm: .protect)[.timeToConverge] == 25)
    }

    @Test func agreementWaitsForTheLastFault() {
        // The cut never ends: nothing was healed.
        #expect(FigureTests.compute([(60, .faultBegan(0))])[.timeToConverge] == nil)
        // A fault without end counts from its beginning.
        let forever: (inout Scenario) -> Void = { $0.faults[0].end = nil }
        let evicted: [Event] = [(60, .faultBegan(0)), (180, FigureTests.absent(1, 0))]
        #expect(FigureTests.compute(evicted, change: forever)[.timeToConverge] == nil)
        #expect(FigureTests.compute(evicted + [(200, FigureTests.seen(1, 0))], change: forever)[.timeToConverge] == 140)
    }

    /// A broker that nobody hears and only some list is a difference; a dead one is none.
    @Test func onlyLivingBrokersMustBeAgreedOn() {
        let dead: [Event] = [(100, .process(.broker(2), .down)), (101, FigureTests.absent(0, 2))]
        #expect(FigureTests.compute(dead)[.timeToConverge] == 0)
    }

    @Test func gossipBytesAreCountedThroughRestarts() {
        let counts: [Event] = [
            (-5, .gossipBytes(node: 0, total: 1_000)), (100, .gossipBytes(node: 0, total: 3_000)),
            (200, .gossipBytes(node: 0, total: 500)), (150, .gossipBytes(node: 1, total: 40)),
        ]
        #expect(FigureTests.compute(counts, arm: .observe)[.gossipBytes] == 2_540, "2000 + 500 of node 1, 40 of node 2")
    }

    // MARK: - Clients

    private static func sent(_ broker: Int?, attempts: Int = 1, millis: Double = 5, client: Int = 0)
        -> HistoryEvent.Kind
    {
        .send(
            client: client,
            HistoryEvent.SendOutcome(
                broker: broker, attempts: attempts, latencyMillis: millis, failure: broker == nil ? "no broker" : nil))
    }

    @Test func sendsAreCounted() {
        var sends: [Event] = (1...100).map { (Double($0), FigureTests.sent(0, millis: Double($0))) }
        sends += [(200, FigureTests.sent(nil, attempts: 3)), (201, FigureTests.sent(2, attempts: 2, millis: 900))]
        // Before everybody agreed: not counted.
        sends += [(-3, FigureTests.sent(nil)), (-2, FigureTests.sent(0, millis: 5_000))]
        let figures = FigureTests.compute(sends)
        #expect(figures[.sendsFailed] == 1)
        #expect(figures[.sendsRetried] == 1)
        #expect(figures[.sendFailureRate].map { ($0 * 100).rounded() } == 98)
        // 101 messages were taken: the 51st and the 100th of them.
        #expect(figures[.sendLatencyMedian] == 51)
        #expect(figures[.sendLatencyP99] == 100)
    }

    /// The sample's producer sends 5 a second: a gap of up to 0.4 s is its rhythm. Fifths of seconds at which nothing
    /// was taken, and how long that was.
    @Test(arguments: [(0..<0, 0.0), (501..<600, 20), (0..<50, 10), (2_901..<3_001, 20), (7..<8, 0)])
    func outages(silent: Range<Int>, longest: Double) {
        let taken = (0...3_000).filter { !silent.contains($0) }
        #expect(FigureTests.compute(taken.map { (Double($0) / 5, FigureTests.sent(0)) })[.longestSendOutage] == longest)
    }

    @Test func whatConsumersHaveNotReadIsUnread() {
        let events: [Event] = [
            (-1, FigureTests.sent(0)), (1, FigureTests.sent(0)), (2, FigureTests.sent(0)), (3, FigureTests.sent(nil)),
            (4, .received(client: 1, total: 1)), (9, .received(client: 1, total: 2)),
        ]
        #expect(FigureTests.compute(events)[.unread] == 1)
        #expect(FigureTests.compute(events + [(10, .received(client: 1, total: 3))])[.unread] == 0)
        // Another topic's messages are not for it.
        #expect(FigureTests.compute(events) { $0.clients[1].topic = "Other" }[.unread] == 0)
    }

    @Test func wrongAnswersAreWrongAboutLivingBrokers() {
        func answer(_ outcome: HistoryEvent.RouteOutcome) -> Event { (100, .route(client: 0, outcome)) }
        let deadB: [Event] = [(50, .process(.broker(2), .down))]
        let allDead: [Event] = (0..<3).map { (50, .process(.broker($0), .down)) }
        let rows: [(events: [Event], wrong: Double, unanswered: Double)] = [
            ([answer(.brokers([0, 1, 2]))], 0, 0),
            ([answer(.noRoute)], 1, 0),
            (allDead + [answer(.noRoute)], 0, 0),
            (deadB + [answer(.brokers([0, 2]))], 0, 0),
            (deadB + [answer(.brokers([2]))], 1, 0),
            (deadB + [answer(.brokers([]))], 1, 0),
            (allDead + [answer(.brokers([0, 1, 2]))], 0, 0),
            ([answer(.notReady)], 0, 0),
            ([answer(.unanswered)], 0, 1),
            ([(-1, .route(client: 0, .noRoute))], 0, 0),
        ]
        for (index, row) in rows.enumerated() {
            let figures = FigureTests.compute(row.events)
            #expect(figures[.wrongAnswers] == row.wrong, "row \(index)")
            #expect(figures[.unanswered] == row.unanswered, "row \(index)")
        }
        // Living brokers of other groups do not help.
        let groupBOnly: (inout Scenario) -> Void = { $0.topics[0].groups = ["broker-b"] }
        #expect(FigureTests.compute(deadB + [answer(.noRoute)], change: groupBOnly)[.wrongAnswers] == 0)
    }

    @Test func withoutClientsTheirFiguresDoNotApply() {
        let figures = FigureTests.compute([]) { $0.clients = [] }
        #expect(figures[.sendsFailed] == nil && figures[.wrongAnswers] == nil && figures[.unread] == nil)
        #expect(FigureTests.compute([]) { $0.clients = [$0.clients[1]] }[.sendsFailed] == nil)
        #expect(FigureTests.compute([]) { $0.clients = [$0.clients[0]] }[.unread] == nil)
    }

    /// What comes after the end does not count.
    @Test func theEndIsTheEnd() {
        let figures = FigureTests.compute([(590, FigureTests.absent(0, 0)), (610, FigureTests.sent(nil))])
        #expect(figures[.falseEvictions] == 10)
        #expect(figures[.sendsFailed] == 0)
    }

    // MARK: - Words

    @Test func everyFigureSaysWhatItIs() {
        #expect(Set(Figure.allCases.map(\.title)).count == Figure.allCases.count)
        #expect(Set(Figure.allCases.map(\.definition)).count == Figure.allCases.count)
        for figure in Figure.allCases { #expect(figure.definition.hasSuffix("."), "\(figure)") }
    }

    @Test(
        arguments: [
            (Figure.falseEvictions, 0.0, "0 broker·s"), (.falseEvictions, 12.34, "12.3 broker·s"),
            (.timeToNotice, nil, "never"), (.timeToNotice, 37.5, "37.5 s"), (.sendLatencyP99, nil, "–"),
            (.sendLatencyP99, 3.06, "3.1 ms"), (.sendsFailed, 7, "7"), (.sendFailureRate, 0, "0 %"),
            (.sendFailureRate, 1.2345, "1.23 %"), (.sendFailureRate, 9.999, "10.00 %"), (.gossipBytes, 999, "999 B"),
            (.gossipBytes, 12_345, "12.3 kB"), (.gossipBytes, 2_000_000, "2.0 MB"), (.alarms, nil, "–"),
        ] as [(Figure, Double?, String)])
    func values(figure: Figure, value: Double?, text: String) {
        #expect(figure.text(value) == text)
    }
}
