// The report in a real browser: what it shows, drawn and in words, against the result's own values.

import Basics
import Foundation
import TestSupport
import Testing

@testable import Experiments

@Suite(
    .enabled(
        if: Browser.executable != nil || ProcessInfo.processInfo.environment["CI"] != nil,
        "chromium is not installed: run '.ci/install tests' ('make test' does)"), .serialized)
struct ReportBrowserTests {
    private let directory = TemporaryDirectory()
    private let browser: Browser
    private static let samplePage = HTMLReport.page(ReportSample.standard)

    init() throws { browser = try Browser() }

    /// The page of `text`, open.
    private func open(_ text: String, width: Int = 1400, isDark: Bool = false) throws -> BrowserPage {
        let path = try directory.write(text, to: "page.html")
        let page = try BrowserPage(in: browser, width: width, isDark: isDark)
        try page.open(path: path)
        return page
    }

    /// A JavaScript string.
    private func quoted(_ text: String) -> String { JSONNode.string(text).compact }

    private func texts(_ page: BrowserPage, _ selector: String) throws -> [String] {
        try page.evaluate("[...document.querySelectorAll(\(quoted(selector)))].map((one) => one.textContent.trim())")
            .elements.compactMap(\.text)
    }

    // MARK: What it says

    @Test(arguments: [false, true])
    func thePageSaysWhatTheResultHolds(isDark: Bool) throws {
        let result = ReportSample.standard
        let page = try open(Self.samplePage, isDark: isDark)
        #expect(try page.text("document.title") == result.scenario.title)
        #expect(
            try texts(page, "h1, .question, #answer") == [
                result.scenario.title, result.scenario.question, "✗ Violated: 1 of 4 checks.",
            ])
        #expect(try texts(page, "#figures thead th") == ["figure", "off", "observe", "protect", "replicate"])
        for figure in Figure.allCases where result.arms.contains(where: { $0.figures[figure] != nil }) {
            let cells = try texts(page, "#f-\(figure.rawValue) td")
            #expect(cells == result.arms.map { FigureTable.cell(figure, $0.figures[figure]) })
            let best = try texts(page, "#f-\(figure.rawValue) td.best[title=best]").count
            #expect(best == FigureTable.best(result.arms, figure).count)
            let title = try page.text("document.querySelector('#f-\(figure.rawValue) a').title")
            #expect(title == figure.definition)
        }
        #expect(try texts(page, "#checks td:first-child") == ["✓ held", "✓ held", "✗ violated", "✓ held"])
        #expect(try texts(page, "#checks code") == result.scenario.checks.map(\.text))
        #expect(
            try texts(page, "#checks .outcomes span[data-arm]")
                == result.verdicts.map { verdict in
                    let value = result.scenario.checks[verdict.check].figure.text(verdict.value)
                    return "\(verdict.arm.rawValue) \(value)\(verdict.held ? "✓" : "✗")"
                })
        #expect(browser.complaints == [])
    }

    @Test func itFollowsTheReadersWishForLightOrDark() throws {
        let page = try open(Self.samplePage)
        func brightness(_ property: String) throws -> Double {
            let numbers = try page.text("getComputedStyle(document.documentElement).\(property)")!
                .split { !$0.isNumber }.prefix(3).compactMap { Double($0) }
            return numbers.reduce(0, +) / 3
        }
        #expect(try brightness("backgroundColor") > 240 && brightness("color") < 60)
        try page.setMedia("screen", isDark: true)
        #expect(try brightness("backgroundColor") < 40 && brightness("color") > 200)
        // On paper the controls are gone, and each arm has an axis.
        try page.setMedia("print", isDark: false)
        #expect(try page.text("getComputedStyle(document.querySelector('.tools')).display") == "none")
        #expect(
            try page.evaluate("[...document.querySelectorAll('.again')].every((one) => one.offsetHeight > 0)")
                == .boolean(true))
        #expect(try page.printed().starts(with: Data("%PDF".utf8)))
        #expect(browser.complaints == [])
    }

    @Test(arguments: [1000, 1600])
    func itFitsTheWindow(width: Int) throws {
        for text in [
            Self.samplePage,
            HTMLReport.comparison(ReportSample.standard, ReportSample.result(seed: 8)),
        ] {
            let page = try open(text, width: width)
            #expect(
                try page.evaluate("document.documentElement.scrollWidth <= innerWidth") == .boolean(true))
        }
        #expect(browser.complaints == [])
    }

    @Test func hostileTextsStayTexts() throws {
        let result = ReportPageTests.hostile()
        let page = try open(HTMLReport.page(result))
        #expect(try page.text("document.querySelector('h1').textContent") == result.scenario.title)
        #expect(try page.text("typeof hacked") == "undefined")
        #expect(try page.evaluate("document.querySelectorAll('img, b b, iframe').length").integer == 0)
        let subject = "\(result.scenario.nodes[1].name) lists \(result.scenario.replicas[0].name)"
        #expect(
            try page.evaluate(
                "[...document.querySelectorAll('.lane')].filter((one) => one.dataset.subject === \(quoted(subject))).length"
            )
            .integer == 4)
        #expect(browser.complaints == [])
    }

    @Test func everyPictureHasAName() throws {
        let page = try open(Self.samplePage)
        #expect(
            try page.evaluate(
                """
                [...document.querySelectorAll("svg")].every((one) => one.getAttribute("aria-hidden") === "true"
                  || one.getAttribute("role") === "img" && one.getAttribute("aria-label").length > 0)
                """) == .boolean(true))
        let label = try page.text(
            "document.querySelector('[data-arm=off][data-subject=\"ns-2 lists broker-a:0\"] svg').getAttribute('aria-label')"
        )
        #expect(
            label == "off, ns-2 lists broker-a:0: registered 0 to 182.5 s; absent 182.5 to 364.75 s; "
                + "registered 364.75 to 600 s")
    }

    // MARK: The cursor

    /// Points at a lane and answers the time there, once the page shows it.
    private func point(_ page: BrowserPage, _ arm: Arm, _ subject: String, at time: Double) throws -> Double {
        let place = try page.evaluate(
            """
            (() => {
              const row = document.querySelector(".lane[data-arm=\(arm.rawValue)][data-subject=" + \(quoted(quoted(subject))) + "]");
              row.scrollIntoView({ block: "center" });
              const box = row.querySelector("svg").getBoundingClientRect();
              return [box.left + box.width * \(time) / 600, box.top + 7];
            })()
            """
        ).elements.compactMap { $0.text.flatMap(Double.init) }
        try page.evaluate("now.textContent = ''")
        try page.point(x: place[0], y: place[1])
        try page.wait(until: "now.textContent !== ''")
        let shown = try #require(try page.text("now.textContent")).split(separator: " ")[0]
        return try #require(Double(shown))
    }

    /// What a lane's row says beside it.
    private func value(_ page: BrowserPage, _ arm: Arm, _ subject: String) throws -> String? {
        try page.text(
            "document.querySelector(\".lane[data-arm=\(arm.rawValue)][data-subject=\" + \(quoted(quoted(subject))) + \"] .value\").textContent"
        )
    }

    /// What the history says, read in the plainest way.
    private struct Truth {
        let result: ExperimentResult
        let arm: ArmResult

        func isUp(_ party: Party, _ time: Double) -> Bool {
            arm.history.last { event in
                if case .process(party, _) = event.kind { event.time <= time } else { false }
            }.map { $0.kind == .process(party, .up) } ?? true
        }

        func sight(_ node: Int, _ broker: Int, _ time: Double) -> LaneState {
            if !isUp(.node(node), time) { return .silent }
            for event in arm.history.reversed() where event.time <= time {
                if case .sight(node, broker, let sight) = event.kind { return LaneState(sight) }
            }
            return .changing
        }

        func count(_ time: Double, _ isWanted: (HistoryEvent.Kind) -> Bool) -> Int {
            let from = (time / 2).rounded(.down) * 2
            return arm.history.count { (from..<from + 2).contains($0.time) && isWanted($0.kind) }
        }
    }

    @Test func everyLaneHasTheHistorysValueAtTheCursor() throws {
        let page = try open(Self.samplePage)
        for time in [30.0, 121, 201, 300, 405, 424, 435, 470, 560, 583, 599.9] { try compareAll(page, at: time) }
        #expect(browser.complaints == [])
    }

    private func compareAll(_ page: BrowserPage, at time: Double) throws {
        let result = ReportSample.standard
        let now = try point(page, .off, "ns-2 lists broker-a:0", at: time)
        #expect(abs(now - time) < 0.5)
        for arm in result.arms {
            let truth = Truth(result: result, arm: arm)
            for node in 0..<3 {
                for broker in 0..<3 {
                    let subject = "\(result.scenario.nodes[node].name) lists \(result.scenario.replicas[broker].name)"
                    let state = truth.sight(node, broker, now)
                    let isDown = broker == 2 && !truth.isUp(.broker(2), now)
                    let isPaused = broker == 1 && !truth.isUp(.broker(1), now)
                    let broker = isDown ? ", broker down" : isPaused ? ", broker paused" : ""
                    #expect(try value(page, arm.arm, subject) == state.title + broker)
                }
            }
            let parts = [
                (
                    truth.count(now) {
                        if case .send(1, let sent) = $0 { sent.broker != nil && sent.attempts == 1 } else { false }
                    }, "at once"
                ),
                (
                    truth.count(now) {
                        if case .send(1, let sent) = $0 { sent.broker != nil && sent.attempts > 1 } else { false }
                    }, "retried"
                ),
                (
                    truth.count(now) { if case .send(1, let sent) = $0 { sent.broker == nil } else { false } },
                    "given up"
                ),
            ].reversed().filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            #expect(try value(page, arm.arm, "producer-2: messages") == parts.joined(separator: ", "))
        }
    }

    @Test func whatIsDrawnIsTheStateOfItsTime() throws {
        let result = ReportSample.standard
        let page = try open(Self.samplePage, width: 1600)
        let truth = result.arms.map { Truth(result: result, arm: $0) }
        for (index, arm) in result.arms.enumerated() {
            for (node, broker) in [(1, 0), (2, 0), (0, 2)] {
                let subject = "\(result.scenario.nodes[node].name) lists \(result.scenario.replicas[broker].name)"
                for time in [90.0, 250, 410, 424, 500, 560] {
                    let drawn = try page.text(
                        """
                        (() => {
                          const row = document.querySelector(".lane[data-arm=\(arm.arm.rawValue)][data-subject=" + \(quoted(quoted(subject))) + "]");
                          row.scrollIntoView({ block: "center" });
                          const box = row.querySelector("svg").getBoundingClientRect();
                          return document.elementFromPoint(box.left + box.width * \(time) / 600, box.top + 7).className.baseVal;
                        })()
                        """)
                    #expect(drawn == truth[index].sight(node, broker, time).rawValue, "\(arm.arm) \(subject) \(time)")
                }
            }
        }
    }

    @Test func pointingTellsTheWholeStory() throws {
        let page = try open(Self.samplePage)
        func tip(_ arm: Arm, _ subject: String, at time: Double) throws -> [String] {
            let now = try point(page, arm, subject, at: time)
            try page.wait(until: "!tip.hidden && tip.textContent.includes(\(quoted(subject)))")
            let lines = try #require(try page.text("tip.textContent")).split(separator: "\n").map(String.init)
            #expect(lines[0] == "\(ReportText.seconds(now)) · \(arm.rawValue) · \(subject)")
            return Array(lines.dropFirst())
        }
        #expect(
            try tip(.off, "ns-2 lists broker-a:0", at: 241)
                == ["absent 182.5 to 364.75 s (182.25 s)", "fault 1: cut broker-a:0 → ns-2"])
        #expect(
            try tip(.replicate, "ns-1 lists broker-b:0", at: 500) == [
                "registered 0 to 546 s (546 s)", "broker down since 430 s", "fault 3: power loss of broker-b:0",
            ])
        #expect(
            try tip(.observe, "differences reported", at: 300)
                == ["6 (2 ns-1, 2 ns-2, 2 ns-3) since 183 s", "fault 1: cut broker-a:0 → ns-2"])
        #expect(
            try tip(.off, "ns-3", at: 410) == ["down 400.25 to 420.5 s (20.25 s)", "fault 2: kill ns-3"])
        #expect(
            try tip(.off, "notes and warnings", at: 465.5).first
                == "465 s: broker-a:0 creates the topic Late with 4 queues")
        #expect(browser.complaints == [])
    }

    @Test func theKeyboardMovesTheCursor() throws {
        let page = try open(Self.samplePage)
        func press(_ key: String, shift: Bool = false, shows time: String) throws {
            try page.press(key, shift: shift)
            try page.wait(until: "now.textContent === \(quoted(time))")
        }
        try page.evaluate("board.focus()")
        try press("ArrowRight", shows: "▪ 0 s")
        try press("ArrowRight", shows: "▪ 2 s")
        try press("ArrowRight", shift: true, shows: "▪ 91.25 s")
        try press("ArrowRight", shift: true, shows: "▪ 92.25 s")
        try press("ArrowLeft", shift: true, shows: "▪ 91.25 s")
        try press("End", shows: "▪ 600 s")
        #expect(try value(page, .off, "ns-1 lists broker-a:0") == "registered")
        try press("Home", shows: "▪ 0 s")
        try press("Escape", shows: "")
        #expect(try value(page, .off, "ns-2 lists broker-a:0") == "absent 182.25 s")
        #expect(try page.evaluate("cursor.hidden") == .boolean(true))
        #expect(browser.complaints == [])
    }

    @Test func aClickKeepsTheCursor() throws {
        let page = try open(Self.samplePage)
        _ = try point(page, .off, "ns-2 lists broker-a:0", at: 240)
        let place = try page.evaluate(
            "(() => { const box = document.querySelector('[data-subject=\"ns-2 lists broker-a:0\"] svg').getBoundingClientRect(); return [box.left + box.width * 0.4, box.top + 7]; })()"
        ).elements.compactMap { $0.text.flatMap(Double.init) }
        try page.click(x: place[0], y: place[1])
        try page.wait(until: "now.textContent.startsWith('▪')")
        let kept = try page.text("now.textContent")
        try page.point(x: place[0] + 200, y: place[1])
        try page.wait(until: "tip.style.left !== '' && parseFloat(tip.style.left) > \(place[0] + 150)")
        #expect(try page.text("now.textContent") == kept)
        try page.click(x: place[0], y: place[1])
        try page.wait(until: "!now.textContent.startsWith('▪')")
    }

    // MARK: The order of the lanes

    @Test func lanesOfAllArmsComeTogetherAndGoBack() throws {
        let page = try open(Self.samplePage)
        let order = "[...document.querySelectorAll('.lane')].map((one) => one.dataset.arm + ' ' + one.dataset.subject)"
        let before = try page.evaluate(order).elements.compactMap(\.text)
        try page.evaluate("document.querySelector('input[value=by-subject]').click()")
        let together = try page.evaluate(order).elements.compactMap(\.text)
        #expect(together.sorted() == before.sorted() && together != before)
        let first = try #require(together.firstIndex(of: "off ns-2 lists broker-a:0"))
        #expect(
            together[first..<first + 4]
                == ["off", "observe", "protect", "replicate"].map { "\($0) ns-2 lists broker-a:0" }[...])
        try page.evaluate("document.querySelector('input[value=by-arm]').click()")
        #expect(try page.evaluate(order).elements.compactMap(\.text) == before)
        // What the marks say can be read without pointing.
        let said = try texts(page, ".arm[aria-label=observe] .reports dd")
        #expect(said.first == "ns-1 first sees: broker-a:0 is late at ns-2: heard 61 s ago there, 1 s ago elsewhere")
        #expect(said.count == 7)
        // A lane in which nothing happens in any arm is shown when asked for.
        let heads = try texts(page, "#lanes h4:not(.quiet)")
        #expect(heads.count == 4 * 6)
        let quiet = "document.querySelector('.lane[data-subject=\"ns-1 lists broker-a:0\"]').offsetHeight"
        #expect(try page.evaluate(quiet).integer == 0)
        try page.evaluate("all.click()")
        #expect(try #require(page.evaluate(quiet).integer) > 0)
        #expect(browser.complaints == [])
    }

    @Test func aHundredThousandEventsOpenAndAnswer() throws {
        let page = try open(HTMLReport.page(ReportPageTests.busy()))
        _ = try point(page, .off, "ns-2 lists broker-a:0", at: 241)
        let drawn = try texts(page, ".lane[data-arm=off] .value").filter { $0.hasPrefix("changing") }
        #expect(!drawn.isEmpty)
        #expect(browser.complaints == [])
    }

    // MARK: Comparison

    @Test func theComparisonShowsBothValuesAndTheirRatio() throws {
        let first = ReportSample.standard
        var second = ReportSample.result(seed: 9)
        second.verdicts[0].held = false
        let page = try open(HTMLReport.comparison(first, second))
        for row in ResultComparison(first, second).rows {
            #expect(
                try texts(page, "tr[data-figure=\(row.figure.rawValue)][data-arm=\(row.arm.rawValue)] td").prefix(4)
                    == [
                        row.arm.rawValue, row.figure.text(row.first), row.figure.text(row.second), row.ratioText,
                    ])
        }
        #expect(
            try texts(page, "#verdicts tbody td")
                == ["falseEvictions: 0 in protect, replicate", "protect", "✓ held", "✗ violated"])
        #expect(try texts(page, "#settings tbody tr") == ["seed79"])
        #expect(browser.complaints == [])
    }
}
