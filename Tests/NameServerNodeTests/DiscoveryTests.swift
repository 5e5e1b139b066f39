import Basics
import GossipCore
import NameServerNode
import Platform
import Simulator
import Testing

/// Peers that a node finds by a DNS name, in virtual time.
@Suite struct DiscoveryTests {
    /// A peer that comes back under a new address each time, as a pod does, is dialled there, however often it happens, and
    /// where it no longer is nobody knocks any more.
    @Test func followsPeersToNewAddresses() {
        var options = ClusterOptions(seed: 11)
        (options.nodes, options.brokers, options.clients) = (1, 3, 0)
        options.mode = .observe
        options.hasShadows = false
        options.adjustNode = { options, _ in
            options.gossip?.discovery = Address(host: "pods", port: 9_877)
            options.gossip?.security = .plaintext(beyondLoopback: true)
        }
        let cluster = Cluster(options: options)
        let world = cluster.world
        defer { world.tearDown() }
        let lives = GossipLimits.peers + 10
        let pods = (0..<lives).map { Pod(world, ip: "10.7.0.\($0 + 1)", seed: UInt64($0)) }
        world.names["pods"] = [pods[0].host]
        cluster.start()
        for (life, pod) in pods.enumerated() {
            world.names["pods"] = [pod.host]
            world.run(for: .seconds(60))
            #expect(pod.calls > 0, "life \(life)")
            if life > 0 {
                let before = pods[life - 1].calls
                world.run(for: .seconds(30))
                #expect(pods[life - 1].calls == before, "life \(life)")
            }
        }
    }
}

/// A machine whose gossip port hangs up on whoever comes.
private final class Pod: ListenerHandler {
    let host: Host
    private let platform: SimulatedPlatform
    private var listener: (any Listener)?
    private(set) var calls = 0

    init(_ world: World, ip: String, seed: UInt64) {
        host = world.makeHost("pod-\(ip)", ip: ip)
        platform = SimulatedPlatform(on: host, seed: seed)
        listener = try? platform.listen(
            at: Address(host: ip, port: 9_877), options: StreamOptions(), handler: self)
    }

    func accept(_ stream: any ByteStream) -> (any StreamHandler)? {
        calls += 1
        return nil
    }
}
