// The page of `hearsay run` in a real browser: what it shows, beside what the nodes say, while its own switches break
// things.

import Foundation
import Glibc
import TestSupport
import Testing

let isBrowserWanted = Browser.executable != nil || ProcessInfo.processInfo.environment["CI"] != nil

@Suite(
    .enabled(if: isBrowserWanted, "chromium is not installed: run '.ci/install tests' ('make test' does)"), .serialized,
    .ownThread)
struct PageSwitchTests {
    private static let allCells = 12

    /// What the page and the nodes say of the same, at a moment when they agree: each is asked at its own time.
    private func expectAgreement(
        _ page: BrowserPage, _ cluster: PageCluster, where isWanted: ([String: String]) -> Bool
    ) throws {
        var (shown, told): ([String: String], [String: String]) = ([:], [:])
        let agree = try poll(within: .seconds(60), every: .milliseconds(50)) {
            told = try cluster.sights()
            shown = try page.sights()
            return shown == told && isWanted(told)
        }
        #expect(agree, "page \(shown)\nnodes \(told)")
    }

    /// A cluster whose page shows that every node heard every broker.
    private func started() throws -> (PageCluster, NodeProcess, Browser, BrowserPage) {
        let cluster = try PageCluster()
        let run = try cluster.run()
        let browser = try Browser()
        let page = try BrowserPage(in: browser)
        try page.open(url: "http://\(cluster.page.address)/")
        try page.waitUntilAll(Self.allCells, are: "heard")
        return (cluster, run, browser, page)
    }

    private func toggle(_ from: String, _ to: String) -> String { "button.toggle[title^='\(from) → \(to):']" }

    @Test func aCutLinkIsShownAndHeals() throws {
        let (cluster, run, browser, page) = try started()
        try expectAgreement(page, cluster) { Set($0.values) == ["heard"] }
        try page.wait(until: "document.getElementById('verdict').classList.contains('good')")
        #expect(
            try page.text("document.getElementById('verdict-text').textContent") == "All 3 nodes agree on 4 brokers")
        #expect(try page.texts("#differences li .what") == ["✓ None: all nodes that answer list the same."])

        // The link from a broker to a node.
        let cell = "#rows button[aria-label^='broker-a:0 at ns-1:']"
        let begun = ContinuousClock.now
        try page.click(on: toggle("broker-a:0", "ns-1"))
        try page.wait(until: "document.querySelector(\"\(cell)\").classList.contains('cut')")
        let cutShown = ContinuousClock.now - begun
        try page.wait(
            until: "!['heard'].includes(document.querySelector(\"\(cell)\").ariaLabel.split(': ')[1].split(',')[0])")
        let lateShown = ContinuousClock.now - begun
        try page.wait(until: "document.querySelector('#differences .open .what')?.textContent.includes('broker-a:0')")
        let differenceShown = ContinuousClock.now - begun
        print(
            "page: a cut link is marked after \(cutShown.text), the silence after \(lateShown.text), the difference with advice "
                + "after \(differenceShown.text) (heartbeat 0.5 s, late after 1.25 s)")
        // Whoever looks at the events later sees that it was no accident, here and on the terminal.
        #expect(try page.texts("#events li").contains { $0.hasSuffix(" by hand: the link broker-a:0 → ns-1 is cut") })
        try run.line { $0.hasSuffix(" by hand: the link broker-a:0 → ns-1 is cut") ? () : nil }
        // The nodes keep it, since two peers hear it; and hearsay diff says the same as the page.
        try expectAgreement(page, cluster) {
            $0["broker-a:0 at ns-1"] == "protected" && $0.values.count { $0 == "heard" } == Self.allCells - 1
        }
        let difference = try cluster.ask("diff", "--topics", "none", "--settle", "50ms")["differences"]?.elements.first
        #expect(difference?["subject"]?.text == "broker-a:0" && difference?["kind"]?.text == "late")
        #expect(try page.texts("#differences .open .what").first?.hasPrefix("▲ late broker-a:0 for ") == true)
        #expect(
            try page.text("document.getElementById('verdict-text').textContent") == "1 difference between the nodes")
        #expect(try page.texts(".card.differs .name").sorted() == PageCluster.nodeNames)

        // And why, by the keyboard.
        try page.evaluate("document.querySelector(\"\(cell)\").focus()")
        try page.press("Enter")
        try page.wait(until: "document.querySelectorAll('#why-body tbody tr').length === 3")
        let why = try page.texts("#why-body tbody tr")
        #expect(
            why[0].hasPrefix("ns-1yesprotected: not heard here for ") && why[1].hasPrefix("ns-2yesheard by itself "))
        try page.press("Escape")
        try page.wait(until: "!document.getElementById('why').open")
        #expect(try page.text("document.activeElement.ariaLabel")?.hasPrefix("broker-a:0 at ns-1:") == true)

        try page.click(on: "#heal")
        try page.waitUntilAll(Self.allCells, are: "heard")
        try page.wait(until: "document.querySelector('#differences .healed .what')?.textContent.includes('broker-a:0')")
        try expectAgreement(page, cluster) { Set($0.values) == ["heard"] }
        try page.wait(until: "document.getElementById('verdict').classList.contains('good')")
        #expect(browser.complaints == [])
        #expect(try run.terminate() == .exit(0))
    }

    @Test func aCutBetweenNodesEndsTheirSession() throws {
        let (cluster, run, browser, page) = try started()
        try page.wait(until: "document.querySelectorAll('.peers .good').length === 6")
        let begun = ContinuousClock.now
        try page.click(on: toggle("ns-2", "ns-3"))
        try page.wait(
            until:
                "document.querySelectorAll('.peers li').length === 6 && [...document.querySelectorAll('.peers li')].filter((one) => one.textContent.includes('✂')).length === 2"
        )
        print("page: a cut link between nodes is marked after \((ContinuousClock.now - begun).text)")
        try page.wait(until: "[...document.querySelectorAll('.peers .down')].length === 2")
        print(
            "page: a cut link between nodes is shown by both after \((ContinuousClock.now - begun).text) (period 0.25 s)"
        )
        #expect(try page.texts(".peers .down").sorted() == ["✂✕ ns-2: no session", "✂✕ ns-3: no session"])
        let peers = try cluster.ask("status")["nodes"]?.elements.flatMap { $0["peers"]?.elements ?? [] } ?? []
        #expect(peers.count { $0["isConnected"] == .boolean(false) } == 2)
        // No broker suffers.
        try expectAgreement(page, cluster) { Set($0.values) == ["heard"] }
        try page.click(on: toggle("ns-2", "ns-3"))
        try page.wait(until: "document.querySelectorAll('.peers .good').length === 6")
        #expect(browser.complaints == [])
        #expect(try run.terminate() == .exit(0))
    }

    @Test func processesArePausedKilledAndStarted() throws {
        let (cluster, run, browser, page) = try started()
        func act(_ what: String, _ name: String) throws {
            let button = "button.act[aria-label='\(what) \(name)']"
            try page.wait(until: "document.querySelector(\"\(button)\") !== null")
            try page.click(on: button)
        }

        let begun = ContinuousClock.now
        try act("kill", "ns-3")
        try page.wait(until: "document.querySelector('.card.down .name')?.textContent === 'ns-3'")
        print("page: a killed node is shown after \((ContinuousClock.now - begun).text)")
        try expectAgreement(page, cluster) {
            $0["broker-a:0 at ns-3"] == "unknown" && $0["broker-a:0 at ns-1"] == "heard"
        }
        #expect(
            try page.text("document.getElementById('verdict-text').textContent")?
                .hasPrefix("1 of 3 nodes does not answer: ns-3") == true)
        try act("restart", "ns-3")
        try page.waitUntilAll(Self.allCells, are: "heard")
        try expectAgreement(page, cluster) { Set($0.values) == ["heard"] }

        try act("pause", "broker-b:0")
        try page.wait(until: "document.querySelector('#board-rows .state.paused') !== null")
        try page.wait(
            until: "document.querySelector(\"#rows button[aria-label^='broker-b:0 at ns-2: heard']\") === null")
        try act("resume", "broker-b:0")
        try page.waitUntilAll(Self.allCells, are: "heard")

        // A dead broker leaves every table, and is shown as having left.
        try act("kill", "broker-b:1")
        try page.wait(until: "document.querySelectorAll('#rows tr.ghost').length === 1")
        #expect(try cluster.sights().keys.contains { $0.hasPrefix("broker-b:1") } == false)
        try act("restart", "broker-b:1")
        try page.waitUntilAll(Self.allCells, are: "heard")
        #expect(browser.complaints == [])
        // Whoever kills on purpose has not failed.
        #expect(try run.terminate() == .exit(0))
    }

    /// Without the page's token and origin nothing is switched, and no node has switches.
    @Test func nobodyElseSwitches() throws {
        let cluster = try PageCluster(groups: [])
        let run = try cluster.run()
        func post(_ path: String, port: UInt16, _ fields: String = "", host: String = "127.0.0.1") throws -> Int {
            let connection = try RawConnection(port: port)
            try connection.send("POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 0\r\n\(fields)\r\n")
            return try connection.receiveHTTP().status
        }
        let stream = try RawConnection(port: cluster.page.port)
        try stream.send("GET /page/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let greeting = try stream.receive(through: "\"token\":\"") + (try stream.receive(through: "\""))
        let token = String(greeting.suffix(33).dropLast())
        let path = "/page/switch?do=kill&process=ns-1"
        #expect(try post(path, port: cluster.page.port) == 403)
        #expect(try post(path, port: cluster.page.port, "X-Hearsay-Token: \(token)x\r\n") == 403)
        #expect(
            try post(path, port: cluster.page.port, "X-Hearsay-Token: \(token)\r\nOrigin: http://evil.example\r\n")
                == 403)
        #expect(try post(path, port: cluster.page.port, "X-Hearsay-Token: \(token)\r\n", host: "evil.example") == 421)
        let wrong = "/page/switch?do=kill&process=ns-9"
        #expect(try post(wrong, port: cluster.page.port, "X-Hearsay-Token: \(token)\r\n") == 400)
        for node in PageCluster.nodeNames {
            let up = poll(within: .seconds(20)) { (try? post(path, port: cluster.httpPort(of: node))) == 405 }
            #expect(up, "\(node)")
        }
        #expect(try post(path, port: cluster.page.port, "X-Hearsay-Token: \(token)\r\n") == 204)
        // What is dead cannot be killed.
        #expect(try poll { try post(path, port: cluster.page.port, "X-Hearsay-Token: \(token)\r\n") == 409 })
        #expect(try run.terminate() == .exit(0))
    }
}

extension Duration {
    /// `0.31 s`.
    var text: String {
        let hundredths = Int(self / .milliseconds(10))
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
    }
}
