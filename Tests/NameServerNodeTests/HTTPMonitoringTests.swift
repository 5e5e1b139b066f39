import Basics
import Foundation
import GossipCore
import NameServerNode
import TestSupport
import Testing

/// The dashboard and the alert rules in .deploy/monitoring: valid, and about metrics that a node really has.
@Suite struct HTTPMonitoringTests {
    private static let folder =
        String(#filePath.dropLast("Tests/NameServerNodeTests/HTTPMonitoringTests.swift".utf8.count))
        + ".deploy/monitoring/"

    private func file(_ name: String) throws -> String {
        try String(contentsOfFile: Self.folder + name, encoding: .utf8)
    }

    /// The metrics of a node that gossips, by name; a histogram's parts are its own.
    private func metrics() throws -> Set<String> {
        let node = try NodeUnderTest { options in
            var settings = GossipSettings(
                node: "ns-1", label: "test", mode: .observe, hash: KeyedHash(low: 1, high: 2), salt: 3)
            settings.peers = ["ns-2"]
            options.gossip = GossipOptions(
                settings: settings, listen: Address(host: "127.0.0.1", port: 0),
                peers: [Address(host: "127.0.0.1", port: 1)], seed: 1)
            options.http?.processFigures = { ProcessFigures(residentBytes: 1, cpuTime: .zero) }
        }
        var names: Set<String> = []
        for line in try node.get("/metrics").text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ").map(String.init)
            names.formUnion(words[3] == "histogram" ? ["_bucket", "_sum", "_count"].map { words[2] + $0 } : [words[2]])
        }
        return names
    }

    private func names(in text: String) -> Set<String> {
        Set(text.matches(of: /\b(?:hearsay|rocketmq|process)_[a-z_]+\b/).map { String($0.0) })
    }

    /// The expressions of the dashboard, with Grafana's variables filled in.
    private func expressions() throws -> [String] {
        let dashboard = try JSONMeaning(file("hearsay.dashboard.json"))
        let panels = dashboard["panels"]?.elements ?? []
        return panels.flatMap { $0["targets"]?.elements ?? [] }.compactMap { $0["expr"]?.text }.map {
            $0.replacing("$__rate_interval", with: "1m").replacing("$job", with: "hearsay")
                .replacing("$instance", with: ".*")
        }
    }

    @Test func speaksOfMetricsThatAreThere() throws {
        let metrics = try metrics()
        let expressions = try expressions()
        #expect(expressions.count >= 20)
        let shown = names(in: expressions.joined(separator: "\n"))
        #expect(shown.isSubset(of: metrics), "\(shown.subtracting(metrics))")
        let rules = try file("hearsay.rules.yml").split(separator: "\n").filter { $0.contains(" expr: ") }
        let alarmed = names(in: rules.joined(separator: "\n"))
        #expect(rules.count >= 15 && alarmed.isSubset(of: metrics), "\(alarmed.subtracting(metrics))")
    }

    /// Panels are distinct and none lies on another.
    @Test func laysOutPanels() throws {
        let panels = try JSONMeaning(file("hearsay.dashboard.json"))["panels"]?.elements ?? []
        #expect(Set(panels.map { $0["id"]?.integer }).count == panels.count)
        var taken: Set<[Int64]> = []
        for panel in panels {
            let place = try #require(panel["gridPos"])
            let (x, y) = (try #require(place["x"]?.integer), try #require(place["y"]?.integer))
            let (w, h) = (try #require(place["w"]?.integer), try #require(place["h"]?.integer))
            #expect(x + w <= 24)
            for column in x..<(x + w) {
                for line in y..<(y + h) {
                    #expect(taken.insert([column, line]).inserted, "\(panel["title"]?.text ?? "")")
                }
            }
        }
    }

    @Test(.enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.remark))) func passesPromtool() throws {
        try Promtool.check(["check", "rules", Self.folder + "hearsay.rules.yml"])
        try Promtool.check(["test", "rules", Self.folder + "hearsay.rules.test.yml"])
        try Promtool.check(["check", "config", Self.folder + "prometheus.yml"])
        // The dashboard's expressions, dressed as rules.
        let rules = try expressions().enumerated().map { number, expression in
            "      - record: panel:\(number)\n        expr: '\(expression)'\n"
        }
        let directory = TemporaryDirectory()
        try directory.write("groups:\n  - name: panels\n    rules:\n" + rules.joined(), to: "panels.yml")
        try Promtool.check(["check", "rules", directory.file("panels.yml")])
    }
}
