import Basics
import Testing

@testable import ClusterConfiguration

/// The section http and `nodes.http`: what is accepted, what it becomes, and what is turned down.
struct HTTPTests {
    private func parse(_ text: String) throws -> ClusterConfiguration {
        try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "c.yaml")
    }

    private func faults(_ text: String) -> [String] {
        do throws(ConfigurationErrors) {
            _ = try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "c.yaml")
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test func isOffByDefault() throws {
        let configuration = try parse("nodes: [{name: a, listen: 'h:1'}]")
        #expect(configuration.nodes[0].http == nil)
        #expect(configuration.http == HTTPConfiguration())
        #expect(try parse("nodes: [{name: a, listen: 'h:1', http: null}]").nodes[0].http == nil)
    }

    @Test func readsEveryKey() throws {
        let configuration = try parse(
            """
            nodes:
            - {name: a, listen: '10.0.0.1:9876', http: '0.0.0.0:9878'}
            - {name: b, listen: '10.0.0.2:9876', http: '0.0.0.0:9878'}
            - {name: c, listen: '10.0.0.3:9876', http: 'ns.example:80'}
            http: {connections: 4, eventStreams: 3, requestsPerSecond: 7, brokerMetrics: true,
              hosts: [monitor.example, '*']}
            """)
        #expect(configuration.nodes.map(\.http?.description) == ["0.0.0.0:9878", "0.0.0.0:9878", "ns.example:80"])
        var expected = HTTPConfiguration()
        (expected.connections, expected.eventStreams, expected.requestsPerSecond) = (4, 3, 7)
        expected.brokerMetrics = true
        expected.hosts = ["monitor.example", "*"]
        #expect(configuration.http == expected)
    }

    static let wrong: [(text: String, fault: String)] = [
        // Somebody else has the address: a node, on the same machine also by way of every address.
        (
            "nodes: [{name: a, listen: 'h:1', http: 'h:1'}]",
            "c.yaml:1: address h:1 is already used on line 1"
        ),
        (
            "nodes:\n- {name: a, listen: 'h:1', http: '0.0.0.0:3'}\n- {name: b, listen: 'h:2', http: 'h:3'}",
            "c.yaml:3: address h:3 is already used on line 2"
        ),
        (
            "nodes: [{name: a, listen: 'h:1', http: 'h:0'}]",
            "c.yaml:1: nodes.http: 'h:0' has port 0, which nobody can dial; choose 1 to 65535"
        ),
        (
            "nodes: [{name: a, listen: 'h:1', http: 80}]",
            "c.yaml:1: nodes.http: '80' is no address; write host:port, as in 127.0.0.1:9876"
        ),
        (
            "nodes: [{name: a, listen: 'h:1'}]\nhttp: {connections: 8, eventStreams: 9}",
            "c.yaml:2: http.eventStreams: 9 must not be more than http.connections (8), among which they count"
        ),
        (
            "nodes: [{name: a, listen: 'h:1'}]\nhttp: {requestsPerSecond: 0}",
            "c.yaml:2: http.requestsPerSecond: 0 is out of range; 1 to 100000"
        ),
        (
            "nodes: [{name: a, listen: 'h:1'}]\nhttp: {port: 1}",
            "c.yaml:2: unknown key 'port' in http; known: connections, eventStreams, requestsPerSecond, brokerMetrics, hosts"
        ),
        (
            "nodes: [{name: a, listen: 'h:1'}]\nhttp: {hosts: ['ns1.example:80']}",
            "c.yaml:2: http.hosts: 'ns1.example:80' is no host name; write one without port, as in ns1.example, or * for every name"
        ),
        (
            "nodes: [{name: a, listen: 'h:1'}]\nhttp: {hosts: ['*.example']}",
            "c.yaml:2: http.hosts: '*.example' is no host name; write one without port, as in ns1.example, or * for every name"
        ),
    ]

    @Test(arguments: Self.wrong) func reports(_ file: (text: String, fault: String)) {
        #expect(faults(file.text) == [file.fault])
    }
}
