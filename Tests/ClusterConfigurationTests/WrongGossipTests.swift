import Testing

@testable import ClusterConfiguration

/// Two valid nodes in mode `observe`, so that a row shows only its own fault; the rest of the section follows.
private let pair = """
    nodes:
      - {name: a, listen: '127.0.0.1:1'}
      - {name: b, listen: '127.0.0.1:3'}
    gossip:
      mode: observe

    """

/// What is wrong with gossip keys, and everything that must be said about it.
struct WrongGossipTests {
    @Test(arguments: values + lists + security + addresses + crossChecks)
    func isExplained(_ file: WrongFile) {
        #expect(faults(file.text) == file.messages)
    }

    static let values: [WrongFile] = [
        .init(
            "a misspelt key", pair + "  preSharedKey: [k]\n",
            "c.yaml:6: unknown key 'preSharedKey' in gossip; did you mean 'preSharedKeys'?"),
        .init(
            "a misspelt key of a node", "nodes: [{name: a, listen: 'h:1', gosip: 'h:2', gossipmode: off}]\n",
            "c.yaml:1: unknown key 'gosip' in nodes; did you mean 'gossip'?",
            "c.yaml:1: unknown key 'gossipmode' in nodes; did you mean 'gossipMode'?"),
        .init(
            "an unknown mode", "nodes: [{name: a, listen: 'h:1', gossipMode: on}]\ngossip: {mode: protected}\n",
            "c.yaml:1: nodes.gossipMode: 'on' is none of off, observe, protect, replicate",
            "c.yaml:2: gossip.mode: 'protected' is none of off, observe, protect, replicate; did you mean 'protect'?"),
        .init(
            "too often", pair + "  period: 50ms\n", "c.yaml:6: gossip.period: 50ms is out of range; 100ms to 1m"),
        .init("too seldom", pair + "  period: 2m\n", "c.yaml:6: gossip.period: 2m is out of range; 100ms to 1m"),
        .init(
            "too patient", pair + "  closeGrace: 31s\n", "c.yaml:6: gossip.closeGrace: 31s is out of range; 0ms to 30s"),
        .init(
            "a label of 65 bytes", pair + "  label: \(String(repeating: "x", count: 65))\n",
            "c.yaml:6: gossip.label: '\(String(repeating: "x", count: 60))…' is no name; "
                + "write 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first"),
        .init("no witness", pair + "  witnesses: 0\n", "c.yaml:6: gossip.witnesses: 0 is out of range; 1 to 16"),
        .init("17 witnesses", pair + "  witnesses: 17\n", "c.yaml:6: gossip.witnesses: 17 is out of range; 1 to 16"),
        .init(
            "words for booleans", pair + "  insecure: no\n  applyUnregister: 1\n  gateUnknownTopics: yes\n",
            "c.yaml:6: gossip.insecure: 'no' is no boolean; write true or false",
            "c.yaml:7: gossip.applyUnregister: '1' is no boolean; write true or false",
            "c.yaml:8: gossip.gateUnknownTopics: 'yes' is no boolean; write true or false"),
        .init(
            "no value where one is due", pair + "  period: ~\n",
            "c.yaml:6: gossip.period: must be a single value, not nothing"),
    ]

    static let lists: [WrongFile] = [
        .init(
            "a word as a list", pair + "  preSharedKeys: gossip.key\n",
            "c.yaml:6: gossip.preSharedKeys: must be a list (- …), not 'gossip.key'"),
        .init(
            "entries that are no single values", pair + "  allow:\n    - [10.0.0.0/8]\n    -\n",
            "c.yaml:7: gossip.allow: must list single values, not a list",
            "c.yaml:8: gossip.allow: must list single values, not nothing"),
        .init(
            "no blocks", pair + "  allow:\n    - 10.0.0.5\n    - 10.0.0.5/8\n",
            "c.yaml:7: gossip.allow: '10.0.0.5' is no block of addresses; write address/prefix with no bits set beyond "
                + "the prefix, as in 10.0.0.0/8, fd00::/8 or 10.0.0.5/32",
            "c.yaml:8: gossip.allow: '10.0.0.5/8' is no block of addresses; write address/prefix with no bits set beyond "
                + "the prefix, as in 10.0.0.0/8, fd00::/8 or 10.0.0.5/32"),
        .init(
            "one block in two spellings", pair + "  allow:\n    - fd00::/8\n    - FD00:0::/8\n",
            "c.yaml:8: gossip.allow: 'FD00:0::/8' is already given on line 7"),
        .init(
            "65 blocks", pair + "  allow: [\((1...65).map { "10.0.0.\($0)/32" }.joined(separator: ", "))]\n",
            "c.yaml:6: gossip.allow: has 65 entries; at most 64"),
        .init(
            "9 keys", pair + "  preSharedKeys: [a, b, c, d, e, f, g, h, i]\n",
            "c.yaml:6: gossip.preSharedKeys: has 9 entries; at most 8"),
        .init(
            "one key twice, and no path", pair + "  preSharedKeys:\n    - a\n    - ''\n    - a\n",
            "c.yaml:8: gossip.preSharedKeys: '' is no path",
            "c.yaml:9: gossip.preSharedKeys: 'a' is already given on line 7"),
        .init(
            "words that cannot be replicated",
            "nodes: [{name: a, listen: '127.0.0.1:1'}]\n"
                + "gossip:\n  mode: replicate\n  replicate: [perms, topics, kv]\n",
            "c.yaml:4: gossip.replicate: 'perms' is none of kv, perm; did you mean 'perm'?",
            "c.yaml:4: gossip.replicate: 'topics' is none of kv, perm",
            "c.yaml:4: gossip.replicate: has 3 entries; at most 2"),
        .init(
            "one word twice",
            "nodes: [{name: a, listen: '127.0.0.1:1'}]\n"
                + "gossip:\n  mode: replicate\n  replicate:\n    - kv\n    - kv\n",
            "c.yaml:6: gossip.replicate: 'kv' is already given on line 5"),
    ]

    static let security: [WrongFile] = [
        .init(
            "keys and certificates", pair + "  privateKey: k\n  certificate: c\n  authority: a\n  preSharedKeys: [k]\n",
            "c.yaml:9: gossip.preSharedKeys: cannot go with certificate; "
                + "give keys or certificate, privateKey and authority"),
        .init(
            "a certificate alone", pair + "  certificate: c\n",
            "c.yaml:6: gossip.certificate: needs privateKey and authority beside it"),
        .init(
            "no authority", pair + "  certificate: c\n  privateKey: k\n  authority: ~\n",
            "c.yaml:6: gossip.certificate: needs authority beside it"),
        .init(
            "an empty path", pair + "  certificate: c\n  privateKey: ''\n  authority: a\n",
            "c.yaml:7: gossip.privateKey: '' is no path"),
        .init(
            "plain text and keys", pair + "  preSharedKeys: [k]\n  insecure: true\n",
            "c.yaml:7: gossip.insecure: true asks for plain text, but preSharedKeys for TLS; leave one of them out"),
        .init(
            "plain text between machines",
            "nodes:\n  - {name: a, listen: '127.0.0.1:1'}\n"
                + "  - {name: b, listen: '10.0.0.2:1'}\ngossip:\n  mode: observe\n",
            neededKeys(line: 4, "node 'b' gossips at 10.0.0.2:2")),
        .init(
            "plain text, told where the empty list is",
            "nodes: [{name: a, listen: 'ns1.example:1'}]\ngossip:\n  mode: observe\n  preSharedKeys: []\n",
            neededKeys(line: 4, "node 'a' gossips at ns1.example:2")),
        .init(
            "one node's own mode is enough", "nodes: [{name: a, listen: 'h:1', gossipMode: protect}]\n",
            neededKeys(line: 1, "node 'a' gossips at h:2")),
        .init(
            "a name that begins like a loopback address",
            "nodes: [{name: a, listen: '127.a.b.example:1'}]\n"
                + "gossip: {mode: observe}\n",
            neededKeys(line: 2, "node 'a' gossips at 127.a.b.example:2")),
        .init(
            "plain text to whomever DNS names", pair + "  discovery: hearsay.example:9877\n",
            neededKeys(line: 4, "gossip.discovery finds peers at hearsay.example:9877")),
    ]

    private static func neededKeys(line: Int, _ exposed: String) -> String {
        "c.yaml:\(line): gossip.preSharedKeys: is needed, for \(exposed), beyond this machine: "
            + "name a file that is the same on every node (openssl rand -hex 32 > gossip.key), "
            + "or certificate, privateKey and authority; "
            + "insecure: true does without, and everybody on the way can read and forge"
    }

    static let addresses: [WrongFile] = [
        .init(
            "a port alone", "nodes: [{name: a, listen: 'h:1', gossip: 2}]\n",
            "c.yaml:1: nodes.gossip: '2' is no address; write host:port, as in 127.0.0.1:9876"),
        .init(
            "every address", "nodes: [{name: a, listen: 'h:1', gossip: '0.0.0.0:2'}]\n",
            "c.yaml:1: nodes.gossip: '0.0.0.0:2' is every address; name the one that the other nodes dial"),
        .init(
            "discovery without a port", pair + "  discovery: localhost\n",
            "c.yaml:6: gossip.discovery: 'localhost' is no address; write host:port, as in 127.0.0.1:9876"),
        .init(
            "discovery at port 0", pair + "  discovery: localhost:0\n",
            "c.yaml:6: gossip.discovery: 'localhost:0' has port 0, which nobody can dial; choose 1 to 65535"),
        .init(
            "addresses twice, even where gossip is off",
            """
            nodes:
              - {name: a, listen: 'h:1', gossip: 'h:2'}
              - {name: b, listen: 'h:2', gossip: 'h:2'}
              - {name: c, listen: 'h:3', gossip: 'h:3'}
            brokers: [{group: g, replicas: [{id: 0, listen: 'h:2'}]}]
            """,
            "c.yaml:3: address h:2 is already used on line 2",
            "c.yaml:3: address h:2 is already used on line 2",
            "c.yaml:4: address h:3 is already used on line 4",
            "c.yaml:5: address h:2 is already used on line 2"),
        .init(
            "a default in the way of an address that is spelled",
            """
            nodes:
              - {name: a, listen: '127.0.0.1:1'}
              - {name: b, listen: '127.0.0.1:2'}
              - {name: c, listen: '127.0.0.1:9', gossip: 'localhost:3'}
              - {name: d, listen: '127.0.0.1:4', gossipMode: off}
            gossip: {mode: observe}
            brokers: [{group: g, replicas: [{id: 0, listen: '127.0.0.1:5'}]}]
            """,
            "c.yaml:2: nodes.gossip: address 127.0.0.1:2, the default beside listen, is already used on line 3",
            "c.yaml:3: nodes.gossip: address 127.0.0.1:3, the default beside listen, is already used on line 4"),
        .init(
            "one fault for one listen address twice",
            "nodes:\n  - {name: a, listen: '127.0.0.1:1'}\n  - {name: b, listen: '127.0.0.1:1'}\n"
                + "gossip: {mode: observe}\n",
            "c.yaml:3: address 127.0.0.1:1 is already used on line 2"),
    ]

    static let crossChecks: [WrongFile] = [
        .init(
            "as many witnesses as nodes", pair + "  witnesses: 2\n",
            "c.yaml:6: gossip.witnesses: is 2, but only 1 other node gossips"),
        .init(
            "as many witnesses as three nodes",
            "nodes: [{name: a, listen: 'h:1'}, {name: b, listen: 'h:3'}, {name: c, listen: 'h:5'}]\n"
                + "gossip: {mode: protect, preSharedKeys: [k], witnesses: 3}\n",
            "c.yaml:2: gossip.witnesses: is 3, but only 2 other nodes gossip"),
        .init(
            "witnesses that do not gossip",
            "nodes: [{name: a, listen: '127.0.0.1:1'}, {name: b, listen: '127.0.0.1:3', gossipMode: off}]\n"
                + "gossip: {mode: protect, witnesses: 2}\n",
            "c.yaml:2: gossip.witnesses: is 2, but no other node gossips"),
        .init(
            "operations that nobody replicates", pair + "  replicate:\n    - kv\n",
            "c.yaml:6: gossip.replicate: has no effect, for no node is in mode replicate; "
                + "set the mode or leave this out"),
    ]
}
