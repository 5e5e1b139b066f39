import Remoting

/// What this node has served since it started.
public struct Counters: Hashable, Sendable {
    /// Every command that was no response.
    public var requests = 0
    /// Accepted registrations, heartbeats among them.
    public var registrations = 0
    /// Registrations that repeated the last one, so that only a time stamp moved.
    public var heartbeats = 0
    /// Accepted registrations that were no repetition.
    public var changedRegistrations = 0
    /// Route requests.
    public var lookups = 0
    /// Route requests for a topic without a route.
    public var lookupMisses = 0
    /// Route requests answered with a route from the cache. Not in the status.
    public var cachedRoutes = 0
    /// Route requests answered with "name server not ready"; counted among `errors`, too. Not in the status.
    public var refusedLookups = 0
    /// Answers with another code than success, missed lookups left out.
    public var errors = 0
    /// Registration bodies that were parsed.
    public var decodedBodies = 0
    /// Routes that were encoded because the cache had none that was good.
    public var encodedRoutes = 0
    /// Replicas that expired.
    public var expirations = 0
    /// Replicas removed because their connection closed.
    public var closedConnections = 0
    /// Requests to unregister.
    public var unregistrations = 0
    /// BROKER_HEARTBEAT (904) and QUERY_DATA_VERSION (322): signs of life without content.
    public var lightHeartbeats = 0
    /// Requests with a code that nobody serves.
    public var unknownRequests = 0

    /// Each counter with its name, in the order of a node's status.
    var named: [(name: String, value: Int)] {
        [
            ("requests", requests), ("registrations", registrations), ("heartbeats", heartbeats),
            ("changedRegistrations", changedRegistrations), ("lookups", lookups), ("lookupMisses", lookupMisses),
            ("errors", errors), ("decodedBodies", decodedBodies), ("encodedRoutes", encodedRoutes),
            ("expirations", expirations), ("closedConnections", closedConnections),
            ("unregistrations", unregistrations), ("lightHeartbeats", lightHeartbeats),
            ("unknownRequests", unknownRequests),
        ]
    }
}
