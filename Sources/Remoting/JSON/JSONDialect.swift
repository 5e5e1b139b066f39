/// The two ways in which RocketMQ writes JSON bodies (protocol.md 3.1, 3.2).
public enum JSONDialect: Hashable, Sendable, CaseIterable {
    /// fastjson's own: integer keys without quotes, text as raw UTF-8. Every body but the route of newer clients.
    case legacy
    /// Pure ASCII that any JSON parser accepts. Routes for version 401 and above, or on request.
    case standard

    /// The dialect of a route answer (2.6 step 7).
    @inlinable public init(version: Int32, acceptsStandardOnly: Bool) {
        self = version >= RemotingVersion.v4_9_4 || acceptsStandardOnly ? .standard : .legacy
    }
}
