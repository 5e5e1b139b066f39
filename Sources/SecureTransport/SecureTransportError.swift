/// Credentials that cannot be used: what, and why. Never shows key bytes.
public struct SecureTransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, or what was to be made.
    public var subject: String
    /// What is wrong with it, and what is expected.
    public var reason: String

    /// Describes one failure.
    public init(subject: String, reason: String) {
        self.subject = subject
        self.reason = reason
    }

    /// One line: `keys/a.hex: expected one line of at least 32 hexadecimal digits`.
    public var description: String { "\(subject): \(reason)" }
}
