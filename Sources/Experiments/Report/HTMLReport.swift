/// The report as one HTML file that needs nothing else.
public enum HTMLReport {
    /// The page of one result.
    public static func page(_ result: ExperimentResult) -> String { "" }
}
