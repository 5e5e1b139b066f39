#if PLANTED_BUGS
import Basics
import GossipCore
import NameServerNode
import Simulator
import Testing

/// Every planted bug is caught by the invariant that is there for it, on the seed that first caught it or in a run
/// written down for it; without the bug the same run holds. So no invariant is dead.
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
        /// Instead of the drawn schedule.
        var script: (@Sendable (Simulation) -> Void)?

        init(
            _ bug: PlantedBug, _ invariant: Int, _ mode: GossipMode, _ seed: UInt64, _ duration: Int, _ stopAt: Int?
        ) {
            (self.bug, self.invariant, self.mode) = (bug, invariant, mode)
            (self.seed, self.duration, self.stopAt) = (seed, duration, stopAt)
        }

        init(
            _ bug: PlantedBug, _ invariant: Int, _ mode: GossipMode,
            written script: @escaping @Sendable (Simulation) -> Void,
            seed: UInt64 = 1, stopAt: Int
        ) {
            self.init(bug, invariant, mode, seed, stopAt, stopAt)
            self.script = script
        }

        var testDescription: String { bug.rawValue }

        var options: SimulationOptions {
            var cluster = ClusterOptions(seed: seed)
            (cluster.mode, cluster.clients) = (mode, 1)
            switch bug {
            // A few brokers are listed rather than sketched.
            case .decodeUnchecked: cluster.brokers = 60
            case .snapshotAtOnce:
                (cluster.nodes, cluster.brokers, cluster.topicsPerBroker, cluster.hasShadows) = (2, 100, 300, false)
            case .trustDuplicates: cluster.nodes = 4
            case .oneWitness: cluster.adjustNode = { options, _ in options.gossip?.settings.witnesses = 2 }
            case .lastArrivalWins:
                cluster.adjustNode = { options, _ in options.gossip?.settings.replicatesKeyValues = true }
            default: break
            }
            var options = SimulationOptions(cluster: cluster)
            options.duration = .seconds(duration)
            options.script = script
            options.stopAt = stopAt.map { .seconds($0) }
            return options
        }
    }

    static let catches: [Catch] = [
        // Ages
        Catch(.dropRoundTrip, 1, .protect, 2, 300, 54),
        Catch(.foreignClock, 1, .protect, 1, 300, 60),
        Catch(.noDriftWidening, 1, .protect, 1, 300, 78),
        Catch(.newestChargedToo, 2, .protect, 7, 300, 85),
        Catch(.relayHearsay, 7, .protect, 13, 300, 165),
        Catch(.adoptUnasked, 13, .protect, 250, 300, 197),
        Catch(.adoptTwice, 12, .protect, 1, 300, 62),
        Catch(.adoptBeforeContact, 13, .protect, 1, 300, 60),
        Catch(.ignorePeerStalls, 15, .protect, written: WrittenRuns.peerStandsStill, stopAt: 260),
        Catch(.ignoreOwnStalls, 15, .protect, 7, 300, 216),
        Catch(.agesStandStill, 14, .protect, 1, 300, 257),
        // Departures
        Catch(.forgetFloor, 10, .replicate, 63, 600, 295),
        Catch(.forgetTombstones, 8, .protect, 5, 300, 10),
        Catch(.shortRetention, 8, .protect, 53, 600, 351),
        Catch(.flipTombstone, 9, .protect, 167, 300, 225),
        Catch(.noHeartbeatSlack, 8, .replicate, written: WrittenRuns.goodbyeOvertakesHeartbeat, stopAt: 160),
        Catch(.goodbyeReleasesNothing, 9, .protect, 218, 300, 91),
        Catch(.tombstonesForEver, 23, .protect, 29, 600, 492),
        // Warm-up
        Catch(.readyAtOnce, 11, .protect, 1, 300, 5),
        Catch(.snapshotWhileWarming, 11, .protect, 1, 300, 5),
        Catch(.answerWhileWarming, 11, .protect, 15, 300, 130),
        Catch(.provisionalForEver, 3, .protect, written: WrittenRuns.deadBrokerInSnapshot, stopAt: 200),
        Catch(.snapshotAtOnce, 27, .protect, written: WrittenRuns.largeSnapshot, stopAt: 50),
        // Protection
        Catch(.observeHolds, 5, .observe, 87, 300, 192),
        Catch(.holdRefreshes, 6, .protect, 4, 300, 50),
        Catch(.openIsForEver, 4, .protect, written: WrittenRuns.openElsewhere, stopAt: 300),
        Catch(.beforeCloseCounts, 4, .protect, 35, 300, 190),
        Catch(.oneWitness, 4, .protect, 56, 300, 277),
        Catch(.scanForgetsHold, 19, .protect, 108, 300, 283),
        // Learning
        Catch(.learnedInDigest, 7, .protect, 1, 300, 60),
        Catch(.learnedAnswersQuery, 25, .protect, 1, 300, 60),
        Catch(.learnedBesideFirstHand, 20, .protect, 2, 300, 50),
        Catch(.learnedForEver, 3, .replicate, written: WrittenRuns.learnedBrokerDies, stopAt: 300),
        // Comparing
        Catch(.sketchKeepsOld, 7, .protect, 1, 300, 11),
        Catch(.compareEquals, 17, .protect, 1, 300, 2),
        Catch(.decodeUnchecked, 16, .protect, 7, 300, 190),
        Catch(.residueInImage, 21, .protect, written: WrittenRuns.droppedTopic, stopAt: 280),
        Catch(.divergenceForEver, 18, .protect, 4, 300, nil),
        // Operators' writes
        Catch(.replicateUnasked, 24, .replicate, 3, 300, 112),
        Catch(.lastArrivalWins, 24, .replicate, 3, 300, 112),
        // Links
        Catch(.lateDigestCounts, 22, .protect, 5, 300, 214),
        Catch(.oldLinkSpeaks, 12, .protect, written: WrittenRuns.twoLives, seed: 2, stopAt: 200),
        Catch(.trustDuplicates, 12, .protect, written: WrittenRuns.twoOfOneName, stopAt: 100),
    ]

    @Test func noneIsMissing() { #expect(Set(Self.catches.map(\.bug)) == Set(PlantedBug.allCases)) }

    @Test(arguments: catches)
    func isCaught(_ row: Catch) {
        let caught = PlantedBug.$active.withValue(row.bug) { Simulation(row.options).run().violation }
        #expect(caught?.number == row.invariant, "\(row.bug): \(caught.map { "\($0)" } ?? "nothing found")")
        let clean = Simulation(row.options).run().violation
        #expect(clean == nil, "without \(row.bug): \(clean!)")
    }
}
#endif
