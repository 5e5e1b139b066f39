import Basics

/// What monitoring wants to know of the tables; read without walking over them.
public struct TableFigures: Hashable, Sendable {
    /// Replicas heard first-hand.
    public var brokers: Int
    /// Their broker groups.
    public var groups: Int
    /// Topics that they serve.
    public var topics: Int
    /// Their clusters.
    public var clusters: Int
    /// Replicas that are served by hearsay.
    public var learned: Int
    /// Replicas that would be gone, but for a hold.
    public var held: Int
    /// For how long the one of them would be gone that would be so for longest; zero for none.
    public var longestHold: Duration
    /// Replicas whose connection closed and that wait for what the peers say.
    public var closing: Int
    /// Registrations that are being decoded on another thread.
    public var pendingRegistrations: Int
    /// Bytes of encoded routes kept.
    public var routeCacheBytes: Int
    /// How many may be.
    public var routeCacheLimit: Int
    /// Bytes of the key-value configuration.
    public var keyValueBytes: Int
    /// The last event's number.
    public var lastEvent: UInt64
}

extension NameServer {
    /// The figures now.
    public func figures(now: Instant) -> TableFigures {
        // Only what gossip holds is looked at, usually nothing.
        let since = tables.holds.values.compactMap(\.since)
        return TableFigures(
            brokers: tables.liveCount, groups: tables.groupCount, topics: tables.topicCount,
            clusters: tables.clusterCount, learned: hearsay.count, held: since.count,
            longestHold: since.min().map { now - $0 } ?? .zero, closing: tables.closing.count,
            pendingRegistrations: pending.count + (hasStepsLeft ? 1 : 0), routeCacheBytes: cache.byteCount,
            routeCacheLimit: cache.limit, keyValueBytes: keyValues.byteCount, lastEvent: events.lastSequence)
    }

    /// Requests by their code, those that came at all.
    public var requestCounts: [RequestCount] { requests.all }

    /// How often each kind of event happened, in the order of the kinds.
    public var eventCounts: [(kind: TableEvent.Kind, count: Int)] {
        TableEvent.Kind.allCases.map { ($0, events.counts[$0, default: 0]) }
    }

    /// When service begins that `needWaitForService` puts off; nil when it has begun.
    public func waitForService(now: Instant) -> Duration? {
        guard properties.needWaitForService else { return nil }
        let rest = Duration.seconds(Int64(properties.waitSecondsForService)) - (now - startedAt)
        return rest > .zero ? rest : nil
    }
}
