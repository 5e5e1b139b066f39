import Basics
import Foundation
import NameServerNode
import Remoting
import TestSupport
import Testing

/// `/metrics`: the format, the names, the numbers.
@Suite struct HTTPMetricsTests {
    /// All samples by name and labels, as written.
    private func samples(_ text: String) -> [String: Double] {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                Issue.record("no sample: \(line)")
                continue
            }
            #expect(samples.updateValue(value, forKey: String(line[..<space])) == nil, "twice: \(line)")
        }
        return samples
    }

    @Test func counts() throws {
        let node = try NodeUnderTest {
            $0.http?.processFigures = { ProcessFigures(residentBytes: 4_096, cpuTime: .microseconds(1_500_001)) }
        }
        let broker = try RawConnection(port: node.port)
        try broker.register()
        try broker.register()
        let client = try RawConnection(port: node.port)
        for topic in ["A", "A", "none"] { _ = try client.route(topic) }
        _ = try client.call(104)
        _ = try client.call(31_415)
        broker.close()
        #expect(
            try poll { try samples(node.get("/metrics").text)[#"hearsay_connections_closed_total{cause="peer"}"#] == 1 }
        )

        let answer = try node.get("/metrics")
        #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let found = samples(answer.text)
        let expected: [String: Double] = [
            "rocketmq_nameserver_up": 1, "hearsay_ready": 1, "rocketmq_namesrv_active_brokers": 0,
            "rocketmq_namesrv_active_connections": 1, "rocketmq_namesrv_broker_registrations_total": 2,
            #"hearsay_registrations_total{kind="repeated"}"#: 1, #"hearsay_registrations_total{kind="changed"}"#: 1,
            "rocketmq_namesrv_route_request_total": 3,
            #"rocketmq_namesrv_route_errors_total{result="not_found"}"#: 1,
            #"rocketmq_namesrv_route_errors_total{result="rejected"}"#: 0,
            #"rocketmq_namesrv_route_cache_events_total{result="hit"}"#: 1,
            #"rocketmq_namesrv_route_cache_events_total{result="miss"}"#: 1,
            #"rocketmq_namesrv_requests_total{request_type="route-read",result="success"}"#: 3,
            #"rocketmq_namesrv_requests_total{request_type="broker-control",result="success"}"#: 2,
            #"rocketmq_namesrv_requests_total{request_type="broker-control",result="error"}"#: 1,
            #"rocketmq_namesrv_requests_total{request_type="unknown",result="error"}"#: 1,
            #"hearsay_requests_total{code="105",result="success"}"#: 3,
            #"hearsay_requests_total{code="104",result="error"}"#: 1,
            #"hearsay_requests_total{code="other",result="error"}"#: 1,
            #"hearsay_evictions_total{cause="connectionClosed"}"#: 1, #"hearsay_evictions_total{cause="expired"}"#: 0,
            #"hearsay_table_events_total{kind="registered"}"#: 1,
            #"rocketmq_namesrv_connection_events_total{event="admitted"}"#: 2,
            "process_resident_memory_bytes": 4_096, "process_cpu_seconds_total": 1.500001,
        ]
        for (name, value) in expected { #expect(found[name] == value, "\(name): \(found[name] ?? -1)") }
        #expect(found["process_start_time_seconds"] ?? 0 > 1_700_000_000)
        #expect(found.keys.filter { $0.hasPrefix("hearsay_requests_total") }.count <= 8)
    }

    /// Each family is introduced once, and only counters end in _total; odd names are escaped.
    @Test func followsTheFormat() throws {
        let node = try NodeUnderTest { $0.http?.hasBrokerMetrics = true }
        let broker = try RawConnection(port: node.port)
        try broker.register(Registration { $0.broker = #"a"b\c"# })
        let text = try node.get("/metrics").text
        var types: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            #expect(types.updateValue(String(words[3]), forKey: String(words[2])) == nil, "\(line)")
        }
        for (name, type) in types {
            #expect(name.hasSuffix("_total") == (type == "counter"), "\(name) is a \(type)")
            #expect(text.contains("# HELP \(name) "))
            #expect(name.hasPrefix("hearsay_") || name.hasPrefix("rocketmq_name") || name.hasPrefix("process_"))
        }
        #expect(text.contains(#"group="a\"b\\c""#))
    }

    /// What Prometheus's own checker finds wrong: nothing.
    @Test(.enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.remark))) func passesPromtool() throws {
        let node = try NodeUnderTest { $0.http?.hasBrokerMetrics = true }
        let broker = try RawConnection(port: node.port)
        try broker.register(Registration { $0.broker = #"a"b\c"# })
        try Promtool.check(["check", "metrics"], input: node.get("/metrics").text)
    }

    /// One series a broker, all of them, in several turns.
    @Test func tellsAgesWhenAsked() throws {
        let node = try NodeUnderTest { $0.http?.hasBrokerMetrics = true }
        let broker = try RawConnection(port: node.port)
        let count = 1_000
        for number in 0..<count {
            try broker.register(
                Registration {
                    ($0.broker, $0.address, $0.topics) = ("b-\(number)", "10.0.0.1:\(number)", [])
                })
        }
        // Two at once, and one who does not wait.
        let readers = try (0..<3).map { _ in try RawConnection(port: node.httpPort) }
        for reader in readers { try reader.send("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }
        readers[2].reset()
        for reader in readers.dropLast() {
            let ages = samples(try reader.receiveHTTP().text).filter { $0.key.hasPrefix("hearsay_broker_age_seconds{") }
            #expect(ages.count == count && ages.values.allSatisfy { $0 >= 0 && $0 < 60 })
        }
        #expect(try !NodeUnderTest().get("/metrics").text.contains("hearsay_broker_age_seconds"))
    }
}
