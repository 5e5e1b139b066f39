import Basics
import Testing

@testable import ClusterConfiguration

/// What is accepted, and what it becomes.
struct ValueTests {
    private func parse(_ text: String, fileName: String = "c.yaml") throws -> ClusterConfiguration {
        try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: fileName)
    }

    @Test func everythingButNodesHasADefault() throws {
        let configuration = try parse("nodes:\n- {name: a, listen: '[::1]:9876'}\ntimings:\nlog: ~\nbrokers:\n")
        #expect(
            configuration
                == ClusterConfiguration(
                    name: "hearsay",
                    nodes: [
                        .init(
                            name: "a", listen: Address(host: "::1", port: 9876), dataDirectory: "data/a",
                            gossip: Address(host: "::1", port: 9877), gossipMode: .off)
                    ],
                    timings: Timings(), limits: Limits(), gossip: GossipConfiguration(), nameServerProperties: [],
                    log: LogConfiguration(), brokers: []))
    }

    @Test func readsEveryKindOfValue() throws {
        let configuration = try parse(
            """
            \u{FEFF}%YAML 1.1
            ---
            cluster: {name: "lab.1"}
            nodes: [{name: a, listen: ns1.example:9876}]
            timings: {heartbeat: 300ms, scan: 100 ms, expiry: 1200ms, routePoll: '2m'}
            limits: {connections: 5, idleConnection: 1d, frameBytes: 65536B, unsentBytes: 1MiB, routeCacheBytes: 0B}
            nameserver: {needWaitForService: true, waitSecondsForService: 007}
            log: {level: debug, format: json}
            brokers:
            - group: g
              autoCreateTopics: false
              replicas: [{id: 2147483647, listen: 'h:2'}, {id: 0, listen: 'h:3'}]
              topics: [{name: '%RETRY%g', writeQueues: 1024}]
            """)
        #expect(configuration.name == "lab.1")
        #expect(configuration.timings.heartbeat == .milliseconds(300))
        #expect(configuration.timings.scan == .milliseconds(100))
        #expect(configuration.timings.expiry == .milliseconds(1200))
        #expect(configuration.timings.routePoll == .seconds(120))
        #expect(configuration.limits.connections == 5)
        #expect(configuration.limits.idleConnection == .seconds(86_400))
        #expect(configuration.limits.frameBytes == 65_536)
        #expect(configuration.limits.unsentBytes == 1 << 20)
        #expect(configuration.limits.routeCacheBytes == 0)
        #expect(
            configuration.nameServerProperties == [
                .init(name: "needWaitForService", value: "true"), .init(name: "waitSecondsForService", value: "7"),
            ])
        #expect(configuration.log.level == .debug)
        #expect(configuration.log.format == .json)
        let group = try #require(configuration.brokerGroup(named: "g"))
        #expect(group.cluster == "DefaultCluster")
        #expect(!group.autoCreateTopics)
        #expect(group.replica(id: 0)?.listen == Address(host: "h", port: 3))
        #expect(group.topics == [.init(name: "%RETRY%g", readQueues: 8, writeQueues: 1024)])
    }

    /// Windows line ends count lines as others do.
    @Test func acceptsCarriageReturns() throws {
        #expect(try parse("nodes:\r\n- name: a\r\n  listen: h:1\r\n").nodes.count == 1)
        #expect(faults("nodes:\r\n- name: a\r\n  listen: h\r\n").first?.hasPrefix("c.yaml:3:") == true)
    }

    /// Relative folders start where the file is; absolute ones stay.
    @Test(arguments: [
        ("c.yaml", "x/y", "x/y"), ("etc/c.yaml", "x", "etc/x"), ("/c.yaml", "x", "/x"),
        ("etc/c.yaml", "/var/x", "/var/x"),
    ])
    func resolvesFolders(fileName: String, given: String, expected: String) throws {
        let text = "nodes: [{name: a, listen: 'h:1', dataDirectory: \(given)}]"
        #expect(try parse(text, fileName: fileName).nodes.first?.dataDirectory == expected)
    }

    @Test(arguments: [
        ("0ms", 0, "0ms"), ("300ms", 300, "300ms"), ("90s", 90_000, "90s"), ("120s", 120_000, "2m"),
        ("60m", 3_600_000, "1h"), ("24h", 86_400_000, "1d"), ("1500ms", 1500, "1500ms"),
    ])
    func durations(text: String, milliseconds: Int64, canonical: String) {
        #expect(Duration(text: text) == .milliseconds(milliseconds))
        #expect(Duration(text: text)?.text == canonical)
    }

    @Test(arguments: ["", "s", "1", "1S", "+1s", "1.5s", "1s ", " 1s", "1  x", "١s", "1us", "9223372036854775807s"])
    func notDurations(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(arguments: [
        ("0B", 0, "0B"), ("1024B", 1024, "1KiB"), ("16MiB", 16 << 20, "16MiB"), ("1 GiB", 1 << 30, "1GiB"),
        ("1536KiB", 1_572_864, "1536KiB"), ("1025B", 1025, "1025B"),
    ])
    func sizes(text: String, bytes: Int, canonical: String) {
        #expect(ByteSize.bytes(text) == bytes)
        #expect(ByteSize.text(bytes) == canonical)
    }

    @Test(arguments: ["", "16", "16M", "16MB", "16mib", "-1B", "9223372036854775807KiB"])
    func notSizes(text: String) {
        #expect(ByteSize.bytes(text) == nil)
    }

    @Test(arguments: [
        ("listen", "listen", 0), ("lisen", "listen", 1), ("lisetn", "listen", 1), ("", "abc", 3),
        ("kitten", "sitting", 3),
    ])
    func editDistances(left: String, right: String, distance: Int) {
        #expect(editDistance(Array(left.utf8), Array(right.utf8)) == distance)
        #expect(editDistance(Array(right.utf8), Array(left.utf8)) == distance)
    }
}
