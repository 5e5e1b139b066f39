import Basics
import Remoting

// TopicRouteData and BrokerData as JSON (protocol.md 3.4): members in alphabetical order, brokers by name.

extension NameServer {
    /// Appends the TopicRouteData of the topic.
    ///
    /// - Parameter zone: leaves out brokers that have a master and lie in another zone (2.7); nil leaves out none.
    func encodeRoute(of topic: ShownTopic, dialect: JSONDialect, zone: String?, into output: inout ByteWriter) {
        let queues = shownQueues(of: topic, zone: zone)
        output.append("{\"brokerDatas\":[")
        output.appendList(queues) { queue, output in
            encodeBrokerData(queue.group, promotes: hasActingMaster(queue, topic), dialect, &output)
        }
        output.append("],\"filterServerTable\":{")
        if tables.filterServerCount > 0 { encodeFilterServers(of: queues, dialect, &output) }
        output.append(ascii: "}")
        if properties.orderMessageEnable,
            let configuration = keyValues[
                KeyValueStore.orderTopicNamespace, String(decoding: name(of: topic), as: UTF8.self)]
        {
            output.append(",\"orderTopicConf\":")
            output.appendJSON(string: configuration, dialect: dialect)
        }
        output.append(",\"queueDatas\":[")
        output.appendList(queues) { encodeQueueData($0, dialect, &$1) }
        output.append(ascii: "]")
        if let mappings = topic.firstHand.flatMap({ tables.mappings[$0] }) {
            output.append(",\"topicQueueMappingByBroker\":{")
            output.appendList(mappings) { mapping, output in
                output.appendJSON(string: mapping.brokerName, dialect: dialect)
                output.append(ascii: ":")
                mapping.info.encode(dialect, into: &output)
            }
            output.append(ascii: "}")
        }
        output.append(ascii: "}")
    }

    /// Whether the group's smallest slave is shown as its master (2.6 step 5): the master is gone, the slave may act for
    /// it, and the topic cannot be written to, so nobody would send to the slave.
    private func hasActingMaster(_ queue: ShownQueue, _ topic: ShownTopic) -> Bool {
        properties.supportActingMaster && !queue.isWritable && actsAsMaster(queue.group) && !hasMaster(queue.group)
            && !name(of: topic).starts(with: "rmq_sys_SYNC_BROKER_MEMBER_".utf8)
    }

    /// Appends a BrokerData.
    ///
    /// - Parameter promotes: writes the replica with the smallest id under id 0.
    func encodeBrokerData(
        _ group: ShownGroup, promotes: Bool = false, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        output.append("{\"brokerAddrs\":")
        encodeAddresses(of: group, promotes: promotes, dialect, &output)
        output.append(",\"brokerName\":")
        output.appendJSON(string: name(of: group), dialect: dialect)
        output.append(",\"cluster\":")
        if let id = group.firstHand {
            output.appendJSON(string: tables.clusterNames.bytes(of: tables.groups[id.index].cluster), dialect: dialect)
        } else {
            output.appendJSON(string: leader(of: group).summary.identity.cluster, dialect: dialect)
        }
        output.append(actsAsMaster(group) ? ",\"enableActingMaster\":true" : ",\"enableActingMaster\":false")
        if let zone = zone(of: group) {
            output.append(",\"zoneName\":")
            output.appendJSON(string: zone, dialect: dialect)
        }
        output.append(ascii: "}")
    }

    /// Appends the addresses by broker id; the keys are bare numbers in the legacy dialect.
    func encodeAddresses(
        of group: ShownGroup, promotes: Bool = false, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        output.append(ascii: "{")
        var isFirst = true
        if let id = group.firstHand, group.learned == nil {
            output.appendList(tables.groups[id.index].slots) { slot, output in
                output.appendJSON(integerKey: promotes && isFirst ? 0 : slot.brokerID, dialect: dialect)
                output.append(ascii: ":")
                output.appendJSON(string: tables.addressNames.bytes(of: slot.address), dialect: dialect)
                isFirst = false
            }
        } else {
            output.appendList(shownSlots(of: group)) { slot, output in
                output.appendJSON(integerKey: promotes && isFirst ? 0 : slot.brokerID, dialect: dialect)
                output.append(ascii: ":")
                output.appendJSON(string: slot.address, dialect: dialect)
                isFirst = false
            }
        }
        output.append(ascii: "}")
    }

    private func encodeQueueData(_ queue: ShownQueue, _ dialect: JSONDialect, _ output: inout ByteWriter) {
        output.append("{\"brokerName\":")
        output.appendJSON(string: name(of: queue.group), dialect: dialect)
        output.append(",\"perm\":")
        output.append(decimal: queue.permission)
        output.append(",\"readQueueNums\":")
        output.append(decimal: queue.readQueues)
        output.append(",\"topicSysFlag\":")
        output.append(decimal: queue.systemFlag)
        output.append(",\"writeQueueNums\":")
        output.append(decimal: queue.writeQueues)
        output.append(ascii: "}")
    }

    /// Appends the filter servers of the brokers' addresses. They are looked up under the group's cluster, so those of a
    /// replica that registered under another cluster name do not show (2.6 step 2).
    private func encodeFilterServers(
        of queues: ContiguousArray<ShownQueue>, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        var found: [(address: AddressID, servers: [String])] = []
        for queue in queues {
            // Learned replicas bring none.
            guard let id = queue.group.firstHand else { continue }
            let group = tables.groups[id.index]
            for slot in group.slots {
                guard let live = tables.live(cluster: group.cluster, address: slot.address) else { continue }
                let servers = tables.live[live.index].filterServers
                if !servers.isEmpty, !found.contains(where: { $0.address == slot.address }) {
                    found.append((slot.address, servers))
                }
            }
        }
        found.sort { tables.addressNames.precedes($0.address, $1.address) }
        output.appendList(found) { item, output in
            output.appendJSON(string: tables.addressNames.bytes(of: item.address), dialect: dialect)
            output.append(":[")
            output.appendList(item.servers) { $1.appendJSON(string: $0, dialect: dialect) }
            output.append(ascii: "]")
        }
    }
}

extension ByteWriter {
    /// Appends one ASCII character.
    mutating func append(ascii character: Unicode.Scalar) { append(UInt8(ascii: character)) }

    /// Appends the elements with commas between them.
    mutating func appendList<Elements: Sequence>(
        _ elements: Elements, _ appendElement: (Elements.Element, inout ByteWriter) -> Void
    ) {
        var isFirst = true
        for element in elements {
            if !isFirst { append(ascii: ",") }
            isFirst = false
            appendElement(element, &self)
        }
    }
}
