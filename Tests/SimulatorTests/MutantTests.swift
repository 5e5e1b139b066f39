#if PLANTED_BUGS
import Basics
import GossipCore
import NameServerNode
import Simulator
import Testing

/// Every planted bug is caught by the invariant that is there for it, on the seed that first caught it; without the bug the
/// same run holds. So no invariant is dead.
struct MutantTests {
    struct Catch: Sendable, CustomTestStringConvertible {
        var bug: PlantedBug
        /// Of gossip.md section 3.
        var invariant: Int
        var mode: GossipMode
        var seed: UInt64
        /// Of the drawn schedule, in seconds.
        var duration: Int
        /// A little after the violation, in seconds; nil: it shows after healing.
        var stopAt: Int?

        init(
            _ bug: PlantedBug, _ invariant: Int, _ mode: GossipMode, _ seed: UInt64, _ duration: Int, _ stopAt: Int?
        ) {
            (self.bug, self.invariant, self.mode) = (bug, invariant, mode)
            (self.seed, self.duration, self.stopAt) = (seed, duration, stopAt)
        }

        var testDescription: String { bug.rawValue }

        var options: SimulationOptions {
            var cluster = ClusterOptions(seed: seed)
            (cluster.mode, cluster.clients) = (mode, 1)
            if bug == .oneWitness { cluster.adjustNode = { options, _ in options.gossip?.settings.witnesses = 2 } }
            var options = SimulationOptions(cluster: cluster)
            options.duration = .seconds(duration)
            options.stopAt = stopAt.map { .seconds($0) }
            return options
        }
    }

    static let catches: [Catch] = [
        // Ages
        Catch(.dropRoundTrip, 1, .protect, 2, 300, 50),
        Catch(.foreignClock, 1, .protect, 1, 300, 60),
        Catch(.noDriftWidening, 1, .protect, 1, 300, 78),
        Catch(.newestChargedToo, 2, .protect, 2, 300, 50),
        Catch(.relayHearsay, 7, .protect, 13, 300, 165),
        Catch(.adoptUnasked, 13, .protect, 7, 600, 424),
        Catch(.adoptTwice, 12, .protect, 1, 300, 62),
        Catch(.adoptBeforeContact, 13, .protect, 1, 300, 60),
        Catch(.ignoreOwnStalls, 15, .protect, 7, 300, 216),
        // Departures
        Catch(.forgetFloor, 10, .replicate, 7, 600, 430),
        Catch(.forgetTombstones, 8, .protect, 5, 300, 10),
        Catch(.tombstonesForEver, 23, .protect, 29, 600, 492),
        // Warm-up
        Catch(.readyAtOnce, 11, .protect, 1, 300, 5),
        Catch(.snapshotWhileWarming, 11, .protect, 1, 300, 5),
        Catch(.answerWhileWarming, 11, .protect, 15, 300, 130),
        // Protection
        Catch(.observeHolds, 5, .observe, 87, 300, 192),
        Catch(.holdRefreshes, 6, .protect, 4, 300, 50),
        // Learning
        Catch(.learnedInDigest, 7, .protect, 1, 300, 60),
        Catch(.learnedAnswersQuery, 25, .protect, 1, 300, 60),
        // Comparing
        Catch(.sketchKeepsOld, 7, .protect, 1, 300, 11),
        Catch(.compareEquals, 17, .protect, 1, 300, 2),
        Catch(.divergenceForEver, 18, .protect, 1, 300, nil),
    ]

    @Test(arguments: catches)
    func isCaught(_ row: Catch) {
        let caught = PlantedBug.$active.withValue(row.bug) { Simulation(row.options).run().violation }
        #expect(caught?.number == row.invariant, "\(row.bug): \(caught.map { "\($0)" } ?? "nothing found")")
        let clean = Simulation(row.options).run().violation
        #expect(clean == nil, "without \(row.bug): \(clean!)")
    }
}
#endif
