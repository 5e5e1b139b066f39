import Basics
import NameServerCore
import NameServerNode
import Remoting
import RouteClient

/// 18, the stock part: when all is well again for long enough, every node serves exactly the brokers that are up, and
/// every client has routes.
final class Liveness: Invariant {
    let number = 18
    let name = "liveness"

    func checkAfterHealing(_ cluster: Cluster) -> String? {
        for node in cluster.nodes {
            guard let server = node.node else { return "\(node.host.name) is down" }
            let served = server.inspectTables { $0.served }.sorted()
            let expected = cluster.brokers.filter { $0.isUp && $0.registers(at: node) }.map(\.replica.label).sorted()
            if served != expected { return "\(node.host.name) serves \(served), up are \(expected)" }
        }
        // Where brokers register at a few nodes only, whom a client asks decides what it is told.
        guard cluster.options.nameServersPerBroker == nil else { return nil }
        for client in cluster.clients {
            for topic in client.topics where client.client?.book.route(of: topic)?.brokerDatas.isEmpty != false {
                return "\(client.host.name) has no route of \(topic)"
            }
        }
        return nil
    }
}
