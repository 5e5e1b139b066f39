// A cluster for the page: nodes that answer HTTP, as processes of their own or of `hearsay run`.

import Foundation
import TestSupport

/// Three nodes `ns-1`, … with HTTP ports, and brokers `broker-a:0`, …, described by one cluster.yaml.
final class PageCluster {
    static let nodeNames = ["ns-1", "ns-2", "ns-3"]

    let directory = TemporaryDirectory()
    /// Where `hearsay run` serves its page.
    let page: PortReservation
    private let ports: [String: (listen: PortReservation, gossip: PortReservation, http: PortReservation)]
    private let brokers: [PortReservation]
    private let heartbeat: Int

    var file: String { directory.file("cluster.yaml") }

    /// - Parameters:
    ///   - groups: brokers of the file, a master and a slave each.
    ///   - heartbeat: in milliseconds; brokers are late after 2.5 of them, and dropped after 8.
    init(groups: [String] = ["broker-a", "broker-b"], heartbeat: Int = 500) throws {
        self.heartbeat = heartbeat
        page = try PortReservation()
        var ports: [String: (listen: PortReservation, gossip: PortReservation, http: PortReservation)] = [:]
        for name in Self.nodeNames {
            ports[name] = (try PortReservation(), try PortReservation(), try PortReservation())
        }
        self.ports = ports
        brokers = try groups.flatMap { _ in [try PortReservation(), try PortReservation()] }
        var lines = ["cluster: {name: under-test}", "nodes:"]
        for name in Self.nodeNames {
            lines.append(
                "  - {name: \(name), listen: '\(port(name).listen.address)', gossip: '\(port(name).gossip.address)', "
                    + "http: '\(port(name).http.address)', dataDirectory: data/\(name)}")
        }
        lines += [
            "timings: {heartbeat: \(heartbeat)ms, scan: \(heartbeat / 4)ms, expiry: \(8 * heartbeat)ms}",
            "gossip: {mode: protect, period: 250ms, closeGrace: 250ms}", "http: {requestsPerSecond: 1000}",
        ]
        if !groups.isEmpty { lines.append("brokers:") }
        for (index, group) in groups.enumerated() {
            let replicas = [0, 1].map { "{id: \($0), listen: '\(brokers[2 * index + $0].address)'}" }
            lines.append(
                "  - {group: \(group), replicas: [\(replicas.joined(separator: ", "))], topics: [{name: orders}]}")
        }
        try directory.write(lines.joined(separator: "\n") + "\n", to: "cluster.yaml")
    }

    private func port(_ node: String) -> (listen: PortReservation, gossip: PortReservation, http: PortReservation) {
        guard let ports = ports[node] else { preconditionFailure("no node \(node)") }
        return ports
    }

    func url(of node: String) -> String { "http://\(port(node).http.address)/" }
    func httpPort(of node: String) -> UInt16 { port(node).http.port }
    func listenPort(of node: String) -> UInt16 { port(node).listen.port }

    /// `hearsay run` with its page.
    func run() throws -> NodeProcess {
        let run = try NodeProcess(
            ProductsDirectory.executable("hearsay"),
            arguments: [
                "run", "--config", file, "--page", page.address, "--logs", directory.file("logs"), "--plain",
            ])
        try run.line { $0.contains("http://\(page.address)/") ? () : nil }
        return run
    }

    /// One node by itself.
    func serve(_ node: String) throws -> NodeProcess {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["serve", "--config", file, "--node", node])
        try process.line { $0.hasPrefix("The Name Server boot success.") ? () : nil }
        return process
    }

    /// What a command says of the cluster, as JSON.
    func ask(_ command: String, _ more: String...) throws -> JSONMeaning {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: [command, "--config", file, "--json"] + more)
        _ = try process.waitForExit()
        return try JSONMeaning(process.outputLines.joined(separator: "\n"))
    }

    /// What each node knows of each broker by `hearsay status`: `broker-a:0 at ns-1` to `heard`, `late`, `protected`, ….
    func sights() throws -> [String: String] {
        var sights: [String: String] = [:]
        for broker in try ask("status")["brokers"]?.elements ?? [] {
            let name = "\(broker["name"]?.text ?? ""):\(broker["id"]?.text ?? "")"
            for (node, sight) in broker["nodes"]?.members ?? [:] {
                let kind = sight["kind"]?.text ?? ""
                sights["\(name) at \(node)"] = kind == "heard" && sight["isLate"] == .boolean(true) ? "late" : kind
            }
        }
        return sights
    }
}

extension BrowserPage {
    /// What the matrix says in words: `broker-a:0 at ns-1` to `heard`, `late`, `protected`, ….
    func sights() throws -> [String: String] {
        let labels = try evaluate("[...document.querySelectorAll('#rows button')].map((one) => one.ariaLabel)").elements
        var sights: [String: String] = [:]
        for label in labels.compactMap(\.text) {
            guard let colon = label.range(of: ": ") else { continue }
            sights[String(label[..<colon.lowerBound])] = String(label[colon.upperBound...].prefix { $0 != "," })
        }
        return sights
    }

    /// Waits until every cell of the matrix is told, and in this way.
    func waitUntilAll(_ count: Int, are word: String) throws {
        let isSo = try poll(within: .seconds(60), every: .milliseconds(50)) {
            let sights = try sights()
            return sights.count == count && sights.values.allSatisfy { $0 == word }
        }
        if !isSo { throw TestSupportError("not \(count) cells \(word): \(try sights())") }
    }

    /// Clicks with the mouse on the middle of an element, which is scrolled to first.
    func click(on selector: String) throws {
        let place = try evaluate(
            """
            (() => { const one = document.querySelector(`\(selector)`); one.scrollIntoView({ block: "center", behavior: "instant" });
            const box = one.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()
            """
        ).elements.compactMap { $0.text.flatMap { Double($0) } }
        guard place.count == 2 else { throw TestSupportError("nothing to click at \(selector)") }
        try click(x: place[0], y: place[1])
    }

    /// The texts of all elements that a selector finds.
    func texts(_ selector: String) throws -> [String] {
        try evaluate("[...document.querySelectorAll(`\(selector)`)].map((one) => one.textContent)").elements
            .compactMap(\.text)
    }
}
