import Basics
import GossipCore
import HTTPServer
import NameServerNode
import Platform
import Simulator
import Testing

/// The same port over a platform in virtual time: three nodes that gossip, asked by a monitoring host.
@Suite struct HTTPSimulatedTests {
    private static let names = ["ns-1", "ns-2", "ns-3"]

    private func cluster() -> Cluster {
        var options = ClusterOptions(seed: 7)
        options.mode = .observe
        options.hasShadows = false
        options.adjustNode = { options, _ in
            var http = HTTPOptions(listen: Address(host: options.listen.host, port: 9_878))
            http.nodes = Self.names.enumerated().map { ($1, Address(host: "10.0.0.\($0 + 1)", port: 9_876)) }
            options.http = http
        }
        return Cluster(options: options)
    }

    /// Asks one node, and gives virtual time until the answer is there.
    private func get(_ path: String, of node: SimulatedNode, in world: World, from platform: SimulatedPlatform)
        -> String
    {
        let asker = Asker("GET \(path) HTTP/1.1\r\nHost: \(node.address.host)\r\nConnection: close\r\n\r\n")
        _ = platform.connect(
            to: Address(host: node.address.host, port: 9_878), timeout: .seconds(3), options: StreamOptions(),
            handler: asker)
        let end = world.time + Duration.seconds(10).wholeNanoseconds
        while !asker.isDone, world.step(until: end) {}
        return asker.answer
    }

    @Test func answersInVirtualTime() throws {
        let cluster = cluster()
        let world = cluster.world
        defer { world.tearDown() }
        let monitor = SimulatedPlatform(on: world.makeHost("monitor", ip: "10.9.0.1"), seed: 1)
        cluster.start()
        world.run(for: .seconds(5))
        #expect(get("/livez", of: cluster.nodes[0], in: world, from: monitor).hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(get("/readyz", of: cluster.nodes[0], in: world, from: monitor).contains(#""reason":"warming""#))
        world.run(for: .seconds(180))
        let all = "10.0.0.1:9876;10.0.0.2:9876;10.0.0.3:9876"
        for node in cluster.nodes {
            #expect(get("/readyz", of: node, in: world, from: monitor).hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(get("/rocketmq/nsaddr", of: node, in: world, from: monitor).hasSuffix("\r\n\r\n\(all)"))
        }
        // Whoever is gone is soon on no list.
        cluster.nodes[2].kill()
        world.run(for: .seconds(30))
        #expect(
            get("/rocketmq/nsaddr", of: cluster.nodes[0], in: world, from: monitor).hasSuffix(
                "\r\n\r\n10.0.0.1:9876;10.0.0.2:9876"))
        let metrics = get("/metrics", of: cluster.nodes[0], in: world, from: monitor)
        #expect(metrics.contains("\nrocketmq_namesrv_active_brokers 6\n"))
        #expect(metrics.contains("\nhearsay_gossip_peer_connected{peer=\"ns-3\"} 0\n"))
        #expect(metrics.contains("\nhearsay_gossip_peer_connected{peer=\"ns-2\"} 1\n"))
        // Virtual time runs on time: ten looks a second, none late.
        #expect(metrics.contains("hearsay_loop_lag_seconds_bucket{le=\"0.001\"}"))
    }
}

/// One request, and all that comes until the connection closes.
private final class Asker: StreamHandler {
    private let request: String
    private(set) var answer = ""
    private(set) var isDone = false

    init(_ request: String) { self.request = request }

    func streamOpened(_ stream: any ByteStream) { Array(request.utf8).withUnsafeBytes { stream.write($0) } }

    func stream(
        _ stream: any ByteStream, received bytes: UnsafeRawBufferPointer, output: inout ByteWriter
    ) -> Consumption {
        answer += String(decoding: bytes, as: UTF8.self)
        return Consumption(consumed: bytes.count)
    }

    func streamClosed(_ stream: any ByteStream, reason: CloseReason) { isDone = true }
}
