/// Why a measurement could not be made; one line for people.
public struct LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Kind: Hashable, Sendable {
        /// Nobody listens, or the name is unknown.
        case unreachable
        /// The server closed connections.
        case closed
        /// What came back are no frames of the protocol.
        case garbage
        /// A preparing request was answered wrongly, so that measuring would say nothing.
        case wrongAnswer
        /// No answer came in time.
        case noAnswer
        /// This machine: descriptors, files, processes.
        case machine
        /// What was asked for makes no sense.
        case usage
    }

    /// For programs.
    public var kind: Kind
    /// For people: what was tried and what happened.
    public var description: String

    /// Describes one failure.
    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
