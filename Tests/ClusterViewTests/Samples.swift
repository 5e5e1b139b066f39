import Basics
import FoundationEssentials
import Remoting

@testable import ClusterView

/// Builds a node's answer with the given brokers.
func status(
    _ node: String, uptimeMillis: Int64 = 12_345, brokers: [NodeStatus.Broker], events: [NodeStatus.Event] = []
) -> NodeStatus {
    NodeStatus(
        node: node, software: "hearsay test", uptimeMillis: uptimeMillis, wallMillis: 1_000_000,
        totals: .init(brokers: brokers.count, groups: 1, topics: 7, clusters: 1),
        counters: .init(requests: 0, registrations: 0, heartbeats: 0, lookups: 0, lookupMisses: 0),
        brokers: brokers, events: events, lastEventSequence: events.last?.sequence ?? 0)
}

func broker(
    _ name: String, _ id: Int64, age: Int64, cluster: String = "C", address: String? = nil,
    registrationAge: Int64? = nil, timeout: Int64 = 120_000
) -> NodeStatus.Broker {
    .init(
        cluster: cluster, name: name, id: id, address: address ?? "127.0.0.1:\(10_911 + id)", ageMillis: age,
        registrationAgeMillis: registrationAge ?? age, timeoutMillis: timeout, topics: 3)
}

/// An event `ago` milliseconds before the node answered.
func event(_ sequence: UInt64, _ kind: String, _ broker: String, _ id: Int64 = 0, ago: Int64) -> NodeStatus.Event {
    .init(
        sequence: sequence, wallMillis: 1_000_000 - ago, kind: kind, text: "\(broker):\(id) \(kind)", broker: broker,
        id: id)
}

/// An event that only its text describes.
func event(_ sequence: UInt64, _ kind: String, text: String, ago: Int64) -> NodeStatus.Event {
    .init(sequence: sequence, wallMillis: 1_000_000 - ago, kind: kind, text: text)
}

func model(_ answers: [NodeStatus?]) -> ClusterModel {
    var model = ClusterModel(
        cluster: "demo",
        nodes: answers.indices.map { ("ns-\($0 + 1)", Address(host: "127.0.0.1", port: UInt16(9876 + $0))) })
    for (index, answer) in answers.enumerated() {
        model.nodes[index].status = answer
        model.nodes[index].error = answer == nil ? "connection refused" : nil
    }
    return model
}

/// What a node tells of its peers.
func gossip(_ json: String) -> GossipStatus {
    guard let status = try? JSONDecoder().decode(GossipStatus.self, from: Data(json.utf8)) else {
        preconditionFailure("no JSON: \(json)")
    }
    return status
}

/// What one node said: one of ours, which lists what its status does.
func ours(
    _ number: Int, _ brokers: [NodeStatus.Broker], uptime: Int64 = 3_600_000, events: [NodeStatus.Event] = [],
    gossip json: String? = nil
) -> NodeReading {
    var reading = NodeReading(
        name: "ns-\(number)", address: Address(host: "10.0.1.\(number)", port: 9876))
    reading.status = status(reading.name, uptimeMillis: uptime, brokers: brokers, events: events)
    reading.software = "hearsay test"
    reading.gossip = json.map(gossip)
    reading.groups = groups(brokers.map { ($0.name, $0.id, $0.address, $0.cluster) })
    return reading
}

/// What one node said: one of Apache's.
func apache(_ number: Int, _ replicas: [(name: String, id: Int64, address: String, cluster: String)]) -> NodeReading {
    var reading = NodeReading(
        name: "ns-\(number)", address: Address(host: "10.0.1.\(number)", port: 9876))
    reading.software = "RocketMQ 5.3.3"
    reading.groups = groups(replicas)
    return reading
}

/// A node that does not answer.
func silent(_ number: Int) -> NodeReading {
    NodeReading(
        name: "ns-\(number)", address: Address(host: "10.0.1.\(number)", port: 9876), error: "no answer in time")
}

private func groups(
    _ replicas: [(name: String, id: Int64, address: String, cluster: String)]
) -> [String: BrokerData] {
    var groups: [String: BrokerData] = [:]
    for (name, id, address, cluster) in replicas {
        groups[name, default: BrokerData(cluster: cluster, brokerName: name)].brokerAddrs[id] = address
    }
    return groups
}

extension ClusterDifference {
    /// `missing broker-a:0 ns-1|ns-2 38000`.
    var row: String {
        "\(kind.rawValue) \(subject) \(here.joined(separator: ","))|\(there.joined(separator: ",")) "
            + (sinceMillis.map { "\($0)" } ?? "-")
    }
}
