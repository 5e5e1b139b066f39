// The page of a node in a real browser: names that mean harm, keyboard, light and dark, a lost connection, a thousand
// brokers.

import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
    .enabled(if: isBrowserWanted, "chromium is not installed: run '.ci/install tests' ('make test' does)"), .serialized,
    .ownThread)
struct PageTests {
    private let cluster: PageCluster
    private let browser: Browser

    init() throws {
        cluster = try PageCluster(groups: [], heartbeat: 15_000)
        browser = try Browser()
    }

    private func open(_ node: String = "ns-1", width: Int = 1400, isDark: Bool = false) throws -> BrowserPage {
        let page = try BrowserPage(in: browser, width: width, isDark: isDark)
        try page.open(url: cluster.url(of: node))
        try page.wait(until: "document.querySelectorAll('.card').length === 3")
        return page
    }

    private func serveAll() throws -> [NodeProcess] { try PageCluster.nodeNames.map { try cluster.serve($0) } }

    /// Registers brokers with a node, over one connection that must be kept.
    private func register(
        _ names: [String], at node: String, topics: [RegisteredTopic] = [RegisteredTopic("orders"), .a]
    ) throws -> RawConnection {
        let connection = try RawConnection(port: cluster.listenPort(of: node))
        for (index, name) in names.enumerated() {
            let registration = Registration {
                $0.broker = name
                $0.address = "10.0.\(index / 250).\(index % 250):10911"
                $0.topics = topics
            }
            let answer = try connection.register(registration)
            if answer.code != 0 { throw TestSupportError("\(name.debugDescription): \(answer.headerText)") }
        }
        return connection
    }

    /// Brokers choose their names: they are shown as they are, or as what cannot be seen; never as markup.
    @Test func hostileNamesAreOnlyShown() throws {
        let nodes = try serveAll()
        let names = [
            "<img src=x onerror=\"document.title='owned'\">", "\"><script>document.title='owned'</script>",
            "';document.title='owned'//", "\u{202E}desrever", "a\u{200B}b", "&lt;b&gt;", "{{7*7}}", "🦆",
            String(repeating: "long", count: 200),
        ]
        let topics = [RegisteredTopic("<svg onload=document.title='owned'>"), RegisteredTopic("orders")]
        let held = try PageCluster.nodeNames.dropLast().map { try register(names, at: $0, topics: topics) }
        let page = try open()
        try page.wait(until: "document.querySelectorAll('#rows tr:not(.space)').length === \(names.count)")
        let shown = Set(try page.texts("#rows .name"))
        let expected = names.map { name in
            String(
                String.UnicodeScalarView(
                    name.unicodeScalars.map { ["\u{202E}", "\u{200B}"].contains($0) ? "\u{FFFD}" : $0 }))
        }
        #expect(shown == Set(expected))
        // The third node lacks them all: differences, events and explanations show the names as well.
        try page.wait(until: "document.querySelectorAll('#differences .open').length === \(names.count)")
        for index in names.indices {
            try page.evaluate(
                "document.querySelectorAll('#rows tr:not(.space)')[\(index)].querySelector('button').click()")
            try page.wait(until: "document.querySelector('#why-body table, #why-body .bad') !== null")
            #expect(try page.texts("#why-body .bad") == [], "\(names[index])")
            #expect(try page.texts("#why-body tbody tr").count == 3, "\(names[index])")
            try page.evaluate("document.getElementById('why').close()")
        }
        try page.evaluate("document.getElementById('topic').focus()")
        try page.type("svg")
        try page.wait(until: "document.querySelectorAll('#topic-list button').length === 1")
        try page.evaluate("document.querySelector('#topic-list button').click()")
        try page.wait(until: "document.querySelectorAll('#route tbody tr').length >= \(names.count)")
        #expect(try page.texts("#route h3") == ["<svg onload=document.title='owned'>"])
        #expect(try page.evaluate("document.querySelectorAll('img, svg:not(.chart), main script').length").integer == 0)
        #expect(try page.text("document.title")?.contains("owned") == false)
        #expect(browser.complaints == [])
        withExtendedLifetime((nodes, held)) {}
    }

    /// Everything can be reached and used without a mouse, and where one is can be seen.
    @Test func theKeyboardIsEnough() throws {
        let nodes = try serveAll()
        let held = try PageCluster.nodeNames.map { try register((0..<60).map { "broker-\($0 + 100)" }, at: $0) }
        let page = try open()
        try page.wait(until: "document.querySelectorAll('#rows tr:not(.space)').length > 10")
        // Every stop has a name, and an outline.
        var stops: [String] = []
        for _ in 0..<12 {
            try page.press("Tab")
            let stop =
                try page.text(
                    """
                    (() => { const one = document.activeElement; if (one === document.body) return "end";
                    if (getComputedStyle(one).outlineStyle === "none" && !one.closest("iframe")) return "no outline: " + one.outerHTML;
                    return one.ariaLabel ?? one.labels?.[0]?.textContent.trim() ?? one.textContent.trim(); })()
                    """) ?? ""
            if stop == "end" { break }
            stops.append(stop)
        }
        #expect(stops.first == "Skip to the brokers")
        #expect(stops.contains { $0.hasPrefix("Find") } && stops.contains("only what needs attention"))
        // The whole table is one stop.
        #expect(
            stops.count { $0.hasPrefix("broker-") } == 1 && !stops.contains { $0.hasPrefix("no outline") || $0.isEmpty }
        )

        try page.evaluate("document.querySelector('#rows button[tabindex=\"0\"]').focus()")
        func place() throws -> String {
            try page.text("document.activeElement.ariaLabel")?.prefix { $0 != "," }.description ?? ""
        }
        #expect(try place() == "broker-100:0 at ns-1: heard")
        for (key, label) in [
            ("ArrowRight", "broker-100:0 at ns-2"), ("ArrowDown", "broker-101:0 at ns-2"),
            ("End", "broker-101:0 at ns-3"),
            ("ArrowRight", "broker-101:0 at ns-3"), ("Home", "broker-101:0 at ns-1"),
            ("ArrowUp", "broker-100:0 at ns-1"),
            ("ArrowUp", "broker-100:0 at ns-1"),
        ] {
            try page.press(key)
            #expect(try place() == "\(label): heard", "\(key)")
        }
        // Down to the last row, which had no element before.
        for _ in 0..<70 { try page.press("ArrowDown") }
        #expect(try place() == "broker-159:0 at ns-1: heard")
        // The focus stays there while rounds come.
        let age = try page.text("document.activeElement.ariaLabel")
        try page.wait(until: "document.activeElement.ariaLabel !== `\(age ?? "")`")
        #expect(try place() == "broker-159:0 at ns-1: heard")
        try page.press("Enter")
        try page.wait(
            until: "document.getElementById('why').open && document.querySelectorAll('#why-body tbody tr').length === 3"
        )
        #expect(try page.text("document.getElementById('why-title').textContent") == "broker-159:0")
        try page.press("Escape")
        #expect(try place() == "broker-159:0 at ns-1: heard")
        #expect(browser.complaints == [])
        withExtendedLifetime((nodes, held)) {}
    }

    /// Text is told from its background (WCAG 2.1: 4.5 to 1), in both schemes, whatever it says.
    @Test(arguments: [false, true]) func isReadable(isDark: Bool) throws {
        let nodes = try serveAll()
        let held = try register(["broker-a", "broker-b"], at: "ns-1")
        let page = try open(isDark: isDark)
        try page.wait(until: "document.querySelectorAll('#differences .open').length === 2")
        let contrasts = try page.evaluate(
            """
            (() => {
              const light = (colour) => { const [r, g, b] = colour.map((one) => { one /= 255; return one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4; });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
              const parse = (text) => text.match(/[\\d.]+/g).map(Number);
              const back = (one) => { for (; one; one = one.parentElement) { const colour = parse(getComputedStyle(one).backgroundColor);
                if (colour.length < 4 || colour[3] > 0) return colour; } };
              const found = [];
              for (const one of document.querySelectorAll("body *")) {
                const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
                if (!own || !one.checkVisibility() || one.closest("svg, .unseen, .skip, dialog, noscript")) continue;
                const style = getComputedStyle(one);
                const [a, b] = [light(parse(style.color)), light(back(one))];
                const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (contrast < 4.5 && !one.disabled) found.push(`${contrast.toFixed(2)} ${one.className || one.tagName}: ${one.textContent.slice(0, 40)}`);
              }
              return found;
            })()
            """
        ).elements.compactMap(\.text)
        #expect(contrasts == [])
        let brightness = try page.text("getComputedStyle(document.documentElement).backgroundColor") ?? ""
        let first = brightness.split { !$0.isNumber }.first.flatMap { Int($0) } ?? -1
        #expect(isDark ? first < 40 : first > 240, "\(brightness)")
        // Nothing lies beside the window, not even in a small one.
        for width in [1400, 800, 400] {
            try page.resize(width: width, height: 900)
            let wide = try page.evaluate("document.documentElement.scrollWidth").integer ?? 0
            #expect(wide <= Int64(width), "\(width)")
        }
        #expect(browser.complaints == [])
        withExtendedLifetime((nodes, held)) {}
    }

    /// Without its node the page says so, stops its clocks, and is current again when the node is back.
    @Test(arguments: [SIGKILL, SIGSTOP]) func aLostConnectionIsTold(signal: Int32) throws {
        var nodes = try serveAll()
        let held = try PageCluster.nodeNames.map { try register(["broker-a"], at: $0) }
        let page = try open()
        try page.waitUntilAll(3, are: "heard")
        nodes[0].signal(signal)
        try page.wait(until: "document.body.classList.contains('lost')")
        #expect(
            try page.text("document.getElementById('verdict-text').textContent")
                == "Connection lost: nothing below is current")
        try page.wait(until: "document.getElementById('link').textContent.startsWith('last heard ')")
        // What nobody knows does not grow.
        let text = "[...document.querySelectorAll('#rows .text')].map((one) => one.textContent).join()"
        let frozen = try page.text(text)
        let link = try page.text("document.getElementById('link').textContent") ?? ""
        try page.wait(until: "document.getElementById('link').textContent !== `\(link)`")
        #expect(try page.text(text) == frozen)
        if signal == SIGSTOP {
            nodes[0].signal(SIGCONT)
        } else {
            _ = try nodes[0].waitForExit()
            nodes[0] = try cluster.serve("ns-1")
        }
        try page.wait(
            until:
                "!document.body.classList.contains('lost') && document.getElementById('link').textContent.startsWith('live')"
        )
        #expect(
            try page.text("document.getElementById('verdict-text').textContent")
                != "Connection lost: nothing below is current")
        withExtendedLifetime((nodes, held)) {}
    }

    /// A thousand brokers at three nodes: the page has elements for what can be seen only, and keeps up.
    @Test func aThousandBrokersAreCheap() throws {
        let nodes = try serveAll()
        let names = (0..<1_000).map { "broker-\($0 + 1_000)" }
        let held = try PageCluster.nodeNames.map { try register(names, at: $0) }
        let begun = ContinuousClock.now
        let page = try open()
        try page.wait(until: "document.querySelector('#counts').textContent === '1,000 brokers × 3 nodes: all heard'")
        let shown = ContinuousClock.now - begun
        let elements = try page.evaluate("document.querySelectorAll('#rows *').length").integer ?? 0
        #expect(elements < 1_500, "\(elements) elements")
        // What a round, and drawing, costs the browser: the longest task of some seconds in which rounds come.
        let cost = try page.evaluate(
            """
            new Promise((done) => { let last = performance.now(), longest = 0, frames = 0; const begun = last;
              const step = () => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; frames += 1;
                if (now - begun < 4000) setTimeout(step, 0); else done([Math.round(longest), frames]); }; step(); })
            """
        ).elements.compactMap(\.integer)
        // The last row, by scrolling; and by searching.
        try page.evaluate("document.getElementById('matrix').scrollTop = 1e6")
        try page.wait(until: "[...document.querySelectorAll('#rows .name')].at(-1)?.textContent === 'broker-1999'")
        try page.evaluate("document.getElementById('find').focus()")
        try page.type("broker-1500")
        try page.wait(
            until:
                "[...document.querySelectorAll('#rows .name')].map((one) => one.textContent).join() === 'broker-1500'")
        // What goes over the wire in a second while nothing changes.
        let stream = try RawConnection(port: cluster.httpPort(of: "ns-1"))
        try stream.send("GET /page/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        _ = try stream.receive(through: "event: hello\n")
        let whole = try stream.receive(through: "event: round\n") + stream.receive(through: "\n\n")
        let change = try stream.receive(through: "event: round\n") + stream.receive(through: "\n\n")
        #expect(whole.contains("\"whole\":true") && whole.utf8.count < 300 << 10)
        #expect(!change.contains("\"whole\"") && change.utf8.count < 8 << 10)
        print(
            "page with 1,000 brokers × 3 nodes: shown after \(shown.text), \(elements) elements in the table, longest pause of the "
                + "browser in 4 s \(cost.first ?? -1) ms; \(whole.utf8.count / 1024) KiB the whole, "
                + "\(change.utf8.count) bytes a quiet second")
        #expect(browser.complaints == [])
        withExtendedLifetime((nodes, held)) {}
    }
}
