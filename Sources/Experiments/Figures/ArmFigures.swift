import Basics

/// From what happened in one arm to its figures.
public enum ArmFigures {
    /// Computes every figure that has a value in this arm; the definitions are `Figure.definition`.
    ///
    /// - Parameter history: in the order of time. What it does not tell is as it was when everybody was up and agreed:
    ///   processes run, nodes list all brokers.
    public static func compute(_ history: [HistoryEvent], of scenario: Scenario, arm: Arm) -> [Figure: Double] {
        var end = scenario.duration.inSeconds
        if let ended = history.last(where: { $0.kind == .ended }) { end = ended.time }
        var registry = RegistryFigures(scenario, comparesNodes: arm.gossips)
        var clients = ClientFigures(scenario)
        for event in history where event.time <= end {
            registry.take(event)
            clients.take(event, living: registry.truth)
        }
        return registry.values(until: end).merging(clients.values(until: end)) { first, _ in first }
    }
}

extension Arm {
    /// Whether its nodes compare what they heard.
    public var gossips: Bool { self != .off && self != .apache }
}

extension Duration {
    /// Seconds with their fraction.
    var inSeconds: Double { Double(wholeNanoseconds) / 1e9 }
}
