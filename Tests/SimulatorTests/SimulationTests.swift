import Basics
import NameServerCore
import NameServerNode
import Platform
import Simulator
import Testing

@Suite struct SimulationTests {
    private static func options(seed: UInt64, minutes: Int = 10) -> SimulationOptions {
        var options = SimulationOptions(cluster: ClusterOptions(seed: seed))
        options.duration = .seconds(60 * minutes)
        return options
    }

    /// The same seed is the same run, another one is another; asking for lines changes nothing.
    @Test func oneSeedIsOneRun() {
        let first = Simulation(Self.options(seed: 3)).run()
        var verbose = Self.options(seed: 3)
        verbose.traceLines = 10
        let second = Simulation(verbose).run()
        #expect(first.traceHash == second.traceHash && first.events == second.events && first.tally == second.tally)
        #expect(second.lines.count == 10)
        #expect(Simulation(Self.options(seed: 4)).run().traceHash != first.traceHash)
    }

    /// A bounded sweep: without gossip the tables are Apache's, and every check holds.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func holds(seed: UInt64) {
        let result = Simulation(Self.options(seed: seed)).run()
        #expect(result.violation == nil, "hearsay simulate --seed \(seed) --duration 600s: \(result.violation!)")
        #expect(result.additions >= 18 && result.tally.routes > 0)
    }

    /// A bug planted into the nodes, but not into their shadows.
    struct Plant: Sendable, CustomTestStringConvertible {
        var invariant: Int
        var testDescription: String
        var adjust: @Sendable (inout NodeOptions, Bool) -> Void
    }

    static let plants = [
        // Node and shadow alike, so that only the truth can tell. Idle connections would be closed in time otherwise.
        Plant(invariant: 3, testDescription: "never scans") { options, _ in
            options.scanInterval = .seconds(3_600)
            options.stream.idleTimeout = nil
        },
        Plant(invariant: 5, testDescription: "scans late") { options, isShadow in
            if !isShadow { options.scanInterval = .seconds(13) }
        },
        Plant(invariant: 5, testDescription: "answers otherwise") { options, isShadow in
            if !isShadow { options.properties.deleteTopicWithBrokerRegistration = true }
        },
        Plant(invariant: 18, testDescription: "accepts nobody") { options, _ in options.stream.connectionLimit = 3 },
    ]

    /// Each check finds a bug made for it, and the failing schedule shrinks to at most two faults that fail alike.
    @Test(arguments: plants)
    func findsPlantedBugs(plant: Plant) throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            var options = Self.options(seed: seed)
            options.cluster.adjustNode = plant.adjust
            let result = Simulation(options).run()
            guard let violation = result.violation else { continue }
            #expect(violation.number == plant.invariant, "seed \(seed): \(violation)")
            let (needed, smallest) = Simulation.shrink(options, failing: result, limit: 60)
            #expect(needed.count <= 2, "seed \(seed): \(smallest.schedule)")
            #expect(smallest.violation?.number == plant.invariant)
            return
        }
        Issue.record("no seed finds it")
    }
}
