import Experiments

/// Where the drivers and the files of a result come from: the one place that knows which of them there are.
struct ExperimentParts {
    let kind: DriverKind
    /// Where this experiment's files go.
    let folder: String
    let apacheCommand: String?

    func driver(seed: UInt64) throws(ExperimentError) -> any ExperimentDriver {
        switch kind {
        case .live, .netns, .simulated: throw ExperimentError("there is no driver \(kind.rawValue) yet")
        }
    }

    func write(_ result: ExperimentResult) throws(ExperimentError) {
        throw ExperimentError("results cannot be written yet")
    }

    static func read(_ folder: String) throws(ExperimentError) -> ExperimentResult {
        throw ExperimentError("results cannot be read yet")
    }

    static func comparison(_ first: ExperimentResult, _ second: ExperimentResult) throws(ExperimentError) -> String {
        throw ExperimentError("results cannot be compared yet")
    }
}
