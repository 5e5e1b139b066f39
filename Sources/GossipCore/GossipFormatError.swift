/// Bytes of a peer that are not what they should be.
public struct GossipFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Code: Hashable, Sendable {
        /// The bytes end too early.
        case truncated
        /// A number is written in more bytes than it needs, or does not fit its type.
        case number
        /// A named limit is exceeded.
        case limit
        /// A byte or text that means nothing: an unknown kind or case, a flag that is neither 0 nor 1, malformed UTF-8.
        case value
        /// Values contradict each other.
        case contradiction
        /// Bytes are left over.
        case trailing
    }

    /// What is wrong.
    public var code: Code
    /// Where, for people; never holds bytes of the peer.
    public var context: String

    /// An error.
    public init(_ code: Code, _ context: String) {
        self.code = code
        self.context = context
    }

    /// Code and context in one line.
    public var description: String { "gossip format: \(code): \(context)" }
}
