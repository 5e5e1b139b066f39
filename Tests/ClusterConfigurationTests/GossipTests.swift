import Basics
import Testing

@testable import ClusterConfiguration

/// The gossip section and the nodes' gossip keys: what is accepted, and what it becomes.
struct GossipTests {
    private func parse(_ text: String, fileName: String = "etc/c.yaml") throws -> ClusterConfiguration {
        try ClusterConfiguration.parse(bytes: Array(text.utf8), fileName: fileName)
    }

    @Test func readsEveryKindOfValue() throws {
        let configuration = try parse(
            """
            cluster: {name: lab}
            nodes:
            - {name: a, listen: '10.0.0.1:9876'}
            - {name: b, listen: '10.0.0.2:9876', gossip: 'b.example:7000', gossipMode: observe}
            - {name: c, listen: '[fd00::3]:9876', gossipMode: off}
            gossip:
              mode: replicate
              period: 100ms
              label: lab-east
              preSharedKeys: [new.key, /etc/old.key]
              allow: [10.0.0.0/8, 'FD00:0::/8']
              discovery: hearsay.example:9877
              replicate: [perm, kv]
              applyUnregister: true
              witnesses: 16
              closeGrace: 0ms
              gateUnknownTopics: true
            """)
        var expected = GossipConfiguration()
        expected.mode = .replicate
        expected.period = .milliseconds(100)
        expected.label = "lab-east"
        expected.security = .preSharedKeys(["etc/new.key", "/etc/old.key"])
        expected.allow = try ["10.0.0.0/8", "fd00::/8"].map { try #require(AddressBlock($0)) }
        expected.discovery = Address(host: "hearsay.example", port: 9877)
        expected.replicate = [.kv, .perm]
        expected.applyUnregister = true
        expected.witnesses = 16
        expected.closeGrace = .zero
        expected.gateUnknownTopics = true
        #expect(configuration.gossip == expected)
        #expect(configuration.nodes.map(\.gossip.description) == ["10.0.0.1:9877", "b.example:7000", "[fd00::3]:9877"])
        #expect(configuration.nodes.map(\.gossipMode) == [.replicate, .observe, .off])
        #expect(configuration.gossipPeers(of: "a").map(\.name) == ["b"])
        #expect(configuration.gossipPeers(of: "b").map(\.name) == ["a"])
        #expect(configuration.gossipPeers(of: "c").isEmpty)
        #expect(configuration.gossipPeers(of: "d").isEmpty)
    }

    @Test func readsCertificates() throws {
        let configuration = try parse(
            """
            nodes: [{name: a, listen: 'ns1.example:9876'}]
            gossip: {mode: protect, preSharedKeys: [], certificate: tls/a.crt, privateKey: /k, authority: ca.pem}
            """)
        #expect(
            configuration.gossip.security
                == .certificates(.init(certificate: "etc/tls/a.crt", privateKey: "/k", authority: "etc/ca.pem")))
    }

    @Test func nothingMeansTheDefault() throws {
        let keys =
            "preSharedKeys: ~, certificate: ~, privateKey: null, authority: , discovery: ~, allow: [], replicate: ~"
        let configuration = try parse(
            "cluster: {name: lab}\nnodes: [{name: a, listen: 'h:9876', gossip: ~}]\ngossip: {\(keys)}\n")
        var expected = GossipConfiguration()
        expected.label = "lab"
        #expect(configuration.gossip == expected)
        #expect(configuration.nodes.map(\.gossip) == [Address(host: "h", port: 9877)])
    }

    /// The last port has no next one.
    @Test(arguments: [(UInt16(1), UInt16(2)), (9876, 9877), (65534, 65535), (65535, 65534)])
    func defaultPorts(listen: UInt16, gossip: UInt16) throws {
        let configuration = try parse("nodes: [{name: a, listen: 'h:\(listen)'}]")
        #expect(configuration.nodes.map(\.gossip) == [Address(host: "h", port: gossip)])
    }

    /// Files that are valid although they look like a row of `WrongFileTests.gossip`.
    @Test(arguments: [
        // Whoever never asked for gossip may listen on ports that stand side by side.
        "nodes: [{name: a, listen: 'h:1'}, {name: b, listen: 'h:2'}]",
        // Off is off, whatever else the section says.
        "nodes: [{name: a, listen: 'h:1'}]\ngossip: {witnesses: 5, replicate: [kv]}",
        "nodes: [{name: a, listen: 'h:1', gossipMode: off}]\ngossip: {mode: replicate, witnesses: 5, replicate: [kv]}",
        // Plaintext on this machine, in each spelling.
        "nodes: [{name: a, listen: '127.9.9.9:1'}, {name: b, listen: '[::1]:1'}, {name: c, listen: 'localhost:1'}]\n"
            + "gossip: {mode: protect, witnesses: 2}",
        // Only where nodes gossip counts.
        "nodes: [{name: a, listen: 'h:1', gossip: '127.0.0.1:2'}, {name: b, listen: 'h:3', gossipMode: off}]\n"
            + "gossip: {mode: observe}",
        "nodes: [{name: a, listen: 'h:1'}]\ngossip: {mode: observe, insecure: true}",
        // One node whose peers are still to come.
        "nodes: [{name: a, listen: '127.0.0.1:1'}]\ngossip: {mode: protect, witnesses: 1}",
        "nodes: [{name: a, listen: '127.0.0.1:1'}]\ngossip: {mode: protect, witnesses: 9, discovery: 'localhost:2'}",
        // One node in the mode is enough.
        "nodes: [{name: a, listen: '127.0.0.1:1'}, {name: b, listen: '127.0.0.1:3', gossipMode: replicate}]\n"
            + "gossip: {mode: observe, replicate: [perm]}",
    ])
    func isValid(text: String) {
        #expect(faults(text) == [])
    }
}
