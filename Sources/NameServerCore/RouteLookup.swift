import Basics
import Remoting

// GET_ROUTEINFO_BY_TOPIC (105), protocol.md 2.6 and 2.7: what clients ask for every 30 seconds and topic.

extension NameServer {
    mutating func routeInfo(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        counters.lookups += 1
        if waitForService(now: arrival.now) != nil { return refuseLookup(arrival, &output) }
        guard hearsay.isEmpty else { return mergedRouteInfo(header, arrival, &output) }
        guard let name = header.field("topic"), let topic = tables.topic(named: name) else {
            return missingRoute(header, arrival, &output)
        }
        answerFirstHandRoute(of: topic, header, arrival, &output)
    }

    /// While there is hearsay: a route that none of it could show in is answered as ever.
    private mutating func mergedRouteInfo(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter
    ) {
        guard let name = header.field("topic") else { return missingRoute(header, arrival, &output) }
        let topic = ShownTopic(firstHand: tables.topicNames.lookup(name), learned: hearsay.topic(named: name))
        if let id = topic.firstHand, tables.isTopic(id), !isTouchedByHearsay(topic) {
            return answerFirstHandRoute(of: id, header, arrival, &output)
        }
        if !isShown(topic) { return missingRoute(header, arrival, &output) }
        counters.encodedRoutes += 1
        let mark = output.beginAnswer(arrival)
        encodeRoute(of: topic, dialect: dialect(of: header), zone: wantedZone(header), into: &output)
        ResponseFrame.end(&output, mark)
    }

    private mutating func answerFirstHandRoute(
        of topic: TopicID, _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter
    ) {
        let dialect = dialect(of: header)
        if let zone = wantedZone(header) {
            // The reference answers in legacy JSON here whatever was asked for; 2.7 allows to keep to what was.
            let mark = output.beginAnswer(arrival)
            encodeRoute(of: ShownTopic(firstHand: topic), dialect: dialect, zone: zone, into: &output)
            return ResponseFrame.end(&output, mark)
        }
        answerRoute(of: topic, dialect, arrival, &output)
    }

    private func dialect(of header: borrowing CommandHeader) -> JSONDialect {
        // Newer clients need not say it, and the field need not be looked for.
        let dialect = JSONDialect(version: header.version, acceptsStandardOnly: false)
        if case .standard = dialect { return dialect }
        return JSONDialect(
            version: header.version, acceptsStandardOnly: header.boolean("acceptStandardJsonOnly") == true)
    }

    private mutating func answerRoute(
        of topic: TopicID, _ dialect: JSONDialect, _ arrival: Arrival, _ output: inout ByteWriter
    ) {
        let mark = output.beginAnswer(arrival)
        defer { ResponseFrame.end(&output, mark) }
        let cached = tables.topics[topic.index].cachedRoutes[dialect]
        if let (body, goodAt) = cache.body(at: cached, topic: topic, dialect: dialect),
            tables.isUnchanged(topic, since: goodAt)
        {
            cache.used(cached, goodAt: tables.now)
            counters.cachedRoutes += 1
            return output.append(body)
        }
        let start = output.count
        encodeRoute(of: ShownTopic(firstHand: topic), dialect: dialect, zone: nil, into: &output)
        counters.encodedRoutes += 1
        let body = UnsafeRawBufferPointer(rebasing: output.bytes[start...])
        let slot = cache.store(body, topic: topic, dialect: dialect, replacing: cached, goodAt: tables.now)
        tables.topics[topic.index].cachedRoutes[dialect] = slot ?? -1
    }

    private mutating func missingRoute(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter
    ) {
        // A node that is still warming up cannot tell an unknown topic from one it has not heard of yet.
        if refusesUnknownTopics { return refuseLookup(arrival, &output) }
        counters.lookupMisses += 1
        let topic = header.string("topic") ?? "null"
        output.answer(
            arrival, code: ResponseCode.topicNotExist,
            remark: "No topic route info in name server for the topic: \(topic)\n"
                + "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.")
    }

    private mutating func refuseLookup(_ arrival: Arrival, _ output: inout ByteWriter) {
        counters.refusedLookups += 1
        fail("name server not ready", arrival, &output)
    }

    /// The zone a client wants its routes cut down to; nil when it did not ask or named a blank one.
    private func wantedZone(_ header: borrowing CommandHeader) -> String? {
        guard header.boolean("__ZONE_MODE") == true, let zone = header.string("__ZONE_NAME"),
            zone.contains(where: { !$0.isWhitespace })
        else { return nil }
        return zone
    }
}

extension RouteTables {
    /// Whether neither the topic nor one of its brokers has changed after the tick.
    func isUnchanged(_ topic: TopicID, since tick: UInt64) -> Bool {
        if tick == now { return true }
        if topics[topic.index].changedAt > tick { return false }
        for entry in topics[topic.index].entries where groups[entry.group.index].changedAt > tick { return false }
        return true
    }
}
