import Basics
import Remoting

// GET_BROKER_CLUSTER_INFO (106) and GET_BROKER_MEMBER_GROUP (901): protocol.md 2.8, 2.10. Always in the legacy dialect.

extension NameServer {
    mutating func clusterInfo(_ arrival: Arrival, _ output: inout ByteWriter) {
        let mark = output.beginAnswer(arrival)
        output.append("{\"brokerAddrTable\":{")
        output.appendList(sortedShownGroups()) { group, output in
            output.appendJSON(string: name(of: group), dialect: .legacy)
            output.append(ascii: ":")
            encodeBrokerData(group, .legacy, &output)
        }
        output.append("},\"clusterAddrTable\":{")
        if hearsay.isEmpty { encodeFirstHandClusters(&output) } else { encodeShownClusters(&output) }
        output.append("}}")
        ResponseFrame.end(&output, mark)
    }

    private func encodeShownClusters(_ output: inout ByteWriter) {
        output.appendList(sortedShownClusters()) { cluster, output in
            output.appendJSON(string: cluster.name, dialect: .legacy)
            output.append(":[")
            output.appendList(cluster.groups) { $1.appendJSON(string: $0, dialect: .legacy) }
            output.append(ascii: "]")
        }
    }

    private func encodeFirstHandClusters(_ output: inout ByteWriter) {
        output.appendList(sortedClusters()) { cluster, output in
            output.appendJSON(string: tables.clusterNames.bytes(of: cluster), dialect: .legacy)
            output.append(":[")
            let names = tables.clusters[cluster.index].groups.sorted { tables.groupNames.precedes($0, $1) }
            output.appendList(names) {
                $1.appendJSON(string: tables.groupNames.bytes(of: $0), dialect: .legacy)
            }
            output.append(ascii: "]")
        }
    }

    /// The group's addresses, whatever cluster it is in; the names are the request's own.
    mutating func brokerMemberGroup(
        _ header: borrowing CommandHeader, _ arrival: Arrival, _ output: inout ByteWriter
    ) {
        let name = header.field("brokerName")
        let mark = output.beginAnswer(arrival, remark: "not set any response code")
        output.append("{\"brokerMemberGroup\":{\"brokerAddrs\":")
        if let group = name.flatMap({ shownGroup(named: $0) }) {
            encodeAddresses(of: group, .legacy, &output)
        } else {
            output.append("{}")
        }
        if let name {
            output.append(",\"brokerName\":")
            output.appendJSON(string: name, dialect: .legacy)
        }
        if let cluster = header.field("clusterName") {
            output.append(",\"cluster\":")
            output.appendJSON(string: cluster, dialect: .legacy)
        }
        output.append("}}")
        ResponseFrame.end(&output, mark)
    }

    /// All clusters that list a broker, by name.
    private func sortedClusters() -> [ClusterID] {
        var clusters: [ClusterID] = []
        for index in tables.clusters.indices where !tables.clusters[index].groups.isEmpty {
            clusters.append(ClusterID(number: UInt32(index)))
        }
        clusters.sort { tables.clusterNames.precedes($0, $1) }
        return clusters
    }
}
