// A node's account of itself as JSON, in parts: GET_NODE_STATUS (NodeStatus.swift) puts them together, the HTTP port gives
// each by itself.

import Basics
import Remoting

extension NameServer {
    /// Appends the members `node` to `counters`, without braces around them.
    public func encodeSummary(now: Instant, wallTime: WallTime, into output: inout ByteWriter) {
        output.append("\"node\":")
        output.appendJSON(string: name, dialect: .standard)
        output.append(",\"software\":")
        output.appendJSON(string: software, dialect: .standard)
        output.append(",\"uptimeMillis\":")
        output.append(decimal: now.milliseconds(since: startedAt))
        output.append(",\"wallMillis\":")
        output.append(decimal: wallTime.milliseconds)
        output.append(",\"totals\":{")
        encode(
            [
                ("brokers", tables.liveCount), ("groups", tables.groupCount), ("topics", tables.topicCount),
                ("clusters", tables.clusterCount), ("learned", hearsay.count),
            ], &output)
        output.append("},\"counters\":{")
        encode(counters.named, &output)
        output.append(ascii: "}")
    }

    /// Appends the members `brokers` and, if there are any, `learned`, by cluster, broker name and id, without braces around
    /// them.
    ///
    /// - Parameter name: only replicas of this group; nil for all.
    public func encodeBrokers(
        named name: String? = nil, now: Instant, wallTime: WallTime, into output: inout ByteWriter
    ) {
        let arrival = Arrival(now: now, wallTime: wallTime)
        output.append("\"brokers\":[")
        output.appendList(sortedLive(named: name)) { encodeStatus(of: $0, arrival, &$1) }
        output.append(ascii: "]")
        encodeLearned(named: name, arrival, &output)
    }

    /// Appends the elements of `brokers` from a place in the table on, behind others if the output does not end with the
    /// list's beginning.
    ///
    /// - Returns: the place to go on from; nil at the end.
    public func encodeBrokers(
        from place: Int, limit: Int, now: Instant, wallTime: WallTime, into output: inout ByteWriter
    ) -> Int? {
        let arrival = Arrival(now: now, wallTime: wallTime)
        let end = min(tables.live.count, place + limit)
        for index in min(place, end)..<end where tables.live[index].isInUse {
            if output.bytes.last != UInt8(ascii: "[") { output.append(ascii: ",") }
            encodeStatus(of: index, arrival, &output)
        }
        return end < tables.live.count ? end : nil
    }

    /// Appends the member `learned` behind others, if there are any learned replicas.
    public func encodeLearned(now: Instant, into output: inout ByteWriter) {
        encodeLearned(Arrival(now: now, wallTime: WallTime(milliseconds: 0)), &output)
    }

    /// Appends the members `events` and `lastEventSequence`, without braces around them.
    ///
    /// - Parameters:
    ///   - sequence: only events with a larger number.
    ///   - name: only events about this broker group; nil for all.
    public func encodeEvents(since sequence: UInt64, named name: String? = nil, into output: inout ByteWriter) {
        output.append("\"events\":[")
        let chosen = events.since(sequence).filter { name == nil || $0.broker?.name == name }
        output.appendList(chosen) { encodeEvent($0, &$1) }
        output.append("],\"lastEventSequence\":")
        output.append(decimal: events.lastSequence)
    }

    /// Appends one event as an object.
    public func encodeEvent(_ event: TableEvent, into output: inout ByteWriter) { encodeEvent(event, &output) }

    /// The kept events with a larger number, oldest first.
    public func events(since sequence: UInt64) -> [TableEvent] { events.since(sequence) }

    /// How a client that asks for a topic's route would be answered.
    public enum RouteView: Hashable, Sendable {
        case route
        case missing
        /// "name server not ready": the client keeps what it has.
        case notReady
    }

    /// Appends the topic's route as a client gets it in the standard dialect, if there is one.
    public func encodeRoute(of topic: String, now: Instant, into output: inout ByteWriter) -> RouteView {
        if waitForService(now: now) != nil { return .notReady }
        let shown = topic.withBytes { name in
            ShownTopic(
                firstHand: tables.topicNames.lookup(name), learned: hearsay.isEmpty ? nil : hearsay.topic(named: name))
        }
        guard shown.firstHand != nil || shown.learned != nil, isShown(shown) else {
            return refusesUnknownTopics ? .notReady : .missing
        }
        encodeRoute(of: shown, dialect: .standard, zone: nil, into: &output)
        return .route
    }

    /// Appends the members `topics` (names, in byte order), `total` and, if there are more, `next`, without braces.
    ///
    /// - Parameters:
    ///   - prefix: only names that begin so.
    ///   - after: only names behind this one: `next` of the page before.
    ///   - limit: how many at most; at least 1.
    public mutating func encodeTopics(
        prefix: String, after: String?, limit: Int, into output: inout ByteWriter
    ) {
        let topics = sortedShownTopics()
        let lower = topics.partitioningIndex { name(of: $0).isAtOrBehind(prefix) }
        let start = after.map { after in
            max(lower, topics.partitioningIndex { !name(of: $0).isAtOrBefore(after) })
        }
        var next = start ?? lower
        var (count, last) = (0, "")
        output.append("\"topics\":[")
        while next < topics.count, count < limit, name(of: topics[next]).starts(with: prefix.utf8) {
            if count > 0 { output.append(ascii: ",") }
            output.appendJSON(string: name(of: topics[next]), dialect: .standard)
            last = String(decoding: name(of: topics[next]), as: UTF8.self)
            (next, count) = (next + 1, count + 1)
        }
        output.append("],\"total\":")
        output.append(decimal: topics.count)
        if next < topics.count, count == limit, name(of: topics[next]).starts(with: prefix.utf8) {
            output.appendMember("next", last)
        }
    }

    /// Calls `body` with the age of each first-hand replica from a place in the table on, in no particular order.
    ///
    /// - Returns: the place to go on from; nil at the end.
    public func forEachBroker(
        from place: Int, limit: Int, now: Instant, _ body: (ReplicaIdentity, Duration) -> Void
    ) -> Int? {
        let end = min(tables.live.count, place + limit)
        for index in min(place, end)..<end where tables.live[index].isInUse {
            body(identity(of: LiveID(number: UInt32(index))), now - tables.live[index].lastHeard)
        }
        return end < tables.live.count ? end : nil
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func isAtOrBehind(_ text: String) -> Bool { text.withBytes { !precedes($0) } }
    fileprivate func isAtOrBefore(_ text: String) -> Bool { text.withBytes { !$0.precedes(self) } }
}

extension ContiguousArray {
    /// The first place whose element passes, when all behind it pass too.
    fileprivate func partitioningIndex(where passes: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if passes(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
