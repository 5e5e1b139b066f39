import Basics
import Testing

@testable import Experiments

@Suite struct ReportPageTests {
    // MARK: Texts

    @Test(arguments: [
        (0.0, "0"), (182.25, "182.25"), (182.5, "182.5"), (0.05, "0.05"), (0.004, "0"), (12.999, "13"), (-600, "−600"),
        (1234567.1, "1234567.1"),
    ])
    func numbersAreShort(value: Double, text: String) {
        #expect(ReportText.number(value) == text)
    }

    @Test func markupEscapesTextAndOnlyText() {
        let text = "<b title='x' id=\"y\">&amp;</b>"
        let html: HTML = "<p>\(text)\(HTML("<i>"))\([HTML("<u>"), "\("<")"])\(3)\(0.12345)\(2.0)</p>"
        #expect(
            html.text == "<p>&lt;b title=&#39;x&#39; id=&quot;y&quot;&gt;&amp;amp;&lt;/b&gt;<i><u>&lt;30.1232</p>")
        #expect(HTML.data(["a": "</script><!--"]).text == #"{"a": "\u003c/script>\u003c!--"}"#)
    }

    /// Every text that a scenario or a run can hold is a script that would tell, were it one.
    static func hostile() -> ExperimentResult {
        let evil = "</script></svg></title><script>hacked = 1</script><img src=x onerror='hacked = 2'>\"'><b>&amp;"
        var result = ReportSample.result(title: evil)
        var scenario = result.scenario
        (scenario.name, scenario.question) = (evil, evil)
        scenario.nodes = (1...3).map { .init(name: "\(evil)\($0)") }
        for index in scenario.replicas.indices { scenario.replicas[index].group += evil }
        for index in scenario.clients.indices { scenario.clients[index].name += evil }
        scenario.topics[0].name = evil
        scenario.gossipSettings = [.init(key: evil, value: evil)]
        scenario.nodeProperties = [.init(key: evil, value: evil)]
        for index in scenario.faults.indices { scenario.faults[index].text = evil }
        for index in scenario.checks.indices { scenario.checks[index].text = evil }
        (result.scenario, result.startedAt, result.environment) = (scenario, evil, [evil])
        for index in result.arms.indices {
            result.arms[index].history += [
                HistoryEvent(time: 600, .note(evil)), HistoryEvent(time: 600, .alarm(node: 0, text: evil)),
                HistoryEvent(time: 600, .divergence(node: 0, kind: evil, text: evil)),
                HistoryEvent(
                    time: 600, .send(client: 0, .init(broker: nil, attempts: 1, latencyMillis: 1, failure: evil))),
            ]
        }
        return result
    }

    @Test func noTextBecomesMarkup() {
        var other = Self.hostile()
        other.verdicts[0].held.toggle()
        other.seed = 8
        for page in [HTMLReport.page(Self.hostile()), HTMLReport.comparison(Self.hostile(), other)] {
            #expect(!page.contains("<script>hacked") && !page.contains("<img"))
            #expect(page.contains("&lt;script&gt;hacked = 1&lt;/script&gt;"))
        }
        let page = HTMLReport.page(Self.hostile())
        #expect(page.split(separator: "<script").count == 3 && page.split(separator: "</script").count == 3)
    }

    @Test func markupIsNotTakenForText() {
        var other = ReportSample.result(seed: 8, title: "Another")
        other.verdicts[0].held.toggle()
        let quiet = ExperimentResult(
            scenario: .sample, driver: .live, seed: 1, startedAt: "", environment: [],
            arms: [ArmResult(arm: .off, history: [], figures: [:])], verdicts: [])
        for page in [
            HTMLReport.page(ReportSample.standard), HTMLReport.comparison(ReportSample.standard, other),
            HTMLReport.page(quiet),
        ] {
            // No text of the samples has any of these, so each would be markup gone astray.
            for escape in ["&lt;", "&gt;", "&quot;"] { #expect(!page.contains(escape)) }
        }
        #expect(HTMLReport.page(quiet).contains("<h4 class=\"quiet\">Gossip</h4>"))
    }

    // MARK: The page

    @Test func thePageNeedsNothingElse() {
        let page = HTMLReport.page(ReportSample.standard)
        for word in ["http:", "https:", "//cdn", "@import", "src=", "<link rel=\"stylesheet"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.hasPrefix("<!DOCTYPE html>\n<html lang=\"en\">"))
    }

    @Test func theAnswerCountsChecks() {
        var result = ReportSample.standard
        #expect(HTMLReport.page(result).contains(">✗ Violated: 1 of 4 checks.</p>"))
        for index in result.verdicts.indices { result.verdicts[index].held = true }
        #expect(HTMLReport.page(result).contains(">✓ Held: all 4 checks.</p>"))
        result.scenario.checks = [result.scenario.checks[0]]
        result.verdicts = [Verdict(check: 0, arm: .protect, value: nil, held: false)]
        #expect(HTMLReport.page(result).contains(">✗ Violated: 1 of 1 check.</p>"))
        (result.scenario.checks, result.verdicts) = ([], [])
        #expect(HTMLReport.page(result).contains(">Nothing was to be checked.</p>"))
        #expect(!HTMLReport.page(result).contains("<h2>Checks</h2>"))
    }

    @Test func theBestArmIsMarkedOnlyWhereArmsDiffer() {
        func arms(_ values: [(Arm, Double?)], _ figure: Figure) -> Set<Arm> {
            let arms = values.map { arm, value in
                ArmResult(arm: arm, history: [], figures: value.map { [figure: $0] } ?? [:])
            }
            return FigureTable.best(arms, figure)
        }
        #expect(arms([(.off, 3), (.protect, 1), (.replicate, 1)], .zombies) == [.protect, .replicate])
        #expect(arms([(.off, 1), (.protect, 1)], .zombies) == [])
        #expect(arms([(.off, nil), (.protect, 1)], .timeToNotice) == [.protect])
        #expect(arms([(.off, nil), (.protect, nil)], .timeToNotice) == [])
        // What looks the same is not told apart by what is not shown.
        #expect(arms([(.off, 1.2501), (.protect, 1.25)], .routeGap) == [])
        #expect(arms([(.off, 0), (.protect, 9)], .gossipBytes) == [])
    }

    @Test func aResultWithoutEventsClientsOrFaultsIsAPage() {
        var scenario = Scenario.sample
        (scenario.clients, scenario.faults, scenario.checks, scenario.topics) = ([], [], [], [])
        let result = ExperimentResult(
            scenario: scenario, driver: .simulated, seed: 1, startedAt: "", environment: [],
            arms: [ArmResult(arm: .off, history: [], figures: [:])], verdicts: [])
        #expect(HTMLReport.page(result).contains("nothing known"))
        #expect(HTMLReport.comparison(result, result).contains("No check that both have came out differently."))
    }

    /// A hundred thousand events, in which everything changes all the time.
    static func busy() -> ExperimentResult {
        var result = ReportSample.standard
        var random = SeededGenerator(seed: 1)
        let sights: [HistoryEvent.Sight] = [.absent, .learned, .registered, .protected]
        result.arms = [Arm.off, .protect].map { arm in
            let history = (0..<50_000).map { step -> HistoryEvent in
                let (node, broker) = (Int.random(in: 0..<3, using: &random), Int.random(in: 0..<3, using: &random))
                let kind: HistoryEvent.Kind =
                    switch step % 10 {
                    case 0, 1, 2: .sight(node: node, broker: broker, sights.randomElement(using: &random)!)
                    case 3: .topics(node: node, count: broker)
                    case 4: .divergences(node: node, count: broker)
                    case 5: .alarm(node: node, text: "again")
                    case 6: .process(.broker(broker), node == 0 ? .down : .up)
                    case 7: .route(client: node, broker == 0 ? .noRoute : .brokers([broker]))
                    case 8: .gossipBytes(node: node, total: step * 10)
                    default: .send(client: 0, .init(broker: broker, attempts: 1, latencyMillis: Double(step)))
                    }
                return HistoryEvent(time: Double(step) * 600 / 50_000, kind)
            }
            return ArmResult(arm: arm, history: history, figures: [:])
        }
        return result
    }

    @Test func aHundredThousandEventsAreASmallPage() {
        let result = Self.busy()
        let span = TimeSpan(of: result)
        for arm in result.arms {
            let lanes = ArmLanes.lanes(of: arm, scenario: result.scenario, span: span)
            let drawing = LaneDrawing(lanes, span: span)
            for lane in lanes {
                let picture = drawing.picture(lane).text
                let marks = picture.split(separator: "<rect").count + picture.split(separator: "<use").count - 2
                #expect(marks <= 2000, "\(lane.subject.title): \(marks)")
                if case .marks(let marks) = lane.content { #expect(marks.count == Lane.Mark.maximumCount) }
            }
            #expect(lanes.last?.summary == "5000 warnings, the first 500 shown")
        }
        let size = HTMLReport.page(result).utf8.count
        #expect(size < 6 << 20, "\(size) bytes")
    }

    // MARK: Comparison

    @Test func comparisonTellsRatiosAndWhatDiffers() throws {
        let first = ReportSample.standard
        var second = ReportSample.result(seed: 9)
        second.arms.removeLast()
        second.arms[0].figures = [.zombies: 5, .sendsFailed: 18.5, .wrongAnswers: 2]
        second.scenario.faults[0].end = .seconds(300)
        second.verdicts[0].held = false
        let comparison = ResultComparison(first, second, names: ("one", "two"))
        let off = comparison.rows.filter { $0.arm == .off }
        func row(_ figure: Figure) throws -> ResultComparison.Row { try #require(off.first { $0.figure == figure }) }
        #expect(try row(.sendsFailed).ratio == 0.5 && row(.sendsFailed).ratioText == "×0.5")
        #expect(try row(.zombies).ratio == nil && row(.zombies).ratioText == "–")
        #expect(try row(.wrongAnswers).ratio == 1 && row(.wrongAnswers).ratioText == "=")
        #expect(try row(.routeGap).second == nil && row(.routeGap).ratioText == "–")
        #expect(!off.contains { $0.figure == .timeToNotice })
        #expect(!comparison.rows.contains { $0.arm == .replicate })
        #expect(
            comparison.verdicts == [
                .init(check: "falseEvictions: 0 in protect, replicate", arm: .protect, first: true, second: false)
            ])
        #expect(comparison.settings.map(\.what) == ["seed", "arms", "faults"])
        let lines = comparison.lines
        #expect(lines.contains("seed     7                                                             9"))
        #expect(
            lines.contains { $0.split(separator: " ") == ["Sends", "failed", "off", "37", "18.5", "×0.5"] })
        #expect(
            lines.last == "falseEvictions: 0 in protect, replicate, in protect: held in one, violated in two")
    }

    @Test func aResultDoesNotDifferFromItself() {
        let result = ReportSample.standard
        let comparison = ResultComparison(result, result)
        #expect(comparison.verdicts.isEmpty && comparison.settings.isEmpty)
        #expect(comparison.rows.allSatisfy { $0.ratio == 1 && $0.ratioText == "=" })
        #expect(comparison.lines.last == "No check that both have came out differently.")
    }
}
