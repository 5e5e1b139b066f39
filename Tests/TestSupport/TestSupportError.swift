/// What went wrong between a test and the process or socket it drives.
public struct TestSupportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line for a person: the expectation and what came instead.
    public let description: String

    /// Makes the error with its line of text.
    public init(_ description: String) {
        self.description = description
    }
}
