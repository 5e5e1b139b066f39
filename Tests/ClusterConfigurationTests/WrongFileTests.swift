import Testing

@testable import ClusterConfiguration

/// A file with something wrong in it, and everything that must be said about it.
struct WrongFile: CustomTestStringConvertible {
    var why: String
    var text: String
    var messages: [String]

    init(_ why: String, _ text: String, _ messages: String...) {
        self.why = why
        self.text = text
        self.messages = messages
    }

    var testDescription: String { why }
}

/// The faults of a text, as people see them.
func faults(_ text: String) -> [String] {
    do {
        _ = try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: "c.yaml")
        return []
    } catch {
        return error.errors.map(\.description)
    }
}

/// One valid node, so that a row shows only its own fault.
private let node = "nodes: [{name: a, listen: 'h:1'}]\n"

struct WrongFileTests {
    @Test(arguments: keys + types + values + lists + crossChecks)
    func isExplained(_ file: WrongFile) {
        #expect(faults(file.text) == file.messages)
    }

    static let keys: [WrongFile] = [
        .init("nothing at all", "", "c.yaml:1: nodes is missing"),
        .init("only a comment", "# hello\n", "c.yaml:1: nodes is missing"),
        .init(
            "misspelt section", node + "timing: {}\n",
            "c.yaml:2: unknown key 'timing' in the file; did you mean 'timings'?"),
        .init(
            "misspelt key", "nodes:\n  - name: a\n    lisen: h:1\n",
            "c.yaml:2: nodes.listen is missing",
            "c.yaml:3: unknown key 'lisen' in nodes; did you mean 'listen'?"),
        .init(
            "wrong case", node + "timings:\n  Heartbeat: 30s\n",
            "c.yaml:3: unknown key 'Heartbeat' in timings; did you mean 'heartbeat'?"),
        .init(
            "swapped letters", node + "log:\n  leevl: info\n",
            "c.yaml:3: unknown key 'leevl' in log; did you mean 'level'?"),
        .init(
            "nothing near", node + "log:\n  colour: red\n",
            "c.yaml:3: unknown key 'colour' in log; known: level, format"),
        .init(
            "a RocketMQ property that is none of the section's", node + "nameserver:\n  orderMessageEnabled: true\n",
            "c.yaml:3: unknown key 'orderMessageEnabled' in nameserver; did you mean 'orderMessageEnable'?"),
        .init(
            "given twice", node + "log:\n  level: info\n  format: text\n  level: debug\n",
            "c.yaml:5: log.level is given twice, first on line 3"),
        .init("section given twice", node + node, "c.yaml:2: nodes is given twice, first on line 1"),
        .init(
            "terminal escapes in a key", node + "\"\\e[31m\\u202E\": 1\n",
            "c.yaml:2: unknown key '?[31m?' in the file; known: cluster, nodes, timings, limits, gossip, http, tls, access, nameserver, log, brokers"
        ),
        .init(
            "an endless key", node + "? \"\(String(repeating: "x", count: 2000))\"\n: 1\n",
            "c.yaml:2: unknown key '\(String(repeating: "x", count: 60))…' in the file; "
                + "known: cluster, nodes, timings, limits, gossip, http, tls, access, nameserver, log, brokers"),
    ]

    static let types: [WrongFile] = [
        .init("a list as the file", "- a\n", "c.yaml:1: the file must be a mapping (key: value), not a list"),
        .init("a word as the file", "hello\n", "c.yaml:1: the file must be a mapping (key: value), not 'hello'"),
        .init(
            "a word as a section", node + "timings: 30s\n",
            "c.yaml:2: timings must be a mapping (key: value), not '30s'"),
        .init(
            "a list as a section", node + "log:\n  - level\n",
            "c.yaml:2: log must be a mapping (key: value), not a list"),
        .init("a mapping as a list", "nodes:\n  name: a\n", "c.yaml:1: nodes: must be a list (- …), not a mapping"),
        .init("a word as an entry", "nodes:\n  - ns-1\n", "c.yaml:2: nodes must be a mapping (key: value), not 'ns-1'"),
        .init(
            "an empty entry", "nodes:\n  -\n", "c.yaml:2: nodes.listen is missing", "c.yaml:2: nodes.name is missing"),
        .init(
            "a list as a value", node + "timings:\n  scan: [1s]\n",
            "c.yaml:3: timings.scan: must be a single value, not a list"),
        .init(
            "a mapping as a value", node + "timings:\n  scan: {s: 1}\n",
            "c.yaml:3: timings.scan: must be a single value, not a mapping"),
        .init("no value", node + "timings:\n  scan:\n", "c.yaml:3: timings.scan: must be a single value, not nothing"),
        .init(
            "a null value", node + "timings:\n  scan: ~\n",
            "c.yaml:3: timings.scan: must be a single value, not nothing"),
    ]

    static let values: [WrongFile] = [
        .init(
            "a duration without unit", node + "timings:\n  scan: 10\n",
            "c.yaml:3: timings.scan: '10' is no duration; write a whole number and ms, s, m, h or d, as in 10s"),
        .init(
            "a fractional duration", node + "timings:\n  expiry: 1.2s\n",
            "c.yaml:3: timings.expiry: '1.2s' is no duration; write a whole number and ms, s, m, h or d, as in 2m"),
        .init(
            "a negative duration", node + "timings:\n  expiry: -1s\n",
            "c.yaml:3: timings.expiry: '-1s' is no duration; write a whole number and ms, s, m, h or d, as in 2m"),
        .init(
            "a duration beyond 64 bits", node + "timings:\n  expiry: 99999999999999999d\n",
            "c.yaml:3: timings.expiry: '99999999999999999d' is no duration; "
                + "write a whole number and ms, s, m, h or d, as in 2m"),
        .init(
            "a duration out of range", node + "timings:\n  scan: 5ms\n",
            "c.yaml:3: timings.scan: 5ms is out of range; 10ms to 1h"),
        .init(
            "an ambiguous size", node + "limits:\n  frameBytes: 16MB\n",
            "c.yaml:3: limits.frameBytes: '16MB' is no size; write a whole number and B, KiB, MiB or GiB, as in 16MiB"),
        .init(
            "a size out of range", node + "limits:\n  frameBytes: 1GiB\n",
            "c.yaml:3: limits.frameBytes: 1GiB is out of range; 64KiB to 64MiB"),
        .init(
            "a word for a number", node + "limits:\n  topics: many\n",
            "c.yaml:3: limits.topics: 'many' is no whole number"),
        .init("zero", node + "limits:\n  topics: 0\n", "c.yaml:3: limits.topics: 0 is out of range; 1 to 10000000"),
        .init(
            "YAML 1.1's yes", node + "nameserver:\n  enableTopicList: yes\n",
            "c.yaml:3: nameserver.enableTopicList: 'yes' is no boolean; write true or false"),
        .init(
            "a property out of range", node + "nameserver:\n  waitSecondsForService: 4000\n",
            "c.yaml:3: nameserver.waitSecondsForService: 4000 is out of range; 0 to 3600"),
        .init(
            "an unknown level", node + "log: {level: waning, format: xml}\n",
            "c.yaml:2: log.format: 'xml' is none of text, json",
            "c.yaml:2: log.level: 'waning' is none of trace, debug, info, notice, warning, error, critical; "
                + "did you mean 'warning'?"),
        .init(
            "a bad cluster name", node + "cluster: {name: 'a b'}\n",
            "c.yaml:2: cluster.name: 'a b' is no name; write 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first"
        ),
        .init(
            "a node name that climbs out of data/", "nodes: [{name: ../x, listen: 'h:1'}]\n",
            "c.yaml:1: nodes.name: '../x' is no name; write 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first"
        ),
        .init(
            "an empty data folder", "nodes: [{name: a, listen: 'h:1', dataDirectory: ''}]\n",
            "c.yaml:1: nodes.dataDirectory: '' is no path"),
        .init(
            "a port alone", "nodes: [{name: a, listen: 9876}]\n",
            "c.yaml:1: nodes.listen: '9876' is no address; write host:port, as in 127.0.0.1:9876"),
        .init(
            "port 0", "nodes: [{name: a, listen: 'h:0'}]\n",
            "c.yaml:1: nodes.listen: 'h:0' has port 0, which nobody can dial; choose 1 to 65535"),
        .init(
            "every address", "nodes: [{name: a, listen: '0.0.0.0:9876'}]\n",
            "c.yaml:1: nodes.listen: '0.0.0.0:9876' is every address; name the one that brokers and clients dial"),
        .init(
            "an octet above 255", "nodes: [{name: a, listen: '127.0.0.256:9876'}]\n",
            "c.yaml:1: nodes.listen: '127.0.0.256:9876' has no IPv4 address, [IPv6 address] or DNS name before the port"
        ),
        .init(
            "a URL", "nodes: [{name: a, listen: 'http//x:9876'}]\n",
            "c.yaml:1: nodes.listen: 'http//x:9876' has no IPv4 address, [IPv6 address] or DNS name before the port"),
    ]

    static let lists: [WrongFile] = [
        .init("no nodes", "nodes: []\n", "c.yaml:1: nodes: is empty; at least 1 entry"),
        .init("null nodes", "nodes:\n", "c.yaml:1: nodes is missing"),
        .init(
            "65 nodes", "nodes: [\((1...65).map { "{name: n\($0), listen: 'h:\($0)'}" }.joined(separator: ", "))]\n",
            "c.yaml:1: nodes: has 65 entries; at most 64"),
        .init("a group without replicas", node + "brokers: [{group: g}]\n", "c.yaml:2: brokers.replicas is missing"),
        .init(
            "an id below 0", node + "brokers: [{group: g, replicas: [{id: -1, listen: 'h:2'}]}]\n",
            "c.yaml:2: brokers.replicas.id: -1 is out of range; 0 to 2147483647"),
        .init(
            "a topic with a dot",
            node
                + "brokers: [{group: g, replicas: [{id: 0, listen: 'h:2'}], topics: [{name: a.b, readQueues: 0}]}]\n",
            "c.yaml:2: brokers.topics.name: 'a.b' is no name; write 1 to 127 letters, digits, '-', '_', '%' or '|'",
            "c.yaml:2: brokers.topics.readQueues: 0 is out of range; 1 to 1024"),
    ]

    static let crossChecks: [WrongFile] = [
        .init(
            "names and addresses twice",
            """
            nodes:
              - {name: a, listen: 'localhost:1'}
              - {name: a, listen: '127.0.0.1:1'}
            brokers:
              - group: g
                replicas: [{id: 0, listen: '127.0.0.1:1'}]
              - group: g
                replicas: [{id: 0, listen: '127.0.0.1:2'}]
            """,
            "c.yaml:3: address 127.0.0.1:1 is already used on line 2",
            "c.yaml:3: node name 'a' is already used on line 2",
            "c.yaml:6: address 127.0.0.1:1 is already used on line 2",
            "c.yaml:7: broker group 'g' is already used on line 5"),
        .init(
            "two masters, one topic twice",
            node + """
                brokers:
                  - group: g
                    replicas:
                      - {id: 0, listen: 'h:2'}
                      - {id: 0, listen: 'h:3'}
                    topics: [{name: t}, {name: t}]
                """,
            "c.yaml:6: id 0 in group 'g' is already used on line 5",
            "c.yaml:7: topic 't' in group 'g' is already used on line 7"),
        .init(
            "no master", node + "brokers:\n  - group: g\n    replicas: [{id: 1, listen: 'h:2'}]\n",
            "c.yaml:4: brokers.replicas: group 'g' has no master; give one replica the id 0"),
        .init(
            "expiry not above heartbeat", node + "timings: {heartbeat: 2m}\n",
            "c.yaml:2: timings.expiry: 2m must be longer than timings.heartbeat (2m)"),
        .init(
            "expiry below scan", node + "timings:\n  heartbeat: 300ms\n  expiry: 1200ms\n",
            "c.yaml:4: timings.expiry: 1200ms must not be shorter than timings.scan (10s)"),
        .init(
            "no room for one answer", node + "limits:\n  unsentBytes: 1MiB\n",
            "c.yaml:3: limits.unsentBytes: 1MiB must not be less than limits.frameBytes (16MiB), one whole answer"),
    ]

    /// Faults of all sections come together, in the file's order.
    @Test func reportsEverythingAtOnce() {
        let text = "nodes:\n  - name: a\n    listen: 1\nlimits:\n  topics: x\nlogs: {}\n"
        #expect(faults(text).map { $0.prefix(8) } == ["c.yaml:3", "c.yaml:5", "c.yaml:6"])
    }

    @Test func keepsTheFirstHundredFaults() {
        let found = faults(node + (1...150).map { "zzz\($0): 1\n" }.joined())
        #expect(found.count == FaultLog.limit + 1)
        #expect(found.last == "c.yaml: and 50 more")
    }
}
