import Basics
import GossipCore
import NameServerNode
import Simulator

/// Runs that somebody wrote down, under all checks: situations that drawn faults never make, or all too seldom.
enum WrittenRuns {
    private static let second: Int64 = 1_000_000_000

    /// Broker 1 dies just as node 2's machine stands still, clock and all: to node 2 the last heartbeat is fresh for
    /// much too long, and nothing but the comparison of clocks can tell. Node 2 dials nobody: who comes back to it
    /// asks first, and so is told before node 2 itself can find out.
    static func peerStandsStill(_ run: Simulation) {
        run.cluster.nodes[1].adjust = { options in
            options.gossip?.settings.peers = []
            options.gossip?.settings.acceptsUnlistedPeers = true
            options.gossip?.peers = []
        }
        run.when(node: 1, hears: 0, after: 70) { heard in
            run.at(heard + 5, .powerLoss(.broker(0), restartAfter: nil))
            run.at(
                heard + 5,
                .pause(
                    .node(1), .machine(clockRuns: false), for: 40 * second, timersFirst: false, wallCatchesUp: false))
        }
    }

    /// Broker 1 says goodbye while a heartbeat of it is still on its way to node 2, which the goodbye never reaches.
    static func goodbyeOvertakesHeartbeat(_ run: Simulation) {
        run.when(node: 0, hears: 0, after: 70) { heard in
            run.at(heard + 20, .slow(.broker(0), .node(1), latency: 3 * second / 2, for: 20 * second))
            run.when(node: 0, hears: 0, after: heard + 20) { heard in
                run.at(heard + 0.2, .stop(broker: 0, restartAfter: nil))
                run.at(heard + 1.6, .partition(.broker(0), .node(1), for: 300 * second))
            }
        }
    }

    /// Broker 1 dies, and node 1 restarts: all it knows of the broker are its peers' tables.
    static func deadBrokerInSnapshot(_ run: Simulation) {
        run.when(node: 0, hears: 0, after: 65) { heard in
            run.at(heard + 1, .powerLoss(.broker(0), restartAfter: nil))
            run.at(heard + 1, .kill(.node(0), restartAfter: second))
        }
    }

    /// Broker 1 stands still, and of its connections only that to node 1 ends.
    static func openElsewhere(_ run: Simulation) {
        run.when(node: 0, hears: 0, after: 65) { heard in
            run.at(
                heard + 1,
                .pause(
                    .broker(0), .machine(clockRuns: true), for: 500 * second, timersFirst: false, wallCatchesUp: true))
            run.at(heard + 1.1, .reset(.broker(0), .node(0)))
        }
    }

    /// Node 1 knows broker 1 by hearsay only; then the broker dies.
    static func learnedBrokerDies(_ run: Simulation) {
        run.at(60, .partition(.broker(0), .node(0), for: 600 * second))
        run.at(61, .kill(.node(0), restartAfter: second))
        run.at(130, .powerLoss(.broker(0), restartAfter: nil))
    }

    /// Broker 1 drops a topic; long after, node 1 restarts and is filled by its peers.
    static func droppedTopic(_ run: Simulation) {
        run.at(61, .dropTopic(broker: 0))
        run.at(260, .kill(.node(0), restartAfter: second))
    }

    /// Node 1 loses power and is back at once, again and again, while frames of its former life are on their way.
    static func twoLives(_ run: Simulation) {
        run.at(60, .frames(from: 0, to: 1, drop: 0, double: 1_000, delay: 0, for: 400 * second))
        for time in stride(from: 70.0, to: 170, by: 20) {
            run.at(time, .powerLoss(.node(0), restartAfter: second / 10))
        }
    }

    /// Node 4 calls itself ns-2, as node 2 does.
    static func twoOfOneName(_ run: Simulation) {
        run.cluster.nodes[3].adjust = { options in
            options.gossip?.settings.node = "ns-2"
            options.gossip?.settings.peers = ["ns-1", "ns-3"]
            options.gossip?.peers.remove(at: 1)
        }
    }

    /// Node 1 restarts among brokers with so many topics that a snapshot takes many frames.
    static func largeSnapshot(_ run: Simulation) { run.at(42, .kill(.node(0), restartAfter: second)) }
}

extension Simulation {
    /// Calls back when a node next hears a broker after a true time in seconds, within 10 ms, with the time.
    func when(node: Int, hears broker: Int, after seconds: Double, _ then: @escaping (Double) -> Void) {
        look(at: seconds) { [unowned self] in
            let heard = cluster.truth.views[node][broker].heardAt.map { Double($0) / 1e9 }
            return heard.map { $0 > seconds } == true ? then : nil
        }
    }

    private func look(at seconds: Double, _ isDue: @escaping () -> ((Double) -> Void)?) {
        at(seconds) { [unowned self] in
            if let then = isDue() { then(seconds) } else { look(at: seconds + 0.01, isDue) }
        }
    }
}
