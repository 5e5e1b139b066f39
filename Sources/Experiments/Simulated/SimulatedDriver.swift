// The whole scenario in virtual time: production nodes, stand-in brokers and clients on the simulator's platform.
//
//   SimulatedDriver ──▶ SimulatedTestbed: World, a SimulatedMachine for each party
//        │                     └─ Experimenter: Observer, operators' commands ──▶ HistoryEvents
//        └─ timeline ──▶ SimulatedFaults ──▶ links, machines                  ──▶ HistoryEvents
//
// One seed is one history: nothing here reads a clock or the system's random source.

import Basics
import Simulator

/// Runs scenarios in virtual time; the scenario's `timeScale` means nothing here.
public final class SimulatedDriver: ExperimentDriver {
    private let seed: UInt64

    /// - Parameter seed: decides everything that chance decides; all arms get the same.
    public init(seed: UInt64) { self.seed = seed }

    /// How long everybody may take to be up and agreed: several of the longest warm-ups.
    private static func settlingLimit(_ timings: Scenario.Timings) -> Duration {
        timings.heartbeat * 20 + timings.expiry * 3
    }

    /// An arm that needs a real process, or settings of gossip that nodes would refuse.
    public func obstacles(to scenario: Scenario) -> [String] {
        var obstacles: [String] = []
        if scenario.arms.contains(.apache) {
            obstacles.append(
                "arm apache runs a real process, which cannot be simulated: take the live driver, or leave the arm out")
        }
        do {
            _ = try scenario.gossipConfiguration()
        } catch {
            obstacles.append(error.description)
        }
        return obstacles
    }

    /// Runs one arm to its end.
    ///
    /// - Throws: when nodes cannot be told what the scenario wants, or servers and clients never come to terms.
    public func run(
        _ arm: Arm, of scenario: Scenario, onEvent: @escaping (HistoryEvent) -> Void
    ) throws(ExperimentError) {
        let history = ShiftedHistory(onEvent)
        let testbed = try SimulatedTestbed(scenario, arm: arm, seed: seed) { history.add($0) }
        defer { testbed.tearDown() }
        let zero = try settle(testbed, scenario)
        history.begin(at: zero)
        let faults = SimulatedFaults(testbed)
        faults.plan(from: zero)
        testbed.world.run(until: zero + scenario.duration.wholeNanoseconds)
        testbed.stopClients()
        testbed.tell(.ended)
    }

    /// Starts everybody and answers the true time at which all are up and agree.
    ///
    /// That moment, and the clients' start before it, are whole multiples of the heartbeat, so that the brokers' heartbeats, which
    /// begin at the same times in every arm, meet the faults in the same phase.
    private func settle(_ testbed: SimulatedTestbed, _ scenario: Scenario) throws(ExperimentError) -> Int64 {
        let limit = Self.settlingLimit(scenario.timings)
        testbed.startServers()
        func wait(_ isDone: () -> Bool) throws(ExperimentError) {
            repeat {
                guard testbed.world.time < limit.wholeNanoseconds else {
                    throw ExperimentError(
                        "after \(limit.components.seconds) s \(testbed.whatIsMissing): nothing can be compared before all "
                            + "is well; look at the scenario's timings and topics")
                }
                testbed.world.run(for: scenario.timings.heartbeat)
            } while !isDone()
        }
        try wait { testbed.hasAgreedServers }
        testbed.startClients()
        try wait { testbed.hasAgreedServers && testbed.hasRoutedClients }
        return testbed.world.time
    }
}

/// Keeps what happens before the moment that times count from, and then passes everything on with the right time, in whole
/// milliseconds: finer than anybody can see, and short in files.
private final class ShiftedHistory {
    private let onEvent: (HistoryEvent) -> Void
    private var early: [HistoryEvent] = []
    private var zero: Double?

    init(_ onEvent: @escaping (HistoryEvent) -> Void) { self.onEvent = onEvent }

    /// Takes an event with its true time in seconds.
    func add(_ event: HistoryEvent) {
        guard let zero else { return early.append(event) }
        onEvent(HistoryEvent(time: ((event.time - zero) * 1_000).rounded() / 1_000, event.kind))
    }

    func begin(at nanoseconds: Int64) {
        zero = Double(nanoseconds) / 1e9
        let events = early
        early = []
        for event in events { add(event) }
    }
}
