import Basics
import Platform
import Remoting
import RemotingTransport

/// Delivers NOTIFY_MIN_BROKER_ID_CHANGE (905) to brokers over connections of our own (protocol.md 2.22).
final class MinBrokerNotifier {
    /// Connections kept at the same time; the one unused for longest goes first.
    static let connectionLimit = 256

    private let platform: any Platform
    private var connections: [String: RemotingConnection] = [:]
    private var order: [String] = []

    init(platform: any Platform) { self.platform = platform }

    /// Sends oneway to each address; an address that is no `host:port` and a failed connection are skipped, as the
    /// broker's next registration tells it the same.
    func notify(_ addresses: [String], _ command: RemotingCommand) {
        for text in addresses {
            guard let address = Address(text) else { continue }
            connection(to: address, named: text).send(command)
        }
    }

    /// Ends all connections.
    func close() {
        for name in order { connections[name]?.close() }
        connections.removeAll()
        order.removeAll()
    }

    private func connection(to address: Address, named name: String) -> RemotingConnection {
        if let known = connections[name] {
            if let index = order.firstIndex(of: name) { order.append(order.remove(at: index)) }
            return known
        }
        if order.count >= Self.connectionLimit { connections.removeValue(forKey: order.removeFirst())?.close() }
        var options = RemotingConnectionOptions()
        options.stream.idleTimeout = .seconds(120)
        let connection = RemotingConnection(platform: platform, address: address, options: options)
        connections[name] = connection
        order.append(name)
        return connection
    }
}
