// A real Prometheus (Debian's package) scrapes real nodes with the alert rules of .deploy/monitoring, and the link of a
// broker is cut.

import Foundation
import TestSupport
import Testing

@Suite(.ownThread) struct PrometheusTests {
    static let prometheus = "/usr/bin/prometheus"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: prometheus) }

    private static let rules =
        String(#filePath.dropLast("Tests/EndToEndTests/PrometheusTests.swift".utf8.count))
        + ".deploy/monitoring/hearsay.rules.yml"

    /// One Prometheus that scrapes the cluster twice a second, and what it says.
    private struct Server {
        let reservation: PortReservation
        let process: NodeProcess

        init(scraping targets: [String]) throws {
            reservation = try PortReservation()
            let directory = TemporaryDirectory()
            let list = targets.map { "\"\($0)\"" }.joined(separator: ", ")
            try directory.write(
                """
                global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 200ms}
                rule_files: ["\(PrometheusTests.rules)"]
                scrape_configs:
                  - job_name: hearsay
                    static_configs: [{targets: [\(list)]}]

                """, to: "prometheus.yml")
            process = try NodeProcess(
                PrometheusTests.prometheus,
                arguments: [
                    "--config.file=\(directory.file("prometheus.yml"))",
                    "--storage.tsdb.path=\(directory.file("data"))",
                    "--web.listen-address=\(reservation.address)", "--log.level=warn",
                ], directory: directory)
        }

        /// What it answers, headers included; empty while it does not.
        private func get(_ path: String) -> String {
            guard let connection = try? RawConnection(port: reservation.port) else { return "" }
            // HTTP/1.0: no chunks.
            try? connection.send("GET \(path) HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return (try? connection.receiveToEnd()) ?? ""
        }

        /// The sum of a query's samples; nil while there are none.
        func value(_ query: String) -> Double? {
            let escaped = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            guard let body = get("/api/v1/query?query=\(escaped)").components(separatedBy: "\r\n\r\n").last,
                let results = try? JSONMeaning(body)["data"]?["result"]?.elements, !results.isEmpty
            else { return nil }
            return results.compactMap { $0["value"]?.elements.last?.text.flatMap { Double($0) } }.reduce(0, +)
        }

        /// Whether the alert fires for the node.
        func isFiring(_ alert: String, at target: String) -> Bool {
            value("ALERTS{alertname=\"\(alert)\",alertstate=\"firing\",instance=\"\(target)\"}") != nil
        }
    }

    @Test(.enabled(if: isInstalled, "needs Debian's package prometheus")) func anAlertFiresOnACutLink() throws {
        var plan = GossipCluster.Plan(modes: ["observe", "observe", "protect"])
        plan.answersHTTP = true
        let cluster = try GossipCluster.started(plan)
        let targets = cluster.nodes.map { cluster.http($0) }
        let server = try Server(scraping: targets)
        try cluster.wait("Prometheus sees three ready nodes with two brokers each") {
            server.value("hearsay_ready") == 3 && server.value("rocketmq_namesrv_active_brokers") == 6
        }
        let victim = cluster.http(cluster.node("ns-3"))
        #expect(!server.isFiring("HearsayLinkCut", at: victim))

        cluster.link("broker-a:0", "ns-3").cut()
        try cluster.wait("the alert fires") { server.isFiring("HearsayLinkCut", at: victim) }
        #expect(!server.isFiring("HearsayLinkCut", at: targets[0]))
        try cluster.wait("the broker is protected") {
            server.value("hearsay_protected_brokers{instance=\"\(victim)\"}") == 1
        }
        try cluster.wait("the difference from each peer is counted") {
            server.value("hearsay_divergences{instance=\"\(victim)\",kind=\"lateHere\"}") == 2
        }

        cluster.link("broker-a:0", "ns-3").heal()
        try cluster.wait("the alert is over") {
            !server.isFiring("HearsayLinkCut", at: victim)
                && server.value("sum(hearsay_divergences)") == 0 && server.value("sum(hearsay_protected_brokers)") == 0
        }
        // A node that goes is missed.
        try cluster.node("ns-2").kill()
        try cluster.wait("the node is down") { server.value("count(up == 0)") == 1 }
    }
}
