import Basics
import GossipCore

// How soon a cut between a broker and one node is seen (G4), and how often one is seen that is none.

extension GossipBench {
    /// Seconds from the last heartbeat that arrived to the alarm, for cuts at random times.
    public static func detection(cuts: Int, seed: UInt64 = 1) -> BenchSection {
        var section = BenchSection(
            "detection",
            "From the last heartbeat that one node heard to its alarm that the link is cut (\(cuts) cuts each)",
            columns: ["timings", "cuts seen", "mean s", "p99 s", "most s", "s before eviction"])
        for (interval, timeout, goal) in [(30, 120, 40.0), (1, 10, 4.0)] {
            let delays = delays(.seconds(interval), .seconds(timeout), cuts: cuts, seed: seed)
            section.add(
                "\(interval) s / \(timeout) s", .count(delays.values.count), .hundredths(delays.mean),
                .hundredths(delays.quantile(0.99)), .hundredths(delays.max), .hundredths(Double(timeout) - delays.max))
            section.goal(
                "G4 cuts not seen at \(interval) s / \(timeout) s", Double(cuts - delays.values.count), atMost: 0)
            section.goal("G4 seconds to the alarm at \(interval) s / \(timeout) s", delays.max, atMost: goal)
        }
        section.notes = [
            "One of two nodes loses the broker's heartbeats; the other one goes on hearing it. Period 1 s, mode observe."
        ]
        return section
    }

    private static func delays(_ interval: Duration, _ timeout: Duration, cuts: Int, seed: UInt64) -> Sample {
        let cluster = BenchCluster(nodes: 2, interval: interval, timeout: timeout, seed: seed)
        for broker in 0..<cuts {
            let phase = cluster.draw(below: interval)
            for node in cluster.nodes { cluster.register(broker, at: node, phase: phase) }
        }
        cluster.start()
        let victim = cluster.nodes[0]
        var lastHeard: [String: Instant] = [:]
        var delays = Sample()
        victim.onEvent = { [unowned cluster, unowned victim] event in
            guard event.kind == .diverged, event.divergence == .lateHere, let name = event.replica?.name,
                let heard = lastHeard.removeValue(forKey: name)
            else { return }
            delays.add(Double((cluster.now - heard).wholeNanoseconds) / 1e9)
            // Mended once it is seen, so that no more are cut at one time than one exchange asks about.
            if let broker = Int(name.dropFirst("broker-".count)) { victim.tables[broker]?.cutAt = .distantFuture }
        }
        // So many a second that no exchange asks for more than fit.
        let pause = Duration.milliseconds(max(10, timeout.wholeMilliseconds / 500))
        for broker in 0..<cuts {
            cluster.run(cluster.draw(below: pause * 2))
            victim.tables.now = cluster.now
            guard let heard = victim.tables.hearing(of: ReplicaToken(number: UInt32(broker))) else { continue }
            victim.tables[broker]?.cutAt = cluster.now
            lastHeard["broker-\(broker)"] = heard.lastHeard
        }
        cluster.run(timeout)
        return delays
    }

    /// Alarms in a healthy cluster whose heartbeats come late by up to `jitter`.
    public static func falseAlarms(brokers: Int, nodes: Int, hours: Int, jitter: Duration, seed: UInt64 = 1)
        -> BenchSection
    {
        var section = BenchSection(
            "falseAlarms", "Alarms in a healthy cluster",
            columns: ["brokers", "nodes", "hours", "exchanges", "heartbeats late by up to s", "alarms"])
        let cluster = BenchCluster(nodes: nodes, seed: seed)
        for node in cluster.nodes { node.tables.jitter = jitter }
        for broker in 0..<brokers {
            let phase = cluster.draw(below: .seconds(30))
            for node in cluster.nodes { cluster.register(broker, at: node, phase: phase) }
        }
        cluster.start()
        var alarms = 0
        for node in cluster.nodes { node.onEvent = { if $0.kind == .diverged || $0.kind == .stalled { alarms += 1 } } }
        cluster.run(.seconds(hours * 3_600))
        let exchanges = (0..<nodes).reduce(0) { $0 + cluster.frames(from: $1, kinds: [3]) }
        section.add(
            .count(brokers), .count(nodes), .count(hours), .count(exchanges),
            .tenths(Double(jitter.wholeMilliseconds) / 1_000), .count(alarms))
        section.goal("G4 false alarms in \(hours) simulated hours, \(brokers) brokers", Double(alarms), atMost: 0)
        return section
    }
}
