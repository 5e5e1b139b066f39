import Basics
import Remoting

// GET_NODE_STATUS (29001), a request of ours: one node's account of itself as JSON. Apache's NameServer answers code 3 to
// it, which tells the two apart. Ext field `sinceEvent`: only events with a larger number are wanted.

extension NameServer {
    mutating func nodeStatus(_ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter) {
        let since = UInt64(max(header.integer("sinceEvent") ?? 0, 0))
        let mark = output.beginAnswer(arrival)
        output.append(ascii: "{")
        encodeSummary(now: arrival.now, wallTime: arrival.wallTime, into: &output)
        output.append(ascii: ",")
        encodeBrokers(now: arrival.now, wallTime: arrival.wallTime, into: &output)
        output.append(ascii: ",")
        encodeEvents(since: since, into: &output)
        output.append(ascii: "}")
        ResponseFrame.end(&output, mark)
    }

    func encode(_ numbers: [(name: String, value: Int)], _ output: inout ByteWriter) {
        output.appendList(numbers) { number, output in
            output.appendJSON(string: number.name, dialect: .standard)
            output.append(ascii: ":")
            output.append(decimal: number.value)
        }
    }

    /// Live entries by cluster, broker name and id; only those of one group if that is named.
    func sortedLive(named name: String?) -> [Int] {
        var used = tables.live.indices.filter { tables.live[$0].isInUse }
        if let name {
            let group = name.withBytes { tables.groupNames.lookup($0) }
            used.removeAll { tables.live[$0].group != group }
        }
        return used.sorted { left, right in
            let (first, second) = (tables.live[left], tables.live[right])
            if first.cluster != second.cluster { return tables.clusterNames.precedes(first.cluster, second.cluster) }
            if first.group != second.group { return tables.groupNames.precedes(first.group, second.group) }
            if first.brokerID != second.brokerID { return first.brokerID < second.brokerID }
            return tables.addressNames.precedes(first.address, second.address)
        }
    }

    func encodeStatus(of index: Int, _ arrival: Arrival, _ output: inout ByteWriter) {
        let entry = tables.live[index]
        let broker = identity(of: LiveID(number: UInt32(index)))
        output.append("{\"cluster\":")
        output.appendJSON(string: broker.cluster, dialect: .standard)
        output.appendMember("name", broker.name)
        output.append(",\"id\":")
        output.append(decimal: broker.id)
        output.appendMember("address", broker.address)
        if let haAddress = entry.haAddress { output.appendMember("haAddress", haAddress) }
        output.append(",\"ageMillis\":")
        output.append(decimal: arrival.now.milliseconds(since: entry.lastHeard))
        output.append(",\"registrationAgeMillis\":")
        output.append(decimal: arrival.now.milliseconds(since: entry.registeredAt))
        output.append(",\"timeoutMillis\":")
        output.append(decimal: entry.timeout / 1_000_000)
        output.append(",\"topics\":")
        output.append(decimal: entry.topicCount)
        output.append(",\"dataVersion\":")
        entry.dataVersion.encode(.standard, into: &output)
        output.append(entry.connection == 0 ? ",\"connected\":false" : ",\"connected\":true")
        if entry.isClosing, arrival.now <= entry.graceEnd { output.append(",\"closing\":true") }
        if entry.ownDeadline < arrival.now, arrival.now <= entry.heldUntil {
            output.append(",\"held\":")
            output.append(decimal: entry.heldUntil.milliseconds(since: arrival.now))
        }
        output.append(ascii: "}")
    }

    func encodeEvent(_ event: TableEvent, _ output: inout ByteWriter) {
        output.append("{\"sequence\":")
        output.append(decimal: event.sequence)
        output.append(",\"wallMillis\":")
        output.append(decimal: event.wallTime.milliseconds)
        output.appendMember("kind", event.kind.rawValue)
        if let broker = event.broker {
            output.appendMember("broker", broker.name)
            output.append(",\"id\":")
            output.append(decimal: broker.id)
            output.appendMember("cluster", broker.cluster)
            output.appendMember("address", broker.address)
        }
        output.appendMember("text", event.text)
        output.append(ascii: "}")
    }
}

extension ByteWriter {
    /// Appends `,"name":"value"`.
    mutating func appendMember(_ name: StaticString, _ value: String) {
        append(",\"")
        append(name)
        append("\":")
        appendJSON(string: value, dialect: .standard)
    }
}
