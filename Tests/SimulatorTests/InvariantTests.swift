import Basics
import GossipCore
import NameServerNode
import Simulator
import Testing

/// A bounded sweep: whole clusters in every mode under drawn faults, all invariants of gossip.md section 3 checked after
/// every step. `hearsay simulate --seeds 1000 --mode replicate` goes on from here.
struct InvariantTests {
    private static func options(_ mode: GossipMode, seed: UInt64) -> SimulationOptions {
        var cluster = ClusterOptions(seed: seed)
        (cluster.mode, cluster.clients) = (mode, 1)
        var options = SimulationOptions(cluster: cluster)
        options.duration = .seconds(180)
        return options
    }

    @Test(arguments: [GossipMode.off, .observe, .protect, .replicate], 101...108 as ClosedRange<UInt64>)
    func holds(mode: GossipMode, seed: UInt64) {
        let result = Simulation(Self.options(mode, seed: seed)).run()
        #expect(
            result.violation == nil,
            "hearsay simulate --seed \(seed) --mode \(mode.name) --clients 1 --duration 180s: \(result.violation!)")
        #expect(result.additions >= 18)
    }

    /// With `replicate: [kv, perm]` operators' writes reach all nodes, and the latest wins. (Seeds with many commands.)
    @Test(arguments: [3, 26, 111] as [UInt64])
    func replicatesWrites(seed: UInt64) {
        var options = Self.options(.replicate, seed: seed)
        options.duration = .seconds(300)
        options.cluster.adjustNode = { options, _ in
            options.gossip?.settings.replicatesKeyValues = true
            options.gossip?.settings.replicatesPermissions = true
        }
        let result = Simulation(options).run()
        #expect(result.violation == nil, "seed \(seed): \(result.violation!)")
    }

    /// 26: one seed is one run, with gossip, too.
    @Test(arguments: [GossipMode.observe, .replicate])
    func oneSeedIsOneRun(mode: GossipMode) {
        let first = Simulation(Self.options(mode, seed: 103)).run()
        let second = Simulation(Self.options(mode, seed: 103)).run()
        #expect(first.traceHash == second.traceHash && first.events == second.events)
    }

    /// A node gives a connection up as idle on which a broker was silent for longer than its timeout. Peers hear the
    /// broker: it stays, for as long as the link is cut and after. (Found by invariant 19, seed 26.)
    @Test(arguments: [GossipMode.protect, .replicate])
    func idleConnectionEndsNoHold(mode: GossipMode) {
        var options = ClusterOptions(seed: 26)
        options.mode = mode
        let scenario = Scenario(options)
        scenario.at(113, .partition(.node(0), .broker(0), for: 300_000_000_000))
        scenario.run(until: 600)
        #expect(scenario.changes(node: 0, broker: 0, after: 60).isEmpty)
    }
}
