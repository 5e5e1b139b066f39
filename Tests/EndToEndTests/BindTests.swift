// Nodes behind addresses that are not those of their machine, as in containers: serve --bind.

import TestSupport
import Testing

@Suite(.ownThread) struct BindTests {
    /// Addresses for documentation (RFC 5737), which no machine has.
    private static let outside = "192.0.2.1"

    @Test func aNodeListensAtOneAddressAndIsKnownByAnother() throws {
        let ports = try (0..<3).map { _ in try PortReservation() }
        let (remoting, gossip, http) = (ports[0].port, ports[1].port, ports[2].port)
        let directory = TemporaryDirectory()
        let file = try directory.write(
            """
            nodes:
              - {name: ns-1, listen: "\(Self.outside):\(remoting)", gossip: "\(Self.outside):\(gossip)", http: "127.0.0.1:\(http)"}
            timings: {heartbeat: 100ms, scan: 100ms, expiry: 300ms}
            gossip: {mode: observe, insecure: true}
            """, to: "cluster.yaml")
        let arguments = ["serve", "--config", file, "--node", "ns-1"]

        let stuck = try NodeProcess(ProductsDirectory.executable("hearsay"), arguments: arguments)
        #expect(try stuck.waitForExit() == .exit(2))
        #expect(stuck.errorText.contains("listen on \(Self.outside):"), "\(stuck.errorText)")

        let node = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: arguments + ["--bind", "127.0.0.1"])
        try node.line { $0.contains("The Name Server boot success.") ? () : nil }
        let connection = try RawConnection(port: remoting)
        #expect(try connection.call(106).code == 0)
        _ = try RawConnection(port: gossip)
        #expect(try connection.call(319).bodyText.contains("bindAddress=127.0.0.1"))
        // Clients that ask for addresses are told to dial the other one.
        let isTold = try poll {
            try RawConnection.get("/rocketmq/nsaddr", port: http).text.contains("\(Self.outside):\(remoting)")
        }
        #expect(isTold)
        #expect(try node.terminate() == .exit(0))
    }

    @Test(arguments: [
        // Every address, by both protocols' names, and in brackets as in addresses.
        ("0.0.0.0", true), ("::", true), ("[::1]", true),
        // A port belongs elsewhere.
        ("127.0.0.1:1", false), ("", false), ("a b", false),
    ]) func onlyAHostIsTaken(_ host: String, _ isGood: Bool) throws {
        let process = try NodeProcess(
            ProductsDirectory.executable("hearsay"), arguments: ["serve", "--bind", host, "--printConfigItem"])
        #expect(try process.waitForExit() == .exit(isGood ? 0 : 2), "\(process.errorText)")
    }
}
