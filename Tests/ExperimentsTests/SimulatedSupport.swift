import Basics
import Testing

@testable import Experiments

extension Scenario {
    /// Two groups, of which one has a slave, three nodes, a producer and a consumer: six times as fast as RocketMQ is by default,
    /// so that a test need not run for long.
    static func quick(
        _ faults: (start: Double, end: Double?, fault: Experiments.Fault)..., lasting seconds: Double = 40,
        change: (inout Scenario) -> Void = { _ in }
    ) -> Scenario {
        var scenario = Scenario.sample
        scenario.name = "quick"
        scenario.duration = .seconds(seconds)
        scenario.timings = Timings(
            heartbeat: .seconds(5), scan: .seconds(2), expiry: .seconds(20), routePoll: .seconds(5),
            gossipPeriod: .seconds(1))
        scenario.faults = faults.enumerated().map { index, planned in
            PlannedFault(
                number: index + 1, start: .seconds(planned.start), end: planned.end.map { .seconds($0) },
                fault: planned.fault, text: "\(planned.fault)")
        }
        change(&scenario)
        return scenario
    }
}

/// One arm's history, with questions that tests ask of it.
struct Simulated {
    let history: [HistoryEvent]
    let scenario: Scenario
    /// What the observer sees is this old at most, in seconds, and half a millisecond of rounding.
    static let look = 0.21

    init(_ scenario: Scenario, _ arm: Arm = .off, seed: UInt64 = 1) throws {
        var history: [HistoryEvent] = []
        let driver = SimulatedDriver(seed: seed)
        #expect(driver.obstacles(to: scenario).isEmpty)
        try driver.run(arm, of: scenario) { history.append($0) }
        self.history = history
        self.scenario = scenario
    }

    /// Changes of a node's sight of a broker from time 0 on.
    func sights(_ node: Int, _ broker: Int) -> [(time: Double, sight: HistoryEvent.Sight)] {
        history.compactMap {
            guard $0.time >= 0, case .sight(node, broker, let sight) = $0.kind else { return nil }
            return ($0.time, sight)
        }
    }

    /// Just the words of these.
    func words(_ node: Int, _ broker: Int) -> [HistoryEvent.Sight] { sights(node, broker).map(\.sight) }

    /// Messages whose outcome came from one time to another.
    func sends(from start: Double = 0, to end: Double = .infinity) -> [HistoryEvent.SendOutcome] {
        history.compactMap {
            guard (start..<end).contains($0.time), case .send(_, let outcome) = $0.kind else { return nil }
            return outcome
        }
    }

    /// What a party's process did from time 0 on.
    func process(_ party: Party) -> [HistoryEvent.ProcessState] {
        history.compactMap {
            guard $0.time >= 0, case .process(party, let state) = $0.kind else { return nil }
            return state
        }
    }

    /// Kinds of the differences that a node reported from time 0 on.
    func divergences(_ node: Int) -> Set<String> {
        Set(
            history.compactMap {
                guard $0.time >= 0, case .divergence(node, let kind, _) = $0.kind else { return nil }
                return kind
            })
    }

    /// A node's last count of topics.
    func topics(_ node: Int) -> Int? {
        history.reversed().lazy.compactMap {
            if case .topics(node, let count) = $0.kind { count } else { nil }
        }.first
    }

    var notes: [String] { history.compactMap { if case .note(let text) = $0.kind { text } else { nil } } }
}
