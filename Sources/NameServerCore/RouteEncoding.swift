import Basics
import Remoting

// TopicRouteData and BrokerData as JSON (protocol.md 3.4): members in alphabetical order, brokers by name.

extension NameServer {
    /// Appends the TopicRouteData of the topic.
    ///
    /// - Parameter zone: leaves out brokers that have a master and lie in another zone (2.7); nil leaves out none.
    func encodeRoute(of topic: TopicID, dialect: JSONDialect, zone: String?, into output: inout ByteWriter) {
        var entries = tables.topics[topic.index].entries
        entries.sort { tables.groupNames.precedes($0.group, $1.group) }
        if let zone {
            entries.removeAll { entry in
                let group = tables.groups[entry.group.index]
                return group.slot(0) != nil && group.zone?.lowercased() != zone.lowercased()
            }
        }
        output.append("{\"brokerDatas\":[")
        output.appendList(entries) { entry, output in
            let group = tables.groups[entry.group.index]
            encodeBrokerData(
                entry.group, promoted: hasActingMaster(group, entry, topic) ? group.slots.first : nil, dialect, &output)
        }
        output.append("],\"filterServerTable\":{")
        if tables.filterServerCount > 0 { encodeFilterServers(of: entries, dialect, &output) }
        output.append(ascii: "}")
        if properties.orderMessageEnable,
            let configuration = keyValues[KeyValueStore.orderTopicNamespace, tables.topicNames.text(of: topic)]
        {
            output.append(",\"orderTopicConf\":")
            output.appendJSON(string: configuration, dialect: dialect)
        }
        output.append(",\"queueDatas\":[")
        output.appendList(entries) { encodeQueueData($0, dialect, &$1) }
        output.append(ascii: "]")
        if let mappings = tables.mappings[topic] {
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
    private func hasActingMaster(_ group: BrokerGroup, _ entry: QueueEntry, _ topic: TopicID) -> Bool {
        properties.supportActingMaster && group.actsAsMaster && !entry.isWritable && group.slot(0) == nil
            && !tables.topicNames.bytes(of: topic).starts(with: "rmq_sys_SYNC_BROKER_MEMBER_".utf8)
    }

    /// Appends a BrokerData; the slot `promoted` is written with id 0.
    func encodeBrokerData(
        _ id: GroupID, promoted: ReplicaSlot?, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        let group = tables.groups[id.index]
        output.append("{\"brokerAddrs\":")
        encodeAddresses(of: group, promoted: promoted, dialect, &output)
        output.append(",\"brokerName\":")
        output.appendJSON(string: tables.groupNames.bytes(of: id), dialect: dialect)
        output.append(",\"cluster\":")
        output.appendJSON(string: tables.clusterNames.bytes(of: group.cluster), dialect: dialect)
        output.append(group.actsAsMaster ? ",\"enableActingMaster\":true" : ",\"enableActingMaster\":false")
        if let zone = group.zone {
            output.append(",\"zoneName\":")
            output.appendJSON(string: zone, dialect: dialect)
        }
        output.append(ascii: "}")
    }

    /// Appends the addresses by broker id; the keys are bare numbers in the legacy dialect.
    func encodeAddresses(
        of group: BrokerGroup, promoted: ReplicaSlot? = nil, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        output.append(ascii: "{")
        output.appendList(group.slots) { slot, output in
            output.appendJSON(integerKey: slot == promoted ? 0 : slot.brokerID, dialect: dialect)
            output.append(ascii: ":")
            output.appendJSON(string: tables.addressNames.bytes(of: slot.address), dialect: dialect)
        }
        output.append(ascii: "}")
    }

    private func encodeQueueData(_ entry: QueueEntry, _ dialect: JSONDialect, _ output: inout ByteWriter) {
        output.append("{\"brokerName\":")
        output.appendJSON(string: tables.groupNames.bytes(of: entry.group), dialect: dialect)
        output.append(",\"perm\":")
        output.append(decimal: entry.permission)
        output.append(",\"readQueueNums\":")
        output.append(decimal: entry.readQueues)
        output.append(",\"topicSysFlag\":")
        output.append(decimal: entry.systemFlag)
        output.append(",\"writeQueueNums\":")
        output.append(decimal: entry.writeQueues)
        output.append(ascii: "}")
    }

    /// Appends the filter servers of the brokers' addresses. They are looked up under the group's cluster, so those of a
    /// replica that registered under another cluster name do not show (2.6 step 2).
    private func encodeFilterServers(
        of entries: ContiguousArray<QueueEntry>, _ dialect: JSONDialect, _ output: inout ByteWriter
    ) {
        var found: [(address: AddressID, servers: [String])] = []
        for entry in entries {
            let group = tables.groups[entry.group.index]
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
