import Experiments

/// Where the drivers and the files of a result come from: the one place that knows which of them there are.
struct ExperimentParts {
    let kind: DriverKind
    /// Where this experiment's files go.
    let folder: String
    let apacheCommand: String?

    func driver(seed: UInt64) -> any ExperimentDriver {
        switch kind {
        case .live, .netns:
            LiveDriver(
                executable: ownExecutable(), workDirectory: "\(folder)/work", seed: seed, apacheCommand: apacheCommand,
                usesNamespaces: kind == .netns)
        case .simulated: SimulatedDriver(seed: seed)
        }
    }

    func write(_ result: ExperimentResult) throws(ExperimentError) { try ResultFiles.write(result, into: folder) }

    static func read(_ folder: String) throws(ExperimentError) -> ExperimentResult { try ResultFiles.read(folder) }

    static func comparison(_ first: ExperimentResult, _ second: ExperimentResult) -> String {
        HTMLReport.comparison(first, second)
    }
}
