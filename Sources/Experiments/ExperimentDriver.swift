/// Runs one arm of a scenario, and tells what happens.
public protocol ExperimentDriver {
    /// Starts everybody, waits until all nodes list all brokers, lets the faults happen, ends everybody.
    ///
    /// - Parameters:
    ///   - onEvent: called in the order of time.
    /// - Throws: `ExperimentError` when the arm could not be run to its end; nothing is left running.
    func run(_ arm: Arm, of scenario: Scenario, onEvent: @escaping (HistoryEvent) -> Void) throws(ExperimentError)

    /// Why this driver cannot run the scenario, a sentence each (a fault it does not have, an arm without command); empty = it can.
    func obstacles(to scenario: Scenario) -> [String]
}

/// Why an experiment could not be run.
public struct ExperimentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence, and what to do.
    public var description: String

    /// An error.
    public init(_ description: String) { self.description = description }
}
