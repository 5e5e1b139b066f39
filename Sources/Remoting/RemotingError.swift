/// Why bytes are no valid frame, header or body.
public struct RemotingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which rule was broken; decides what the receiver does (close, answer code 1, ignore).
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// Length word negative, below 4 or above the frame limit (protocol.md 1.14).
        case frameLength = "bad frame length"
        /// Header size 0, above the frame or above `FrameLimits.headerBytes`.
        case headerSize = "bad header size"
        /// Neither JSON nor ROCKETMQ.
        case serializeType = "unknown serialize type"
        /// The header cannot be decoded (1.3, 1.4).
        case header = "malformed header"
        /// The body cannot be decoded (2.4, 3.3).
        case body = "malformed body"
        /// The body is well formed, but something it must have is null or missing (2.24).
        case missingValue = "missing value"
        /// One of the limits in Limits.swift.
        case limit = "limit exceeded"
        /// A PROXY header was begun but is wrong (5.7).
        case proxyHeader = "malformed PROXY header"
        /// Properties text that cannot be parsed (5.4).
        case properties = "malformed properties"
    }

    /// Which rule was broken.
    public var code: Code
    /// What was found, and where; for a person.
    public var context: String

    /// Puts the two together.
    public init(_ code: Code, _ context: String) {
        self.code = code
        self.context = context
    }

    /// `malformed header: expected a colon at byte 12`.
    public var description: String { "\(code.rawValue): \(context)" }
}
