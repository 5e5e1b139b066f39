/// A failure of the machine: the system call or libuv function that failed, its error name and message.
public struct PlatformError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was tried, for people: `listen on 127.0.0.1:9876`.
    public var operation: String
    /// The symbolic name: `EADDRINUSE`.
    public var name: String
    /// The system's own words: `address already in use`.
    public var message: String

    /// Describes one failure.
    public init(operation: String, name: String, message: String) {
        self.operation = operation
        self.name = name
        self.message = message
    }

    /// One line: `listen on 127.0.0.1:9876: address already in use (EADDRINUSE)`.
    public var description: String { "\(operation): \(message) (\(name))" }
}
